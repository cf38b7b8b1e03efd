"""The workers' tables: which function is in which queue; and that a worker works and ends."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from dataclasses import replace

import pytest

import workers.settings
from app.adapters.queue import open_pool
from app.errors import Unavailable
from app.services.schedule import due
from app.services.work import jobs
from workers.pace import Pace
from workers.settings import make_worker, run_worker, table_of


def test_every_function_and_cron_job_is_in_the_table_of_the_module(env):
    text = workers.settings.__doc__.split("\n\n")[1]
    quick, long = text.split("    long ")
    for queue, rows in (("quick", quick), ("long", long)):
        table = table_of(queue)
        for function in table.FUNCTIONS:
            assert function.name in rows
        for cron in table.crons(env, Pace()):
            assert cron.coroutine.__name__ in rows


def test_each_route_of_a_job_leads_to_a_function_of_its_queue():
    for function, queue in jobs._ROUTES.values():
        assert function in [f.name for f in table_of(queue).FUNCTIONS]


def test_a_process_of_the_long_queue_carries_neither_pandas_nor_the_calendars():
    code = (
        "import sys; from workers.settings import table_of; table_of('long');"
        "print({'pandas', 'exchange_calendars'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
    assert run.stdout == "set()\n"


async def test_a_worker_takes_jobs_from_the_queue(env, live):
    await due.open_due(live)
    (job,) = await jobs.list_due(live)
    await jobs.send(live, [job.id])
    async with open_pool(live.settings.redis_url) as pool:
        await table_of("quick").get_ready(live)
        worker = make_worker("quick", live, pool, Pace(match_seconds=frozenset()), burst=True)
        for cron in worker.cron_jobs:  # far off, after the one of the start
            cron.month = (env.clock.now().month + 1) % 12 + 1
        await worker.async_run()
    (job,) = await jobs.find_jobs(live, [job.id])
    assert (job.state, job.outcome) == ("DONE", "STORED")
    assert (worker.jobs_complete, worker.jobs_failed) == (3, 0)  # and two crons at the start


async def test_without_a_broker_the_worker_ends_with_a_clear_error(settings):
    nowhere = replace(settings, redis_url="redis://127.0.0.1:1")
    with pytest.raises(Unavailable, match="The broker does not answer"):
        async with asyncio.timeout(300):
            await run_worker("long", nowhere)
