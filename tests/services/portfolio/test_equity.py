"""Daily equity: stored by day, worked out again from the first day that has changed."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import polars as pl
from sqlalchemy import text

from app.db.engine import EVERYONE
from app.db.revised import Version, append_rows, merge_rows
from app.domain.bars import PRICES
from app.domain.portfolio.equity import compute_equity
from app.domain.transactions import PortfolioKind
from app.env import Env
from app.services.portfolio import equity
from app.services.portfolio.equity import EQUITY, read_equity, refresh_equity
from app.services.portfolio.ledger import reverse_transaction
from app.services.portfolio.portfolios import NewPortfolio, create_portfolio, delete_portfolio
from tests.factories import AT, make_instrument, make_sessions, weekdays
from tests.holdings import START, make_holdings, make_prices
from tests.ledgers import keep, make_portfolio, read
from tests.people import make_user


async def start(env: Env, kind: PortfolioKind = PortfolioKind.SIMULATED):
    await make_prices(env)
    await make_sessions(env, "XNAS", weekdays(START, 3))
    await make_sessions(env, "XKRX", weekdays(START, 3))
    alice = await make_user(env)
    return alice, await make_holdings(env, alice, kind)


async def values(env: Env, alice, row) -> list[Decimal | None]:
    async with env.db.read(uid=alice.id) as db:
        found = await db.scalars(
            text("SELECT value FROM equity_daily WHERE portfolio_id = :id ORDER BY day"),
            {"id": row.id},
        )
        return list(found)


async def stored_days(env: Env, alice, row) -> list[date]:
    return (await read_equity(env, alice.id, row.id, None, None))["day"].to_list()


async def forget_newest(env: Env) -> None:
    """As if the days were older than those that are always worked out again."""
    async with env.db.write(uid=EVERYONE) as db:
        await db.execute(text("UPDATE equity_state SET day = day + 7"))


async def deliver(env: Env, closes: dict[int, float], symbol="AAPL", *, first=False) -> None:
    """Closes as a collection stores them, fetched before anything else has happened."""
    if symbol != "AAPL":
        await make_instrument(env, symbol)
    frame = pl.DataFrame(
        {"symbol": symbol, "day": [START + timedelta(days=n) for n in closes], "volume": 1000}
    ).with_columns(
        *(pl.Series(name, list(closes.values())).cast(pl.Float64) for name in PRICES),
        source=pl.lit("yahoo"),
        fetched_at=pl.lit(AT),
    )
    async with env.db.write() as db:
        version = Version(db, symbol, "yahoo", AT)
        await (append_rows if first else merge_rows)(version, "bar", frame)


def expected(day: int, dollars: int = 99) -> int:
    """Apple, Samsung, won and dollars at the closes of the three days."""
    apple, samsung, rate = (
        (100, 102, 101)[day],
        (70_000, 70_100, 70_200)[day],
        (1400, 1410, 1420)[day],
    )
    won = 10_000_000 - 1_400_000 - 20 * 70_000
    shares = 20
    if day:
        won, shares = won + 5 * 70_100 - 751, 15
    return 9 * apple * rate + shares * samsung + won + dollars * rate


async def test_every_day_is_what_quantity_price_and_rate_say(env: Env):
    alice, row = await start(env)
    assert await refresh_equity(env) == 1
    assert await values(env, alice, row) == [expected(day) for day in range(3)]
    assert await refresh_equity(env) == 0


async def test_an_edit_of_a_day_leaves_those_before_it_alone(env: Env):
    alice, row = await start(env)
    await refresh_equity(env)
    async with env.db.write(uid=EVERYONE) as db:
        await db.execute(text("UPDATE equity_daily SET value = 7 WHERE day = :day"), {"day": START})
    await forget_newest(env)
    day = START + timedelta(days=2)
    stored = await keep(env, alice, row, replace(read("DEPOSIT 1000"), day=day, settles_on=day))
    assert await refresh_equity(env) == 1
    assert await values(env, alice, row) == [7, expected(1), expected(2) + 1000]
    await reverse_transaction(env, alice.id, str(stored.id), "r")
    assert await refresh_equity(env) == 1
    assert (await values(env, alice, row))[2] == expected(2)


async def test_a_late_entry_of_the_past_and_a_revised_close_count_from_their_day(env: Env):
    alice, row = await start(env)
    await refresh_equity(env)
    await keep(env, alice, row, "DEPOSIT 500")
    await refresh_equity(env)
    assert await values(env, alice, row) == [expected(day) + 500 for day in range(3)]
    await deliver(env, {1: 103})
    assert await refresh_equity(env) == 1
    assert (await values(env, alice, row))[1] == expected(1) + 500 + 9 * 1410


async def test_closes_that_come_after_the_entries_count_from_their_first_day(env: Env):
    """Who records an old account has its prices fetched afterwards; they bear an earlier time."""
    alice, row = await start(env)
    async with env.db.write() as db:
        await db.execute(text("DELETE FROM bar WHERE symbol = 'AAPL'"))
    await refresh_equity(env)
    assert await values(env, alice, row) == [None, None, None]
    await forget_newest(env)
    await deliver(env, {0: 100, 1: 102, 2: 101}, first=True)
    assert await refresh_equity(env) == 1
    assert await values(env, alice, row) == [expected(day) for day in range(3)]
    await deliver(env, {0: 100}, symbol="MSFT", first=True)  # none of its own
    assert await refresh_equity(env) == 0


async def test_an_entry_with_a_lower_number_that_is_stored_later_is_not_missed(env: Env):
    alice, row = await start(env)
    await refresh_equity(env)
    async with env.db.write(uid=EVERYONE) as db:  # as if one had not been there yet
        await db.execute(text("UPDATE equity_state SET txns = txns - 1"))
        await db.execute(text("UPDATE equity_daily SET value = 7"))
    await forget_newest(env)
    assert await refresh_equity(env) == 1
    assert await values(env, alice, row) == [expected(day) for day in range(3)]


async def test_two_workers_work_each_portfolio_out_once(env: Env, monkeypatch):
    """Both know of both portfolios when they begin; one is held up in the first."""
    alice, first = await start(env)
    second = await make_holdings(env, alice)
    begun, go_on, worked = asyncio.Event(), threading.Event(), []
    loop = asyncio.get_running_loop()

    def compute(entries, *args, **options):
        worked.append(len(worked))
        if len(worked) == 1:
            loop.call_soon_threadsafe(begun.set)
            assert go_on.wait(300)
        return compute_equity(entries, *args, **options)

    monkeypatch.setattr(equity, "compute_equity", compute)
    slow = asyncio.ensure_future(refresh_equity(env))
    await begun.wait()
    assert await refresh_equity(env) == 1  # the other one
    go_on.set()
    assert await slow == 1
    assert len(worked) == 2
    for row in (first, second):
        assert await values(env, alice, row) == [expected(day) for day in range(3)]


async def test_a_day_without_a_rate_has_no_value_and_says_so(env: Env):
    alice, row = await start(env)
    async with env.db.write() as db:
        await db.execute(text("DELETE FROM fx_rate"))
    await refresh_equity(env)
    frame = await read_equity(env, alice.id, row.id, None, None)
    assert frame.schema == EQUITY
    assert frame["value"].to_list() == [None, None, None]
    assert min(frame["missing"]) > 0


async def test_payments_before_the_first_value_are_stored_once(env: Env):
    """Of a symbol without any price no day has a value, whenever it is worked out."""
    await make_sessions(env, "XKRX", weekdays(START, 20))
    await make_instrument(env, "035720.KS")
    alice = await make_user(env)
    row = await make_portfolio(env, alice, kind=PortfolioKind.TRACKED)
    await keep(env, alice, row, "BUY 10 035720.KS @ 5000")
    for other, close in (("MSFT", 14), ("IBM", 20)):
        await deliver(env, {close: 100}, symbol=other, first=True)
        await refresh_equity(env)
    frame = await read_equity(env, alice.id, row.id, None, None)
    assert frame["value"].null_count() == frame.height == 15
    assert frame["paid_in"].sum() == 1_000_000


async def test_the_first_purchase_in_another_market_changes_the_days_before_it(env: Env):
    days = weekdays(START, 30)
    await make_sessions(env, "XKRX", days)
    await make_sessions(env, "XNAS", [*days[:2], *days[3:]])  # a holiday of theirs
    await make_prices(env)
    await deliver(env, {35: 100})
    alice = await make_user(env)
    wanted = NewPortfolio(
        "Long term", PortfolioKind.TRACKED, "KRW", Decimal(9_000_000), opened_on=START
    )
    row = await create_portfolio(env, alice.id, wanted)
    await refresh_equity(env)
    assert START + timedelta(days=2) in await stored_days(env, alice, row)
    bought = replace(read("BUY 1 AAPL @ 100", currency="USD"), day=days[21], settles_on=days[23])
    await keep(env, alice, row, bought)
    await refresh_equity(env)
    assert START + timedelta(days=2) not in await stored_days(env, alice, row)


async def test_to_others_nothing_is_stored(env: Env):
    _, row = await start(env)
    await refresh_equity(env)
    charlie = await make_user(env, "charlie")
    assert (await read_equity(env, charlie.id, row.id, None, None)).is_empty()


async def test_a_portfolio_of_practice_takes_its_equity_along(env: Env):
    alice, row = await start(env, PortfolioKind.PRACTICE)
    await refresh_equity(env)
    await delete_portfolio(env, alice.id, str(row.id))
    assert await values(env, alice, row) == []
