"""Sessions: when a market trades, as pure functions of facts and time.

A session is one trading day of an exchange: its label is the date in the exchange's own zone, its
hours are UTC instants, and the instant of the close is outside. Sessions come in order of time. The
currency market has no calendar: it trades from Sunday 22:00 to Friday 22:00 London time, and its
days are London's weekdays (Monday's begins on Sunday evening, Friday's ends at 22:00), as its daily
prices are dated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

CURRENCY_MIC: Final = "CCY"
FIRST_DAY: Final = date(1990, 1, 1)
LAG: Final = timedelta(minutes=20)  # from the close until a source has the day's last price

_LONDON: Final = ZoneInfo("Europe/London")
_MONDAY, _FRIDAY = 0, 4
_WEEK_EDGE: Final = time(22)  # Sunday: the week opens; Friday: it closes


@dataclass(frozen=True)
class Session:
    """One trading day of an exchange; `open_at` ≤ t < `close_at` is when it trades (UTC)."""

    mic: str
    day: date
    open_at: datetime
    close_at: datetime

    def contains(self, at: datetime) -> bool:
        """Whether the market trades at that instant."""
        return self.open_at <= at < self.close_at


@dataclass(frozen=True)
class Status:
    """What a market does now: `hours` are those of the present or the next session.

    `next_change` is when it opens or closes next: None when no session is known.
    """

    open: bool
    hours: Session | None
    next_change: datetime | None


def status_at(sessions: Iterable[Session], now: datetime) -> Status:
    """The status from the sessions around `now`, in order; sessions that touch count as one."""
    coming = [session for session in sessions if session.close_at > now]
    if not coming:
        return Status(open=False, hours=None, next_change=None)
    hours = join_touching(coming)
    is_open = hours.contains(now)
    return Status(is_open, hours, hours.close_at if is_open else hours.open_at)


def join_touching(sessions: list[Session]) -> Session:
    """The first session, extended by those that begin where the one before ends."""
    first = last = sessions[0]
    for before, after in pairwise(sessions):
        if before.close_at != after.open_at:
            break
        last = after
    return Session(first.mic, first.day, first.open_at, last.close_at)


def is_finished(session: Session, now: datetime, lag: timedelta = LAG) -> bool:
    """Whether the session's bar may be taken as final: `lag` after its close."""
    return now >= session.close_at + lag


def currency_session(day: date) -> Session | None:
    """The currency market's session of a London date; None on Saturday and Sunday."""
    if day.weekday() > _FRIDAY:
        return None
    starts, ends = day, day + timedelta(days=1)
    open_at = datetime.combine(starts, time(0), _LONDON)
    close_at = datetime.combine(ends, time(0), _LONDON)
    if day.weekday() == _MONDAY:
        open_at = datetime.combine(starts - timedelta(days=1), _WEEK_EDGE, _LONDON)
    if day.weekday() == _FRIDAY:
        close_at = datetime.combine(day, _WEEK_EDGE, _LONDON)
    return Session(CURRENCY_MIC, day, open_at.astimezone(UTC), close_at.astimezone(UTC))


def currency_sessions(start: date, days: int) -> Iterator[Session]:
    """The currency market's sessions among so many dates from `start`, backwards when negative."""
    step = 1 if days >= 0 else -1
    for offset in range(abs(days)):
        session = currency_session(start + timedelta(days=step * offset))
        if session is not None:
            yield session


def currency_day(now: datetime) -> date:
    """The London date of an instant."""
    return now.astimezone(_LONDON).date()
