"""Quiet hours and digests, in the zone of who is told."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from app.domain.alerts.rules import Delivery
from app.domain.alerts.telling import Hours, check_hours, due_at, is_quiet
from app.errors import BadInput

SEOUL, YORK = ZoneInfo("Asia/Seoul"), ZoneInfo("America/New_York")
NIGHT = Hours(SEOUL, time(22), time(7), time(8, 30))


@pytest.mark.parametrize(
    ("clock", "quiet"),
    [("21:59", False), ("22:00", True), ("00:00", True), ("06:59", True), ("07:00", False)],
)
def test_quiet_hours_may_go_over_midnight(clock, quiet):
    now = datetime.combine(date(2026, 3, 4), time.fromisoformat(clock), SEOUL)
    assert is_quiet(NIGHT, now) is quiet


@pytest.mark.parametrize(
    ("delivery", "hours", "now", "due"),
    [
        # half past eleven at night in Seoul, when New York trades
        (Delivery.AT_ONCE, NIGHT, "2026-03-04T14:30Z", "2026-03-04T22:00Z"),
        (Delivery.URGENT, NIGHT, "2026-03-04T14:30Z", "2026-03-04T14:30Z"),
        (Delivery.DIGEST, NIGHT, "2026-03-04T14:30Z", "2026-03-04T23:30Z"),
        (Delivery.DIGEST, NIGHT, "2026-03-04T23:30Z", "2026-03-05T23:30Z"),
        (Delivery.AT_ONCE, NIGHT, "2026-03-04T01:00Z", "2026-03-04T01:00Z"),
        (Delivery.AT_ONCE, Hours(SEOUL), "2026-03-04T14:30Z", "2026-03-04T14:30Z"),
        # the clocks of New York skip from two to three on 8 March, and go back on 1 November
        (
            Delivery.DIGEST,
            Hours(YORK, digest_at=time(2, 30)),
            "2026-03-08T06:00Z",
            "2026-03-08T07:30Z",
        ),
        (Delivery.DIGEST, Hours(YORK, digest_at=time(8)), "2026-10-31T13:00Z", "2026-11-01T13:00Z"),
    ],
)
def test_when_somebody_is_told(delivery, hours, now, due):
    read = datetime.fromisoformat
    assert due_at(delivery, hours, read(now)) == read(due)


@pytest.mark.parametrize(
    ("begin", "end", "field"),
    [(time(1), None, "quietUntil"), (None, time(1), "quietFrom"), (time(1), time(1), "quietUntil")],
)
def test_half_of_quiet_hours_are_none(begin, end, field):
    with pytest.raises(BadInput) as refused:
        check_hours(Hours(SEOUL, begin, end))
    assert refused.value.field == field
