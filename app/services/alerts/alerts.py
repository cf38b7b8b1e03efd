"""What one's alert rules have told: the history, what is unread, and what comes while one looks."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import Alert, Portfolio
from app.domain.alerts.rules import AlertKind
from app.env import Env
from app.services.feed.bell import Bell
from app.services.owned import get_owned
from app.services.paging import Page, check_first, cut_page, make_cursor, read_cursor

MOST_AT_ONCE: Final = 100
"""Alerts that a subscription looks for at a time."""


@dataclass(frozen=True)
class AlertRow:
    """An alert as the layers above see one: what was watched, and what was seen `at`.

    `portfolio` is the name of the one that a drawdown is of, if it is still there.
    """

    id: int
    user_id: int
    rule_id: int | None
    number: int
    kind: AlertKind
    symbol: str | None
    portfolio_id: int | None
    portfolio: str | None
    measure: str | None
    level: Decimal | None
    sessions: int | None
    value: Decimal | None
    word: str | None
    note: str | None
    at: datetime
    created_at: datetime
    acknowledged_at: datetime | None

    @classmethod
    def of(cls, alert: Alert, portfolio: str | None) -> AlertRow:
        """From the table."""
        names = [one.name for one in fields(cls) if one.name not in {"kind", "portfolio"}]
        facts: dict[str, Any] = {name: getattr(alert, name) for name in names}
        return cls(kind=AlertKind(alert.kind), portfolio=portfolio, **facts)


async def list_alerts(
    env: Env, user_id: int, *, first: int = 50, after: str | None = None
) -> Page[AlertRow]:
    """The user's, the newest first.

    Raises:
        BadInput: `first` is not from 1 to 200, or a foreign cursor.
    """
    check_first(first)
    before = [] if after is None else [Alert.id < read_cursor(after, int)[0]]
    async with env.db.read(uid=user_id) as db:
        rows = await _read(db, [Alert.user_id == user_id, *before], first + 1)
    return cut_page(rows, [make_cursor(row.id) for row in rows], first)


async def count_alerts(env: Env, user_id: int, *, unread: bool = False) -> int:
    """How many the user has, or has not acknowledged."""
    query = select(func.count()).select_from(Alert).where(Alert.user_id == user_id)
    if unread:
        query = query.where(Alert.acknowledged_at.is_(None))
    async with env.db.read(uid=user_id) as db:
        return int(await db.scalar(query) or 0)


async def acknowledge(env: Env, user_id: int, alert_id: str) -> AlertRow:
    """Notes that one has been seen; a second time changes nothing.

    Raises:
        NotFound: it is not there or not the user's.
    """
    async with env.db.write(uid=user_id) as db:
        alert = await get_owned(db, Alert, alert_id, user_id)
        alert.acknowledged_at = alert.acknowledged_at or env.clock.now()
        await db.flush()
        (row,) = await _read(db, [Alert.id == alert.id], 1)
    return row


async def acknowledge_all(env: Env, user_id: int) -> int:
    """Notes that all have been seen; how many were not."""
    unread = (Alert.user_id == user_id, Alert.acknowledged_at.is_(None))
    seen = update(Alert).where(*unread).values(acknowledged_at=env.clock.now())
    async with env.db.write(uid=user_id) as db:
        return len((await db.scalars(seen.returning(Alert.id))).all())


async def list_by_ids(env: Env, ids: Sequence[int], user_id: int) -> list[AlertRow]:
    """The user's alerts of these ids, the oldest first."""
    async with env.db.read(uid=user_id) as db:
        return (await _read(db, [Alert.id.in_(ids)], len(ids)))[::-1]


async def follow_alerts(env: Env, bell: Bell, user_id: int) -> AsyncGenerator[AlertRow]:
    """The user's alerts that are stored from now on, in order, each once."""
    with bell.listening(user_id) as rung:
        newest, seen = await _newest(env, user_id), set[int]()
        while True:
            await rung.wait()
            # a transaction that began earlier may commit later: look behind the newest, too
            since = [Alert.user_id == user_id, Alert.id > newest - MOST_AT_ONCE]
            async with env.db.read(uid=user_id) as db:
                rows = await _read(db, since, 2 * MOST_AT_ONCE)
            fresh = [row for row in reversed(rows) if row.id > newest and row.id not in seen]
            for row in fresh:
                yield row
            seen = {row.id for row in rows}


async def _newest(env: Env, user_id: int) -> int:
    query = select(func.coalesce(func.max(Alert.id), 0)).where(Alert.user_id == user_id)
    async with env.db.read(uid=user_id) as db:
        return int(await db.scalar(query) or 0)


async def _read(
    db: AsyncSession, conditions: Sequence[ColumnElement[bool]], count: int
) -> list[AlertRow]:
    """Alerts, the newest first, with the names of their portfolios."""
    query = (
        select(Alert, Portfolio.name)
        .outerjoin(Portfolio, Portfolio.id == Alert.portfolio_id)
        .where(*conditions)
        .order_by(Alert.id.desc())
        .limit(count)
    )
    return [AlertRow.of(*row) for row in await db.execute(query)]
