"""A collection job from claim to end, against the local Yahoo."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text

from app.adapters.prices import NoData
from app.db.models import Bar, IndicatorDaily
from app.env import Env
from app.services.schedule import due
from app.services.work import jobs
from app.services.work.jobs import Job
from tests.clocks import at
from tests.deliveries import ScriptedSource
from tests.factories import make_instrument
from tests.workers.conftest import EVENING, LAST_DAY, context
from workers.collect import collect_instrument

NOW = datetime.fromisoformat(EVENING).replace(tzinfo=UTC)


async def open_due(env: Env) -> int:
    """The one job that is due."""
    await due.open_due(env)
    (job,) = await jobs.list_due(env)
    return job.id


async def open_request(env: Env, symbol: str = "AAPL") -> int:
    """A job that somebody asked for."""
    async with env.db.write() as db:
        return await jobs.open_job(db, "collect", symbol, None, f"request:{symbol}", NOW)


async def the(env: Env, job_id: int) -> Job:
    (job,) = await jobs.find_jobs(env, [job_id])
    return job


async def count(env: Env, table: Any) -> int:
    async with env.db.read() as db:
        return int(await db.scalar(select(func.count()).select_from(table)) or 0)


async def test_a_due_day_is_stored_and_analysed(ctx, live, yahoo):
    job_id = await open_due(live)
    await collect_instrument(ctx, job_id)
    job = await the(live, job_id)
    assert (job.state, job.outcome, job.attempts) == ("DONE", "STORED", 1)
    assert job.bars == await count(live, Bar) > 3000
    assert await count(live, IndicatorDaily) == job.bars
    assert await due.has_day(live, "AAPL", LAST_DAY)
    assert await due.open_due(live) == 0


async def test_the_same_job_twice_has_one_effect(ctx, live, yahoo):
    job_id = await open_due(live)
    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(collect_instrument(ctx, job_id))
    await collect_instrument(ctx, job_id)
    assert (await the(live, job_id)).attempts == 1
    assert len(yahoo.log("AAPL")) == 1


async def test_a_job_that_is_gone_is_left_alone(ctx, yahoo):
    await collect_instrument(ctx, 10**9)
    assert yahoo.log() == []


async def test_a_day_that_the_source_does_not_have_yet_is_looked_for_again(live, yahoo):
    yahoo.set("AAPL", drop=["2013-03-01"])
    job_id = await open_due(live)
    now = live
    for minutes in (5, 15, 60, 60):
        await collect_instrument(context(now), job_id)
        job = await the(now, job_id)
        assert (job.state, job.outcome) == ("PENDING", "LATE")
        wait = (job.due_at - now.clock.now()) / timedelta(minutes=minutes)
        assert 1 <= wait <= 1.2
        assert await jobs.list_due(now) == []
        now = at(live, job.due_at)
        assert [j.id for j in await jobs.list_due(now)] == [job_id]
    yahoo.reset()
    await collect_instrument(context(now), job_id)
    job = await the(now, job_id)
    assert (job.state, job.outcome, job.attempts, job.last_error) == ("DONE", "STORED", 5, None)


async def test_a_request_ends_with_whatever_the_source_has(ctx, live, yahoo):
    yahoo.set("AAPL", drop=["2013-03-01"])
    first = await open_request(live)
    await collect_instrument(ctx, first)
    assert (await the(live, first)).outcome == "STORED"
    second = await open_due(live)
    await collect_instrument(ctx, second)
    assert (await the(live, second)).outcome == "LATE"


async def test_too_many_questions_wait_as_long_as_the_source_says(ctx, live, yahoo):
    yahoo.fault("AAPL", "429", retry_after=600)
    job_id = await open_due(live)
    await collect_instrument(ctx, job_id)
    job = await the(live, job_id)
    assert (job.state, job.outcome) == ("PENDING", "RATE_LIMITED")
    assert timedelta(minutes=10) <= job.due_at - NOW <= timedelta(minutes=12)


async def test_a_source_that_is_down_is_asked_again_with_growing_delays_and_not_for_ever(
    live, yahoo
):
    yahoo.fault("AAPL", "500")
    job_id = await open_due(live)
    now, waits = live, []
    for _ in range(2):
        await collect_instrument(context(now), job_id)
        job = await the(now, job_id)
        assert (job.state, job.outcome) == ("PENDING", "SOURCE_DOWN")
        waits.append(job.due_at - now.clock.now())
        now = at(live, job.due_at)
    assert waits[0] < waits[1]
    async with live.db.write() as db:
        await db.execute(text(f"UPDATE job SET attempts = {jobs.MAX_ATTEMPTS - 1}"))
    await collect_instrument(context(now), job_id)
    job = await the(now, job_id)
    assert (job.state, job.outcome, job.attempts) == ("FAILED", "SOURCE_DOWN", 5)
    assert job.last_error
    assert await count(live, Bar) == 0


async def test_an_instrument_that_is_gone_fails_for_good(ctx, live, yahoo):
    job_id = await open_request(live, "NOSUCH")
    await collect_instrument(ctx, job_id)
    job = await the(live, job_id)
    assert (job.state, job.outcome) == ("FAILED", "NOT_FOUND")
    assert yahoo.log() == []


async def test_a_symbol_that_the_source_no_longer_lists_fails_for_good(ctx, live, yahoo):
    await make_instrument(live, "GONE")
    job_id = await open_request(live, "GONE")
    await collect_instrument(ctx, job_id)
    job = await the(live, job_id)
    assert (job.state, job.outcome) == ("FAILED", "NOT_LISTED")


async def test_a_stop_gives_the_job_back(live, yahoo):
    yahoo.fault("AAPL", "held")
    job_id = await open_due(live)
    task = asyncio.create_task(collect_instrument(context(live), job_id))
    while not yahoo.log("AAPL"):
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    job = await the(live, job_id)
    assert (job.state, job.attempts, job.queued_at) == ("PENDING", 0, None)


async def test_a_try_that_takes_too_long_ends_by_itself(live, yahoo):
    yahoo.fault("AAPL", "held")
    job_id = await open_due(live)
    await collect_instrument(context(live, deadline=0.2), job_id)
    job = await the(live, job_id)
    assert (job.state, job.outcome) == ("PENDING", "TIMEOUT")
    assert job.last_error == "It took longer than 0.2 s."


async def test_a_fault_of_ours_is_noted_and_not_hidden(live):
    job_id = await open_due(live)
    broken = ScriptedSource(NoData("never asked"))
    broken.history = None  # type: ignore[method-assign,assignment]
    with pytest.raises(TypeError):
        await collect_instrument(context(replace(live, sources={"yahoo": broken})), job_id)
    job = await the(live, job_id)
    assert (job.state, job.outcome) == ("PENDING", "ERROR")
    assert job.last_error == "TypeError: 'NoneType' object is not callable"


async def test_a_job_waits_for_a_process_that_has_its_sources(live):
    job_id = await open_due(live)
    await collect_instrument(context(replace(live, sources={})), job_id)
    job = await the(live, job_id)
    assert (job.state, job.outcome) == ("PENDING", "UNAVAILABLE")
    assert "SISE_SOURCE_ORDER" in job.last_error
