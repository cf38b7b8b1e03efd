"""The workers: a process for each queue, which functions it has, and its cron table.

    queue   functions                                                         cron table      limit
    quick   collect_instrument analyse_instrument watch_instrument            minute_tick      60 s
            notify_channel check_instrument send_mail                         equity_tick
                                                                              match_tick
    long    run_backtest read_loops recommend_market calendar_tick            calendar_tick     1 h
            appraisal_tick worth_tick                                         appraisal_tick
                                                                              worth_tick
                                                                              audit_tick

They run each minute (orders, `match_tick`, every second), each hour and each quarter of an
hour. Only the module of the chosen queue is imported: a process does not carry the libraries of
the other. arq 0.28 retries nothing by itself but what a stop cancelled, and forgets a cron job that
was killed: that is why the job table and the reconciler exist. A worker whose broker is gone ends;
its supervisor starts another.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import Sequence
from datetime import UTC
from typing import Final, Protocol, cast

from arq.connections import ArqRedis
from arq.cron import CronJob
from arq.worker import Function, Worker

from app.adapters.called_worker import CalledWorker
from app.adapters.queue import QUEUES, QueueName, deserialize, open_pool, serialize
from app.adapters.worker_sources import make_worker_sources
from app.config import Settings
from app.env import Env, open_env
from workers.pace import Pace

LOG: Final = logging.getLogger(__name__)
POLL: Final = 0.5  # seconds between looks at the queue when nobody calls
HEALTH_EVERY: Final = 10  # seconds
IDLE: Final = 5.0  # seconds that a connection of a busy hour is kept after it
TIME_LIMITS: Final[dict[QueueName, int]] = {"quick": 60, "long": 3600}
AT_ONCE: Final[dict[QueueName, int]] = {"quick": 8, "long": 2}


class QueueTable(Protocol):
    """What the module of a queue holds."""

    FUNCTIONS: Sequence[Function]

    def crons(self, env: Env, pace: Pace, /) -> list[CronJob]:
        """The cron table."""

    async def get_ready(self, env: Env, /) -> None:
        """What a process does before its first job."""


async def run_worker(queue: QueueName, settings: Settings, pace: Pace | None = None) -> None:
    """Works until SIGINT or SIGTERM; jobs under way are given back then.

    Raises:
        Unavailable: the broker is gone.
        ConfigError: no database or broker is set.
    """
    application = f"sise-{queue}"
    pool_size = (AT_ONCE[queue] + 1) // 2
    async with open_env(
        settings,
        application=application,
        pool_size=pool_size,
        idle=IDLE,
        sources_of=make_worker_sources,
    ) as env:
        await table_of(queue).get_ready(env)
        async with open_pool(settings.redis_url or "") as pool:
            worker = make_worker(queue, env, pool, pace or Pace())
            try:
                await _run(worker)
            finally:
                await _give_back(worker)
            await pool.delete(worker.health_check_key)


def table_of(queue: QueueName) -> QueueTable:
    """The functions and the cron table of a queue."""
    return cast("QueueTable", importlib.import_module(f"workers.{queue}"))


def make_worker(
    queue: QueueName, env: Env, pool: ArqRedis, pace: Pace, *, burst: bool = False
) -> Worker:
    """An arq worker on an open environment; with `burst` it ends when the queue is empty."""
    table = table_of(queue)
    return CalledWorker(
        functions=table.FUNCTIONS,
        cron_jobs=table.crons(env, pace),
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


async def _give_back(worker: Worker) -> None:
    """Waits until the jobs under way have given themselves back, cancelled by a signal or here.

    Nothing is cancelled twice: the second time would hit the giving back.
    """
    running = list(worker.tasks.values())
    for task in running:
        if not task.cancelling():
            task.cancel()
    if running:
        await asyncio.wait(running)
    unsettled = [task for task in running if not task.cancelled() and task.exception()]
    if unsettled:
        LOG.warning("jobs not settled in the queue", extra={"count": len(unsettled)})
