"""The self-audit of a portfolio: whether its book, its ledger and its identities agree.

    shares of the book = balance of the position (and what is set aside of it)
    cash of the book = deposit + receivable
    total = flows + unrealised + realised + income + what rates have made of cash

Everything is compared exactly; what is stored of past days is compared once a day
(`equity_audit`). In a real account a negative balance is a finding, not an error:
imports often come without their cash.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import select

from app.db.models import Account
from app.domain.portfolio.lots import PRECISE
from app.domain.portfolio.valuation import PortfolioValue
from app.domain.postings import AccountKind
from app.env import Env
from app.services.portfolio.portfolio_books import OpenBook

SHARE = "share:"
TOLERANCE = Decimal("0.000001")
"""Figures on different grids may differ by less than this, in the smallest of currencies."""


class Finding(StrEnum):
    """What an audit may find."""

    OVERSOLD = "OVERSOLD"
    SPLIT_MISMATCH = "SPLIT_MISMATCH"
    NOT_HELD = "NOT_HELD"
    NEGATIVE_CASH = "NEGATIVE_CASH"
    SHARES_DIFFER = "SHARES_DIFFER"
    CASH_DIFFERS = "CASH_DIFFERS"
    IDENTITY_BROKEN = "IDENTITY_BROKEN"
    RATE_MISSING = "RATE_MISSING"
    EQUITY_DIFFERS = "EQUITY_DIFFERS"
    RETURN_DIFFERS = "RETURN_DIFFERS"
    TOTAL_DIFFERS = "TOTAL_DIFFERS"
    SPLITS_DIFFER = "SPLITS_DIFFER"


@dataclass(frozen=True)
class AuditRow:
    """A finding; `name` is the symbol or currency, `difference` by how much."""

    finding: Finding
    name: str
    difference: Decimal | None = None
    day: date | None = None


async def audit(env: Env, user_id: int, opened: OpenBook, value: PortfolioValue) -> list[AuditRow]:
    """What is wrong with a portfolio; an empty list is what one hopes for."""
    query = select(Account.kind, Account.commodity, Account.balance).where(
        Account.portfolio_id == opened.portfolio.id
    )
    async with env.db.read(uid=user_id) as db:
        rows = [(row.kind, row.commodity, row.balance) for row in await db.execute(query)]
    shares: dict[str, Decimal] = {}
    cash: dict[str, Decimal] = {}
    for kind, commodity, balance in rows:
        if kind in {AccountKind.POSITION, AccountKind.RESERVED} and commodity.startswith(SHARE):
            symbol = commodity.removeprefix(SHARE)
            shares[symbol] = shares.get(symbol, Decimal(0)) + balance
        elif kind in {
            AccountKind.CASH,
            AccountKind.UNSETTLED,
            AccountKind.RESERVED,
            AccountKind.RECEIVABLE,
        }:
            cash[commodity] = cash.get(commodity, Decimal(0)) + balance
    return [
        *_problems(opened),
        *_differences(Finding.SHARES_DIFFER, shares, _held(opened)),
        *_differences(Finding.CASH_DIFFERS, cash, _money(opened)),
        *(AuditRow(Finding.NEGATIVE_CASH, c, b) for c, b in sorted(cash.items()) if b < 0),
        *_identity(value),
    ]


def _problems(opened: OpenBook) -> Iterator[AuditRow]:
    for problem in opened.book.problems:
        finding = Finding(problem.trouble.value)
        yield AuditRow(finding, problem.symbol, problem.quantity, problem.day)
    for currency, day in sorted(opened.book.missing):
        yield AuditRow(Finding.RATE_MISSING, currency, None, day)


def _held(opened: OpenBook) -> dict[str, Decimal]:
    return {symbol: holding.quantity for symbol, holding in opened.book.holdings.items()}


def _money(opened: OpenBook) -> dict[str, Decimal]:
    return {currency: pool.quantity for currency, pool in opened.book.cash.items()}


def _differences(
    finding: Finding, stored: dict[str, Decimal], replayed: dict[str, Decimal]
) -> Iterator[AuditRow]:
    for name in sorted(stored.keys() | replayed.keys()):
        difference = stored.get(name, Decimal(0)) - replayed.get(name, Decimal(0))
        if difference:
            yield AuditRow(finding, name, difference)


def _identity(value: PortfolioValue) -> Iterator[AuditRow]:
    """Nothing is said of a value that lacks something."""
    parts = (value.flows, value.realised, value.income)
    if not value.complete or any(part is None for part in parts):
        return
    known = [part for part in parts if part is not None]
    told = sum([*known, value.unrealised, value.cash_fx], Decimal(0))
    difference = PRECISE.subtract(value.total, told)
    if abs(difference) >= TOLERANCE:
        yield AuditRow(Finding.IDENTITY_BROKEN, value.base, difference)
