"""A worker killed in the middle of a sweep: what it had done stays, the rest is done, each once."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy import text

from app.config import Settings
from app.db.engine import EVERYONE
from app.env import Env
from app.services import backtest_input, jobs
from app.services.backtest_store import find_report, read_cells
from app.services.backtests import get_backtest
from tests.backtests import ask, make_market, work
from tests.clocks import at
from tests.people import make_user
from workers.backtest import run_backtest
from workers.pace import Pace

pytestmark = pytest.mark.faults


@asynccontextmanager
async def long_worker(settings: Settings) -> AsyncIterator[Process]:
    """A worker of the long queue as a process."""
    environ = {
        **os.environ,
        "SISE_DATABASE_URL": settings.database_url or "",
        "SISE_REDIS_URL": settings.redis_url or "",
        "SISE_SECRET": settings.secret or "",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.worker_process", "long", env=environ
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def count_parts(env: Env) -> int:
    async with env.db.read(uid=EVERYONE) as db:
        query = "SELECT count(*) FROM backtest_data WHERE name = 'cells'"
        return int(await db.scalar(text(query)))


async def test_a_sweep_survives_its_worker_and_is_completed_once(env, settings, monkeypatch):
    monkeypatch.setattr(backtest_input, "SLOW_PART", 2 * 260 * 20)
    await make_market(env, "AAPL", "MSFT")
    alice = (await make_user(env)).id
    axes = {"window": tuple(range(5, 105)), "every": tuple(range(1, 5)), "top": (1, 2)}
    row = await ask(env, alice, strategy="momentum", symbols=("AAPL", "MSFT"),
                    values={"skip": 0}, axes=axes)  # fmt: skip
    assert row.parts == 40
    async with long_worker(settings) as killed, asyncio.timeout(180):
        while await count_parts(env) < 3:
            assert killed.returncode is None
            await asyncio.sleep(0.01)
        killed.send_signal(signal.SIGKILL)
        await killed.wait()
    done = await count_parts(env)
    assert done < row.parts
    assert (await get_backtest(env, alice, str(row.id))).state == "RUNNING"
    later = at(env, env.clock.now() + timedelta(seconds=jobs.STALE_AFTER + 1))
    ctx = {"env": later, "pace": Pace()}
    while due := [job for job in await jobs.list_jobs(env, "backtest") if job.done_at is None]:
        for job in due:  # what the reconciler hands to the next worker
            await run_backtest(ctx, job.id)
    ended = await get_backtest(env, alice, str(row.id))
    assert (ended.state, ended.trials) == ("DONE", 800)
    cells = await read_cells(env, alice, row.id)
    assert cells.height == cells.select("window", "every", "top").unique().height == 800
    report = await find_report(env, alice, row.id)
    again = await ask(env, alice, strategy="momentum", symbols=("AAPL", "MSFT"),
                      values={"skip": 0}, axes=axes)  # fmt: skip
    await work(env, at_most=100)
    undisturbed = await find_report(env, alice, again.id)
    for part in ("figures", "sweep", "columns", "trips"):
        assert report[part] == undisturbed[part]
    assert undisturbed["overfitting"]["trials"] == 2 * report["overfitting"]["trials"]
