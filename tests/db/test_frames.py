"""Frames through real PostgreSQL: exact prices in, equal rows left alone, columns out."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import asyncpg
import polars as pl
import pytest
from sqlalchemy import text

from app.db.frames import copy_frame, merge_frame, read_frame
from app.env import Env
from tests.factories import make_instrument

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
LATER = datetime(2026, 2, 1, tzinfo=UTC)
SCHEMA = pl.Schema({"day": pl.Date, "close": pl.Float64, "volume": pl.Int64})
READ = "SELECT day, close, volume FROM bar WHERE symbol = ANY(:symbols) ORDER BY symbol, day"


def bars(*closes: float | None, symbol: str = "AAPL", at: datetime = AT) -> pl.DataFrame:
    """One bar a day from 2026-01-05 on."""
    days = [date(2026, 1, 5 + n) for n in range(len(closes))]
    return pl.DataFrame(
        {"symbol": symbol, "day": days, "close": closes, "volume": range(len(closes))},
        schema_overrides={"close": pl.Float64, "volume": pl.Int64},
    ).with_columns(source=pl.lit("sample"), fetched_at=pl.lit(at))


@pytest.fixture
async def apple(env: Env) -> Env:
    await make_instrument(env, "AAPL")
    return env


async def stored(env: Env) -> pl.DataFrame:
    async with env.db.read() as db:
        return await read_frame(db, READ, {"symbols": ["AAPL"]}, SCHEMA)


async def merge(env: Env, frame: pl.DataFrame) -> int:
    async with env.db.write() as db:
        return await merge_frame(db, "bar", frame)


async def places(env: Env) -> list[str]:
    """Where the rows lie on disk: a row that is rewritten moves."""
    async with env.db.read() as db:
        return list(await db.scalars(text("SELECT ctid::text FROM bar ORDER BY day")))


async def test_what_is_copied_is_read_back_with_nulls(apple):
    async with apple.db.write() as db:
        assert await copy_frame(db, "bar", bars(1.5, None, 3.25)) == 3
    assert (await stored(apple)).rows() == [
        (date(2026, 1, 5), 1.5, 0),
        (date(2026, 1, 6), None, 1),
        (date(2026, 1, 7), 3.25, 2),
    ]


async def test_a_price_is_stored_to_its_last_digit(apple):
    prices = [101.35, 0.1, 999999999.9999, 2.675, 1e-6, 71200.0]
    await merge(apple, bars(*prices))
    async with apple.db.read() as db:
        numbers = list(await db.scalars(text("SELECT trim_scale(close) FROM bar ORDER BY day")))
    exact = ["101.35", "0.1", "999999999.9999", "2.675", "0.000001", "71200"]
    assert numbers == [Decimal(price) for price in exact]


async def test_a_copy_that_fails_leaves_nothing(apple):
    with pytest.raises(asyncpg.CheckViolationError):
        async with apple.db.write() as db:
            await copy_frame(db, "bar", bars(1.0, -1.0))
    assert (await stored(apple)).is_empty()


async def test_a_copy_is_part_of_its_transaction(apple):
    class Stop(Exception): ...

    async def write_and_stop() -> None:
        async with apple.db.write() as db:
            await copy_frame(db, "bar", bars(1.0))
            raise Stop

    with pytest.raises(Stop):
        await write_and_stop()
    assert (await stored(apple)).is_empty()


async def test_a_merge_counts_what_is_new_or_changed(apple):
    assert await merge(apple, bars(1.0, 2.0, 3.0)) == 3
    assert await merge(apple, bars(1.0, 2.5, 3.0, 4.0)) == 2
    assert (await stored(apple))["close"].to_list() == [1.0, 2.5, 3.0, 4.0]


async def test_an_equal_row_is_not_rewritten_though_it_was_fetched_later(apple):
    await merge(apple, bars(1.0, None, 3.0))
    before = await places(apple)
    assert await merge(apple, bars(1.0, None, 3.0, at=LATER)) == 0
    assert await places(apple) == before


async def test_a_changed_row_takes_the_time_of_its_change(apple):
    await merge(apple, bars(1.0, 2.0))
    await merge(apple, bars(1.0, None, at=LATER))
    async with apple.db.read() as db:
        times = list(await db.scalars(text("SELECT fetched_at FROM bar ORDER BY day")))
    assert times == [AT, LATER]


async def test_columns_that_are_not_in_the_frame_stay(apple):
    await merge(apple, bars(1.0).with_columns(open=pl.lit(0.5), low=pl.lit(0.5), high=pl.lit(2.0)))
    await merge(apple, bars(1.5))
    async with apple.db.read() as db:
        assert (await db.execute(text("SELECT open, close FROM bar"))).all() == [(0.5, 1.5)]


async def test_two_merges_of_one_table_fit_into_a_transaction(apple):
    await make_instrument(apple, "MSFT")
    async with apple.db.write() as db:
        assert await merge_frame(db, "bar", bars(1.0)) == 1
        assert await merge_frame(db, "bar", bars(2.0, 3.0, symbol="MSFT")) == 2
    async with apple.db.read() as db:
        both = await read_frame(db, READ, {"symbols": ["AAPL", "MSFT"]}, SCHEMA)
    assert both["close"].to_list() == [1.0, 2.0, 3.0]


async def test_a_row_of_a_key_alone_is_inserted_once(apple):
    keys = bars(1.0, 2.0).select("symbol", "day")
    async with apple.db.write() as db:
        assert await merge_frame(db, "indicator_daily", keys) == 2
        assert await merge_frame(db, "indicator_daily", keys) == 0


async def test_two_rows_of_one_key_are_refused(apple):
    with pytest.raises(asyncpg.CardinalityViolationError):
        await merge(apple, pl.concat([bars(1.0), bars(2.0)]))


async def test_a_column_that_the_table_has_not_is_named(apple):
    with pytest.raises(KeyError, match="colour"):
        await merge(apple, bars(1.0).with_columns(colour=pl.lit("red")))


async def test_empty_frames_are_nothing_to_do(apple):
    async with apple.db.write() as db:
        assert await copy_frame(db, "bar", bars()) == 0
        assert await merge_frame(db, "bar", bars()) == 0


async def test_texts_with_commas_quotes_and_hangul_survive(env):
    names = ['a, "b"', "삼성전자", "", " x ", "two\nlines", "\\N"]
    frame = pl.DataFrame(
        {"symbol": [f"S{n}" for n in range(len(names))], "name": names}
    ).with_columns(
        mic=pl.lit("XNAS"), currency=pl.lit("USD"), kind=pl.lit("EQUITY"), added_at=pl.lit(AT)
    )
    async with env.db.write() as db:
        await merge_frame(db, "instrument", frame)
    schema = pl.Schema(
        {"name": pl.String, "tracked": pl.Boolean, "position": pl.Int32, "added_at": _INSTANT}
    )
    query = "SELECT name, tracked, position, added_at FROM instrument ORDER BY symbol"
    async with env.db.read() as db:
        read = await read_frame(db, query, {}, schema)
    assert read.rows() == [(name, True, 1000, AT) for name in names]
    assert read.schema == schema


async def test_no_rows_are_read_as_an_empty_frame_of_the_schema(env):
    async with env.db.read() as db:
        nothing = await read_frame(db, READ, {"symbols": ["NONE"]}, SCHEMA)
    assert nothing.is_empty()
    assert nothing.schema == SCHEMA


_INSTANT = pl.Datetime("us", "UTC")
