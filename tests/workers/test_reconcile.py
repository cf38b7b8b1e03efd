"""The reconciler brings back what the queue lost, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from app.adapters.queue import QUEUES
from app.env import Env
from app.services.work import jobs
from tests.clocks import at
from workers.reconcile import reconcile

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


async def open_some(env: Env, count: int = 3) -> list[int]:
    async with env.db.write() as db:
        return [
            await jobs.open_job(db, "collect", "AAPL", None, f"k{n}", NOW) for n in range(count)
        ]


async def queued(env: Env) -> list[str]:
    """The ids that wait in the quick queue."""
    return sorted(name.decode() for name in await env.bus._redis.zrange(QUEUES["quick"], 0, -1))


async def test_due_jobs_are_enqueued_once(env):
    env = at(env, NOW)
    ids = await open_some(env)
    assert await reconcile(env) == 3
    assert await reconcile(env) == 0
    assert await queued(env) == [f"collect:{i}:0" for i in ids]


async def test_after_a_flush_all_are_back_within_two_minutes(env):
    ids = await open_some(env)
    await reconcile(at(env, NOW))
    await env.bus._redis.flushall()
    assert await reconcile(at(env, NOW + timedelta(seconds=59))) == 0
    assert await reconcile(at(env, NOW + timedelta(seconds=60))) == len(ids)


async def test_what_waits_in_the_queue_is_not_doubled(env):
    await open_some(env)
    await reconcile(at(env, NOW))
    assert await reconcile(at(env, NOW + timedelta(hours=1))) == 0
    assert len(await queued(env)) == 3


async def test_a_job_of_a_killed_worker_gets_a_new_place_in_the_queue(env):
    (job_id,) = await open_some(env, 1)
    await reconcile(at(env, NOW))
    await jobs.claim(at(env, NOW), job_id)
    assert await reconcile(at(env, NOW + timedelta(seconds=59))) == 0
    assert await reconcile(at(env, NOW + timedelta(seconds=60))) == 1
    begun = int(NOW.timestamp() * 1000)
    assert await queued(env) == [f"collect:{job_id}:0", f"collect:{job_id}:{begun}"]


async def test_a_job_that_kills_its_workers_is_not_enqueued_for_ever(env):
    (job_id,) = await open_some(env, 1)
    now = NOW
    for _ in range(jobs.MAX_ATTEMPTS):
        await jobs.claim(at(env, now), job_id)
        now += timedelta(minutes=2)
    await env.bus._redis.flushall()
    assert await reconcile(at(env, now)) == 0
    (job,) = await jobs.find_jobs(env, [job_id])
    assert (job.state, job.outcome) == ("FAILED", "KILLED")


async def test_a_minute_sends_as_many_as_the_sources_may_be_asked_in_one(env):
    env = at(env, NOW)
    async with env.db.write() as db:
        rows = [{"key": f"k{n}", "symbol": "AAPL"} for n in range(610)]
        await jobs.open_jobs(db, "collect", rows, NOW)
    assert env.settings.requests_per_minute == 600
    assert await reconcile(env) == 600
    assert await reconcile(env) == 10
