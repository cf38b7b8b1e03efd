"""The coming days of a market: what is usual, what is not, and why where a correction says so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select

from app.db.models import Exchange
from app.domain.session_overrides import Override
from app.domain.sessions import CURRENCY_MIC, Session, currency_day, currency_sessions
from app.domain.trading_days import DayNote, TradingDay, describe_days
from app.env import Env
from app.errors import BadInput
from app.services.market.calendars import list_overrides
from app.services.market.markets import MAX_SESSIONS, list_sessions
from app.services.paging import check_first

SPAN = timedelta(days=366)  # unusual days are looked for this far ahead


@dataclass(frozen=True)
class DayRow:
    """A day of a market, its hours in UTC (None: closed), and the reason of its correction."""

    mic: str
    day: date
    open_at: datetime | None
    close_at: datetime | None
    note: DayNote
    reason: str | None


async def list_trading_days(
    env: Env, mic: str, first: int = 10, *, exceptions: bool = False
) -> list[DayRow]:
    """The coming days of a market from the present session on, closed weekdays between them too.

    With `exceptions` those alone that are not as usual, within a year.

    Raises:
        BadInput: there is no such market, or `first` is not from 1 to 200.
    """
    check_first(first)
    zone = await _zone(env, mic)
    if mic == CURRENCY_MIC:
        week = currency_sessions(currency_day(env.clock.now()), 2 * first + 8)
        return [_row(day, None) for day in _as_usual(week)][:first]
    sessions = await list_sessions(env, mic, MAX_SESSIONS)
    reasons = {o.day: o for o in await list_overrides(env) if o.mic == mic}
    last = env.clock.now().date() + SPAN
    days = [day for day in describe_days(sessions, zone) if day.day <= last]
    wanted = [day for day in days if not exceptions or day.note is not DayNote.USUAL]
    return [_row(day, reasons.get(day.day)) for day in wanted[:first]]


async def _zone(env: Env, mic: str) -> ZoneInfo:
    async with env.db.read() as db:
        zone = await db.scalar(select(Exchange.time_zone).where(Exchange.mic == mic))
    if zone is None:
        raise BadInput("There is no market %(value).20r.", field="mic", value=mic)
    return ZoneInfo(zone)


def _as_usual(sessions: Iterator[Session]) -> Iterator[TradingDay]:
    for s in sessions:
        yield TradingDay(s.mic, s.day, s.open_at, s.close_at, DayNote.USUAL)


def _row(day: TradingDay, override: Override | None) -> DayRow:
    reason = override.reason if override is not None else None
    return DayRow(day.mic, day.day, day.open_at, day.close_at, day.note, reason)
