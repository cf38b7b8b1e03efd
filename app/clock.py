"""The only clock. `SISE_CLOCK` (tests only) sets where it starts and how fast it runs."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True)
class Clock:
    """UTC time; `start` (None: the real time) moves it, `rate` makes it run faster.

    `Clock()` is the wall clock. `Clock(start=datetime(2026, 1, 5, tzinfo=UTC), rate=3600)` stands
    at that instant when it is made and passes one hour in each second.
    """

    start: datetime | None = None
    rate: float = 1.0
    _origin: float = field(default_factory=time.time)

    def now(self) -> datetime:
        """The present instant, in UTC, with a zone."""
        real = time.time()
        if self.start is None and self.rate == 1.0:
            return datetime.fromtimestamp(real, UTC)
        begin = self.start or datetime.fromtimestamp(self._origin, UTC)
        return begin + timedelta(seconds=(real - self._origin) * self.rate)
