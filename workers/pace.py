"""How long things may take in a worker; tests shorten it."""

from __future__ import annotations

from dataclasses import dataclass

from app.services.jobs import DEADLINE, REQUEUE_AFTER, STALE_AFTER


@dataclass(frozen=True)
class Pace:
    """Durations in real seconds; `tick_seconds` are the seconds of the minute at which it ticks."""

    deadline: float = DEADLINE
    stale_after: float = STALE_AFTER
    requeue_after: float = REQUEUE_AFTER
    tick_seconds: frozenset[int] = frozenset({0})
