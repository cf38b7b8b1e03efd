"""Rows of the quarantine, of revisions, comparisons and jobs for tests."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert

from app.db.models import CrossCheck, DataRevision, DataVersion, Job, Quarantine
from app.env import Env
from tests.factories import AT


async def make_held(
    env: Env,
    symbol: str,
    day: date,
    reason: str = "BEYOND_LIMIT",
    *,
    kind: str = "BAR",
    row: Mapping[str, Any] | None = None,
    detail: str = "+45.2% in a session; the limit is 30%",
    state: str = "HELD",
    found_at: datetime = AT,
) -> int:
    """A row that was not believed; its id."""
    bar = {"open": "150", "high": "152", "low": "149", "close": "151", "volume": "1000"}
    values = {
        "symbol": symbol,
        "kind": kind,
        "day": day,
        "reason": reason,
        "detail": detail,
        "row": bar if row is None else dict(row),
        "source": "yahoo",
        "found_at": found_at,
        "state": state,
        "decided_at": None if state == "HELD" else found_at,
    }
    async with env.db.write() as db:
        made = await db.scalar(insert(Quarantine).values(values).returning(Quarantine.id))
    return int(made or 0)


async def make_revision(
    env: Env,
    symbol: str,
    day: date,
    old: Mapping[str, Any],
    new: Mapping[str, Any] | None,
    *,
    kind: str = "BAR",
    at: datetime = AT,
    source: str = "yahoo",
) -> int:
    """A stored row that changed, with a data version of its own; its number."""
    async with env.db.write() as db:
        version = insert(DataVersion).values(at=at, symbol=symbol, source=source)
        number = int(await db.scalar(version.returning(DataVersion.number)) or 0)
        values = {
            "number": number,
            "kind": kind,
            "symbol": symbol,
            "day": day,
            "was": 0,
            "old": dict(old),
            "new": None if new is None else dict(new),
            "source": source,
            "at": at,
        }
        await db.execute(insert(DataRevision).values(values))
    return number


async def make_cross_check(
    env: Env, symbol: str, differences: Mapping[date, tuple[str, str]], *, days: int = 60
) -> None:
    """A comparison with another source: day → close here and there."""
    found = [
        {
            "day": day.isoformat(),
            "close": close,
            "other": other,
            "difference": float(other) / float(close) - 1,
        }
        for day, (close, other) in sorted(differences.items(), reverse=True)
    ]
    values = {
        "symbol": symbol,
        "other": "krx",
        "source": "yahoo",
        "checked_at": AT,
        "days": days,
        "differing": len(found),
        "differences": found,
    }
    async with env.db.write() as db:
        await db.execute(insert(CrossCheck).values(values))


async def make_job(env: Env, symbol: str, state: str, **facts: Any) -> None:
    """A collection in that state; `facts` are further columns."""
    values = {"key": f"{symbol}:{state}:{facts}", "kind": "collect", "due_at": AT} | facts
    async with env.db.write() as db:
        await db.execute(insert(Job).values(symbol=symbol, state=state, **values))
