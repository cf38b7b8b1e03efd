"""The whole refresh: library, overrides, table, on the real calendars."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime

from sqlalchemy import func, insert, select, update

from app.db.models import ExchangeSession, SessionOverride
from app.services.market import calendar_refresh, calendars, markets
from tests.clocks import at

NOW = "2026-06-01T00:00"


async def test_the_table_reaches_from_1990_to_more_than_a_year_ahead_with_overrides_in_force(env):
    env = at(env, NOW)
    changed = await calendar_refresh.refresh_sessions(env)
    assert changed > 35_000
    async with env.db.read() as db:
        spans = select(
            ExchangeSession.mic, func.min(ExchangeSession.day), func.max(ExchangeSession.day)
        )
        for _, first, last in await db.execute(spans.group_by(ExchangeSession.mic)):
            assert first <= date(1990, 1, 3)
            assert last >= date(2027, 6, 30)
    assert await markets.find_session(env, "XKRX", date(2026, 6, 3)) is None
    exam = await markets.find_session(env, "XKRX", date(2026, 11, 19))
    assert exam.close_at == datetime(2026, 11, 19, 7, 30, tzinfo=UTC)

    assert await calendar_refresh.refresh_sessions(env) == 0  # nothing is due
    assert await calendar_refresh.refresh_sessions(env, force=True) == 0  # and nothing changed

    async with env.db.write() as db:
        await db.execute(
            update(SessionOverride)
            .where(SessionOverride.day == date(2026, 11, 19))
            .values(open_at=None, close_at=None, edited_at=env.clock.now())
        )
    assert await calendars.is_due(env)
    assert await calendar_refresh.refresh_sessions(env) == 1
    assert await markets.find_session(env, "XKRX", date(2026, 11, 19)) is None


async def test_a_correction_that_is_made_meanwhile_is_in_the_table_at_the_end(env, monkeypatch):
    env = at(env, NOW)
    edited, made = [], calendar_refresh.sessions

    def sessions(*arguments):
        """The library at work, and somebody who corrects a day meanwhile."""
        if not edited:
            edited.append(asyncio.run_coroutine_threadsafe(correct(), loop).result())
        return made(*arguments)

    async def correct() -> bool:
        async with env.db.write() as db:
            row = {"mic": "XNYS", "day": date(2026, 7, 8), "reason": "Mourning"}
            await db.execute(insert(SessionOverride).values(**row, edited_at=env.clock.now()))
        return True

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(calendar_refresh, "sessions", sessions)
    await calendar_refresh.refresh_sessions(env)
    assert await markets.find_session(env, "XNYS", date(2026, 7, 8)) is None
    assert not await calendars.is_due(env)
