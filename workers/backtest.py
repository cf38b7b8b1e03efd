"""A part of a backtest, or its conclusion: the functions of the long queue."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final

from app.domain.backtest.sweeping import warm_up
from app.env import Env
from app.errors import BadInput
from app.services import jobs
from app.services.backtest_work import do_part
from app.services.backtests import fail_backtest, fail_dead
from app.services.jobs import Job
from app.services.strategy_shelf import Shelf, load_shelf
from workers.attempt import attempt, claim

LOG: Final = logging.getLogger(__name__)
LIMIT: Final = 3_000.0  # seconds of one part; below the long queue's job_timeout


async def run_backtest(ctx: dict[str, Any], job_id: int) -> None:
    """A job that is done, or another worker's, is left alone."""
    env: Env = ctx["env"]
    job = await claim(ctx, job_id)
    if job is None:
        return
    if "shelf" not in ctx:
        ctx["shelf"] = load_shelf(env.settings)
    try:
        async with attempt(ctx, job, limit=LIMIT):
            await _do(env, job, ctx["shelf"])
    finally:
        await fail_dead(env)


async def read_loops(ctx: dict[str, Any]) -> None:  # noqa: ARG001 - arq names it
    """Reads the compiled loops from disk: somebody looks at the strategies and may soon run one."""
    await asyncio.to_thread(warm_up)


async def _do(env: Env, job: Job, shelf: Shelf) -> None:
    try:
        outcome = await do_part(env, job, shelf)
    except BadInput as error:
        values = {
            name: value if isinstance(value, int | float | str) else str(value)
            for name, value in error.values.items()
        }
        told = {"message": error.message, "values": values}
        await fail_backtest(env, int(job.key.split(":")[1]), told)
        outcome = error.code
    await jobs.finish(env, job, 0, outcome)
    LOG.info("backtest", extra={"key": job.key, "outcome": outcome, "attempt": job.attempts})
