"""The workers' tables: which function is in which queue, and that every cron job is in the docstring."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from arq.connections import create_pool

import workers.settings
from app.adapters.queue import deserialize, redis_settings, serialize
from app.errors import Unavailable
from app.services import due, jobs
from workers.pace import Pace
from workers.settings import crons_of, functions_of, make_worker, run_worker


def test_every_function_and_cron_job_is_in_the_table_of_the_module(env):
    table = workers.settings.__doc__
    for queue in ("quick", "long"):
        (line,) = [row for row in table.splitlines() if row.strip().startswith(queue)]
        for function in functions_of(queue):
            assert function.name in line
        for cron in crons_of(queue, env, Pace()):
            assert cron.coroutine.__name__ in line


def test_each_route_of_a_job_leads_to_a_function_of_its_queue():
    for function, queue in jobs._ROUTES.values():
        assert function in [f.name for f in functions_of(queue)]


@pytest.mark.parametrize(
    ("every", "seconds"),
    [(None, {0}), (300.0, {0}), (60.0, {0}), (20.0, {0, 20, 40}), (1.0, set(range(60)))],
)
def test_a_shorter_interval_of_collections_ticks_more_often(env, every, seconds):
    env = replace(env, settings=replace(env.settings, collect_every=every))
    (cron,) = crons_of("quick", env, Pace())
    assert cron.second == seconds
    assert cron.run_at_startup


async def test_a_worker_takes_jobs_from_the_queue(live, yahoo):
    pool = await create_pool(
        redis_settings(live.settings.redis_url),
        job_serializer=serialize,
        job_deserializer=deserialize,
    )
    await due.open_due(live)
    (job,) = await jobs.list_due(live)
    await jobs.send(live, [job.id])
    worker = make_worker("quick", live, pool, Pace(), burst=True)
    await worker.async_run()
    await pool.aclose()
    (job,) = await jobs.find_jobs(live, [job.id])
    assert (job.state, job.outcome) == ("DONE", "STORED")
    assert (worker.jobs_complete, worker.jobs_failed) == (1, 0)


async def test_without_a_broker_the_worker_ends_with_a_clear_error(settings):
    nowhere = replace(settings, redis_url="redis://127.0.0.1:1")
    with pytest.raises(Unavailable, match="The broker does not answer"):
        async with asyncio.timeout(30):
            await run_worker("quick", nowhere)
