"""Makes the table of sessions from the calendar library: for short-lived processes only.

It imports pandas by way of `adapters/calendars`; a long-running process starts
`python -m workers.sessions` instead.
"""

from __future__ import annotations

import asyncio

import polars as pl

from app.adapters.calendars import CALENDARS, sessions
from app.domain.sessions import FIRST_DAY
from app.env import Env
from app.services.market.calendars import (
    REACH,
    is_due,
    list_overrides,
    seed_overrides,
    source_of,
    store_sessions,
)


async def refresh_sessions(env: Env, *, force: bool = False) -> int:
    """Brings `exchange_session` up to date; how many rows changed, 0 when nothing was due."""
    await seed_overrides(env)
    if not force and not await is_due(env):
        return 0
    overrides = await list_overrides(env)
    end = env.clock.now().date() + REACH
    frames = await asyncio.to_thread(
        lambda: pl.concat([sessions(mic, FIRST_DAY, end, overrides) for mic in CALENDARS])
    )
    made_from = source_of(overrides)
    changed = await store_sessions(env, frames, made_from)
    if source_of(await list_overrides(env)) != made_from:  # somebody has edited one meanwhile
        return changed + await refresh_sessions(env)
    return changed
