"""The workers: one process for each queue, which functions it has, and its cron table.

    queue   functions            cron                              a job may take
    quick   collect_instrument   minute_tick, every minute         60 s
    long    analyse_instrument   calendar_tick, every hour at :07  1 h

arq 0.28 retries nothing by itself but what a stop cancelled, and forgets a cron job that was
killed: that is why the job table and the reconciler exist. A worker whose broker is gone ends;
its supervisor starts another.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC
from typing import Final

from arq import cron, func
from arq.connections import ArqRedis, create_pool
from arq.cron import CronJob
from arq.worker import Function, Worker
from redis.exceptions import RedisError

from app.adapters.queue import QUEUES, QueueName, deserialize, redis_settings, serialize
from app.config import Settings
from app.domain.indicators import warm_up
from app.env import Env, open_env
from app.errors import Unavailable
from workers.analyse import analyse_instrument
from workers.collect import collect_instrument
from workers.pace import Pace
from workers.tick import calendar_tick, minute_tick

LOG: Final = logging.getLogger(__name__)
POLL: Final = 0.05  # seconds between looks at the queue
HEALTH_EVERY: Final = 10  # seconds
TIME_LIMITS: Final[dict[QueueName, int]] = {"quick": 60, "long": 3600}
AT_ONCE: Final[dict[QueueName, int]] = {"quick": 5, "long": 2}


async def run_worker(queue: QueueName, settings: Settings, pace: Pace | None = None) -> None:
    """Works until SIGINT or SIGTERM; jobs under way are given back then.

    Raises:
        Unavailable: the broker is gone.
        ConfigError: no database or broker is set.
    """
    async with open_env(settings, application=f"sise-{queue}") as env:
        await asyncio.to_thread(warm_up)
        try:
            pool = await create_pool(
                redis_settings(settings.redis_url or ""),
                job_serializer=serialize,
                job_deserializer=deserialize,
            )
            worker = make_worker(queue, env, pool, pace or Pace())
            try:
                await _run(worker)
            finally:
                await _close(worker, pool)
        except (RedisError, OSError) as error:
            raise Unavailable("The broker does not answer. The worker ends.") from error


def make_worker(
    queue: QueueName, env: Env, pool: ArqRedis, pace: Pace, *, burst: bool = False
) -> Worker:
    """An arq worker on an open environment; with `burst` it ends when the queue is empty."""
    return Worker(
        functions=functions_of(queue),
        cron_jobs=() if burst else crons_of(queue, env, pace),
        queue_name=QUEUES[queue],
        redis_pool=pool,
        ctx={"env": env, "pace": pace},
        burst=burst,
        handle_signals=not burst,
        max_jobs=AT_ONCE[queue],
        job_timeout=TIME_LIMITS[queue],
        keep_result=0,
        poll_delay=POLL,
        max_tries=5,
        health_check_interval=HEALTH_EVERY,
        job_serializer=serialize,
        job_deserializer=deserialize,
        timezone=UTC,
        log_results=False,
    )


def functions_of(queue: QueueName) -> list[Function]:
    """What jobs of that queue may call."""
    if queue == "quick":
        return [func(collect_instrument, name="collect_instrument")]
    return [func(analyse_instrument, name="analyse_instrument")]


def crons_of(queue: QueueName, env: Env, pace: Pace) -> list[CronJob]:
    """The cron table of that queue; both run once at the start as well."""
    if queue == "quick":
        every = env.settings.collect_every or 60
        seconds = set(pace.tick_seconds) | set(range(0, 60, max(1, int(every))))
        return [cron(minute_tick, second=seconds, run_at_startup=True)]
    return [cron(calendar_tick, minute=7, second=0, run_at_startup=True)]


async def _run(worker: Worker) -> None:
    """Runs the worker's loop; a signal ends it quietly, a cancellation from outside does not."""
    stopped: list[int] = []
    worker.on_stop = stopped.append
    try:
        await worker.async_run()
    except asyncio.CancelledError:
        if not stopped:
            raise
    LOG.info("worker stopped", extra={"queue": worker.queue_name})


async def _close(worker: Worker, pool: ArqRedis) -> None:
    """Waits for cancelled jobs to give themselves back, and closes (arq's own way warns)."""
    running = list(worker.tasks.values())
    for task in running:
        task.cancel()
    if running:
        await asyncio.wait(running)
    unsettled = [task for task in running if not task.cancelled() and task.exception()]
    if unsettled:
        LOG.warning("jobs not settled in the queue", extra={"count": len(unsettled)})
    await pool.delete(worker.health_check_key)
    await pool.aclose()
