"""Corrections of the calendars by hand: in force at once, never overwritten, withdrawn, restored."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text

from app.adapters.queue import open_pool
from app.domain.session_overrides import SHIPPED
from app.env import Env
from app.errors import BadInput, NotFound
from app.services.market import calendar_refresh, calendars, markets
from app.services.market.session_overrides import (
    OverrideDraft,
    list_session_overrides,
    remove_session_override,
    restore_session_override,
    save_session_override,
)
from tests.clocks import at
from tests.factories import make_sessions, weekdays

NOW = "2026-10-01T00:00"
EXAM = date(2026, 11, 19)
THURSDAY = date(2026, 10, 15)


@pytest.fixture
async def autumn(env: Env) -> Env:
    """Ninety sessions of Korea and New York from September on."""
    days = weekdays(date(2026, 9, 1), 90)
    await make_sessions(env, "XKRX", days, opens=0, closes=6)
    await make_sessions(env, "XNYS", days)
    return at(env, NOW)


def draft(mic: str = "XKRX", day: date = THURSDAY, **changes: object) -> OverrideDraft:
    made = OverrideDraft((mic,), day, closed=True, opens=None, closes=None, reason="Storm")
    return replace(made, **changes)


async def test_a_day_that_is_closed_has_no_session_from_then_on(autumn):
    (row,) = await save_session_override(autumn, draft())
    assert (row.closed, row.active, row.shipped, row.reason) == (True, True, False, "Storm")
    assert row.edited_at == autumn.clock.now()
    assert await markets.find_session(autumn, "XKRX", THURSDAY) is None
    assert await markets.find_session(autumn, "XNYS", THURSDAY) is not None


async def test_hours_are_those_of_the_exchanges_own_clock(autumn):
    hours = {"closed": False, "opens": "9:30", "closes": "13:00"}
    await save_session_override(autumn, draft("XNYS", **hours))
    await save_session_override(autumn, draft("XNYS", date(2026, 11, 16), **hours))
    summer = await markets.find_session(autumn, "XNYS", THURSDAY)
    winter = await markets.find_session(autumn, "XNYS", date(2026, 11, 16))
    assert summer.close_at == datetime(2026, 10, 15, 17, tzinfo=UTC)
    assert winter.close_at == datetime(2026, 11, 16, 18, tzinfo=UTC)
    assert winter.open_at == datetime(2026, 11, 16, 14, 30, tzinfo=UTC)


async def test_one_edit_serves_several_markets(autumn):
    rows = await save_session_override(autumn, draft(mics=("xnys", "XKRX", "XNYS")))
    assert [row.mic for row in rows] == ["XNYS", "XKRX"]
    assert await markets.find_session(autumn, "XNYS", THURSDAY) is None


async def test_a_session_may_be_added_and_changed_again(autumn):
    saturday = date(2026, 10, 17)
    extra = draft(day=saturday, closed=False, opens="10:00", closes="12:00")
    await save_session_override(autumn, extra)
    found = await markets.find_session(autumn, "XKRX", saturday)
    assert found.open_at == datetime(2026, 10, 17, 1, tzinfo=UTC)
    await save_session_override(autumn, replace(extra, closed=True, reason="not after all"))
    assert await markets.find_session(autumn, "XKRX", saturday) is None
    (row,) = await list_session_overrides(autumn, "XKRX", saturday, saturday)
    assert row.reason == "not after all"


async def test_a_day_beyond_the_table_is_kept_for_later(autumn):
    far = date(2030, 1, 2)
    (row,) = await save_session_override(autumn, draft(day=far))
    assert row.day == far
    assert await markets.find_session(autumn, "XKRX", far) is None
    assert (await markets.previous_session(autumn, "XKRX", far)).day.year <= 2027


async def test_an_edited_row_outlives_the_next_release(autumn):
    await calendars.seed_overrides(autumn)
    await save_session_override(autumn, draft(day=EXAM, reason="closed by decree"))
    await calendars.seed_overrides(autumn)
    counted = {o.day: o for o in await calendars.list_overrides(autumn)}
    assert counted[EXAM].closed
    assert counted[EXAM].reason == "closed by decree"
    assert await calendars.is_due(autumn)


async def test_a_row_that_nobody_edited_follows_the_release(autumn):
    await calendars.seed_overrides(autumn)
    async with autumn.db.write() as db:
        await db.execute(text("UPDATE session_override SET reason = 'of an older release'"))
    await calendars.seed_overrides(autumn)
    async with autumn.db.read() as db:
        reasons = set(await db.scalars(text("SELECT reason FROM session_override")))
    assert reasons == {o.reason for o in SHIPPED}


async def test_a_withdrawn_correction_counts_for_nothing_until_it_is_restored(autumn):
    (before,) = await list_session_overrides(autumn, "XKRX", EXAM, EXAM)
    assert (before.shipped, before.active, before.edited_at) == (True, True, None)
    gone = await remove_session_override(autumn, "XKRX", EXAM)
    assert gone.active is False
    assert EXAM not in {o.day for o in await calendars.list_overrides(autumn)}
    await calendars.seed_overrides(autumn)
    assert EXAM not in {o.day for o in await calendars.list_overrides(autumn)}
    back = await restore_session_override(autumn, "XKRX", EXAM)
    assert back == before
    found = await markets.find_session(autumn, "XKRX", EXAM)
    assert found.close_at == datetime(2026, 11, 19, 7, 30, tzinfo=UTC)


async def test_a_correction_of_ones_own_is_restored_as_it_was(autumn):
    await save_session_override(autumn, draft())
    await remove_session_override(autumn, "XKRX", THURSDAY)
    row = await restore_session_override(autumn, "XKRX", THURSDAY)
    assert (row.active, row.closed, row.shipped) == (True, True, False)
    assert await markets.find_session(autumn, "XKRX", THURSDAY) is None


async def test_a_worker_is_asked_to_make_the_table_anew(autumn, settings):
    await save_session_override(autumn, draft())
    async with open_pool(settings.redis_url or "") as pool:
        (job,) = await pool.queued_jobs(queue_name="sise:long")
    assert job.function == "calendar_tick"


async def test_the_library_has_its_hours_back_after_a_withdrawal(env):
    env = at(env, NOW)
    await calendar_refresh.refresh_sessions(env)
    (row,) = await save_session_override(env, draft(day=date(2026, 12, 30)))
    assert await calendar_refresh.refresh_sessions(env) == 0  # it was right at once
    await remove_session_override(env, "XKRX", row.day)
    assert await calendars.is_due(env)
    assert await calendar_refresh.refresh_sessions(env) == 1
    found = await markets.find_session(env, "XKRX", row.day)
    assert found.close_at == datetime(2026, 12, 30, 6, 30, tzinfo=UTC)
    exam = await markets.find_session(env, "XKRX", EXAM)
    assert exam.close_at - exam.open_at == timedelta(hours=6.5)
    assert exam.open_at == datetime(2026, 11, 19, 1, tzinfo=UTC)


async def test_corrections_are_listed_by_market_and_span_the_newest_first(autumn):
    await save_session_override(autumn, draft("XNYS"))
    days = [row.day for row in await list_session_overrides(autumn)]
    assert days == sorted(days, reverse=True)
    assert len(days) == len(SHIPPED) + 1
    (york,) = await list_session_overrides(autumn, "XNYS")
    assert york.day == THURSDAY
    span = await list_session_overrides(autumn, None, date(2027, 1, 1), date(2027, 12, 31))
    assert [row.confirmed for row in span] == [False, False, False]
    assert len(await list_session_overrides(autumn, first=2)) == 2


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"mics": ("CCY",)}, "mics", "the markets with a calendar are"),
        ({"mics": ()}, "mics", "mics is empty"),
        ({"day": date(1989, 12, 29)}, "day", "from 1990-01-01 to 2031-10-05"),
        ({"day": date(2040, 1, 2)}, "day", "2040-01-02"),
        ({"reason": "  "}, "reason", "1 to 200 printable characters"),
        ({"reason": "a\x00b"}, "reason", "printable"),
        ({"reason": "x" * 201}, "reason", "1 to 200"),
        ({"closed": False}, "opens", "a time of day"),
        ({"closed": False, "opens": "24:00", "closes": "25:00"}, "opens", "'24:00'"),
        ({"closed": False, "opens": "09:00", "closes": ""}, "closes", "a time of day"),
        ({"closed": False, "opens": "09:00", "closes": "09:00"}, "closes", "later than 09:00"),
    ],
)
async def test_what_cannot_be_right_is_refused_and_nothing_changes(autumn, changes, field, words):
    with pytest.raises(BadInput, match=words) as refused:
        await save_session_override(autumn, draft(**changes))
    assert refused.value.field == field
    assert len(await list_session_overrides(autumn)) == len(SHIPPED)


async def test_what_is_not_there_cannot_be_withdrawn_or_restored(autumn):
    for act in (remove_session_override, restore_session_override):
        with pytest.raises(NotFound, match="no correction for XKRX on 2026-10-15"):
            await act(autumn, "XKRX", THURSDAY)
