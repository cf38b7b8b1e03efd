"""Markets as anybody may read them: sessions, opening hours now, and the day a bar is expected for.

The table `exchange_session` holds all sessions; `calendar_refresh` fills it. The currency
market has no rows there: its sessions follow from the weekday (`domain/sessions`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Select, func, select, true

from app.db.models import Exchange, ExchangeSession
from app.domain.sessions import (
    CURRENCY_MIC,
    LAG,
    Session,
    currency_day,
    currency_session,
    currency_sessions,
    is_finished,
    status_at,
)
from app.env import Env
from app.services.paging import check_first

MAX_SESSIONS: Final = 400
_ORDER: Final = ("XKRX", "XNYS", "XNAS", "ARCX", CURRENCY_MIC)
_WEEK: Final = 8  # dates that surely hold a currency session on either side


@dataclass(frozen=True)
class MarketStatus:
    """A market now: `open_at` and `close_at` (UTC) belong to the present session or else the next.

    They are None while the calendar has not been loaded. The currency market's hours are what is
    left of its week from today's on. `next_change` is the instant at which `open` turns.
    """

    mic: str
    name: str
    name_local: str | None
    time_zone: str
    open: bool
    session_day: date | None
    open_at: datetime | None
    close_at: datetime | None
    next_change: datetime | None


async def list_market_status(env: Env) -> list[MarketStatus]:
    """Every market with its hours, Korea first."""
    now = env.clock.now()
    async with env.db.read() as db:
        found = (await db.execute(_first_ending_after(now))).all()
    coming = {row.mic: [Session(*row[1:])] for row in found if row.mic is not None}
    coming[CURRENCY_MIC] = list(currency_sessions(currency_day(now), _WEEK))
    return [
        _status(exchange, coming.get(exchange.mic, []), now)
        for exchange in sorted((row[0] for row in found), key=lambda e: _rank(e.mic))
    ]


async def last_finished_session(env: Env, mic: str, lag: timedelta = LAG) -> date | None:
    """The newest day of which a bar may be final now: None before the calendar is loaded."""
    return (await expected_days(env, lag)).get(mic)


async def expected_day(env: Env, mic: str, now: datetime) -> date | None:
    """The newest day whose bar should be there at `now` (close + lag passed)."""
    return (await expected_days(env, LAG, now)).get(mic)


async def expected_days(
    env: Env, lag: timedelta = LAG, now: datetime | None = None
) -> dict[str, date]:
    """The newest finished day of every market, by MIC; markets without sessions are left out."""
    at = now or env.clock.now()
    newest = (
        select(ExchangeSession.mic, func.max(ExchangeSession.day))
        .where(ExchangeSession.close_at <= at - lag)
        .group_by(ExchangeSession.mic)
    )
    async with env.db.read() as db:
        days: dict[str, date] = {row[0]: row[1] for row in await db.execute(newest)}
    for session in currency_sessions(currency_day(at), -_WEEK):
        if is_finished(session, at, lag):
            days[CURRENCY_MIC] = session.day
            break
    return days


async def find_session(env: Env, mic: str, day: date) -> Session | None:
    """The session of that day: None when the market is closed all day."""
    if mic == CURRENCY_MIC:
        return currency_session(day)
    return await _one(env, _of(mic).where(ExchangeSession.day == day))


async def next_session(env: Env, mic: str, day: date) -> Session | None:
    """The first session after that day."""
    if mic == CURRENCY_MIC:
        return next(currency_sessions(day + timedelta(days=1), _WEEK))
    after = _of(mic).where(ExchangeSession.day > day).order_by(ExchangeSession.day).limit(1)
    return await _one(env, after)


async def previous_session(env: Env, mic: str, day: date) -> Session | None:
    """The last session before that day."""
    if mic == CURRENCY_MIC:
        return next(currency_sessions(day - timedelta(days=1), -_WEEK))
    before = _of(mic).where(ExchangeSession.day < day).order_by(ExchangeSession.day.desc()).limit(1)
    return await _one(env, before)


async def list_sessions(
    env: Env, mic: str, first: int = 10, after: date | None = None
) -> list[Session]:
    """The next `first` sessions after a day; without a day, from the present or next one on.

    Raises:
        BadInput: `first` is not from 1 to 400.
    """
    check_first(first, MAX_SESSIONS)
    now = env.clock.now()
    if mic == CURRENCY_MIC:
        start = currency_day(now) if after is None else after + timedelta(days=1)
        week_days = currency_sessions(start, 2 * first + _WEEK)
        return [s for s in week_days if after is not None or s.close_at > now][:first]
    later = ExchangeSession.close_at > now if after is None else ExchangeSession.day > after
    async with env.db.read() as db:
        rows = await db.execute(_of(mic).where(later).order_by(ExchangeSession.day).limit(first))
    return [Session(*row) for row in rows]


def _first_ending_after(now: datetime) -> Select[Any]:
    """Every market with its present or next session."""
    coming = (
        select(*_COLUMNS)
        .where(ExchangeSession.mic == Exchange.mic, ExchangeSession.close_at > now)
        .order_by(ExchangeSession.close_at)
        .limit(1)
        .correlate(Exchange)
        .lateral()
    )
    return select(Exchange, *coming.c).outerjoin(coming, true())


async def _one(env: Env, query: Select[str, date, datetime, datetime]) -> Session | None:
    async with env.db.read() as db:
        row = (await db.execute(query)).first()
    return None if row is None else Session(*row)


def _status(exchange: Exchange, coming: list[Session], now: datetime) -> MarketStatus:
    status = status_at(coming, now)
    hours = status.hours
    return MarketStatus(
        mic=exchange.mic,
        name=exchange.name,
        name_local=exchange.name_local,
        time_zone=exchange.time_zone,
        open=status.open,
        session_day=hours.day if hours else None,
        open_at=hours.open_at if hours else None,
        close_at=hours.close_at if hours else None,
        next_change=status.next_change,
    )


def _of(mic: str) -> Select[str, date, datetime, datetime]:
    return select(*_COLUMNS).where(ExchangeSession.mic == mic)


def _rank(mic: str) -> int:
    return _ORDER.index(mic) if mic in _ORDER else len(_ORDER)


_COLUMNS: Final = (
    ExchangeSession.mic,
    ExchangeSession.day,
    ExchangeSession.open_at,
    ExchangeSession.close_at,
)
