"""Real workers on real servers, killed and deceived: everything due is stored, each effect once.

The minutes of a worker process are seconds (`worker_process.FAST`). The installation stands half an hour after the last
recorded session and watches three stocks without a bar: all of them are due.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from app.adapters.queue import open_pool
from app.clock import Clock
from app.config import Settings
from app.embedded import EmbeddedServers
from app.env import Env
from app.services.settings import choose_source
from app.services.work import jobs
from tests.clocks import at
from tests.factories import make_instrument, make_sessions, weekdays
from tests.fakes.yahoo import FakeYahoo
from workers.pace import Pace
from workers.settings import make_worker
from workers.tick import minute_tick

pytestmark = pytest.mark.faults

ORIGIN = Clock().now().timestamp()  # of all clocks here
CLOCK = Clock(start=datetime(2013, 3, 1, 21, 30, tzinfo=UTC), _origin=ORIGIN)
SYMBOLS = ("AAPL", "GOOG", "MSFT")
HANG = 300  # seconds, for what a busy machine does in that time


def charts(yahoo: FakeYahoo) -> list[str]:
    """The symbols whose prices were asked for; what is asked of companies besides is not counted."""
    return [entry["symbol"] for entry in yahoo.log() if entry["symbol"] != "search"]


@pytest.fixture
async def live(env: Env, yahoo: FakeYahoo) -> Env:
    await choose_source(env, "yahoo")
    await make_sessions(env, "XNAS", weekdays(date(2013, 2, 18), 15))
    for symbol in SYMBOLS:
        await make_instrument(env, symbol)
    return replace(env, clock=CLOCK)


@asynccontextmanager
async def worker(settings: Settings) -> AsyncIterator[Process]:
    """A worker of the quick queue as a process; ended at the end of the block."""
    environ = {
        **os.environ,
        "SISE_DATABASE_URL": settings.database_url or "",
        "SISE_REDIS_URL": settings.redis_url or "",
        "SISE_SECRET": settings.secret or "",
        "SISE_YAHOO_URL": settings.yahoo_url,
        "SISE_CLOCK": f"2013-03-01T21:30:00Z@1@{ORIGIN}",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.worker_process", "quick", env=environ, stdout=PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def until(condition: Callable[[], Awaitable[bool]], process: Process | None = None) -> None:
    """Waits for something, or until the process that should do it has ended."""
    async with asyncio.timeout(HANG):
        while not await condition():
            assert process is None or process.returncode is None, "the worker has ended"
            await asyncio.sleep(0.05)


async def next_minute(env: Env) -> None:
    await minute_tick({"env": env, "pace": Pace()})


async def next_worker(env: Env) -> None:
    """The worker that comes after, in this process, until all is done."""
    async with open_pool(env.settings.redis_url or "") as pool, asyncio.TaskGroup() as group:
        worker = make_worker("quick", env, pool, Pace(), burst=True)
        group.create_task(worker.async_run())
        await until(lambda: all_done(env))
        worker.max_burst_jobs = 0  # enough, though the queue may hold what the killed one had begun


async def all_done(env: Env) -> bool:
    """Whether every instrument was collected and nothing is left to do."""
    listed = await jobs.list_jobs(env, "collect")
    return len(listed) == len(SYMBOLS) and all(job.state == "DONE" for job in listed)


async def assert_stored_once(env: Env) -> None:
    """Each symbol has its bars up to the last day, and indicators for each."""
    async with env.db.read() as db:
        rows = await db.execute(
            text(
                "SELECT symbol, count(*), count(DISTINCT day), max(day),"
                " (SELECT count(*) FROM indicator_daily i WHERE i.symbol = b.symbol)"
                " FROM bar b GROUP BY symbol ORDER BY symbol"
            )
        )
        found = {row[0]: row[1:] for row in rows}
    assert set(found) == set(SYMBOLS)
    for bars, days, newest, indicators in found.values():
        assert bars == days == indicators > 2000
        assert newest == date(2013, 3, 1)


@pytest.fixture
async def busy(live: Env, yahoo: FakeYahoo) -> Callable[[], Awaitable[bool]]:
    """Whether a worker has claimed all and waits for the source."""
    yahoo.set_latency(30)

    async def asked() -> bool:
        return len(charts(yahoo)) >= len(SYMBOLS)

    return asked


async def test_a_worker_killed_in_a_job_loses_nothing(live, settings, yahoo, busy):
    async with worker(settings) as killed:
        await until(busy, killed)
        killed.send_signal(signal.SIGKILL)
        await killed.wait()
    assert {j.state for j in await jobs.list_jobs(live)} == {"RUNNING"}
    yahoo.set_latency(0)
    await next_minute(live)
    assert {j.state for j in await jobs.list_jobs(live)} == {"RUNNING"}  # it may be at work still
    later = at(live, live.clock.now() + timedelta(seconds=jobs.STALE_AFTER))
    await next_minute(later)
    await next_worker(later)
    await next_minute(later)  # all prices are there: the recommendations of the day are asked for
    tried = {(j.kind, j.attempts) for j in await jobs.list_jobs(live)}
    assert tried == {("collect", 2), ("recommend", 0)}
    assert len(charts(yahoo)) == 2 * len(SYMBOLS)
    await assert_stored_once(live)


async def test_a_stopped_worker_gives_its_jobs_back(live, settings, yahoo, busy):
    async with worker(settings) as stopped:
        await until(busy, stopped)
        stopped.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(stopped.wait(), HANG) == 0
    listed = await jobs.list_jobs(live)
    assert {(j.state, j.attempts) for j in listed} == {("PENDING", 0)}
    yahoo.set_latency(0)
    await next_minute(live)
    await next_worker(live)
    assert {j.attempts for j in await jobs.list_jobs(live, "collect")} == {1}
    await assert_stored_once(live)


async def test_a_flushed_broker_and_a_missed_tick_lose_nothing(live, settings, yahoo):
    # the minute of the close went by without a worker; what was enqueued since was flushed
    await next_minute(live)
    assert len(await jobs.list_jobs(live)) == len(SYMBOLS)
    await live.bus._redis.flushall()
    async with worker(settings) as process:
        await until(lambda: all_done(live), process)
        await live.bus._redis.flushall()  # and once more, while it has nothing to do
        await make_instrument(live, "IBM")
        async with live.db.write() as db:
            job = await jobs.open_job(db, "collect", "IBM", None, "asked", live.clock.now())

        async def collected() -> bool:
            return (await jobs.find_jobs(live, [job]))[0].state == "DONE"

        await until(collected, process)
    assert len(yahoo.log("AAPL")) == 1


async def test_workers_with_the_same_jobs_do_each_once(live, yahoo):
    yahoo.set_latency(0.1)
    await next_minute(live)
    async with asyncio.TaskGroup() as group:
        for _ in range(2):
            group.create_task(next_worker(live))
    assert {j.attempts for j in await jobs.list_jobs(live, "collect")} == {1}
    assert sorted(charts(yahoo)) == sorted(SYMBOLS)
    await assert_stored_once(live)


async def test_a_worker_without_its_broker_ends_and_the_next_one_goes_on(
    live, settings, yahoo, busy
):
    with tempfile.TemporaryDirectory(prefix="sise-", dir="/tmp") as short:
        servers = EmbeddedServers(Path(short), postgres=False)
        own = replace(settings, redis_url=servers.start().redis_url)
        try:
            async with worker(own) as orphan:
                await until(busy, orphan)
                os.kill(servers.valkey.server.pid, signal.SIGKILL)
                assert await asyncio.wait_for(orphan.wait(), HANG) == 1
                assert b"The broker does not answer" in await orphan.stdout.read()
        finally:
            servers.stop()
    assert {j.state for j in await jobs.list_jobs(live)} == {"PENDING"}
    yahoo.set_latency(0)
    await next_minute(live)
    await next_worker(live)
    await assert_stored_once(live)
