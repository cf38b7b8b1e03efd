"""How long things may take in a worker; tests shorten it."""

from __future__ import annotations

from dataclasses import dataclass

from app.services.work.jobs import DEADLINE, REQUEUE_AFTER, STALE_AFTER


@dataclass(frozen=True)
class Pace:
    """Durations in real seconds; `tick_seconds` are the seconds of the minute at which it ticks.

    `match_seconds`: those at which orders that wait are looked at.
    `delays`: until the next try, after the first, second, … one; `late`: until the next look for a
    day that the source does not have yet.
    """

    deadline: float = DEADLINE
    stale_after: float = STALE_AFTER
    requeue_after: float = REQUEUE_AFTER
    tick_seconds: frozenset[int] = frozenset({0})
    match_seconds: frozenset[int] = frozenset(range(60))
    delays: tuple[float, ...] = (60.0, 300.0, 900.0, 3600.0)
    late: tuple[float, ...] = (300.0, 900.0, 3600.0)
