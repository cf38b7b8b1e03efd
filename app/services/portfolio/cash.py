"""What money a portfolio has: what may be spent, what may leave, and when the rest may."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple

from sqlalchemy import select, text

from app.db.models import Account
from app.domain.market import currency_digits
from app.domain.portfolio.cash_days import settling_days
from app.domain.postings import AccountKind
from app.domain.transactions import PortfolioKind
from app.env import Env
from app.services.portfolio.booking import now_of
from app.services.portfolio.order_market import read_present
from app.services.portfolio.portfolios import find_own

_WAITING: Final = (AccountKind.UNSETTLED, AccountKind.RECEIVABLE)
_KINDS: Final = {
    kind.value: kind.value.lower()
    for kind in (
        AccountKind.CASH,
        AccountKind.UNSETTLED,
        AccountKind.RESERVED,
        AccountKind.RECEIVABLE,
    )
}


class CashDay(NamedTuple):
    """An amount that becomes free on a day."""

    day: date
    amount: Decimal


@dataclass(frozen=True)
class CashRow:
    """Money of one currency. `receivable` is announced: it is no part of the others.

    `settling` says when the unsettled money may leave, `paying` when the receivable comes.
    """

    currency: str
    cash: Decimal
    unsettled: Decimal
    reserved: Decimal
    receivable: Decimal
    settling: tuple[CashDay, ...] = ()
    paying: tuple[CashDay, ...] = ()

    @property
    def deposit(self) -> Decimal:
        """All of it once every trade has settled (예수금, D+2)."""
        return self.cash + self.unsettled + self.reserved

    @property
    def orderable(self) -> Decimal:
        """What a purchase may cost now (주문가능)."""
        return self.cash + self.unsettled

    @property
    def withdrawable(self) -> Decimal:
        """What may leave or be exchanged now (출금가능)."""
        return self.cash


Coming = dict[tuple[str, str], dict[date, Decimal]]
"""By currency and kind of account: what settles on which day."""


async def list_cash(env: Env, user_id: int, portfolio_id: str) -> list[CashRow]:
    """The money of a portfolio by currency, in alphabetical order.

    Raises:
        NotFound: it is not there or not the user's.
    """
    async with env.db.read(uid=user_id) as db:
        own = await find_own(db, portfolio_id, user_id)
        query = select(Account.kind, Account.commodity, Account.balance).where(
            Account.portfolio_id == own.id,
            Account.kind.in_(_KINDS),
            Account.commodity.not_like("share:%"),
        )
        rows = (await db.execute(query)).all()
        practice = own.kind == PortfolioKind.PRACTICE
    coming: Coming = {}
    today = now_of(env).today
    if any(row.balance > 0 and row.kind in _WAITING for row in rows):
        today = (await read_present(env)).today if practice else today
        coming = await _read_coming(env, user_id, own.id, min(today.values()))
    found: dict[str, dict[str, Decimal]] = {}
    for kind, currency, balance in rows:
        amounts = found.setdefault(currency, dict.fromkeys(_KINDS.values(), Decimal(0)))
        amounts[_KINDS[kind]] = _rounded(balance, currency)
    return [_row(currency, found[currency], coming, today[currency]) for currency in sorted(found)]


def _row(currency: str, amounts: Mapping[str, Decimal], coming: Coming, today: date) -> CashRow:
    def when_free(kind: AccountKind) -> tuple[CashDay, ...]:
        known = coming.get((currency, kind), {})
        later = {day: amount for day, amount in known.items() if day > today}
        steps = settling_days(amounts[_KINDS[kind]], later, today)
        return tuple(CashDay(day, _rounded(amount, currency)) for day, amount in steps)

    return CashRow(
        currency,
        amounts["cash"],
        amounts["unsettled"],
        amounts["reserved"],
        amounts["receivable"],
        settling=when_free(AccountKind.UNSETTLED),
        paying=when_free(AccountKind.RECEIVABLE),
    )


async def _read_coming(env: Env, user_id: int, portfolio_id: int, after: date) -> Coming:
    found: Coming = {}
    params = {"portfolio": portfolio_id, "after": after}
    async with env.db.read(uid=user_id) as db:
        for row in await db.execute(text(_COMING), params):
            found.setdefault((row.commodity, row.kind), {})[row.settles_on] = row.amount
    return found


def _rounded(amount: Decimal, currency: str) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-currency_digits(currency)))


_COMING: Final = """
    SELECT a.commodity, a.kind, t.settles_on, sum(p.amount) AS amount
    FROM txn AS t JOIN posting AS p ON p.txn_id = t.id JOIN account AS a ON a.id = p.account_id
    WHERE t.portfolio_id = :portfolio AND t.settles_on > :after
      AND a.kind IN ('UNSETTLED', 'RECEIVABLE')
    GROUP BY a.commodity, a.kind, t.settles_on
"""
