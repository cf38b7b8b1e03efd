"""Market hours as read from the table of sessions, and the currency market's from the weekday."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from app.env import Env
from app.errors import BadInput
from app.services.market import markets
from tests.clocks import at
from tests.factories import make_sessions, weekdays

MONDAY = date(2026, 1, 5)


@pytest.fixture
async def week(env: Env) -> Env:
    """Korea 00:00-06:30 UTC, New York 14:00-21:00 UTC, Monday to Friday."""
    await make_sessions(env, "XKRX", weekdays(MONDAY, 5), opens=0, closes=6)
    await make_sessions(env, "XNYS", weekdays(MONDAY, 5))
    return env


async def status(env: Env, mic: str) -> markets.MarketStatus:
    (found,) = [s for s in await markets.list_market_status(env) if s.mic == mic]
    return found


async def test_every_market_is_listed_korea_first(week):
    listed = await markets.list_market_status(at(week, "2026-01-05T15:00"))
    assert [s.mic for s in listed] == ["XKRX", "XNYS", "XNAS", "ARCX", "CCY"]
    assert (listed[0].name_local, listed[0].time_zone) == ("한국거래소", "Asia/Seoul")


async def test_an_open_market_says_when_it_closes(week):
    now = at(week, "2026-01-05T15:00")
    york, korea = await status(now, "XNYS"), await status(now, "XKRX")
    assert (york.open, york.session_day) == (True, MONDAY)
    assert york.next_change == york.close_at == datetime(2026, 1, 5, 21, tzinfo=UTC)
    assert (korea.open, korea.session_day) == (False, date(2026, 1, 6))
    assert korea.next_change == korea.open_at == datetime(2026, 1, 6, 0, tzinfo=UTC)


async def test_a_market_without_a_calendar_is_closed_with_nothing_known(week):
    assert await status(at(week, "2026-01-05T15:00"), "XNAS") == markets.MarketStatus(
        "XNAS", "Nasdaq", "나스닥", "America/New_York", False, None, None, None, None
    )


async def test_the_currency_market_needs_no_table(env):
    currency = await status(at(env, "2026-01-07T12:00"), "CCY")
    assert (currency.open, currency.session_day) == (True, date(2026, 1, 7))
    assert currency.next_change == datetime(2026, 1, 9, 22, tzinfo=UTC)
    weekend = await status(at(env, "2026-01-10T12:00"), "CCY")
    assert (weekend.open, weekend.session_day) == (False, date(2026, 1, 12))
    assert weekend.open_at == weekend.next_change == datetime(2026, 1, 11, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "day"),
    [
        ("2026-01-05T21:19:59", None),
        ("2026-01-05T21:20", MONDAY),
        ("2026-01-06T21:19", MONDAY),
        ("2026-01-11T12:00", date(2026, 1, 9)),
    ],
)
async def test_a_session_counts_as_finished_with_the_lag(week, now, day):
    assert await markets.last_finished_session(at(week, now), "XNYS") == day


async def test_the_lag_can_be_another(week):
    now = at(week, "2026-01-05T21:10")
    assert await markets.last_finished_session(now, "XNYS", timedelta(minutes=5)) == MONDAY
    assert await markets.last_finished_session(now, "XNYS", timedelta(hours=1)) is None


async def test_expected_days_are_known_for_every_market_at_once(week):
    days = await markets.expected_days(at(week, "2026-01-06T07:00"))
    assert days == {"XKRX": date(2026, 1, 6), "XNYS": MONDAY, "CCY": MONDAY}
    moment = datetime(2026, 1, 7, 7, 0, tzinfo=UTC)
    assert await markets.expected_day(week, "XKRX", moment) == date(2026, 1, 7)
    assert await markets.expected_day(week, "XNAS", moment) is None


async def test_a_currency_day_is_finished_after_londons_midnight_or_on_friday_evening(env):
    assert await markets.last_finished_session(at(env, "2026-01-06T23:59"), "CCY") == MONDAY
    tuesday = date(2026, 1, 6)
    assert await markets.last_finished_session(at(env, "2026-01-07T00:20"), "CCY") == tuesday
    friday = date(2026, 1, 9)
    assert await markets.last_finished_session(at(env, "2026-01-09T22:20"), "CCY") == friday
    assert await markets.last_finished_session(at(env, "2026-01-11T22:30"), "CCY") == friday


async def test_the_sessions_around_a_day_skip_closed_days(week):
    friday, saturday = date(2026, 1, 9), date(2026, 1, 10)
    assert (await markets.find_session(week, "XNYS", MONDAY)).day == MONDAY
    assert await markets.find_session(week, "XNYS", saturday) is None
    assert (await markets.previous_session(week, "XNYS", saturday)).day == friday
    assert await markets.previous_session(week, "XNYS", MONDAY) is None
    assert (await markets.next_session(week, "XNYS", date(2026, 1, 4))).day == MONDAY
    assert await markets.next_session(week, "XNYS", friday) is None  # G10: past the last one


async def test_the_currency_sessions_around_a_weekend(env):
    friday, monday = date(2026, 1, 9), date(2026, 1, 12)
    assert await markets.find_session(env, "CCY", date(2026, 1, 10)) is None
    assert (await markets.next_session(env, "CCY", friday)).day == monday
    assert (await markets.previous_session(env, "CCY", monday)).day == friday


async def test_sessions_are_listed_from_the_present_one_or_after_a_day(week):
    now = at(week, "2026-01-06T15:00")
    assert [s.day.day for s in await markets.list_sessions(now, "XNYS", 3)] == [6, 7, 8]
    later = await markets.list_sessions(now, "XNYS", 10, date(2026, 1, 7))
    assert [s.day.day for s in later] == [8, 9]
    currency = await markets.list_sessions(at(week, "2026-01-09T23:00"), "CCY", 3)
    assert [s.day.day for s in currency] == [12, 13, 14]
    assert len(await markets.list_sessions(now, "CCY", 10, date(2026, 1, 9))) == 10


@pytest.mark.parametrize("first", [0, -1, 401])
async def test_an_unreasonable_number_of_sessions_is_refused(env, first):
    with pytest.raises(BadInput, match=f"first is {first}; it must be from 1 to 400"):
        await markets.list_sessions(env, "XNYS", first)
