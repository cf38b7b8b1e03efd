"""Ingest: whatever a source gets wrong on the way, the tables end in the truth."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from sqlalchemy import text

from app.adapters.prices import BAR_SCHEMA, NoData
from app.domain.bars import PRICES, to_as_traded
from app.env import Env
from app.services.collect.collections import collect_symbol
from app.services.collect.revisions import Snapshot, data_version, load_snapshot
from app.services.settings import choose_source
from app.services.signals.analysis import analyse
from tests.clocks import at
from tests.deliveries import Delayed, ScriptedSource, Truth
from tests.factories import make_instrument, make_sessions, weekdays

REAL = Path(__file__).resolve().parents[4] / "shared" / "data"
NEEDS_REAL = pytest.mark.skipif(
    not REAL.is_dir(), reason="NO REAL PRICES: ../shared/data is absent"
)
DAYS = weekdays(date(2024, 1, 1), 34)
RATIOS = [2.0, 3.0, 4.0, 10.0, 0.2, 0.02]
_numbers = count()


@pytest.fixture
async def live(env: Env) -> Env:
    await choose_source(env, "yahoo")
    await make_sessions(env, "XNAS", weekdays(date(2016, 1, 1), 4000))
    return env


async def deliver(env: Env, source: ScriptedSource, symbol: str, day: date) -> str:
    """A collection on the evening of a day, and the indicators after it."""
    evening = at(env, datetime.combine(day, time(22), UTC))
    outcome = await collect_symbol(replace(evening, sources={"yahoo": source}), symbol)
    await analyse(env, symbol)
    return outcome.outcome


async def rows(env: Env, query: str, **params: Any) -> list[Any]:
    async with env.db.read() as db:
        return [tuple(row) for row in await db.execute(text(query), params)]


def assert_truth(found: Snapshot, truth: Truth) -> None:
    splits, dividends = truth.events()
    names = ["day", "open", "high", "low", "close", "volume"]
    assert_frame_equal(found.bars.select(names), truth.bars().select(names), abs_tol=0.002)
    assert_frame_equal(found.splits, splits)
    assert_frame_equal(found.dividends, dividends)


async def assert_indicators_fit(env: Env, symbol: str) -> None:
    """What is stored is what would be computed anew."""
    query = "SELECT * FROM indicator_daily WHERE symbol = :symbol ORDER BY day"
    stored = await rows(env, query, symbol=symbol)
    async with env.db.write() as db:
        await db.execute(text("DELETE FROM indicator_daily WHERE symbol = :s"), {"s": symbol})
    await analyse(env, symbol, whole=True)
    anew = await rows(env, query, symbol=symbol)
    assert [row[:2] for row in stored] == [row[:2] for row in anew]
    for one, other in zip(stored, anew, strict=True):
        for was, now in zip(one[2:], other[2:], strict=True):
            assert was == (None if now is None else pytest.approx(now, rel=1e-8, abs=1e-8))


@st.composite
def truths(draw: st.DrawFn) -> Truth:
    """A history with up to two splits, each known late, and perhaps one that never was."""
    random = Random(draw(st.integers(0, 10**6)))
    places = draw(st.lists(st.integers(6, 28), max_size=2, unique_by=lambda n: n // 6))
    splits = [
        Delayed(
            place,
            draw(st.sampled_from(RATIOS)),
            adjusted=place + draw(st.integers(0, 3)),
            named=place + draw(st.integers(-1, 3)),
        )
        for place in places
    ]
    if draw(st.booleans()):
        place = draw(st.integers(3, 28))
        if all(abs(place - split.place) > 4 for split in splits):
            begins = place + draw(st.integers(-1, 3))
            ends = begins + draw(st.integers(1, 4))
            adjusted = begins if draw(st.booleans()) else 999
            ratio = draw(st.sampled_from(RATIOS))
            splits.append(Delayed(place, ratio, adjusted, begins, ends, real=False))
    closes, price = [], 400.0
    ratios = {split.place: split.ratio for split in splits if split.real}
    for place in range(len(DAYS)):
        price *= random.uniform(0.97, 1.03) / ratios.get(place, 1.0)
        closes.append(round(price, 4))
    paid = draw(st.lists(st.integers(2, len(DAYS) - 1), max_size=2, unique=True))
    return Truth(DAYS, closes, splits, sorted((n, round(closes[n] / 100, 4)) for n in paid))


@st.composite
def days_of_delivery(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Deliveries in order of time: on which day, and what is wrong with each."""
    steps = draw(st.lists(st.integers(0, 4), min_size=4, max_size=12))
    today, plan = draw(st.integers(2, 12)), []
    for step in steps:
        today = min(today + step, len(DAYS) - 1)
        some = st.lists(st.integers(0, today), max_size=2)
        plan.append(
            {
                "today": today,
                "missing": draw(some),
                "altered": draw(some),
                "stale": draw(st.booleans()),
            }
        )
    return plan


