"""Tell one channel what is due: by mail, webhook or push; tried again, given up, never lost."""

from __future__ import annotations

import logging
from typing import Any, Final

from app.env import Env
from app.services.alerts.delivering import deliver, find_bundle, settle_notices
from app.services.work import jobs
from workers.attempt import attempt, claim

LOG: Final = logging.getLogger(__name__)


async def notify_channel(ctx: dict[str, Any], job_id: int) -> None:
    """The function of the quick queue. A job that is done, or another worker's, is left alone."""
    env: Env = ctx["env"]
    job = await claim(ctx, job_id)
    if job is None:
        return
    async with attempt(ctx, job):
        bundle = await find_bundle(env, job.id)
        if bundle is not None:
            await deliver(env, job, bundle)
        await jobs.finish(env, job, 0, "NOBODY" if bundle is None else "TOLD")
        LOG.info("notified", extra={"job": job.id, "attempt": job.attempts})
    await settle_notices(env)
