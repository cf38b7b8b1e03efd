"""Portfolios: opening one with its first deposit, naming it, and throwing practice away.

The owner stands in the same WHERE as the id. One of practice can be deleted; the others hold a
ledger, which stays.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import Portfolio
from app.domain.entry_checks import check_entry
from app.domain.market import currency_digits
from app.domain.money import check_money, check_places
from app.domain.trading.costs import find_profile
from app.domain.transactions import Entry, LotMethod, PortfolioKind, TransactionKind
from app.env import Env
from app.errors import BadInput, Conflict
from app.services.owned import check_name, missing, read_id
from app.services.portfolio.booking import entry_item, now_of, post
from app.services.portfolio.order_market import read_present

MOST_PORTFOLIOS: Final = 50  # of one person
FIRST_DEPOSIT: Final = ":opening"
DELETE: Final = text("SELECT delete_practice(:portfolio, :user_id)")
"""Deletes a portfolio of practice with all that was in it; whether there was one."""


@dataclass(frozen=True)
class NewPortfolio:
    """What somebody asks for; `initial_capital` is deposited in `base_currency`, if above 0.

    `opened_on` None is the present day: of practice the one that is replayed.
    """

    name: str
    kind: PortfolioKind
    base_currency: str = "KRW"
    initial_capital: Decimal = Decimal(0)
    lot_method: LotMethod = LotMethod.FIFO
    cost_profile: str = "online"
    fx_spread: Decimal = Decimal("0.01")
    opened_on: date | None = None


@dataclass(frozen=True)
class PortfolioRow:
    """A portfolio as the layers above see one."""

    id: int
    name: str
    kind: PortfolioKind
    base_currency: str
    lot_method: LotMethod
    opened_on: date
    initial_capital: Decimal
    cost_profile: str
    fx_spread: Decimal
    created_at: datetime
    archived_at: datetime | None

    @classmethod
    def of(cls, row: Portfolio) -> PortfolioRow:
        """From the table."""
        facts: dict[str, Any] = {f.name: getattr(row, f.name) for f in fields(cls)}
        unit = Decimal(1).scaleb(-currency_digits(row.base_currency))
        facts["initial_capital"] = row.initial_capital.quantize(unit)
        facts["kind"], facts["lot_method"] = PortfolioKind(row.kind), LotMethod(row.lot_method)
        return cls(**facts)


async def create_portfolio(env: Env, user_id: int, wanted: NewPortfolio) -> PortfolioRow:
    """Opens a portfolio and deposits its initial capital, both or neither.

    Raises:
        BadInput: a name, currency, amount, profile or day that cannot be.
        Conflict: there are too many already.
    """
    practice = wanted.kind is PortfolioKind.PRACTICE
    when = await read_present(env) if practice else now_of(env)
    opened_on = wanted.opened_on or when.today["KRW"]
    deposit = _first_deposit(wanted, opened_on)
    values = {
        "user_id": user_id,
        "name": check_name(wanted.name),
        "kind": wanted.kind,
        "base_currency": wanted.base_currency,
        "lot_method": wanted.lot_method,
        "opened_on": _check_opening(opened_on, when.today["KRW"]),
        "initial_capital": wanted.initial_capital,
        "cost_profile": find_profile(wanted.cost_profile).key,
        "fx_spread": _check_spread(wanted.fx_spread),
        "created_at": when.at,
    }
    async with env.db.write(uid=user_id) as db:
        await _require_room(db, user_id)
        made = (await db.scalars(insert(Portfolio).values(values).returning(Portfolio))).one()
        if deposit is not None:
            item = entry_item(made.id, FIRST_DEPOSIT, deposit, when)
            await post(db.scalar, made.id, user_id, [item], when)
        return PortfolioRow.of(made)


async def list_portfolios(env: Env, user_id: int, *, archived: bool = False) -> list[PortfolioRow]:
    """The user's portfolios, the oldest first; archived ones only when asked for."""
    query = select(Portfolio).where(Portfolio.user_id == user_id).order_by(Portfolio.id)
    if not archived:
        query = query.where(Portfolio.archived_at.is_(None))
    async with env.db.read(uid=user_id) as db:
        return [PortfolioRow.of(row) for row in await db.scalars(query)]


async def get_portfolio(env: Env, user_id: int, portfolio_id: str) -> PortfolioRow:
    """One of the user's portfolios.

    Raises:
        NotFound: it is not there or not the user's.
    """
    async with env.db.read(uid=user_id) as db:
        return PortfolioRow.of(await find_own(db, portfolio_id, user_id))


async def find_own(db: AsyncSession, portfolio_id: str, user_id: int) -> Portfolio:
    """The row of one of the user's portfolios.

    Raises:
        NotFound: it is not there or not the user's.
    """
    whose = (Portfolio.id == read_id(portfolio_id), Portfolio.user_id == user_id)
    found = await db.scalar(select(Portfolio).where(*whose))
    if found is None:
        raise missing()
    return found


async def rename_portfolio(env: Env, user_id: int, portfolio_id: str, name: str) -> PortfolioRow:
    """Gives a portfolio another name.

    Raises:
        NotFound: it is not there or not the user's.
        BadInput: a name that cannot be.
    """
    return await _change(env, user_id, portfolio_id, name=check_name(name))


async def delete_portfolio(env: Env, user_id: int, portfolio_id: str) -> None:
    """Deletes a portfolio of practice with all that was in it.

    Raises:
        NotFound: it is not there or not the user's.
        Conflict: it is not of practice: its ledger stays.
    """
    found = await get_portfolio(env, user_id, portfolio_id)
    if found.kind is not PortfolioKind.PRACTICE:
        raise Conflict("Only a portfolio of practice can be deleted. Archive this one.")
    values = {"portfolio": found.id, "user_id": user_id}
    if not await env.db.call(DELETE, values):
        raise missing()


def _check_opening(day: date, today: date) -> date:
    if day > today:
        message = "The first day is %(value)s; it must not be after today, %(bound)s"
        raise BadInput(message, field="openedOn", value=str(day), bound=str(today))
    return day


def _check_spread(spread: Decimal) -> Decimal:
    check_places(spread, "fxSpread", 6)
    if not 0 <= spread < 1:
        message = "The spread of exchanges is %(value)s; it must be from 0 to below 1"
        raise BadInput(message, field="fxSpread", value=str(spread)[:40])
    return spread


def _first_deposit(wanted: NewPortfolio, day: date) -> Entry | None:
    currency, amount = wanted.base_currency, wanted.initial_capital
    if amount.is_finite() and amount == 0:
        currency_digits(currency)
        return None
    check_money(amount, currency, "initialCapital")
    deposit = Entry(
        kind=TransactionKind.DEPOSIT, day=day, settles_on=day, currency=currency, amount=amount
    )
    return check_entry(deposit)


async def _require_room(db: AsyncSession, user_id: int) -> None:
    count = select(func.count()).select_from(Portfolio).where(Portfolio.user_id == user_id)
    if (await db.scalar(count) or 0) >= MOST_PORTFOLIOS:
        message = "There are %(bound)d portfolios already. Delete one of practice first."
        raise Conflict(message, bound=MOST_PORTFOLIOS)


async def _change(env: Env, user_id: int, portfolio_id: str, **values: Any) -> PortfolioRow:
    whose = (Portfolio.id == read_id(portfolio_id), Portfolio.user_id == user_id)
    change = update(Portfolio).where(*whose).values(values).returning(Portfolio)
    async with env.db.write(uid=user_id) as db:
        row = (await db.scalars(change)).one_or_none()
        if row is None:
            raise missing()
        return PortfolioRow.of(row)
