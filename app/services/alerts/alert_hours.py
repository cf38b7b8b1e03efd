"""When somebody wants to be told of alerts: quiet hours and the time of the digest."""

from __future__ import annotations

from datetime import time

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app.db.models import AlertHours, User
from app.domain.alerts.telling import Hours, check_hours
from app.env import Env
from app.services.alerts.notices import read_hours


async def get_hours(env: Env, user_id: int) -> Hours:
    """The user's hours; the usual ones until others are chosen."""
    query = (
        select(User.time_zone, AlertHours.quiet_from, AlertHours.quiet_until, AlertHours.digest_at)
        .outerjoin(AlertHours, AlertHours.user_id == User.id)
        .where(User.id == user_id)
    )
    async with env.db.read(uid=user_id) as db:
        return read_hours((await db.execute(query)).one())


async def save_hours(
    env: Env, user_id: int, quiet_from: time | None, quiet_until: time | None, digest_at: time
) -> Hours:
    """Chooses them; what waits already goes out when it was to.

    Raises:
        BadInput: half of the quiet hours is missing.
    """
    zone = (await get_hours(env, user_id)).zone
    hours = check_hours(Hours(zone, quiet_from, quiet_until, digest_at))
    values = {"quiet_from": quiet_from, "quiet_until": quiet_until, "digest_at": digest_at}
    save = insert(AlertHours).values(user_id=user_id, **values)
    async with env.db.write(uid=user_id) as db:
        await db.execute(save.on_conflict_do_update(index_elements=["user_id"], set_=values))
    return hours
