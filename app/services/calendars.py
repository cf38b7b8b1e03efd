"""The table of sessions as a store: whether it has to be made anew, and how it is merged.

`setting` row `sessions` remembers how far the table reaches and from which overrides and which
release of the calendar library it was made. This module knows no calendar:
`services/calendar_refresh` does.
"""

from __future__ import annotations

from dataclasses import astuple
from datetime import date, timedelta
from importlib.metadata import version
from typing import Final

import polars as pl
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

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
    """The shipped overrides, each replaced by the row of its market and day where there is one."""
    async with env.db.read() as db:
        rows = (await db.scalars(select(SessionOverride))).all()
    own = [Override(r.mic, r.day, r.open_at, r.close_at, r.reason) for r in rows]
    chosen = {(o.mic, o.day): o for o in [*SHIPPED, *own]}
    return [chosen[key] for key in sorted(chosen)]


async def overrides_end(env: Env) -> date:
    """The last day that has an override: beyond it only the library's own word stands."""
    return max(override.day for override in await list_overrides(env))


async def seed_overrides(env: Env) -> None:
    """Writes the shipped overrides as rows that an administrator may change; existing rows stay."""
    names = ("mic", "day", "open_at", "close_at", "reason")
    rows = [dict(zip(names, astuple(override), strict=True)) for override in SHIPPED]
    async with env.db.write() as db:
        await db.execute(insert(SessionOverride).values(rows).on_conflict_do_nothing())


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
        await db.execute(text("SELECT pg_advisory_xact_lock(hashtext('sise-sessions'))"))
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
