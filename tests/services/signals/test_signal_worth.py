"""The worth of signals: read from the tables, stored, made anew when prices or the rule change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import insert, text

from app.db.models import DataVersion, Signal
from app.domain.signal_worth import assess, forward_return
from app.env import Env
from app.services.signals.signal_worth import PAUSE, find_worth, refresh_worth
from tests.clocks import at
from tests.factories import AT, make_bars, make_dividend, make_instrument, make_split

SYMBOLS = ("AAPL", "IBM", "KO", "MSFT", "NVDA", "ORCL")
COUNT = 320


@pytest.fixture
async def market(env: Env) -> tuple[Env, np.ndarray, np.ndarray]:
    """Six shares with a signal a day: the installation, its closes and its levels."""
    rng = np.random.default_rng(3)
    closes = np.round(100 * np.exp(rng.normal(0, 0.02, (COUNT, len(SYMBOLS))).cumsum(axis=0)), 2)
    levels = rng.choice([2, 1, 0, -1, -2], closes.shape)
    for k, symbol in enumerate(SYMBOLS):
        await make_instrument(env, symbol)
        days = await make_bars(env, symbol, closes[:, k].tolist())
        rows = [
            {"symbol": symbol, "day": day, "strength": int(level), "rsi_vote": 0,
             "stochastic_vote": 0, "macd_vote": 0}
            for day, level in zip(days, levels[:, k], strict=True)
        ]  # fmt: skip
        async with env.db.write() as db:
            await db.execute(insert(Signal), rows)
    await make_instrument(env, "^GSPC", kind="INDEX")  # no share, and it has no signals
    await tell_change(env)
    return env, closes, levels


async def tell_change(env: Env) -> None:
    async with env.db.write() as db:
        await db.execute(text("UPDATE instrument SET signals_by = 'MACD_CROSS'"))
        await db.execute(insert(DataVersion).values(at=AT, source="yahoo"))


def plain(closes: np.ndarray, levels: np.ndarray) -> dict[tuple, float]:
    return {
        ("USD", worth.level, horizon, name): value
        for horizon in (5, 20)
        for worth in assess(
            levels.astype(np.int8),
            np.column_stack([forward_return(column, horizon) for column in closes.T]),
            horizon,
        )
        for name, value in (
            ("count", worth.count), ("hits", worth.hits.mean), ("excess", worth.excess.mean)
        )
    }  # fmt: skip


async def stored(env: Env) -> dict[tuple, float]:
    return {
        (*key, row.horizon, name): value
        for key, rows in (await find_worth(env)).items()
        for row in rows
        for name, value in (("count", row.count), ("hits", row.hit_rate), ("excess", row.excess))
    }


async def test_what_is_stored_is_what_the_tables_say(market):
    env, closes, levels = market
    assert await find_worth(env) == {}
    assert await refresh_worth(env)
    assert await stored(env) == pytest.approx(plain(closes, levels))
    row = (await find_worth(env))["USD", 2][1]
    assert (row.horizon, row.instruments) == (20, 6)
    assert row.hit_low < row.hit_rate < row.hit_high


async def test_returns_have_dividends_in_them_and_no_split(market):
    env, closes, levels = market
    async with env.db.read() as db:
        day = await db.scalar(text("SELECT DISTINCT day FROM bar ORDER BY day OFFSET 100 LIMIT 1"))
    await make_split(env, "AAPL", day, 2)
    await make_dividend(env, "IBM", day, 5.0)
    async with env.db.write() as db:
        half = "UPDATE bar SET close = close / 2 WHERE symbol = 'AAPL' AND day >= :day"
        await db.execute(text(half), {"day": day})
    total = closes.copy()
    total[:100, 1] *= 1 - 5.0 / closes[99, 1]
    await refresh_worth(env)
    assert await stored(env) == pytest.approx(plain(total, levels), rel=1e-4)


async def test_it_is_made_anew_after_a_change_and_not_before_all_is_collected(market):
    env, _, _ = market
    assert await refresh_worth(env)
    later = at(env, env.clock.now() + PAUSE)
    assert not await refresh_worth(later)
    by_state = replace(later, settings=replace(env.settings, macd_vote="state"))
    assert await refresh_worth(by_state)
    before = await stored(env)
    await tell_change(env)
    assert not await refresh_worth(by_state)  # a moment ago
    much_later = at(by_state, env.clock.now() + 3 * PAUSE)
    async with env.db.write() as db:
        await db.execute(text("DELETE FROM signal WHERE symbol = 'AAPL' AND strength = 2"))
        job = "INSERT INTO job (key, kind, due_at) VALUES ('k', 'collect', :at)"
        await db.execute(text(job), {"at": AT})
    assert not await refresh_worth(much_later)
    async with env.db.write() as db:
        await db.execute(text("DELETE FROM job"))
    assert await refresh_worth(much_later)
    assert (await stored(env))["USD", 2, 5, "count"] < before["USD", 2, 5, "count"]


async def test_a_market_with_few_instruments_has_no_worth(env):
    await make_instrument(env, "AAPL")
    await make_bars(env, "AAPL", [1.0] * 30)
    await tell_change(env)
    assert await refresh_worth(env)
    assert await find_worth(env) == {}
