"""A part of a backtest, or its conclusion: the functions of the long queue.

The engine brings a compiler along: a worker has it from its first backtest on, not from its start.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import Mapping
from typing import Any, Final

from app.env import Env
from app.errors import BadInput
from app.services.backtest.backtests import fail_backtest, fail_dead
from app.services.work import jobs
from app.services.work.jobs import Job
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
        shelves = await _load("app.services.backtest.strategy_shelf")
        ctx["shelf"] = shelves.load_shelf(env.settings)
    if "runner" not in ctx:
        runners = await _load("app.services.backtest.backtest_runners")
        opened = await asyncio.to_thread(runners.open_runner, env.settings)
        ctx.setdefault("runner", opened)
    try:
        async with attempt(ctx, job, limit=LIMIT):
            await _do(env, job, ctx["shelf"], ctx["runner"])
    finally:
        await fail_dead(env)


async def read_loops(ctx: dict[str, Any]) -> None:  # noqa: ARG001 - arq names it
    """Reads the compiled loops from disk: somebody looks at the strategies and may soon run one."""
    await _load("app.services.backtest.backtest_work")
    sweeping = await _load("app.domain.backtest.sweeping")
    await asyncio.to_thread(sweeping.warm_up)


async def _load(module: str) -> Any:
    """A module of the engine, off the event loop."""
    return await asyncio.to_thread(importlib.import_module, module)


async def _do(env: Env, job: Job, shelf: Mapping[str, Any], runner: Any) -> None:
    work = await _load("app.services.backtest.backtest_work")
    try:
        outcome = await work.do_part(env, job, shelf, runner)
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
