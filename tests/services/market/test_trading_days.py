"""The coming days of the real calendars, with what is unusual in them."""

from __future__ import annotations

from datetime import date

import pytest

from app.domain.trading_days import DayNote
from app.env import Env
from app.errors import BadInput
from app.services.market import calendar_refresh
from app.services.market.session_overrides import OverrideDraft, save_session_override
from app.services.market.trading_days import list_trading_days
from tests.clocks import at


@pytest.fixture
async def autumn(env: Env) -> Env:
    """The real calendars on a Monday of 2026."""
    env = at(env, "2026-11-16T03:00")
    await calendar_refresh.refresh_sessions(env)
    return env


async def test_the_coming_days_of_korea_have_the_exam_day_in_them(autumn):
    days = await list_trading_days(autumn, "XKRX", 5)
    assert [day.day.day for day in days] == [16, 17, 18, 19, 20]
    assert [day.note for day in days].count(DayNote.USUAL) == 4
    assert (days[3].note, days[3].reason) == (DayNote.LATE, "College entrance exam (CSAT)")


async def test_the_year_has_its_holidays_half_days_and_late_openings(autumn):
    korea = await list_trading_days(autumn, "XKRX", 200, exceptions=True)
    found = {day.day: day for day in korea}
    assert found[date(2027, 1, 4)].note is DayNote.LATE  # the first session of the year
    assert found[date(2026, 12, 25)].note is DayNote.CLOSED
    assert found[date(2027, 5, 3)].reason == "Substitute for Labour Day, to be confirmed"
    assert found[date(2027, 7, 19)].reason == "Substitute for Constitution Day, to be confirmed"
    york = {d.day: d.note for d in await list_trading_days(autumn, "XNYS", 200, exceptions=True)}
    assert york[date(2026, 11, 26)] is DayNote.CLOSED
    assert york[date(2026, 11, 27)] is DayNote.SHORT
    assert DayNote.USUAL not in {*york.values(), *(day.note for day in korea)}
    assert max(york) <= date(2027, 11, 17)


async def test_a_correction_is_among_them_at_once(autumn):
    draft = OverrideDraft(("XNYS",), date(2026, 11, 18), True, None, None, "Day of mourning")
    await save_session_override(autumn, draft)
    days = await list_trading_days(autumn, "XNYS", 4)
    assert [(day.day.day, day.note, day.reason) for day in days][2] == (
        18,
        DayNote.CLOSED,
        "Day of mourning",
    )


async def test_the_currency_market_has_its_weekdays(autumn):
    days = await list_trading_days(autumn, "CCY", 6)
    assert [day.day.day for day in days] == [16, 17, 18, 19, 20, 23]


async def test_a_market_without_a_calendar_yet_has_none_and_an_unknown_one_is_refused(env):
    assert await list_trading_days(env, "XKRX") == []
    with pytest.raises(BadInput, match="no market 'XLON'"):
        await list_trading_days(env, "XLON")
    with pytest.raises(BadInput, match="first is 0"):
        await list_trading_days(env, "XKRX", 0)
