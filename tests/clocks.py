"""Clocks for tests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from app.clock import Clock
from app.env import Env


@dataclass(frozen=True)
class StillClock(Clock):
    """A clock that stands at `start`."""

    def now(self) -> datetime:
        assert self.start is not None
        return self.start


def at(env: Env, instant: datetime | str) -> Env:
    """The same connections at that instant (UTC), where time stands."""
    moment = datetime.fromisoformat(instant) if isinstance(instant, str) else instant
    return replace(env, clock=StillClock(start=moment.replace(tzinfo=moment.tzinfo or UTC)))
