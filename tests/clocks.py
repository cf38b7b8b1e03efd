"""Clocks and deadlines that tests decide about."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import ModuleType, SimpleNamespace

import pytest

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


def hold_deadlines(
    patch: pytest.MonkeyPatch, module: ModuleType, seconds: float
) -> list[asyncio.Timeout]:
    """The deadlines of so many seconds that a module has begun; none comes by itself.

    `reschedule(0)` lets one come: while something waits, and not when the machine is slow.
    """
    begun: list[asyncio.Timeout] = []

    def timeout(asked: float) -> asyncio.Timeout:
        assert asked == seconds
        begun.append(asyncio.timeout(None))
        return begun[-1]

    patch.setattr(module, "asyncio", SimpleNamespace(**vars(asyncio) | {"timeout": timeout}))
    return begun
