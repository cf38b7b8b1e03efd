"""The table of sessions as a store: whether it has to be made anew, and how it is merged.

`setting` row `sessions` remembers how far the table reaches and from which overrides and which
release of the calendar library it was made. This module knows no calendar:
`services/market/calendar_refresh` does.
"""

from __future__ import annotations

from dataclasses import astuple
from datetime import date, timedelta
from importlib.metadata import version
from typing import Final

import polars as pl
from sqlalchemy import and_, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.engine import driver_connection
from app.db.models import SessionOverride
from app.domain.session_overrides import SESSION_SCHEMA, SHIPPED, Override, fingerprint
from app.env import Env
from app.services.settings import find_setting, write_setting

REACH: Final = timedelta(days=400)  # a refresh makes sessions up to this far ahead
ENOUGH: Final = timedelta(days=365)  # with less than this ahead, the next refresh is due
_KEY: Final = "sessions"
_FRESH: Final = "fresh_session"


async def is_due(env: Env) -> bool:
    """Whether the table ends too soon, or overrides or the library changed since it was made."""
    made = await find_setting(env, _KEY)
    if made is None or made["from"] != source_of(await list_overrides(env)):
        return True
    return date.fromisoformat(made["until"]) < env.clock.now().date() + ENOUGH


async def list_overrides(env: Env) -> list[Override]:
    """The overrides that count, by market and day.

    Shipped ones, each replaced by the row of its day that somebody has edited, and rows of other
    days. A row that is not active counts for nothing and puts the shipped one out of force too.
    """
    async with env.db.read() as db:
        rows = (await db.scalars(select(SessionOverride))).all()
    chosen: dict[tuple[str, date], Override | None] = {(o.mic, o.day): o for o in SHIPPED}
    for row in rows:
        if row.edited_at is not None or (row.mic, row.day) not in chosen:
            own = Override(row.mic, row.day, row.open_at, row.close_at, row.reason)
            chosen[row.mic, row.day] = own if row.active else None
    return [override for key in sorted(chosen) if (override := chosen[key]) is not None]


async def seed_overrides(env: Env) -> None:
    """Writes the shipped overrides as rows; one that somebody has edited stays as it is."""
    names = ("mic", "day", "open_at", "close_at", "reason")
    rows = [dict(zip(names, astuple(override), strict=True)) for override in SHIPPED]
    new = insert(SessionOverride).values(rows)
    fresh = {name: new.excluded[name] for name in names[2:]}
    kept = [getattr(SessionOverride, name).is_not_distinct_from(fresh[name]) for name in fresh]
    update = new.on_conflict_do_update(
        index_elements=["mic", "day"],
        set_=fresh,
        where=SessionOverride.edited_at.is_(None) & ~and_(*kept),
    )
    async with env.db.write() as db:
        await db.execute(update)


def source_of(overrides: list[Override]) -> str:
    """What sessions are made from, as a hash: the overrides and the library's release."""
    return fingerprint(overrides, version("exchange_calendars"))


async def store_sessions(env: Env, sessions: pl.DataFrame, made_from: str) -> int:
    """Makes the table equal to `sessions` for their markets; how many rows changed.

    One transaction: readers see the old table or the new one; two of these wait for each other.
    """
    until = min(last for _, last in sessions.group_by("mic").agg(pl.col("day").max()).rows())
    markets = sessions["mic"].unique().to_list()
    async with env.db.write() as db:
        await hold_sessions(db)
        await db.execute(text(f"CREATE TEMP TABLE {_FRESH} (LIKE exchange_session) ON COMMIT DROP"))
        raw = await driver_connection(db)
        await raw.copy_records_to_table(
            _FRESH, records=sessions.rows(), columns=SESSION_SCHEMA.names()
        )
        merged = await db.scalar(text(_MERGE))
        dropped = await db.scalar(text(_DROP), {"markets": markets})
        value = {"until": until.isoformat(), "from": made_from}
        await write_setting(db, _KEY, value)
    return int(merged or 0) + int(dropped or 0)


async def hold_sessions(db: AsyncSession) -> None:
    """Waits until nobody else changes the table of sessions, and holds it for this transaction."""
    await db.execute(text("SELECT pg_advisory_xact_lock(hashtext('sise-sessions'))"))


_MERGE: Final = f"""
    WITH merged AS (
        INSERT INTO exchange_session AS old (mic, day, open_at, close_at)
        SELECT mic, day, open_at, close_at FROM {_FRESH}
        ON CONFLICT (mic, day) DO UPDATE
        SET open_at = excluded.open_at, close_at = excluded.close_at
        WHERE (old.open_at, old.close_at) IS DISTINCT FROM (excluded.open_at, excluded.close_at)
        RETURNING 1
    ) SELECT count(*) FROM merged
"""
_DROP: Final = f"""
    WITH dropped AS (
        DELETE FROM exchange_session AS old
        WHERE old.mic = ANY(:markets)
        AND NOT EXISTS (SELECT FROM {_FRESH} AS f WHERE f.mic = old.mic AND f.day = old.day)
        RETURNING 1
    ) SELECT count(*) FROM dropped
"""
