"""One question for all who ask at a time; no answer is older than any of their questions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class SingleFlight:
    """Joins equal questions by their key: who comes while one is under way waits for the next."""

    def __init__(self) -> None:
        self._flying: dict[Hashable, asyncio.Task[Any]] = {}
        self._boarding: dict[Hashable, asyncio.Task[Any]] = {}

    async def ask(self, key: Hashable, question: Callable[[], Awaitable[T]]) -> T:
        """The answer of a question that begins after this call; an error of it reaches all.

        A caller that is cancelled leaves the others their answer.
        """
        task: asyncio.Task[T] | None = self._boarding.get(key)
        if task is None:
            task = asyncio.create_task(self._fly(key, question))
            task.add_done_callback(_look_at)
            self._boarding[key] = task
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Ends what is under way, so that nothing it uses is in use."""
        tasks = [*self._flying.values(), *self._boarding.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _fly(self, key: Hashable, question: Callable[[], Awaitable[T]]) -> T:
        before = self._flying.get(key)
        if before is not None:
            await asyncio.wait([before])
        self._flying[key] = self._boarding.pop(key)
        try:
            return await question()
        finally:
            if key not in self._boarding:
                del self._flying[key]


def _look_at(task: asyncio.Task[Any]) -> None:
    """An error that nobody waits for any more is not worth a warning."""
    if not task.cancelled():
        task.exception()
