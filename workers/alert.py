"""Alert rules of one instrument after its collection and analysis: what its newest session did."""

from __future__ import annotations

import logging
from typing import Any, Final

from app.env import Env
from app.services.alerts.alert_watch import watch_close
from app.services.work import jobs
from workers.attempt import attempt, claim

LOG: Final = logging.getLogger(__name__)


async def watch_instrument(ctx: dict[str, Any], job_id: int) -> None:
    """The function of the quick queue. A job that is done, or another worker's, is left alone."""
    env: Env = ctx["env"]
    job = await claim(ctx, job_id)
    if job is None or job.symbol is None:
        return
    async with attempt(ctx, job):
        made = await watch_close(env, job.symbol)
        await jobs.finish(env, job, made, "WATCHED")
        LOG.info("watched", extra={"symbol": job.symbol, "alerts": made, "job": job.id})
