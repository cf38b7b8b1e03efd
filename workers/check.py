"""Check one instrument: its closes beside those of a second source."""

from __future__ import annotations

import logging
from typing import Any, Final

from app.env import Env
from app.services.collect.cross_check import cross_check
from app.services.work import jobs
from workers.attempt import attempt, claim

LOG: Final = logging.getLogger(__name__)


async def check_instrument(ctx: dict[str, Any], job_id: int) -> None:
    """The function of the quick queue. A job that is done, or another worker's, is left alone."""
    env: Env = ctx["env"]
    job = await claim(ctx, job_id)
    if job is None or job.symbol is None:
        return
    async with attempt(ctx, job):
        found = await cross_check(env, job.symbol)
        days, differing = (0, 0) if found is None else (found.days, found.differing)
        await jobs.finish(env, job, 0, "DIFFERS" if differing else "CHECKED")
        facts = {"symbol": job.symbol, "days": days, "differing": differing}
        LOG.info("checked", extra=facts | {"job": job.id})
