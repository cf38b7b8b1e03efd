"""Analyse one instrument: the indicators that its bars have and the table lacks.

Alert rules that watch it are the next job.
"""

from __future__ import annotations

import logging
from typing import Any, Final

from app.env import Env
from app.services.alerts.alert_watch import open_watch
from app.services.signals.analysis import analyse
from app.services.work import jobs
from app.services.work.events import hand_over
from workers.attempt import attempt, claim

LOG: Final = logging.getLogger(__name__)


async def analyse_instrument(ctx: dict[str, Any], job_id: int) -> None:
    """The function of the quick queue. A job that is done, or another worker's, is left alone."""
    env: Env = ctx["env"]
    job = await claim(ctx, job_id)
    if job is None or job.symbol is None:
        return
    async with attempt(ctx, job):
        rows = await analyse(env, job.symbol)
        watching = await open_watch(env, job.symbol, job.id)
        await jobs.finish(env, job, rows, "ANALYSED")
        await hand_over(env, watching)
        LOG.info("analysed", extra={"symbol": job.symbol, "rows": rows, "job": job.id})
