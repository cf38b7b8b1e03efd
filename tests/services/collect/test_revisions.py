"""Revisions: the data of an earlier version can be read again, bit for bit."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from app.db.revised import Version, merge_rows, remove_rows
from app.env import Env
from app.services.collect.revisions import data_version, load_snapshot
from tests.factories import make_instrument

AT = datetime(2026, 1, 2, tzinfo=UTC)


def bars(*closes: float) -> pl.DataFrame:
    days = [date(2026, 1, 5 + n) for n in range(len(closes))]
    prices = dict.fromkeys(("open", "high", "low", "close", "adj_close"), closes)
    frame = pl.DataFrame({"symbol": "AAPL", "day": days, **prices, "volume": [7] * len(days)})
    return frame.with_columns(source=pl.lit("yahoo"), fetched_at=pl.lit(AT))


@pytest.fixture
async def apple(env: Env) -> Env:
    await make_instrument(env, "AAPL")
    return env


async def write(env: Env, frame: pl.DataFrame) -> int:
    async with env.db.write() as db:
        await merge_rows(Version(db, "AAPL", "yahoo", AT), "bar", frame)
    return await data_version(env)


async def test_nothing_stored_is_version_nought(env):
    assert await data_version(env) == 0
    snapshot = await load_snapshot(env, "AAPL", 0)
    assert snapshot.bars.is_empty()


async def test_every_version_can_be_read_again(apple):
    closes = [(1.0, 2.0), (1.0, 2.5), (1.5, 2.5, 3.0), (1.5, 2.0, 3.0, 4.0)]
    numbers = [await write(apple, bars(*row)) for row in closes]
    for number, row in zip(numbers, closes, strict=True):
        snapshot = await load_snapshot(apple, "AAPL", number)
        assert snapshot.bars["close"].to_list() == list(row)
        assert snapshot.bars["volume"].to_list() == [7] * len(row)
    assert (await load_snapshot(apple, "AAPL", numbers[0] - 1)).bars.is_empty()


async def test_a_removed_event_is_there_in_the_version_before(apple):
    split = pl.DataFrame(
        {"symbol": ["AAPL"], "day": [date(2026, 1, 6)], "numerator": [4.0], "denominator": [1.0]}
    ).with_columns(source=pl.lit("yahoo"), fetched_at=pl.lit(AT))
    async with apple.db.write() as db:
        await merge_rows(Version(db, "AAPL", "yahoo", AT), "split", split)
    with_split = await data_version(apple)
    async with apple.db.write() as db:
        await remove_rows(Version(db, "AAPL", "yahoo", AT), "split", "AAPL", [date(2026, 1, 6)])
    without = await data_version(apple)
    assert (await load_snapshot(apple, "AAPL", without)).splits.is_empty()
    found = (await load_snapshot(apple, "AAPL", with_split)).splits
    assert_frame_equal(found, split.select("day", "numerator", "denominator"))
