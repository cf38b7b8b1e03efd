"""One try of a claimed job: whatever happens in it, the job's row says so afterwards.

A try has its own deadline, below the time limit of the queue. What may pass by itself is tried
again later, with growing delays; a fault of ours is tried again too and goes on to the log.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final
from zlib import crc32

from app.env import Env
from app.errors import AppError
from app.services.work import jobs
from app.services.work.jobs import Job
from workers.pace import Pace

_SPREAD: Final = 0.2  # of the delay: what failed together does not come back together


async def claim(ctx: dict[str, Any], job_id: int) -> Job | None:
    """Takes the job for this worker: None when there is nothing left to do for it."""
    pace: Pace = ctx["pace"]
    return await jobs.claim(ctx["env"], job_id, stale_after=pace.stale_after)


@asynccontextmanager
async def attempt(
    ctx: dict[str, Any], job: Job, *, limit: float | None = None
) -> AsyncIterator[None]:
    """The body of the try, which settles the job itself when all goes well.

    `limit` is in seconds; a try takes no longer than the pace has it where none is given.

    Raises:
        Exception: what was not foreseen, once the job's row has it.
    """
    env: Env = ctx["env"]
    pace: Pace = ctx["pace"]
    limit = pace.deadline if limit is None else limit
    try:
        async with asyncio.timeout(limit):
            yield
    except asyncio.CancelledError:
        await asyncio.shield(jobs.release(env, job))
        raise
    except TimeoutError:
        await put_off(env, job, "TIMEOUT", f"It took longer than {limit:g} s.", pace.delays)
    except AppError as error:
        if not error.retryable:
            await jobs.fail(env, job, str(error), outcome=error.code)
            return
        await put_off(env, job, error.code, str(error), pace.delays)
    except Exception as error:
        await put_off(env, job, "ERROR", f"{type(error).__name__}: {error}", pace.delays)
        raise


async def put_off(
    env: Env, job: Job, outcome: str, why: str, delays: Sequence[float] = Pace.delays
) -> None:
    """Ends a try that may go better later: after the delay, in seconds, of so many tries."""
    delay = delays[min(job.attempts, len(delays)) - 1]
    await jobs.fail(env, job, why, outcome=outcome, retry_at=_after(env, job, delay))


async def wait_for_source(env: Env, job: Job, outcome: str, why: str, *, seconds: float) -> None:
    """Ends a try that the source did not let begin: it is tried after `seconds`, uncounted."""
    await jobs.postpone(env, job, why, outcome, _after(env, job, seconds))


def _after(env: Env, job: Job, seconds: float) -> datetime:
    """That much later, and a little more by the job's key."""
    share = crc32(f"{job.key}:{job.attempts}".encode()) / 2**32
    return env.clock.now() + jobs.real_time(env, seconds * (1 + _SPREAD * share))
