"""Recommend: issue what is new in a market and score what is over; a function of the long queue."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from app.domain.recommend.markets import MarketKey
from app.env import Env
from app.services.recommend.recommend_issue import issue
from app.services.schedule.due_recommendations import is_complete
from app.services.work import jobs
from workers.attempt import attempt, claim, wait_for_source

LOG: Final = logging.getLogger(__name__)
KEEP_EVERY: Final = 15.0  # seconds
AGAIN: Final = 10.0  # seconds until it is looked again whether all prices of the day are there
LIMIT: Final = 3_000.0  # seconds; below the long queue's job_timeout


async def recommend_market(ctx: dict[str, Any], job_id: int) -> None:
    """A job that is done, or another worker's, is left alone."""
    env: Env = ctx["env"]
    job = await claim(ctx, job_id)
    if job is None:
        return
    async with attempt(ctx, job, limit=LIMIT), _alive(env, job):
        market = MarketKey(job.key.split(":")[2])
        if not await is_complete(env, market):
            await wait_for_source(env, job, "INCOMPLETE", "Prices are coming.", seconds=AGAIN)
            return
        outcome, rows = await issue(env, market)
        await jobs.finish(env, job, rows, outcome)
        LOG.info("recommended", extra={"market": market, "outcome": outcome, "rows": rows})


@asynccontextmanager
async def _alive(env: Env, job: jobs.Job) -> AsyncIterator[None]:
    """Says now and then that the job is being worked at."""

    async def tell() -> None:
        while True:
            await asyncio.sleep(KEEP_EVERY)
            await jobs.keep(env, job)

    telling = asyncio.create_task(tell())
    try:
        yield
    finally:
        telling.cancel()
