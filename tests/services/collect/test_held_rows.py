"""Held rows: decisions hold for exactly the values that were decided on."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
from sqlalchemy import text

from app.adapters.prices import BAR_SCHEMA, DIVIDEND_SCHEMA
from app.db.revised import Version
from app.domain.acceptance import Held, Reason
from app.env import Env
from app.services.collect.held_rows import Decisions, hold_rows, load_decisions, values_of
from tests.factories import make_instrument

AT = datetime(2026, 1, 2, tzinfo=UTC)
DAY = date(2026, 1, 5)
NO_DAYS = pl.Series([], dtype=pl.Date)
ROW = {
    "day": DAY,
    "open": 1.0,
    "high": 2.0,
    "low": 1.0,
    "close": 1.5,
    "adj_close": 1.2,
    "volume": 7,
}


def held(reason: Reason = Reason.STALE_REPEAT, **values: Any) -> Held:
    return Held(DAY, reason, "why", ROW | values)


def frame(**values: Any) -> pl.DataFrame:
    return pl.DataFrame([ROW | values], schema=BAR_SCHEMA)


@pytest.fixture
async def apple(env: Env) -> Env:
    await make_instrument(env, "AAPL")
    return env


async def hold(env: Env, *rows: Held, mended: pl.Series = NO_DAYS, kind: str = "BAR") -> int:
    async with env.db.write() as db:
        return await hold_rows(Version(db, "AAPL", "yahoo", AT), kind, rows, mended=mended)


async def states(env: Env) -> list[tuple[str, str, str]]:
    async with env.db.read() as db:
        rows = await db.execute(text("SELECT state, reason, row->>'close' FROM quarantine"))
        return [tuple(row) for row in rows]


async def decide(env: Env, state: str) -> Decisions:
    async with env.db.write() as db:
        await db.execute(text(f"UPDATE quarantine SET state = '{state}', decided_at = now()"))
    async with env.db.read() as db:
        return await load_decisions(db, "AAPL")


def test_values_are_exact_decimals() -> None:
    assert values_of({"open": 0.1, "close": 74300.0, "volume": 12, "day": DAY, "low": None}) == {
        "open": "0.1",
        "low": None,
        "close": "74300",
        "volume": "12",
    }
    assert values_of({"close": float("nan")}) == {"close": "nan"}
    assert values_of({"close": 1e-7})["close"] == "0.0000001"


async def test_the_same_row_is_held_once(apple):
    assert await hold(apple, held()) == 1
    assert await hold(apple, held()) == 0
    assert await hold(apple, held(adj_close=1.1)) == 0  # it moves with every later event
    assert await states(apple) == [("HELD", "STALE_REPEAT", "1.5")]


async def test_other_values_of_the_day_are_held_anew_whatever_was_decided(apple):
    await hold(apple, held())
    await decide(apple, "DROPPED")
    assert await hold(apple, held()) == 0
    assert await states(apple) == [("DROPPED", "STALE_REPEAT", "1.5")]
    assert await hold(apple, held(Reason.BEYOND_LIMIT, close=1.6)) == 1
    assert await states(apple) == [("HELD", "BEYOND_LIMIT", "1.6")]


async def test_a_day_that_is_believed_now_is_mended_and_may_be_held_again(apple):
    await hold(apple, held())
    await hold(apple, mended=pl.Series([DAY]))
    assert await states(apple) == [("MENDED", "STALE_REPEAT", "1.5")]
    assert await hold(apple, held()) == 1
    assert await states(apple) == [("HELD", "STALE_REPEAT", "1.5")]


async def test_a_released_row_is_believed_as_long_as_its_values_stay(apple):
    await hold(apple, held())
    decisions = await decide(apple, "RELEASED")
    assert decisions.released(frame()) == {DAY}
    assert decisions.released(frame(adj_close=9.0)) == {DAY}
    assert decisions.released(frame(close=1.51)) == set()
    assert decisions.released(frame(day=date(2026, 1, 6))) == set()


async def test_a_dropped_row_is_left_out_as_long_as_its_values_stay(apple):
    await hold(apple, held())
    decisions = await decide(apple, "DROPPED")
    assert decisions.without_dropped(frame()).is_empty()
    assert decisions.without_dropped(frame(close=1.51)).height == 1
    assert Decisions().without_dropped(frame()).height == 1


async def test_a_released_dividend_is_believed(apple):
    large = Held(DAY, Reason.TOO_LARGE, "why", {"amount": 787_434.0})
    await hold(apple, large, kind="DIVIDEND")
    decisions = await decide(apple, "RELEASED")
    paid = pl.DataFrame([[DAY, 787_434.0]], schema=DIVIDEND_SCHEMA, orient="row")
    assert decisions.released_dividends(paid) == {DAY}
    assert decisions.released_dividends(paid.with_columns(amount=pl.lit(582.0))) == set()


async def test_a_believed_scale_counts_for_answers_with_its_day(apple):
    await hold(apple, held(Reason.SCALED))
    decisions = await decide(apple, "RELEASED")
    assert decisions.believes_scale(pl.Series([DAY]))
    assert not decisions.believes_scale(pl.Series([date(2026, 1, 6)]))
