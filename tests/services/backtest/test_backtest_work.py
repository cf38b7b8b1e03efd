"""The work itself: parts once each, the same bits again, ended from outside, failed in words."""

from __future__ import annotations

import asyncio
from datetime import date

import polars as pl
import pytest
from sqlalchemy import text

from app.db.engine import EVERYONE
from app.db.revised import Version, merge_rows
from app.domain.backtest.engine import run
from app.domain.backtest.strategies import STRATEGIES
from app.env import Env
from app.services.backtest import backtest_input, backtest_work
from app.services.backtest.backtest_runners import Inline
from app.services.backtest.backtest_store import REPORT, find_report, list_data, read_cells
from app.services.backtest.backtest_tape import load_reference, load_tape
from app.services.backtest.backtests import cancel_backtest, fail_dead, get_backtest
from app.services.backtest.strategy_shelf import load_shelf
from app.services.collect.revisions import data_version, load_snapshot
from app.services.work import jobs
from tests.backtests import ask, make_market, work
from tests.factories import make_fundamentals, make_split
from tests.people import make_user

AXES = {"fast": (2, 3, 4), "slow": (8, 12)}


@pytest.fixture
async def alice(env: Env) -> int:
    await make_market(env, "AAPL", "MSFT")
    return (await make_user(env)).id


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two cells a part."""
    monkeypatch.setattr(backtest_input, "COMPILED_PART", 2 * 260)


async def packed(env: Env, backtest_id: int) -> bytes:
    async with env.db.read(uid=EVERYONE) as db:
        return (await list_data(db, backtest_id, REPORT))[0]


async def test_a_run_is_that_of_the_engine(env, alice):
    row = await ask(env, alice)
    assert await work(env) == 1
    row = await get_backtest(env, alice, str(row.id))
    tape = await load_tape(env, row.request, row.data_version)
    own = run(tape, STRATEGIES["sma_cross"], row.request.values, row.request.setup)
    report = await find_report(env, alice, row.id)
    assert report["columns"]["equity"] == own.equity.tolist()
    assert report["trips"]["profit"] == own.round_trips["profit"].to_list()
    assert row.figures == report["figures"]
    assert (row.state, row.progress, row.stage, row.trials) == ("DONE", 1.0, None, 1)
    assert report["certificate"]["cuts"] > 50
    assert report["certificate"]["leaks"] == []


async def test_a_value_filter_sees_fundamentals_from_the_day_they_were_told_on(env, alice):
    day = date(2020, 6, 1)
    await make_fundamentals(env, "AAPL", day, trailing_pe=30.0)
    await make_fundamentals(env, "MSFT", day, trailing_pe=10.0)
    values = {"figure": "trailing_pe", "every": 1, "top": 1}
    row = await ask(env, alice, strategy="value_filter", symbols=("AAPL", "MSFT"), values=values)
    await work(env)
    fills = (await find_report(env, alice, row.id))["fills"]
    assert fills["symbol"][0] == "MSFT"
    assert fills["day"][0] in {"2020-06-02", "2020-06-03"}
    assert fills["day"][-1] < "2020-10-01"  # a hundred days later nothing is known any more


async def test_a_sweep_is_done_in_parts_each_of_them_once(env, alice, small_parts):
    row = await ask(env, alice, values={}, axes=AXES)
    assert row.parts == 3
    parts = await jobs.list_jobs(env, "backtest")
    shelf = load_shelf(env.settings)
    for job in [*parts, *parts]:  # twice, as after a worker that was killed
        assert await backtest_work.do_part(env, job, shelf, Inline()) == "DONE"
    listed = await jobs.list_jobs(env, "backtest")
    assert listed[0].key == f"backtest:{row.id}:3"
    assert len(listed) == 4
    progress = (await get_backtest(env, alice, str(row.id))).progress
    assert 0.5 < progress < 1
    await work(env)
    done = await get_backtest(env, alice, str(row.id))
    assert (done.state, done.trials) == ("DONE", 6)
    assert (await read_cells(env, alice, row.id)).height == 6
    assert {job.state for job in await jobs.list_jobs(env, "backtest")} == {"DONE"}


async def test_the_same_bits_come_again_at_its_data_version(env, alice):
    first = await ask(env, alice)
    await work(env)
    async with env.db.write() as db:
        version = Version(db, "AAPL", "yahoo", env.clock.now())
        frame = (await load_snapshot(env, "AAPL", first.data_version)).bars.tail(50)
        changed = frame.with_columns(
            symbol=pl.lit("AAPL"),
            low=frame["low"] / 2,
            close=frame["close"] - 0.5,
            source=pl.lit("yahoo"),
            fetched_at=pl.lit(env.clock.now()),
        )
        await merge_rows(version, "bar", changed)
    assert await data_version(env) > first.data_version
    async with env.db.write(uid=EVERYONE) as db:
        await db.execute(text("UPDATE backtest SET state = 'PENDING', done_at = NULL"))
        await db.execute(text("UPDATE job SET state = 'PENDING', done_at = NULL, attempts = 0"))
    before = await packed(env, first.id)
    await work(env)
    assert await packed(env, first.id) == before
    second = await ask(env, alice)
    await work(env)
    assert await packed(env, second.id) != before


async def test_a_cancelled_one_ends_at_the_next_look_and_keeps_nothing(env, alice, monkeypatch):
    monkeypatch.setattr(backtest_work, "LOOK_EVERY", 0.01)
    row = await ask(env, alice, strategy="fused_signal", symbols=("AAPL", "MSFT"), values={},
                    axes={"strong_only": (True, False) * 200})  # fmt: skip
    (job,) = await jobs.list_jobs(env, "backtest")
    shelf = load_shelf(env.settings)
    began = asyncio.Event()
    loop = asyncio.get_running_loop()

    class Slow(Inline):
        """Is not done before it is told to end."""

        def run(self, work, spans, watch):
            loop.call_soon_threadsafe(began.set)
            assert watch.stopped.wait(300)
            return super().run(work, spans, watch)

    task = asyncio.create_task(backtest_work.do_part(env, job, shelf, Slow()))
    await asyncio.wait_for(began.wait(), 300)
    await cancel_backtest(env, alice, str(row.id))
    assert await asyncio.wait_for(task, 300) == "CANCELLED"
    assert await read_cells(env, alice, row.id) is None
    assert (await get_backtest(env, alice, str(row.id))).state == "CANCELLED"


async def test_one_whose_strategy_is_gone_fails_in_words(env, alice):
    row = await ask(env, alice)
    async with env.db.write(uid=EVERYONE) as db:
        await db.execute(text('UPDATE backtest SET input = input || \'{"strategy": "gone"}\''))
    await work(env)
    row = await get_backtest(env, alice, str(row.id))
    assert row.state == "FAILED"
    assert row.error["values"]["key"] == "gone"


async def test_one_whose_worker_died_each_time_fails(env, alice):
    row = await ask(env, alice)
    async with env.db.write() as db:
        await db.execute(text("UPDATE job SET state = 'FAILED', last_error = 'It ended.'"))
    assert await fail_dead(env) == 1
    row = await get_backtest(env, alice, str(row.id))
    assert (row.state, row.error["values"]) == ("FAILED", {"why": "It ended."})


async def test_a_series_to_compare_with_is_told_across_splits(env, alice):
    await make_split(env, "MSFT", date(2020, 6, 1), 2)
    row = await ask(env, alice, benchmark="msft")
    found = await load_reference(env, row.request, await data_version(env))
    assert found.height == 260
    assert found["close"][0] == pytest.approx(100 + 12 * 0.8414709848, abs=0.01)
    await work(env)
    report = await find_report(env, alice, row.id)
    assert set(report["benchmarks"]) == {"buy_and_hold", "equal_weight", "benchmark"}
