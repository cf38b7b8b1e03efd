"""What a caller may spend in a minute: the points of its documents, as `limits` counts them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.errors import RateLimited

MINUTE: Final = 60.0
MANY: Final = 1_000
"""So many callers are remembered before those who owe nothing are forgotten."""


@dataclass(slots=True)
class _Account:
    points: float
    at: datetime


class Budget:
    """A bucket for each caller: it holds `per_minute` points and fills evenly within a minute."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self._accounts: dict[str, _Account] = {}

    def spend(self, caller: str, points: int, now: datetime) -> None:
        """Takes points from the caller's bucket.

        Raises:
            RateLimited: there are not as many; `retry_after` says when there will be.
        """
        account = self._filled(caller, now)
        if points > account.points:
            wait = (points - account.points) * MINUTE / self.per_minute
            message = "The document costs %(value)d points; %(left)d are left in this minute."
            left = int(account.points)
            raise RateLimited(message, retry_after=round(wait, 1), value=points, left=left)
        account.points -= points

    def _filled(self, caller: str, now: datetime) -> _Account:
        if len(self._accounts) > MANY:
            self._forget_settled(now)
        account = self._accounts.setdefault(caller, _Account(self.per_minute, now))
        account.points = self._points_at(account, now)
        account.at = now
        return account

    def _points_at(self, account: _Account, now: datetime) -> float:
        passed = max(0.0, (now - account.at).total_seconds())
        return min(self.per_minute, account.points + passed * self.per_minute / MINUTE)

    def _forget_settled(self, now: datetime) -> None:
        self._accounts = {
            caller: account
            for caller, account in self._accounts.items()
            if self._points_at(account, now) < self.per_minute
        }
