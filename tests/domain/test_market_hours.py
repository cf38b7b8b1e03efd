"""Market hours: what a quote is called as time goes by."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from app.domain.market_hours import MarketHours
from app.domain.quotes import Quote, QuoteSource, QuoteState
from app.domain.sessions import Session

# Friday 2 January 2026 and Monday 5 January, New York (14:30 to 21:00 UTC) and Seoul (0:00 to 6:30).
DAYS = [date(2026, 1, 2), date(2026, 1, 5)]


def sessions(mic, opens, closes):
    start = [datetime(d.year, d.month, d.day, tzinfo=UTC) for d in DAYS]
    return tuple(
        Session(mic, day, s + opens, s + closes) for day, s in zip(DAYS, start, strict=True)
    )


HOURS = MarketHours(
    {
        "XNAS": sessions("XNAS", timedelta(hours=14.5), timedelta(hours=21)),
        "XKRX": sessions("XKRX", timedelta(0), timedelta(hours=6.5)),
    }
)


def monday(hour, minute=0, second=0):
    return datetime(2026, 1, 5, hour, minute, second, tzinfo=UTC)


def quote(state, at, day=date(2026, 1, 5)):
    return Quote("X", Decimal(1), None, at, day, QuoteSource.YAHOO, state)


def served(state, at, now, mic="XNAS", day=date(2026, 1, 5)):
    return HOURS.served(quote(state, at, day), mic, now).state


@pytest.mark.parametrize("state", [QuoteState.LIVE, QuoteState.DELAYED])
def test_in_session_a_price_older_than_90_seconds_is_stale(state):
    at = monday(15)
    assert served(state, at, at + timedelta(seconds=90)) is state
    assert served(state, at, at + timedelta(seconds=91)) is QuoteState.STALE


def test_seoul_prices_come_20_minutes_late_and_are_not_stale_for_that():
    at = monday(3)
    assert served(QuoteState.DELAYED, at, monday(3, 20), "XKRX") is QuoteState.DELAYED
    assert served(QuoteState.DELAYED, at, monday(3, 22), "XKRX") is QuoteState.STALE
    assert HOURS.running("XKRX", monday(6, 49)) is not None
    assert HOURS.running("XKRX", monday(6, 50)) is None


def test_after_the_close_the_price_is_the_closed_one():
    assert served(QuoteState.LIVE, monday(20, 59, 58), monday(21)) is QuoteState.CLOSED
    assert served(QuoteState.LIVE, monday(20, 59, 58), monday(23)) is QuoteState.CLOSED


def test_before_the_open_the_close_of_the_session_before_is_closed():
    friday = datetime(2026, 1, 2, 20, 59, tzinfo=UTC)
    assert served(QuoteState.LIVE, friday, monday(9), day=DAYS[0]) is QuoteState.CLOSED
    assert served(QuoteState.CLOSED, friday, monday(15), day=DAYS[0]) is QuoteState.CLOSED


def test_a_close_that_should_have_been_followed_by_another_is_stale():
    friday = datetime(2026, 1, 2, 21, tzinfo=UTC)
    assert served(QuoteState.CLOSED, friday, monday(21, 19), day=DAYS[0]) is QuoteState.CLOSED
    assert served(QuoteState.CLOSED, friday, monday(21, 20), day=DAYS[0]) is QuoteState.STALE
    assert served(QuoteState.DELAYED, friday, monday(23), day=DAYS[0]) is QuoteState.STALE


@pytest.mark.parametrize("state", [QuoteState.REPLAY, QuoteState.HISTORIC])
def test_time_does_not_change_what_is_recorded(state):
    past = datetime(2012, 3, 5, tzinfo=UTC)
    assert served(state, past, monday(15), day=past.date()) is state


@pytest.mark.parametrize("mic", ["XNYS", None])
def test_without_known_hours_only_the_age_is_judged(mic):
    at = monday(3)
    assert served(QuoteState.LIVE, at, at, mic) is QuoteState.LIVE
    assert served(QuoteState.LIVE, at, at + timedelta(seconds=91), mic) is QuoteState.STALE
    assert served(QuoteState.CLOSED, at, at + timedelta(days=9), mic) is QuoteState.CLOSED


def test_an_unchanged_quote_is_the_same_object():
    live = quote(QuoteState.LIVE, monday(15))
    assert HOURS.served(live, "XNAS", monday(15)) is live


def test_sessions_are_found_by_instant_and_by_day():
    assert HOURS.begun("XNAS", monday(14, 29)).day == DAYS[0]
    assert HOURS.begun("XNAS", monday(14, 30)).day == DAYS[1]
    assert HOURS.begun("XNAS", datetime(2026, 1, 1, tzinfo=UTC)) is None
    assert HOURS.before("XNAS", DAYS[1]).day == DAYS[0]
    assert HOURS.before("XNAS", DAYS[0]) is None
    assert HOURS.running("XNAS", monday(21)) is None
    assert HOURS.running(None, monday(15)) is None
    assert HOURS.expected_day("XNYS", monday(15)) is None
