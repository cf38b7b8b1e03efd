"""How a try ends: each kind of failure leaves its mark on the job."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.env import Env
from app.errors import NotFound, Unavailable
from app.services.work import jobs
from app.services.work.jobs import Job
from tests.clocks import at
from tests.workers.conftest import context
from workers.attempt import attempt, claim, put_off

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.fixture
def still(env: Env) -> Env:
    return at(env, NOW)


async def open_one(env: Env, key: str = "analyse:AAPL") -> Job:
    async with env.db.write() as db:
        job_id = await jobs.open_job(db, "analyse", "AAPL", None, key, NOW)
    job = await claim(context(env), job_id)
    assert job is not None
    return job


async def after(env: Env, job: Job) -> Job:
    (row,) = await jobs.find_jobs(env, [job.id])
    return row


async def fail_with(env: Env, job: Job, error: Exception) -> None:
    async with attempt(context(env), job):
        raise error


async def test_what_may_pass_is_tried_again_later(still):
    job = await open_one(still)
    await fail_with(still, job, Unavailable("The database does not answer."))
    row = await after(still, job)
    assert (row.state, row.outcome, row.last_error) == (
        "PENDING",
        "UNAVAILABLE",
        "The database does not answer.",
    )
    assert timedelta(minutes=1) <= row.due_at - NOW <= timedelta(minutes=1.2)


async def test_what_cannot_pass_fails_for_good(still):
    job = await open_one(still)
    await fail_with(still, job, NotFound("There is no instrument %(symbol)r.", symbol="AAPL"))
    row = await after(still, job)
    assert (row.state, row.outcome, row.last_error) == (
        "FAILED",
        "NOT_FOUND",
        "There is no instrument 'AAPL'.",
    )


async def test_a_fault_of_ours_goes_on_to_the_log(still):
    job = await open_one(still)
    with pytest.raises(ZeroDivisionError):
        await fail_with(still, job, ZeroDivisionError("by zero"))
    row = await after(still, job)
    assert (row.state, row.last_error) == ("PENDING", "ZeroDivisionError: by zero")


async def test_jobs_that_failed_together_do_not_come_back_together(still):
    waits = set()
    for n in range(5):
        job = await open_one(still, f"k{n}")
        await put_off(still, job, "SOURCE_DOWN", "down")
        waits.add((await after(still, job)).due_at)
    assert len(waits) == 5


async def test_a_body_that_settles_its_job_is_left_to_it(still):
    job = await open_one(still)
    async with attempt(context(still), job):
        await jobs.finish(still, job, 7, "STORED")
    assert (await after(still, job)).bars == 7
