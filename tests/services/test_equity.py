"""Daily equity: stored by day, worked out again from the first day that has changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import text

from app.db.engine import EVERYONE
from app.domain.transactions import PortfolioKind
from app.env import Env
from app.services.equity import EQUITY, read_equity, refresh_equity
from app.services.ledger import reverse_transaction
from app.services.portfolios import delete_portfolio
from tests.factories import make_sessions, weekdays
from tests.holdings import START, make_holdings, make_prices
from tests.ledgers import keep, read
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
        await db.execute(text("UPDATE equity_state SET day = day + 7"))  # past the newest days
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
    async with env.db.write() as db:
        await db.execute(
            text(
                "UPDATE bar SET close = 103, fetched_at = now() + interval '1 hour'"
                " WHERE symbol = 'AAPL' AND day = :day"
            ),
            {"day": START + timedelta(days=1)},
        )
    assert await refresh_equity(env) == 1
    assert (await values(env, alice, row))[1] == expected(1) + 500 + 9 * 1410


async def test_a_day_without_a_rate_has_no_value_and_says_so(env: Env):
    alice, row = await start(env)
    async with env.db.write() as db:
        await db.execute(text("DELETE FROM fx_rate"))
    await refresh_equity(env)
    frame = await read_equity(env, alice.id, row.id, None, None)
    assert frame.schema == EQUITY
    assert frame["value"].to_list() == [None, None, None]
    assert min(frame["missing"]) > 0


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
