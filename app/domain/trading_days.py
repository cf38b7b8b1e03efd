"""Days of a market as a calendar shows them: usual hours, half days, late openings, closed days.

What is usual is what most sessions of the span have, on the exchange's own clock: so nothing has to
be known of a market but its sessions, and a change of its hours for good becomes usual by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from app.domain.sessions import Session

Hours = tuple[time, time]
_SATURDAY = 5


class DayNote(StrEnum):
    """How a day relates to the usual hours of its market.

    SHORT closes early, LATE opens late (and may close late), OTHER has hours of its own, EXTRA is a
    session on a weekend, CLOSED is a weekday without one.
    """

    USUAL = "USUAL"
    SHORT = "SHORT"
    LATE = "LATE"
    OTHER = "OTHER"
    EXTRA = "EXTRA"
    CLOSED = "CLOSED"


@dataclass(frozen=True)
class TradingDay:
    """A day of a market: its hours (UTC, None when closed) and what is to be said of it."""

    mic: str
    day: date
    open_at: datetime | None
    close_at: datetime | None
    note: DayNote


def find_usual(sessions: Sequence[Session], zone: ZoneInfo) -> Hours | None:
    """The hours that most of the sessions have on the exchange's clock; None without sessions."""
    counted = Counter(local_hours(session, zone) for session in sessions)
    return counted.most_common(1)[0][0] if counted else None


def local_hours(session: Session, zone: ZoneInfo) -> Hours:
    """Opening and closing on the exchange's clock."""
    opens, closes = session.open_at.astimezone(zone), session.close_at.astimezone(zone)
    return opens.time(), closes.time()


def describe_days(sessions: Sequence[Session], zone: ZoneInfo) -> Iterator[TradingDay]:
    """Every session, in order, and every weekday without one between the first and the last."""
    usual = find_usual(sessions, zone)
    if usual is None:
        return
    after = sessions[0].day
    for session in sessions:
        yield from _closed(session.mic, after, session.day)
        after = session.day + timedelta(days=1)
        note = _note(local_hours(session, zone), usual, session.day)
        yield TradingDay(session.mic, session.day, session.open_at, session.close_at, note)


def _closed(mic: str, day: date, until: date) -> Iterator[TradingDay]:
    while day < until:
        if day.weekday() < _SATURDAY:
            yield TradingDay(mic, day, None, None, DayNote.CLOSED)
        day += timedelta(days=1)


def _note(hours: Hours, usual: Hours, day: date) -> DayNote:
    if day.weekday() >= _SATURDAY:
        return DayNote.EXTRA
    if hours == usual:
        return DayNote.USUAL
    if hours[0] > usual[0]:
        return DayNote.LATE
    if hours[0] == usual[0] and hours[1] < usual[1]:
        return DayNote.SHORT
    return DayNote.OTHER
