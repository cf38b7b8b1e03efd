"""A sweep on workers as processes: one is killed in the middle, two machines share the parts."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import text

from app.config import Settings
from app.db.engine import EVERYONE
from app.env import Env
from app.services.backtest import backtest_input
from app.services.backtest.backtest_store import find_report, read_cells
from app.services.backtest.backtests import get_backtest
from app.services.market import calendars
from app.services.settings import write_setting
from app.services.work import jobs
from tests.backtests import ask, make_market, work
from tests.browser.relay import relaying
from tests.clocks import at
from tests.people import make_user
from tests.processes import bare_environ
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


async def make_ready(env: Env) -> int:
    """Prices and somebody who asks; no worker finds the calendar due, which takes it seconds."""
    await make_market(env, "AAPL", "MSFT")
    made_from = calendars.source_of(await calendars.list_overrides(env))
    async with env.db.write() as db:
        await write_setting(db, "sessions", {"until": "2100-01-01", "from": made_from})
    return (await make_user(env)).id


async def count_parts(env: Env) -> int:
    async with env.db.read(uid=EVERYONE) as db:
        query = "SELECT count(*) FROM backtest_data WHERE name = 'cells'"
        return int(await db.scalar(text(query)))


async def test_a_sweep_survives_its_worker_and_is_completed_once(env, settings, monkeypatch):
    monkeypatch.setattr(backtest_input, "SLOW_PART", 2 * 260 * 20)
    alice = await make_ready(env)
    axes = {"window": tuple(range(5, 105)), "every": tuple(range(1, 5)), "top": (1, 2)}
    row = await ask(env, alice, strategy="momentum", symbols=("AAPL", "MSFT"),
                    values={"skip": 0}, axes=axes)  # fmt: skip
    assert row.parts == 40
    async with long_worker(settings) as killed, asyncio.timeout(600):
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


class Machine:
    """A worker of the long queue that shares with others nothing but what it reaches by TCP."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.lines: list[dict[str, str]] = []

    async def read_until(self, message: str) -> None:
        """Its log up to the line that begins so."""
        assert self.process.stderr is not None
        while not (self.lines and self.lines[-1]["message"].startswith(message)):
            line = await self.process.stderr.readline()
            assert line, "the worker has ended"
            self.lines.append(json.loads(line))

    def done(self, backtest: int) -> set[str]:
        """The keys of the jobs of a backtest that it has done."""
        keys = {line["key"] for line in self.lines if line["message"] == "backtest"}
        return {key for key in keys if key.startswith(f"backtest:{backtest}:")}


@asynccontextmanager
async def machine(place: Path, environ: dict[str, str]) -> AsyncIterator[Machine]:
    place.mkdir()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.worker_process", "long",
        cwd=place, stderr=PIPE, env=bare_environ(SISE_DATA_DIR=place, FAULTS_LOG="INFO", **environ),
    )  # fmt: skip
    try:
        yield Machine(process)
    finally:
        process.kill()
        await process.wait()


async def test_two_machines_share_a_sweep_that_is_completed_once(
    env, settings, monkeypatch, tmp_path
):
    monkeypatch.setattr(backtest_input, "SLOW_PART", 2 * 260 * 20)
    alice = await make_ready(env)
    axes = {"window": tuple(range(5, 85)), "every": (1, 2), "top": (1, 2)}
    asked = {"strategy": "momentum", "symbols": ("AAPL", "MSFT"), "values": {"skip": 0}}
    base = urlsplit(settings.database_url)
    sockets = Path(parse_qs(base.query)["host"][0])
    async with AsyncExitStack() as stack, asyncio.timeout(600):
        database, broker = [
            await stack.enter_async_context(relaying(url))
            for url in (f"unix://{sockets}/.s.PGSQL.5432", settings.redis_url)
        ]
        environ = {
            "SISE_DATABASE_URL": f"postgresql://{base.username}@127.0.0.1:{database.port}{base.path}",
            "SISE_REDIS_URL": f"redis://127.0.0.1:{broker.port}",
            "SISE_SECRET": settings.secret,
        }
        machines = [
            await stack.enter_async_context(machine(tmp_path / name, environ))
            for name in ("one", "two")
        ]
        for one in machines:
            await one.read_until("Starting worker")
        reading = [asyncio.ensure_future(one.read_until("nothing")) for one in machines]
        shares: list[set[str]] = [set(), set()]
        while not all(shares):  # one of them may have the first ones to itself
            row = await ask(env, alice, axes=axes, **asked)
            jobs_of = {f"backtest:{row.id}:{n}" for n in range(row.parts + 1)}  # and its conclusion
            while sum(map(len, shares := [one.done(row.id) for one in machines])) < len(jobs_of):
                assert not any(task.done() for task in reading)
                await asyncio.sleep(0.02)
            first, second = shares
            assert not first & second
            assert first | second == jobs_of
        for task in reading:
            task.cancel()
        await asyncio.wait(reading)
    assert row.parts == 16
    ended = await get_backtest(env, alice, str(row.id))
    assert (ended.state, ended.trials) == ("DONE", 320)
    again = await ask(env, alice, axes=axes, **asked)
    await work(env, at_most=100)
    keys = ("window", "every", "top")
    shared, alone = [(await read_cells(env, alice, one.id)).sort(keys) for one in (row, again)]
    assert shared.height == 320
    assert shared.equals(alone)
