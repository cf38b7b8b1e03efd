"""Limits on tries: so many in so long, then "come again" with the seconds to wait."""

from __future__ import annotations

from datetime import timedelta

from app.env import Env
from app.errors import RateLimited


async def limit(env: Env, name: str, most: int, window: timedelta) -> int:
    """Counts one try under that name; how many there are in the window with it.

    Raises:
        RateLimited: more than `most`.
    """
    tries = await env.tally.add(name, window.total_seconds())
    if tries.count > most:
        wait = round(max(tries.seconds, 1.0), 1)
        raise RateLimited("Too many tries. Wait a moment and try again.", retry_after=wait)
    return tries.count
