"""Where prices come from just now, and which days of them are stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import text

from app.env import Env
from app.services.market.replay import replayed
from app.services.settings import read_mode, require_source


@dataclass(frozen=True)
class SourceStatus:
    """`historic`: the source has recorded prices only; `replay_day` is the one shown as live."""

    name: str
    historic: bool
    replay_day: date | None


@dataclass(frozen=True)
class StoredDays:
    """The outermost stored days of all watched instruments."""

    first: date | None
    last: date | None


async def get_source_status(env: Env) -> SourceStatus:
    """The chosen source.

    Raises:
        Unavailable: none has been chosen yet, or the database does not answer.
    """
    source, stands = await read_mode(env)
    name = require_source(source)
    playing = await replayed(env, name, stands)
    return SourceStatus(name, name == "sample", playing)


async def find_stored_days(env: Env) -> StoredDays:
    """Two looks at the bars of each instrument: not for every page."""
    async with env.db.read() as db:
        return StoredDays(*(await db.execute(text(_SPAN))).one())


_SPAN: Final = """
    SELECT min(f.day), max(l.day)
    FROM instrument AS i
    JOIN LATERAL (SELECT day FROM bar WHERE symbol = i.symbol ORDER BY day LIMIT 1) AS f ON true
    JOIN LATERAL (
        SELECT day FROM bar WHERE symbol = i.symbol ORDER BY day DESC LIMIT 1
    ) AS l ON true
    WHERE i.tracked
"""
