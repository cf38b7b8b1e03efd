"""An arq worker that is called when there is work, and looks at its queue by itself only rarely."""

from __future__ import annotations

import asyncio
from math import inf
from typing import Any

from arq.utils import timestamp_ms
from arq.worker import Worker
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError


class CalledWorker(Worker):
    """arq's worker, which sleeps `poll_delay` between its looks, woken by what there is to do.

    That is a call on the channel of its queue's name (`Queue.enqueue`), the end of one of its jobs
    (there is room for another), and the time of the next job that waits for its time. A call that
    is lost costs `poll_delay`. With `burst` it is arq's worker and nothing else.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._woken = asyncio.Event()

    async def main(self) -> None:
        """Works until it is cancelled.

        Raises:
            RedisError: the broker is gone.
        """
        if self.burst:
            await super().main()
            return
        async with self.pool.pubsub() as calls:
            await calls.subscribe(self.queue_name)
            listening = asyncio.create_task(self._listen(calls))
            try:
                await super().main()
            finally:
                listening.cancel()
                await asyncio.wait([listening])

    async def _listen(self, calls: PubSub) -> None:
        """Hears calls; on a line that broke and was mended, too."""
        while True:
            try:
                async for _ in calls.listen():
                    self._woken.set()
            except (RedisError, OSError):
                await asyncio.sleep(self.poll_delay_s)

    async def _poll_iteration(self) -> None:
        """One look in each `poll_delay`, and one for whatever wakes it."""
        if self.burst:
            await super()._poll_iteration()
            return
        end = self.loop.time() + self.poll_delay_s
        due = await self._look()
        while True:
            try:
                async with asyncio.timeout_at(min(end, due)):
                    await self._woken.wait()
            except TimeoutError:
                if self.loop.time() >= end:
                    return
            due = await self._look()

    async def _look(self) -> float:
        """A look; when the next job is due that waits for its time, by the clock of the loop."""
        self._woken.clear()
        now, here = timestamp_ms(), self.loop.time()
        await super()._poll_iteration()
        waiting = await self.pool.zrangebyscore(
            self.queue_name, min=f"({now}", max="+inf", start=0, num=1, withscores=True
        )
        return min((here + (score - now) / 1000 for _, score in waiting), default=inf)

    def _release_sem_dec_counter_on_complete(self) -> None:
        super()._release_sem_dec_counter_on_complete()
        self._woken.set()
