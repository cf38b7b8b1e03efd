"""A worker that is called: with an hour between its own looks, nothing but calls can wake it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from arq import func
from arq.connections import ArqRedis

from app.adapters.called_worker import CalledWorker
from app.adapters.queue import QUEUES, deserialize, open_pool, serialize
from app.env import Env

HOUR = 3600.0


def make_worker(worked: Worked, pool: ArqRedis, **options: Any) -> CalledWorker:
    """A worker of two jobs at once."""
    return CalledWorker(
        functions=[func(worked.note, name="note")],
        queue_name=QUEUES["quick"],
        redis_pool=pool,
        handle_signals=False,
        max_jobs=2,
        keep_result=0,
        job_serializer=serialize,
        job_deserializer=deserialize,
        **options,
    )


@asynccontextmanager
async def working(env: Env, *, poll: float = HOUR) -> AsyncIterator[Worked]:
    """A worker that has looked at its queue and found nothing."""
    worked = Worked()
    async with open_pool(env.settings.redis_url or "") as pool:
        worker = make_worker(worked, pool, poll_delay=poll)
        worked.task = asyncio.create_task(worker.async_run())
        async with asyncio.timeout(60):
            while worker._last_health_check == 0:  # the first look ends with it
                await asyncio.sleep(0.01)
        try:
            yield worked
        finally:
            worked.task.cancel()
            with suppress(asyncio.CancelledError):
                await worked.task


class Worked:
    """What has been done, as it comes."""

    task: asyncio.Task[None]

    def __init__(self) -> None:
        self.done: list[int] = []
        self.more = asyncio.Event()

    async def note(self, _ctx: dict[str, Any], number: int) -> None:
        """The job: notes its number."""
        await asyncio.sleep(0.01)
        self.done.append(number)
        self.more.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Waits for jobs until it holds."""
        async with asyncio.timeout(60):
            while not holds():
                self.more.clear()
                await self.more.wait()


async def test_a_job_is_begun_when_it_is_put_there(env: Env) -> None:
    async with working(env) as worked:
        for number in range(3):
            await env.queue.enqueue("note", number)
            await worked.until(lambda number=number: number in worked.done)


async def test_the_end_of_a_job_makes_room_for_the_next(env: Env) -> None:
    async with working(env) as worked:
        for number in range(20):
            await env.queue.enqueue("note", number)
        await worked.until(lambda: len(worked.done) == 20)
        assert sorted(worked.done) == list(range(20))


async def test_a_job_that_waits_for_its_time_is_begun_then(env: Env) -> None:
    async with working(env) as worked, open_pool(env.settings.redis_url or "") as pool:
        begun = asyncio.get_running_loop().time()
        await pool.enqueue_job("note", 1, _queue_name=QUEUES["quick"], _defer_by=0.3)
        await env.queue.enqueue("note", 0)  # the look of this call sees the other one waiting
        await worked.until(lambda: worked.done == [0, 1])
        assert asyncio.get_running_loop().time() - begun >= 0.29


async def test_a_call_that_is_lost_costs_one_look(env: Env) -> None:
    async with working(env, poll=0.05) as worked, open_pool(env.settings.redis_url or "") as pool:
        await pool.enqueue_job("note", 1, _queue_name=QUEUES["quick"])  # and nobody is called
        await worked.until(lambda: worked.done == [1])


async def test_a_line_that_broke_is_mended(env: Env) -> None:
    async with working(env, poll=1.0) as worked, open_pool(env.settings.redis_url or "") as pool:
        before = {one["id"] for one in await pool.client_list(_type="pubsub")}
        await pool.client_kill_filter(_type="pubsub")
        async with asyncio.timeout(60):
            while {one["id"] for one in await pool.client_list(_type="pubsub")} <= before:
                await asyncio.sleep(0.05)
        await env.queue.enqueue("note", 1)
        await worked.until(lambda: worked.done == [1])


async def test_with_burst_it_ends_when_the_queue_is_empty(env: Env) -> None:
    worked = Worked()
    await env.queue.enqueue("note", 1)
    async with open_pool(env.settings.redis_url or "") as pool:
        worker = make_worker(worked, pool, burst=True)
        async with asyncio.timeout(60):
            await worker.async_run()
    assert worked.done == [1]
