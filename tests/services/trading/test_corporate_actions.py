"""Splits and dividends of the sources in portfolios of virtual money: once, corrected, retracted."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from app.domain.portfolio.corporate_actions import PAY_DAY_UNKNOWN
from app.domain.transactions import PortfolioKind
from app.services.market.replay import advance, replay_day
from app.services.portfolio.ledger import list_entries, reverse_transaction
from app.services.portfolio.portfolio_books import BookShelf
from app.services.trading.corporate_actions import book_actions
from tests.factories import make_bars, make_dividend, make_instrument, make_split
from tests.ledgers import DAY, balances, drift, keep, make_portfolio, read
from tests.paper import make_recorded
from tests.people import make_user

LATER = DAY + timedelta(days=3)


@pytest.fixture
async def alice(env):
    await make_instrument(env, "AAPL")
    await make_instrument(env, "005930.KS")
    return await make_user(env)


@pytest.fixture
async def book(env, alice):
    made = await make_portfolio(env, alice, 100_000, currency="USD")
    await keep(env, alice, made, read("BUY 10 AAPL @ 50", currency="USD"))
    return made


async def own(env, alice, book):
    """What was booked by itself, whether it stands or not: kind, quantity, amount, tax."""
    found = await list_entries(env, alice.id, str(book.id))
    undone = {e.reverses for e in found}
    kinds = {"SPLIT", "DIVIDEND"}
    rows = [e for e in found if e.kind in kinds and e.reverses is None and e.id not in undone]
    return [(e.kind.value, e.quantity, e.amount, e.tax) for e in rows]


async def test_a_split_and_a_dividend_are_booked_once(env, alice, book):
    await make_dividend(env, "AAPL", LATER, 0.25)
    await make_split(env, "AAPL", LATER, 4)
    assert await book_actions(env) == 2
    assert await book_actions(env) == 0
    assert await own(env, alice, book) == [
        ("SPLIT", 30, 0, 0),
        ("DIVIDEND", 40, Decimal("10.00"), Decimal("1.50")),  # 15 % are withheld
    ]
    last = (await list_entries(env, alice.id, str(book.id)))[-1]
    assert (last.day, last.settles_on, last.tags) == (LATER, LATER, (PAY_DAY_UNKNOWN,))
    found = await balances(env, book)
    assert (found["POSITION share:AAPL"], found["CASH USD"]) == (40, Decimal("99508.5"))
    opened = await BookShelf().open(env, alice.id, str(book.id))
    assert (opened.book.problems, opened.book.holdings["AAPL"].quantity) == ([], 40)
    assert await drift(env) == []


async def test_korean_shares_stay_whole_and_the_rest_is_paid(env, alice):
    book = await make_portfolio(env, alice)
    await keep(env, alice, book, "BUY 7 005930.KS @ 1000")
    await make_split(env, "005930.KS", LATER, 1, 5)
    await book_actions(env)
    assert await own(env, alice, book) == []  # what a share is worth is not known yet
    await make_bars(env, "005930.KS", [5000], start=LATER)
    await make_dividend(env, "005930.KS", LATER, 361)
    await book_actions(env)
    assert await own(env, alice, book) == [("SPLIT", -6, 2000, 0), ("DIVIDEND", 1, 361, 55)]
    opened = await BookShelf().open(env, alice.id, str(book.id))
    assert (opened.book.problems, opened.book.holdings["005930.KS"].quantity) == ([], 1)


async def test_what_comes_late_is_corrected_and_what_is_retracted_reversed(env, alice, book):
    await make_split(env, "AAPL", LATER, 4)
    await make_dividend(env, "AAPL", LATER + timedelta(days=1), 1)
    seen: dict = {}
    assert await book_actions(env, seen) == 2
    await book_actions(env, seen)
    await keep(env, alice, book, read("BUY 1 AAPL @ 50", currency="USD"))  # before the split
    assert await book_actions(env, seen) == 4
    assert [(kind, n) for kind, n, *_ in await own(env, alice, book)] == [
        ("SPLIT", 33),
        ("DIVIDEND", 44),
    ]
    opened = await BookShelf().open(env, alice.id, str(book.id))
    assert opened.book.problems == []
    async with env.db.write() as db:
        await db.execute(text("DELETE FROM split"))
    assert await book_actions(env, seen) == 3
    assert [(kind, n) for kind, n, *_ in await own(env, alice, book)] == [("DIVIDEND", 11)]
    await make_split(env, "AAPL", LATER, 4)
    assert await book_actions(env, seen) == 3
    assert (await balances(env, book))["POSITION share:AAPL"] == 44
    assert await book_actions(env) == 0
    assert await drift(env) == []


async def test_somebodys_own_decision_stays(env, alice, book):
    await make_split(env, "AAPL", LATER, 4)
    await make_dividend(env, "AAPL", LATER, 1)
    paid = replace(read("DIVIDEND 12 AAPL", currency="USD"), day=LATER, settles_on=LATER)
    await keep(env, alice, book, paid)
    assert await book_actions(env) == 1  # the dividend is there already
    assert [kind for kind, *_ in await own(env, alice, book)] == ["DIVIDEND", "SPLIT"]
    split = (await list_entries(env, alice.id, str(book.id)))[-1]
    await reverse_transaction(env, alice.id, str(split.id), "mine")
    assert await book_actions(env) == 0
    assert [kind for kind, *_ in await own(env, alice, book)] == ["DIVIDEND"]


async def test_nothing_of_the_future_and_nothing_for_the_record_of_a_real_account(env, alice, book):
    real = await make_portfolio(env, alice, 0, PortfolioKind.TRACKED)
    await keep(env, alice, real, read("BUY 10 AAPL @ 50", currency="USD"))
    await make_split(env, "AAPL", date(2999, 1, 1), 4)
    await make_dividend(env, "AAPL", DAY, 1)  # bought on the ex-day: not for these shares
    assert await book_actions(env) == 0
    await make_dividend(env, "AAPL", LATER, 1)
    assert await book_actions(env) == 1
    assert await own(env, alice, real) == []


async def test_practice_knows_no_more_than_the_replayed_day(env, alice):
    async with env.db.write() as db:
        await db.execute(text("DELETE FROM instrument"))
    await make_recorded(env)  # the second of three days is replayed
    book = await make_portfolio(env, alice, 10_000, PortfolioKind.PRACTICE, "USD")
    await keep(env, alice, book, read("BUY 10 AAPL @ 50", currency="USD"))
    playing = await replay_day(env)
    await make_split(env, "AAPL", playing, 4)
    await make_dividend(env, "AAPL", playing + timedelta(days=1), 0.25)
    seen: dict = {}
    assert await book_actions(env, seen) == 1
    assert await own(env, alice, book) == [("SPLIT", 30, 0, 0)]
    for _ in range(4):
        await advance(env)
    assert await book_actions(env, seen) == 1
    assert await own(env, alice, book) == [
        ("SPLIT", 30, 0, 0),
        ("DIVIDEND", 40, Decimal("10.00"), Decimal("1.50")),
    ]
    async with env.db.write() as db:
        await db.execute(text("UPDATE setting SET value = '\"yahoo\"' WHERE key = 'source'"))
    await make_dividend(env, "AAPL", playing, 9)
    assert await book_actions(env, {}) == 0  # nothing is replayed: practice has no present