@given(truth=truths(), plan=days_of_delivery())
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_any_order_of_deliveries_ends_in_the_truth(live, truth, plan):
    symbol = f"T{next(_numbers)}"
    await make_instrument(live, symbol)
    seen: dict[int, Snapshot] = {}
    source = ScriptedSource(truth.deliver(symbol, 0))
    for wrong in plan:
        source.answer = truth.deliver(symbol, **wrong)
        await deliver(live, source, symbol, DAYS[wrong["today"]])
        number = await data_version(live)
        seen[number] = await load_snapshot(live, symbol, number)
    source.answer = truth.deliver(symbol, len(DAYS) - 1, right=True)
    for wait in (1, 60):  # the second time everything is asked for
        await deliver(live, source, symbol, DAYS[-1] + timedelta(days=wait))
    assert_truth(await load_snapshot(live, symbol, await data_version(live)), truth)
    held = "SELECT day, reason FROM quarantine WHERE symbol = :s AND state = 'HELD'"
    assert await rows(live, held, s=symbol) == []
    for number, snapshot in seen.items():
        again = await load_snapshot(live, symbol, number)
        for name in ("bars", "splits", "dividends"):
            assert_frame_equal(getattr(again, name), getattr(snapshot, name))
    await assert_indicators_fit(live, symbol)


async def test_a_second_identical_run_writes_no_row(live):
    """PostgreSQL's own count of writes and dead rows, in every table of prices."""
    await make_instrument(live, "SAME")
    truth = Truth(DAYS, [100.0 + n for n in range(len(DAYS))], dividends=[(5, 1.0)])
    source = ScriptedSource(truth.deliver("SAME", len(DAYS) - 1, right=True))
    await deliver(live, source, "SAME", DAYS[-1])
    before = await writes(live)
    assert before["bar"][0] >= len(DAYS)
    for wait in (1, 60):  # the last sessions, then the whole history
        assert await deliver(live, source, "SAME", DAYS[-1] + timedelta(days=wait)) == "UNCHANGED"
    assert await writes(live) == before


async def writes(env: Env) -> dict[str, tuple[int, ...]]:
    """Rows inserted, updated, deleted and dead, by table, once the server has counted them."""
    query = """
        SELECT relname, n_tup_ins, n_tup_upd, n_tup_del, n_dead_tup FROM pg_stat_user_tables
        WHERE relname = ANY(ARRAY['bar', 'split', 'dividend', 'fx_rate', 'indicator_daily',
                                  'data_version', 'data_revision', 'quarantine'])
    """
    await env.db.engine.dispose()  # a connection tells its counts at the latest when it ends
    return {name: tuple(counts) for name, *counts in await rows(env, query)}


def real_truth(symbol: str, first: str, last: str, *, lag: int) -> Truth:
    """Real prices as traded, each split in the prices a day late and named `lag` days late."""
    of_symbol = pl.col("ticker") == symbol
    table = pl.read_parquet(REAL / "small" / "bars.parquet").filter(of_symbol)
    events = pl.read_parquet(REAL / "small" / "splits.parquet").filter(of_symbol)
    splits = events.select("numerator", "denominator", day="date").sort("day")
    bars = to_as_traded(
        table.rename({"date": "day"}).select(BAR_SCHEMA.names()).sort("day"), splits
    )
    within = pl.col("day").is_between(date.fromisoformat(first), date.fromisoformat(last))
    bars = bars.filter(within).with_columns(pl.col(PRICES).round(4), pl.col("adj_close").round(4))
    days = bars["day"].to_list()
    late = [
        Delayed(days.index(day), new / old, days.index(day) + 1, days.index(day) + lag)
        for new, old, day in splits.filter(within).iter_rows()
    ]
    return Truth(days, bars["close"].to_list(), late, table=bars)


