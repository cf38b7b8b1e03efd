"""The function of the long queue: a real worker issues a market, and knows a job of another."""

from __future__ import annotations

from sqlalchemy import text

from app.adapters.queue import open_pool
from app.services.schedule.due_recommendations import open_due_recommendations
from app.services.work import jobs
from app.services.work.events import hand_over
from tests.recommending import make_market
from tests.trust_rows import make_job
from tests.workers.conftest import context
from workers.pace import Pace
from workers.recommend import recommend_market
from workers.settings import make_worker


async def test_a_worker_of_the_long_queue_issues_a_market(env):
    await make_market(env, ("AAPL", "MSFT"), sessions=110)
    await open_due_recommendations(env)
    await hand_over(env, [job.id for job in await jobs.list_due(env)])
    async with open_pool(env.settings.redis_url) as pool:
        worker = make_worker("long", env, pool, Pace(), burst=True)
        worker.cron_jobs = []
        await worker.async_run()
    (job,) = await jobs.list_jobs(env, "recommend")
    assert (job.state, job.outcome) == ("DONE", "ISSUED")
    async with env.db.read() as db:
        assert await db.scalar(text("SELECT count(*) FROM recommendation")) == job.bars


async def test_what_is_added_in_the_meantime_is_waited_for(env):
    await make_market(env, ("AAPL", "MSFT"), sessions=110)
    await open_due_recommendations(env)
    await make_job(env, "MSFT", "PENDING", due_at=env.clock.now())
    (job,) = await jobs.list_jobs(env, "recommend")
    await recommend_market(context(env), job.id)
    (job,) = await jobs.list_jobs(env, "recommend")
    assert (job.state, job.outcome, job.attempts) == ("PENDING", "INCOMPLETE", 0)
    async with env.db.read() as db:
        assert await db.scalar(text("SELECT count(*) FROM recommendation")) == 0


async def test_a_job_that_is_gone_is_left_alone(env):
    await recommend_market(context(env), 10**9)
