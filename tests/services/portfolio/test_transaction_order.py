"""Transactions in each order, page by page: nothing twice, nothing left out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.transactions import PortfolioKind
from app.errors import BadInput
from app.services.paging import make_cursor
from app.services.portfolio.ledger import list_transactions
from app.services.portfolio.transaction_order import TransactionSort, read_place
from tests.ledgers import DAY, keep, make_portfolio, read
from tests.people import make_user

WORDS = ("BUY 3 B @ 90", "DEPOSIT 90", "BUY 1 A @ 1000", "SELL 1 A @ 90", "FEE 7", "DEPOSIT 270")
KEYS = {
    TransactionSort.DAY: lambda _: (),
    TransactionSort.SYMBOL: lambda e: (e.symbol or "",),
    TransactionSort.KIND: lambda e: (e.kind.value,),
    TransactionSort.AMOUNT: lambda e: (e.currency, e.amount),
}


@pytest.fixture
async def book(env):
    alice = await make_user(env)
    made = await make_portfolio(env, alice, 0, PortfolioKind.TRACKED)
    for number, words in enumerate(WORDS):
        day = DAY + timedelta(days=number % 4)
        for currency in ("KRW", "USD"):
            entry = replace(read(words, day, currency), day=day)
            await keep(env, alice, made, entry)
    return alice, made


@pytest.mark.parametrize("sort", TransactionSort)
@pytest.mark.parametrize("ascending", [True, False])
async def test_pages_of_every_order_hold_all_once(env, book, sort, ascending):
    alice, made = book
    seen, after = [], None
    while True:
        page = await list_transactions(
            env, alice.id, str(made.id), first=5, after=after, sort=sort, ascending=ascending
        )
        seen += page.rows
        if not page.has_next:
            break
        after = page.cursors[-1]
    assert len({entry.id for entry in seen}) == 2 * len(WORDS)
    key = KEYS[sort]
    assert seen == sorted(seen, key=lambda e: (*key(e), e.day, e.id), reverse=not ascending)


@pytest.mark.parametrize("cursor", [("KRW", "x", 1, 1), ("KRW", "NaN", 1, 1), (1, 1), ("KRW", 1)])
def test_a_cursor_of_something_else_is_refused(cursor):
    with pytest.raises(BadInput, match="endCursor"):
        read_place(TransactionSort.AMOUNT, make_cursor(*cursor))
