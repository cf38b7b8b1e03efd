"""Revised: what is replaced is kept, equal rows stay where they lie, numbers grow with commits."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
from sqlalchemy import text

from app.db.revised import Change, Version, append_rows, merge_rows, remove_rows
from app.env import Env
from tests.factories import make_instrument

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DAY = date(2026, 1, 5)


def bars(*closes: float, symbol: str = "AAPL") -> pl.DataFrame:
    """One bar a day from 2026-01-05 on, all prices the close."""
    days = [date(2026, 1, 5 + n) for n in range(len(closes))]
    prices = dict.fromkeys(("open", "high", "low", "close"), closes)
    frame = pl.DataFrame({"symbol": symbol, "day": days, **prices, "volume": [100] * len(days)})
    return frame.with_columns(source=pl.lit("yahoo"), fetched_at=pl.lit(AT))


def splits(*days: date) -> pl.DataFrame:
    frame = pl.DataFrame({"day": days}, schema={"day": pl.Date}).with_columns(
        symbol=pl.lit("AAPL"), numerator=pl.lit(4.0), denominator=pl.lit(1.0)
    )
    return frame.with_columns(source=pl.lit("yahoo"), fetched_at=pl.lit(AT))


@pytest.fixture
async def apple(env: Env) -> Env:
    await make_instrument(env, "AAPL")
    return env


async def write(
    env: Env, frame: pl.DataFrame, *, table: str = "bar", first: bool = False
) -> Change:
    async with env.db.write() as db:
        version = Version(db, "AAPL", "yahoo", AT)
        return await (append_rows if first else merge_rows)(version, table, frame)


async def rows(env: Env, query: str) -> list[Any]:
    async with env.db.read() as db:
        return [tuple(row) for row in await db.execute(text(query))]


KEPT = "SELECT number, kind, day, was, old->>'close', new->>'close' FROM data_revision ORDER BY id"
BARS = "SELECT trim_scale(close)::text, revision FROM bar ORDER BY day"


async def test_a_first_load_takes_one_number_and_has_no_revisions(apple):
    assert await write(apple, bars(1.5, 2.5), first=True) == Change(2, DAY)
    ((number,),) = await rows(apple, "SELECT number FROM data_version")
    assert await rows(apple, BARS) == [("1.5", number), ("2.5", number)]
    assert await rows(apple, KEPT) == []


async def test_a_delivery_without_news_takes_no_number_and_moves_no_row(apple):
    await write(apple, bars(1.5, 2.5), first=True)
    places = await rows(apple, "SELECT ctid::text FROM bar ORDER BY day")
    versions = await rows(apple, "SELECT count(*) FROM data_version")
    assert await write(apple, bars(1.5, 2.5)) == Change()
    assert await rows(apple, "SELECT ctid::text FROM bar ORDER BY day") == places
    assert await rows(apple, "SELECT count(*) FROM data_version") == versions


async def test_what_a_change_replaces_is_kept_with_both_numbers(apple):
    await write(apple, bars(1.5, 2.5), first=True)
    ((was,),) = await rows(apple, "SELECT max(number) FROM data_version")
    assert await write(apple, bars(1.5, 2.75, 3.5)) == Change(2, date(2026, 1, 6))
    ((number,),) = await rows(apple, "SELECT max(number) FROM data_version")
    assert number > was
    assert await rows(apple, BARS) == [("1.5", was), ("2.75", number), ("3.5", number)]
    assert await rows(apple, KEPT) == [(number, "BAR", date(2026, 1, 6), was, "2.5", "2.75")]


async def test_old_values_are_kept_whole_and_exact(apple):
    await write(apple, bars(0.1), first=True)
    await write(apple, bars(0.3))
    ((old,),) = await rows(apple, "SELECT old FROM data_revision")
    assert old == {
        "open": "0.1",
        "high": "0.1",
        "low": "0.1",
        "close": "0.1",
        "adj_close": None,
        "volume": "100",
    }


async def test_a_row_that_goes_away_is_kept(apple):
    await write(apple, splits(DAY), table="split", first=True)
    async with apple.db.write() as db:
        version = Version(db, "AAPL", "yahoo", AT)
        assert await remove_rows(version, "split", "AAPL", [DAY]) == Change(1, DAY)
        assert await remove_rows(version, "split", "AAPL", []) == Change()
    assert await rows(apple, "SELECT count(*) FROM split") == [(0,)]
    query = "SELECT kind, day, old->>'numerator', new FROM data_revision"
    assert await rows(apple, query) == [("SPLIT", DAY, "4", None)]


async def test_a_rate_is_kept_under_its_pair(env):
    await make_instrument(env, "USDKRW=X", kind="FX")
    for rate in (1400.5, 1401.0):
        frame = pl.DataFrame({"base": ["USD"], "quote": ["KRW"], "day": [DAY], "rate": [rate]})
        frame = frame.with_columns(source=pl.lit("yahoo"), fetched_at=pl.lit(AT))
        async with env.db.write() as db:
            await merge_rows(Version(db, "USDKRW=X", "yahoo", AT), "fx_rate", frame)
    query = "SELECT kind, symbol, old->>'rate' FROM data_revision"
    assert await rows(env, query) == [("RATE", "USDKRW=X", "1400.5")]


async def test_a_transaction_that_fails_leaves_neither_rows_nor_a_version(apple):
    async def fail() -> None:
        async with apple.db.write() as db:
            await merge_rows(Version(db, "AAPL", "yahoo", AT), "bar", bars(1.0))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await rows(apple, "SELECT count(*) FROM bar") == [(0,)]
    assert await rows(apple, "SELECT count(*) FROM data_version") == [(0,)]


WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"


async def test_numbers_are_seen_in_their_order(apple):
    """The writer with the lower number commits first, though it took longer."""
    seen: list[int] = []
    holds = asyncio.Event()

    async def slow() -> None:
        async with apple.db.write() as db:
            await merge_rows(Version(db, "AAPL", "yahoo", AT), "bar", bars(1.0))
            holds.set()
            while await rows(apple, WAITING) == [(0,)]:
                await asyncio.sleep(0.01)
            seen.append(len(await rows(apple, "SELECT number FROM data_version")))

    async def quick() -> None:
        await holds.wait()
        await make_instrument(apple, "MSFT")
        async with apple.db.write() as db:
            await merge_rows(Version(db, "MSFT", "yahoo", AT), "bar", bars(1.0, symbol="MSFT"))
        seen.append(len(await rows(apple, "SELECT number FROM data_version")))

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(slow())
        group.create_task(quick())
    assert seen == [0, 2]
    ordered = await rows(apple, "SELECT symbol FROM data_version ORDER BY number")
    assert ordered == [("AAPL",), ("MSFT",)]
