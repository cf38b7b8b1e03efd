"""The value of a book at quotes: each position by the day of its own quote."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from app.env import Env
from app.services.portfolio.portfolio_books import BookShelf
from app.services.portfolio.portfolio_value import RATE_SYMBOL, value_at, watched
from tests.holdings import START, make_holdings, make_prices, tick
from tests.ledgers import keep, read
from tests.people import make_user

NOW = datetime(2026, 3, 4, 16, tzinfo=UTC)
RATE = tick(RATE_SYMBOL, "1420", "1410")


async def open_book(env: Env):
    await make_prices(env)
    alice, shelf = await make_user(env), BookShelf()
    row = await make_holdings(env, alice)
    return alice, row, shelf, await shelf.open(env, alice.id, str(row.id))


async def test_it_needs_the_quotes_of_what_it_has_held_and_the_rate(env: Env):
    *_, opened = await open_book(env)
    assert watched(opened) == ["005930.KS", "AAPL", RATE_SYMBOL]


async def test_while_seoul_trades_new_york_still_has_its_own_day(env: Env):
    alice, row, shelf, _ = await open_book(env)
    bought = read("BUY 1 005930.KS @ 70200")
    day = START + timedelta(days=2)
    await keep(env, alice, row, replace(bought, day=day, settles_on=day))
    opened = await shelf.open(env, alice.id, str(row.id))
    yesterday = replace(tick("AAPL", "102", "100"), day=START + timedelta(days=1))
    seoul = tick("005930.KS", "70300", "70100")
    valued = value_at(opened, {"AAPL": yesterday, "005930.KS": seoul, RATE_SYMBOL: RATE}, NOW)
    by_symbol = {p.symbol: p.day_pnl for p in valued.value.positions}
    assert by_symbol["AAPL"] == 9 * 102 * 1420 - 9 * 100 * 1410
    assert by_symbol["005930.KS"] == 16 * 70_300 - 15 * 70_100 - 70_200
    assert valued.day_pnl == sum(by_symbol.values()) + 99 * 10


async def test_without_quotes_nothing_is_guessed(env: Env):
    *_, opened = await open_book(env)
    valued = value_at(opened, {}, NOW)
    assert valued.day_pnl is None
    assert valued.value.missing == ("005930.KS", "AAPL", "USD")
    assert valued.value.total == Decimal(7_549_749)
    assert valued.at == NOW


async def test_the_instant_is_that_of_the_newest_quote(env: Env):
    *_, opened = await open_book(env)
    old = replace(tick("AAPL", "102", "100"), at=NOW - timedelta(days=1))
    assert value_at(opened, {"AAPL": old, RATE_SYMBOL: RATE}, NOW).at == RATE.at
