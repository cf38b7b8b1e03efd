"""The protocol of the job table: one row a key, one winner a claim, nothing lost."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text

from app.clock import Clock
from app.env import Env
from app.services.work import jobs
from app.services.work.jobs import Job
from tests.clocks import at

DAY = date(2026, 1, 5)


NOW = datetime(2026, 1, 5, 22, 0, tzinfo=UTC)


async def open_one(env: Env, key: str = "collect:AAPL:2026-01-05", due: datetime = NOW) -> int:
    async with env.db.write() as db:
        return await jobs.open_job(db, "collect", "AAPL", DAY, key, due)


async def the(env: Env, job_id: int) -> Job:
    (job,) = await jobs.find_jobs(env, [job_id])
    return job


async def test_opening_the_same_key_twice_makes_one_job(env):
    first, second = await open_one(env), await open_one(env)
    assert first == second
    assert len(await jobs.list_jobs(env)) == 1
    job = await the(env, first)
    assert (job.state, job.kind, job.symbol, job.day) == ("PENDING", "collect", "AAPL", DAY)
    assert (job.attempts, job.due_at, job.done_at) == (0, NOW, None)


async def test_a_job_that_was_rolled_back_was_never_there(env):
    async def interrupted() -> None:
        async with env.db.write() as db:
            await jobs.open_job(db, "collect", "AAPL", DAY, "k", NOW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await interrupted()
    assert await jobs.list_jobs(env) == []


async def test_asking_again_joins_the_open_job(env):
    env = at(env, NOW)
    job_id = await open_one(env)
    async with env.db.read() as db:
        assert await jobs.find_open_job(db, "collect", "AAPL") == job_id
        assert await jobs.find_open_job(db, "analyse", "AAPL") is None
    claimed = await jobs.claim(env, job_id)
    await jobs.finish(env, claimed, 1, "STORED")
    async with env.db.read() as db:
        assert await jobs.find_open_job(db, "collect", "AAPL") is None


async def test_of_many_workers_one_gets_the_job(env):
    env = at(env, NOW)
    job_id = await open_one(env)
    async with asyncio.TaskGroup() as group:
        claims = [group.create_task(jobs.claim(env, job_id)) for _ in range(8)]
    won = [c.result() for c in claims if c.result() is not None]
    assert len(won) == 1
    assert (won[0].state, won[0].attempts, won[0].started_at) == ("RUNNING", 1, NOW)


async def test_a_finished_job_is_not_claimed_again(env):
    env = at(env, NOW)
    job_id = await open_one(env)
    job = await jobs.claim(env, job_id)
    assert await jobs.finish(env, job, 3, "STORED")
    assert await jobs.claim(env, job_id) is None
    done = await the(env, job_id)
    assert (done.state, done.bars, done.outcome, done.done_at) == ("DONE", 3, "STORED", NOW)
    assert await jobs.claim(env, 10**9) is None


async def test_a_job_whose_worker_died_is_claimed_again_once_it_is_stale(env):
    job_id = await open_one(env)
    await jobs.claim(at(env, NOW), job_id)
    soon, later = at(env, NOW + timedelta(seconds=59)), at(env, NOW + timedelta(seconds=60))
    assert await jobs.claim(soon, job_id) is None
    assert await jobs.list_due(soon) == []
    assert [j.id for j in await jobs.list_due(later)] == [job_id]
    again = await jobs.claim(later, job_id)
    assert again is not None
    assert again.attempts == 2


async def test_a_worker_given_up_for_dead_cannot_settle_the_job_of_its_successor(env):
    job_id = await open_one(env)
    slow = await jobs.claim(at(env, NOW), job_id)
    later = at(env, NOW + timedelta(minutes=2))
    second = await jobs.claim(later, job_id)
    assert not await jobs.finish(later, slow, 1, "STORED")
    assert not await jobs.fail(later, slow, "late")
    assert (await the(env, job_id)).state == "RUNNING"
    assert await jobs.finish(later, second, 2, "STORED")


async def test_a_failed_try_waits_until_its_time_and_the_last_one_is_final(env):
    job_id = await open_one(env)
    now = NOW
    for attempt in range(1, jobs.MAX_ATTEMPTS + 1):
        here = at(env, now)
        assert [j.id for j in await jobs.list_due(here)] == [job_id]
        job = await jobs.claim(here, job_id)
        assert job.attempts == attempt
        await jobs.fail(
            here, job, f"no answer {attempt}", outcome="DOWN", retry_at=now + timedelta(minutes=5)
        )
        assert await jobs.list_due(here) == []
        now += timedelta(minutes=5)
    failed = await the(env, job_id)
    assert (failed.state, failed.last_error, failed.outcome) == ("FAILED", "no answer 5", "DOWN")
    assert await jobs.claim(at(env, now), job_id) is None


async def test_a_job_that_was_put_off_is_not_claimed_before_its_time(env):
    job_id = await open_one(env, due=NOW + timedelta(minutes=1))
    assert await jobs.claim(at(env, NOW), job_id) is None
    assert await jobs.claim(at(env, NOW + timedelta(minutes=1)), job_id) is not None


async def test_a_failure_for_good_is_final_at_once(env):
    env = at(env, NOW)
    job_id = await open_one(env)
    await jobs.fail(env, await jobs.claim(env, job_id), "not listed")
    assert (await the(env, job_id)).state == "FAILED"
    assert await jobs.list_due(env) == []


async def test_a_job_given_back_costs_no_try(env):
    env = at(env, NOW)
    job_id = await open_one(env)
    await jobs.release(env, await jobs.claim(env, job_id))
    job = await the(env, job_id)
    assert (job.state, job.attempts, job.queued_at) == ("PENDING", 0, None)
    assert [j.id for j in await jobs.list_due(env)] == [job_id]


async def test_a_job_that_kills_every_worker_is_buried(env):
    job_id = await open_one(env)
    now = NOW
    for _ in range(jobs.MAX_ATTEMPTS):
        assert await jobs.bury_dead(at(env, now)) == 0
        assert await jobs.claim(at(env, now), job_id) is not None
        now += timedelta(minutes=2)
    assert await jobs.list_due(at(env, now)) == []
    assert await jobs.bury_dead(at(env, now)) == 1
    job = await the(env, job_id)
    assert (job.state, job.outcome) == ("FAILED", "KILLED")


async def test_what_is_due_comes_in_order_and_the_future_not_at_all(env):
    second = await open_one(env, "b", NOW)
    first = await open_one(env, "a", NOW - timedelta(hours=1))
    await open_one(env, "c", NOW + timedelta(seconds=1))
    assert [j.id for j in await jobs.list_due(at(env, NOW))] == [first, second]
    assert [j.id for j in await jobs.list_due(at(env, NOW), 1)] == [first]
    assert await jobs.count_open(at(env, NOW)) == 2


async def test_a_job_is_enqueued_once_and_again_only_after_a_flush(env):
    env = at(env, NOW)
    job_id = await open_one(env)
    assert await jobs.send(env, [job_id]) == 1
    assert (await the(env, job_id)).queued_at == NOW
    assert await jobs.list_due(env) == []
    assert await jobs.send(env, [job_id]) == 0  # it waits there
    later = at(env, NOW + timedelta(seconds=61))
    assert [j.id for j in await jobs.list_due(later)] == [job_id]
    await env.bus._redis.flushall()
    assert await jobs.send(later, [job_id]) == 1


async def test_a_finished_job_is_not_enqueued(env):
    env = at(env, NOW)
    job_id = await open_one(env)
    await jobs.finish(env, await jobs.claim(env, job_id), 0, "UNCHANGED")
    assert await jobs.send(env, [job_id, 10**9]) == 0


async def test_durations_follow_a_clock_that_runs_faster(env):
    fast = replace(env, clock=Clock(start=NOW, rate=3600))
    assert jobs.real_time(fast, 60) == timedelta(hours=60)
    job_id = await open_one(fast)
    assert await jobs.claim(fast, job_id) is not None
    assert await jobs.claim(fast, job_id) is None


async def test_old_jobs_are_forgotten_and_open_ones_never(env):
    done, still_open = await open_one(env, "a"), await open_one(env, "b")
    await jobs.finish(at(env, NOW), await jobs.claim(at(env, NOW), done), 1, "STORED")
    later = at(env, NOW + timedelta(days=jobs.KEEP, seconds=1))
    assert await jobs.forget_old(at(env, NOW + timedelta(days=29))) == 0
    assert await jobs.forget_old(later) == 1
    assert [j.id for j in await jobs.list_jobs(env)] == [still_open]


async def test_the_database_knows_no_other_state(env):
    job_id = await open_one(env)
    with pytest.raises(Exception, match="ck_job_state"):
        async with env.db.write() as db:
            await db.execute(text(f"UPDATE job SET state = 'LOST' WHERE id = {job_id}"))
