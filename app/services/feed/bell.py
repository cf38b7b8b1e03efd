"""The bell: wakes those who follow their alerts as soon as one of theirs has been stored.

It only saves looking: when the bus is away nobody rings, and who listens looks by itself from time
to time.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

LOOK_EVERY: Final = 15.0
"""Seconds after which one looks though nobody has rung."""


class Ring:
    """What one listener waits for."""

    def __init__(self, patience: float) -> None:
        self._event = asyncio.Event()
        self._patience = patience

    def ring(self) -> None:
        """Ends the waiting, now or the next time."""
        self._event.set()

    async def wait(self) -> None:
        """Returns when somebody has rung, or when it is time to look anyway."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience):
                await self._event.wait()
        self._event.clear()


class Bell:
    """The listeners of one process, by user."""

    def __init__(self, patience: float = LOOK_EVERY) -> None:
        self._patience = patience
        self._rings: dict[int, set[Ring]] = defaultdict(set)

    @contextmanager
    def listening(self, user_id: int) -> Iterator[Ring]:
        """Hears what is rung for that user in the block."""
        ring = Ring(self._patience)
        self._rings[user_id].add(ring)
        try:
            yield ring
        finally:
            self._rings[user_id].discard(ring)
            if not self._rings[user_id]:
                del self._rings[user_id]

    def ring(self, users: Iterable[int]) -> None:
        """Wakes who listens for one of these."""
        for user_id in users:
            for ring in self._rings.get(user_id, ()):
                ring.ring()
