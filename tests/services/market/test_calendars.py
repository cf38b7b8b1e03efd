"""The table of sessions as a store: when it is due, and merging that touches only what changed."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest
from sqlalchemy import select, text, update

from app.db.models import ExchangeSession, SessionOverride
from app.domain.session_overrides import SESSION_SCHEMA, SHIPPED
from app.env import Env
from app.services.market import calendars
from tests.clocks import at

NOW = "2026-01-05T12:00"
NOW_AT = datetime.fromisoformat(NOW).replace(tzinfo=UTC)
DAYS = [date(2026, 1, 5), date(2026, 1, 6), date(2027, 3, 1)]


def frame(days: list[date], hour: int = 14, mic: str = "XNYS") -> pl.DataFrame:
    rows = [
        (
            mic,
            d,
            datetime(d.year, d.month, d.day, hour, tzinfo=UTC),
            datetime(d.year, d.month, d.day, 21, tzinfo=UTC),
        )
        for d in days
    ]
    return pl.DataFrame(rows, schema=SESSION_SCHEMA, orient="row")


async def store(env: Env, sessions: pl.DataFrame) -> int:
    made_from = calendars.source_of(await calendars.list_overrides(env))
    return await calendars.store_sessions(env, sessions, made_from)


async def stored(env: Env) -> list[tuple[str, date]]:
    async with env.db.read() as db:
        columns = select(ExchangeSession.mic, ExchangeSession.day)
        rows = await db.execute(columns.order_by(ExchangeSession.mic, ExchangeSession.day))
        return [tuple(row) for row in rows]


async def test_an_empty_table_is_due_and_a_stored_one_is_not(env):
    env = at(env, NOW)
    assert await calendars.is_due(env)
    assert await store(env, frame(DAYS)) == 3
    assert not await calendars.is_due(env)


async def test_storing_the_same_again_changes_nothing(env):
    await store(env, frame(DAYS))
    async with env.db.read() as db:
        before = (await db.execute(text("SELECT xmin, day FROM exchange_session"))).all()
    assert await store(env, frame(DAYS)) == 0
    async with env.db.read() as db:
        assert (await db.execute(text("SELECT xmin, day FROM exchange_session"))).all() == before


async def test_changed_hours_and_vanished_days_are_merged_and_other_markets_kept(env):
    await store(env, frame(DAYS))
    await store(env, frame(DAYS[:1], mic="XKRX"))
    changed = pl.concat([frame(DAYS[:1], hour=15), frame(DAYS[2:])])
    assert await store(env, changed) == 2  # one other hour, one day gone
    assert await stored(env) == [("XKRX", DAYS[0]), ("XNYS", DAYS[0]), ("XNYS", DAYS[2])]


async def test_a_table_that_ends_within_a_year_is_due(env):
    await store(env, frame(DAYS))
    assert not await calendars.is_due(at(env, "2026-03-01T00:00"))
    assert await calendars.is_due(at(env, "2026-03-02T00:00"))


async def test_the_table_ends_with_the_market_that_ends_first(env):
    await store(env, pl.concat([frame(DAYS), frame(DAYS[:2], mic="XKRX")]))
    assert await calendars.is_due(at(env, NOW))


async def test_a_changed_override_makes_the_table_due(env):
    env = at(env, NOW)
    await calendars.seed_overrides(env)
    await store(env, frame(DAYS))
    assert not await calendars.is_due(env)
    async with env.db.write() as db:
        day = SessionOverride.day == date(2026, 7, 17)
        edited = {"reason": "closed by decree", "edited_at": env.clock.now()}
        await db.execute(update(SessionOverride).where(day).values(**edited))
    assert await calendars.is_due(env)
    await store(env, frame(DAYS))
    assert not await calendars.is_due(env)
    async with env.db.write() as db:
        await db.execute(update(SessionOverride).where(day).values(active=False))
    assert await calendars.is_due(env)


async def test_shipped_overrides_are_seeded_once_and_a_changed_row_wins(env):
    await calendars.seed_overrides(env)
    async with env.db.write() as db:
        await db.execute(
            update(SessionOverride)
            .where(SessionOverride.day == date(2026, 11, 19))
            .values(open_at=None, close_at=None, reason="closed by decree", edited_at=NOW_AT)
        )
    await calendars.seed_overrides(env)
    listed = {o.day: o for o in await calendars.list_overrides(env)}
    assert set(listed) == {o.day for o in SHIPPED}
    assert listed[date(2026, 11, 19)].closed


async def test_a_failure_leaves_the_table_as_it_was(env):
    await store(env, frame(DAYS))
    backwards = frame(DAYS, hour=22)  # opens after it closes
    with pytest.raises(Exception, match="ck_exchange_session_ordered"):
        await store(env, backwards)
    assert len(await stored(env)) == 3
