"""The job that tells a channel; what it tells is tested where it is made."""

from __future__ import annotations

from app.services.alerts.notices import open_notify_job
from app.services.work import jobs
from tests.workers.conftest import context
from workers.notify import notify_channel


async def test_a_job_without_notices_tells_nobody(env):
    async with env.db.write() as db:
        job = await open_notify_job(db, 1, env.clock.now())
    await notify_channel(context(env), job)
    assert (await jobs.find_jobs(env, [job]))[0].outcome == "NOBODY"


async def test_a_job_that_is_gone_is_left_alone(env):
    await notify_channel(context(env), 10**9)
