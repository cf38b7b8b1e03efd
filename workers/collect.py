"""Collect one instrument: prices from the source into the tables, then its indicators.

After a first load its sector is asked for, too.

A job for a day (its session is over) ends only when that day is there; until then it looks again
after 5, 15 and 60 minutes. A job that somebody asked for ends with whatever the source has.
"""

from __future__ import annotations

import logging
from typing import Any, Final

from app.env import Env
from app.services.collect.collections import collect_symbol
from app.services.collect.storing import CollectionOutcome
from app.services.market.profiles import FIRST_LOAD, learn_profile
from app.services.schedule.due import has_day
from app.services.signals.analysis import analyse
from app.services.work import jobs
from app.services.work.jobs import Job
from workers.attempt import attempt, claim, put_off, wait_for_source
from workers.pace import Pace

LOG: Final = logging.getLogger(__name__)


async def collect_instrument(ctx: dict[str, Any], job_id: int) -> None:
    """The function of the quick queue. A job that is done, or another worker's, is left alone."""
    env: Env = ctx["env"]
    job = await claim(ctx, job_id)
    if job is None or job.symbol is None:
        return
    async with attempt(ctx, job):
        outcome = await collect_symbol(env, job.symbol)
        if outcome.ok:
            await analyse(env, job.symbol)
        await _settle(env, ctx["pace"], job, outcome)
        if outcome.ok and outcome.bars >= FIRST_LOAD:
            await learn_profile(env, job.symbol)
        facts = {"symbol": job.symbol, "outcome": outcome.outcome, "bars": outcome.bars}
        LOG.info("collected", extra={**facts, "job": job.id, "attempt": job.attempts})


async def _settle(env: Env, pace: Pace, job: Job, outcome: CollectionOutcome) -> None:
    """Writes into the job what the source answered."""
    why = outcome.detail or outcome.outcome
    if outcome.retry_after is not None:
        await wait_for_source(env, job, outcome.outcome, why, seconds=outcome.retry_after)
    elif outcome.retryable:
        await put_off(env, job, outcome.outcome, why, pace.delays)
    elif not outcome.ok and outcome.outcome != "SUPERSEDED":
        await jobs.fail(env, job, why, outcome=outcome.outcome)
    elif job.day is not None and not await has_day(env, job.symbol or "", job.day):
        why = f"The source does not have {job.day} yet."
        await put_off(env, job, "LATE", why, pace.late)
    else:
        await jobs.finish(env, job, outcome.bars, outcome.outcome)