@NEEDS_REAL
@pytest.mark.parametrize("lag", [0, 2])
@pytest.mark.parametrize(
    ("symbol", "first", "last", "splits"),
    [
        ("AAPL", "2019-01-01", "2021-12-31", 1),
        ("TSLA", "2019-01-01", "2021-12-31", 1),
        ("NVDA", "2020-01-01", "2022-12-31", 1),
        ("NVDA", "2023-01-01", "2025-12-31", 1),
    ],
)
async def test_real_splits_that_are_delivered_late_move_nothing(
    live, symbol, first, last, splits, lag
):
    truth = real_truth(symbol, first, last, lag=lag)
    assert len(truth.splits) == splits
    await make_instrument(live, symbol)
    around = truth.splits[0].place
    source = ScriptedSource(truth.deliver(symbol, around - 1))
    await deliver(live, source, symbol, truth.days[around - 1])
    version = await data_version(live)
    for today in [*range(around, around + 6), len(truth.days) - 1]:
        source.answer = truth.deliver(symbol, today)
        await deliver(live, source, symbol, truth.days[today])
    assert_truth(await load_snapshot(live, symbol, await data_version(live)), truth)
    before = await load_snapshot(live, symbol, version)
    assert_frame_equal(before.bars, truth.bars().head(around), abs_tol=1e-4)
    bars_revised = "SELECT count(*) FROM data_revision WHERE symbol = :s AND kind = 'BAR'"
    assert await rows(live, bars_revised, s=symbol) == [(0,)]
    await assert_indicators_fit(live, symbol)


@NEEDS_REAL
@pytest.mark.parametrize(("symbol", "stale"), [("005930.KS", 8), ("000660.KS", 11)])
async def test_the_stale_rows_of_2022_are_held_until_they_are_mended(live, symbol, stale):
    await make_sessions(live, "XKRX", weekdays(date(2021, 6, 2), 1000), opens=0, closes=7)
    await make_instrument(live, symbol)
    table = pl.read_parquet(REAL / "wide" / "bars_kr.parquet")
    table = table.filter(pl.col("ticker") == symbol).rename({"date": "day"}).sort("day")
    table = table.filter(pl.col("day") <= date(2024, 12, 30))
    repeats = table.filter(pl.col("basis") == "yahoo_stale")["day"].to_list()
    assert len(repeats) == stale
    bars = table.select(BAR_SCHEMA.names())
    days = bars["day"].to_list()
    truth = Truth(days, bars["close"].to_list(), table=bars)
    source = ScriptedSource(NoData("not yet"))
    first, last = days.index(repeats[0]), days.index(repeats[-1])
    for today in [first - 1, *range(first, last + 2), len(days) - 1]:
        answer = truth.deliver(symbol, today)
        source.answer = replace(answer, info=replace(answer.info, mic="XKRX", currency="KRW"))
        await deliver(live, source, symbol, days[today])
    held = "SELECT day FROM quarantine WHERE symbol = :s AND reason = 'STALE_REPEAT' AND state = :t"
    assert [d for (d,) in await rows(live, held + " ORDER BY day", s=symbol, t="HELD")] == repeats
    stored = "SELECT count(*) FROM bar WHERE symbol = :s"
    assert await rows(live, stored, s=symbol) == [(len(days) - stale,)]
    made = "SELECT count(*) FROM indicator_daily WHERE symbol = :s AND day = ANY(:days)"
    assert await rows(live, made, s=symbol, days=repeats) == [(0,)]
    source.answer = replace(source.answer, bars=_mended(source.answer.bars, repeats))
    await deliver(live, source, symbol, days[-1] + timedelta(days=60))  # a whole history
    assert [d for (d,) in await rows(live, held + " ORDER BY day", s=symbol, t="MENDED")] == repeats
    assert await rows(live, stored, s=symbol) == [(len(days),)]
    await assert_indicators_fit(live, symbol)


def _mended(bars: pl.DataFrame, days: list[date]) -> pl.DataFrame:
    """The rows of these days traded after all, a little above the close before."""
    stale = pl.col("day").is_in(days)
    moved = [
        pl.when(stale).then((pl.col(n) * 1.002).round(0)).otherwise(pl.col(n)).alias(n)
        for n in PRICES
    ]
    volume = pl.when(stale).then(1000).otherwise(pl.col("volume")).alias("volume")
    return bars.with_columns(*moved, volume)
