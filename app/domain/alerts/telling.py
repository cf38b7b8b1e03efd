"""When somebody is told of an alert: quiet hours and the daily digest, by the clock at home."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from app.domain.alerts.rules import Delivery
from app.errors import BadInput

DIGEST_AT: Final = time(8)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Hours:
    """Quiet from `quiet_from` until `quiet_until` (over midnight if it is the later one).

    Both None: no hour is quiet. Times are those of `zone`.
    """

    zone: ZoneInfo
    quiet_from: time | None = None
    quiet_until: time | None = None
    digest_at: time = DIGEST_AT


def check_hours(hours: Hours) -> Hours:
    """The hours as they are.

    Raises:
        BadInput: one end of the quiet hours is missing, or they are the same.
    """
    begin, end = hours.quiet_from, hours.quiet_until
    if (begin is None) != (end is None):
        field = "quietFrom" if begin is None else "quietUntil"
        raise BadInput("Quiet hours need a beginning and an end", field=field)
    if begin is not None and begin == end:
        msg = "The quiet hours end at %(value)s, when they begin; leave both empty for none"
        raise BadInput(msg, field="quietUntil", value=f"{begin:%H:%M}")
    return hours


def due_at(delivery: Delivery, hours: Hours, now: datetime) -> datetime:
    """From when on channels may be told, in UTC: now, after quiet hours, or with the digest."""
    if delivery is Delivery.DIGEST:
        return _next(hours.digest_at, hours.zone, now)
    if delivery is Delivery.AT_ONCE and is_quiet(hours, now) and hours.quiet_until is not None:
        return _next(hours.quiet_until, hours.zone, now)
    return now


def is_quiet(hours: Hours, now: datetime) -> bool:
    """Whether an instant is in the quiet hours; their end is not."""
    begin, end = hours.quiet_from, hours.quiet_until
    if begin is None or end is None:
        return False
    clock = now.astimezone(hours.zone).time()
    return begin <= clock < end if begin < end else clock >= begin or clock < end


def _next(clock: time, zone: ZoneInfo, now: datetime) -> datetime:
    """The next instant at which the clock shows that; one that is skipped comes an hour later."""
    day = now.astimezone(zone).date()
    at = datetime.combine(day, clock, zone).astimezone(UTC)
    return at if at > now else datetime.combine(day + _DAY, clock, zone).astimezone(UTC)
