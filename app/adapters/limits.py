"""How often something was tried: counted in the broker for all processes, else in this one alone.

Fixed windows. Without the broker each process counts by itself: still limited, a little less.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Final

from app.adapters.bus import Bus
from app.errors import Unavailable

PREFIX: Final = "sise:tries:"
MANY: Final = 10_000
"""So many names are remembered here before those whose window has passed are forgotten."""


@dataclass(frozen=True, slots=True)
class Tries:
    """How often, and in how many seconds the count begins anew."""

    count: int
    seconds: float


class Tally:
    """Counts tries by name. `watch` is where the fallback reads the passing of time, in seconds."""

    def __init__(self, bus: Bus, watch: Callable[[], float] = monotonic) -> None:
        self._bus = bus
        self._watch = watch
        self._here: dict[str, tuple[int, float]] = {}

    async def add(self, name: str, window: float) -> Tries:
        """Counts one try within `window` seconds of the first; the count with it."""
        here = self._add_here(name, window)
        try:
            count, seconds = await self._bus.count(PREFIX + name, window)
        except Unavailable:
            return here
        return Tries(count, seconds)

    async def seen(self, name: str) -> Tries:
        """The tries so far, without a further one."""
        try:
            count, seconds = await self._bus.counted(PREFIX + name)
        except Unavailable:
            count, end = self._here.get(name, (0, 0.0))
            seconds = end - self._watch()
            return Tries(count, seconds) if seconds > 0 else Tries(0, 0.0)
        return Tries(count, seconds)

    async def clear(self, name: str) -> None:
        """Forgets the tries."""
        self._here.pop(name, None)
        try:
            await self._bus.forget(PREFIX + name)
        except Unavailable:
            return

    def _add_here(self, name: str, window: float) -> Tries:
        now = self._watch()
        if len(self._here) > MANY:
            self._here = {k: v for k, v in self._here.items() if v[1] > now}
        count, end = self._here.get(name, (0, now + window))
        if end <= now:
            count, end = 0, now + window
        self._here[name] = (count + 1, end)
        return Tries(count + 1, end - now)
