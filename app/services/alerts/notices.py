"""Notices: that an alert is to go out by somebody's channels, from when on, and the jobs for that.

A job carries what one channel is to be told at one instant, so that a night's alerts come as one
message in the morning. PostgreSQL holds all of it; the broker only carries the job.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import AlertChannel, AlertHours, Notification, User
from app.domain.alerts.rules import Delivery
from app.domain.alerts.telling import DIGEST_AT, Hours, due_at
from app.services.work.jobs import open_job


async def open_notices(db: AsyncSession, made: Sequence[Row[Any]], now: datetime) -> list[int]:
    """Writes a notice of each alert (id, user_id, delivery) for each channel of its user.

    In the caller's transaction, which is for everyone; the jobs that are due now.
    """
    if not made:
        return []
    channels = await _list_channels(db, sorted({row.user_id for row in made}))
    hours = {user_id: rows[0][1] for user_id, rows in channels.items()}
    bundles: dict[tuple[int, int, datetime], list[int]] = defaultdict(list)
    for alert in made:
        if alert.user_id in channels:
            due = due_at(Delivery(alert.delivery), hours[alert.user_id], now)
            for channel_id, _ in channels[alert.user_id]:
                bundles[alert.user_id, channel_id, due].append(alert.id)
    jobs, rows = [], []
    for (user_id, channel_id, due), alerts in bundles.items():
        job_id = await open_notify_job(db, channel_id, due)
        jobs += [job_id] if due <= now else []
        same = {"user_id": user_id, "channel_id": channel_id, "job_id": job_id, "due_at": due}
        rows += [same | {"alert_id": alert_id} for alert_id in alerts]
    if rows:
        await db.execute(insert(Notification), rows)
    return jobs


async def open_notify_job(db: AsyncSession, channel_id: int, due: datetime) -> int:
    """The job that tells a channel what is due at that instant."""
    return await open_job(db, "notify", None, None, f"notify:{channel_id}:{due.isoformat()}", due)


def read_hours(row: Any) -> Hours:
    """Somebody's hours: those that were chosen (the row may have none), in the zone at home."""
    digest = DIGEST_AT if row.digest_at is None else row.digest_at
    return Hours(ZoneInfo(row.time_zone), row.quiet_from, row.quiet_until, digest)


async def _list_channels(
    db: AsyncSession, users: Sequence[int]
) -> dict[int, list[tuple[int, Hours]]]:
    query = (
        select(
            AlertChannel.id,
            AlertChannel.user_id,
            User.time_zone,
            AlertHours.quiet_from,
            AlertHours.quiet_until,
            AlertHours.digest_at,
        )
        .join(User, User.id == AlertChannel.user_id)
        .outerjoin(AlertHours, AlertHours.user_id == User.id)
        .where(AlertChannel.user_id.in_(users), AlertChannel.ended_at.is_(None), User.in_force())
        .order_by(AlertChannel.id)
    )
    found: dict[int, list[tuple[int, Hours]]] = defaultdict(list)
    for row in await db.execute(query):
        found[row.user_id].append((row.id, read_hours(row)))
    return found
