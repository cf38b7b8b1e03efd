"""The hours of all markets around now, as a value that needs no further question."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import select

from app.db.models import ExchangeSession
from app.domain.market_hours import MarketHours
from app.domain.sessions import CURRENCY_MIC, Session, currency_day, currency_sessions
from app.env import Env

BACK: Final = 21  # days: longer than any market has been closed for holidays
AHEAD: Final = 4


async def load_hours(env: Env) -> MarketHours:
    """Sessions from three weeks ago to four days ahead; load again within that time.

    Raises:
        Unavailable: the database does not answer.
    """
    now = env.clock.now()
    wanted = (
        select(
            ExchangeSession.mic,
            ExchangeSession.day,
            ExchangeSession.open_at,
            ExchangeSession.close_at,
        )
        .where(
            ExchangeSession.close_at > now - timedelta(days=BACK),
            ExchangeSession.close_at < now + timedelta(days=AHEAD),
        )
        .order_by(ExchangeSession.mic, ExchangeSession.day)
    )
    sessions: dict[str, list[Session]] = {CURRENCY_MIC: _currency(now)}
    async with env.db.read() as db:
        for row in await db.execute(wanted):
            sessions.setdefault(row.mic, []).append(Session(*row))
    return MarketHours({mic: tuple(rows) for mic, rows in sessions.items()})


def _currency(now: datetime) -> list[Session]:
    start: date = currency_day(now) - timedelta(days=BACK)
    return list(currency_sessions(start, BACK + AHEAD))
