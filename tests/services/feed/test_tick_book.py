"""Ticks to quotes: what is refused, which session a price belongs to, what it is compared with."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from app.adapters.prices import Tick
from app.clock import Clock
from app.domain.market_hours import MarketHours
from app.domain.quotes import Quote, QuoteSource, QuoteState
from app.domain.sessions import Session
from app.env import Env
from app.services.feed.tick_book import Place, Refused, TickBook, list_tracked
from tests.factories import make_instrument

DAY, BEFORE = date(2026, 1, 5), date(2026, 1, 2)
NOW = datetime(2026, 1, 5, 15, 30, tzinfo=UTC)
OPEN = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
CLOSE = datetime(2026, 1, 5, 21, tzinfo=UTC)
THREE_DAYS = timedelta(days=3)
HOURS = MarketHours(
    {
        "XNAS": (
            Session("XNAS", BEFORE, OPEN - THREE_DAYS, CLOSE - THREE_DAYS),
            Session("XNAS", DAY, OPEN, CLOSE),
        )
    }
)
PLACES = {
    "AAPL": Place("XNAS", ZoneInfo("America/New_York")),
    "005930.KS": Place("XKRX", ZoneInfo("Asia/Seoul")),
}


def closing(day=BEFORE, price=10, before=9):
    at = datetime(day.year, day.month, day.day, 21, tzinfo=UTC)
    prices = Decimal(price), Decimal(before)
    return Quote("AAPL", *prices, at, day, QuoteSource.YAHOO, QuoteState.CLOSED)


def book(now=NOW, held=None, closings=None):
    made = TickBook(Clock(start=now, rate=0), held or {})
    made.know(PLACES, HOURS, closings or {})
    return made


def read(tick, *, streamed=True, now=NOW, held=None, closings=None):
    return book(now, held, closings).read(tick, QuoteSource.YAHOO, streamed=streamed)


TICK = Tick("AAPL", 10.53, NOW, regular=True)


def test_a_streamed_price_in_session_is_live_and_exact():
    quote = read(replace(TICK, previous_close=10.1))
    assert quote == Quote(
        "AAPL",
        Decimal("10.53"),
        Decimal("10.1"),
        NOW,
        DAY,
        QuoteSource.YAHOO,
        QuoteState.LIVE,
    )


def test_a_polled_or_a_late_price_is_delayed():
    assert read(TICK, streamed=False).state is QuoteState.DELAYED
    late = replace(TICK, at=NOW - timedelta(minutes=20))
    assert read(late).state is QuoteState.DELAYED


@pytest.mark.parametrize(
    ("tick", "reason"),
    [
        (replace(TICK, symbol="MSFT"), "not tracked"),
        (replace(TICK, price=0.0), "positive"),
        (replace(TICK, price=-1.0), "positive"),
        (replace(TICK, price=float("nan")), "positive"),
        (replace(TICK, price=float("inf")), "positive"),
        (replace(TICK, at=NOW + timedelta(seconds=121)), "future"),
    ],
)
def test_a_tick_that_cannot_be_right_is_refused(tick, reason):
    refused = read(tick)
    assert isinstance(refused, Refused)
    assert reason in refused.reason


def test_an_older_or_repeated_tick_is_refused():
    held = {"AAPL": read(TICK)}
    assert isinstance(read(TICK, held=held), Refused)
    assert isinstance(read(replace(TICK, at=NOW - timedelta(seconds=1)), held=held), Refused)
    assert read(replace(TICK, at=NOW + timedelta(seconds=1)), held=held).price == Decimal("10.53")


@pytest.mark.parametrize("at", [OPEN - timedelta(minutes=5), CLOSE + timedelta(minutes=10)])
def test_a_price_from_outside_the_session_is_refused(at):
    refused = read(replace(TICK, at=at, regular=False), now=at)
    assert "outside the regular session" in refused.reason


def test_the_closing_auctions_price_belongs_to_the_session():
    at = CLOSE + timedelta(minutes=1)
    quote = read(replace(TICK, at=at, regular=False), now=at)
    assert (quote.day, quote.state) == (DAY, QuoteState.CLOSED)


def test_the_sources_word_counts_more_than_the_calendar():
    at = CLOSE + timedelta(minutes=45)
    quote = read(replace(TICK, at=at), now=at)
    assert (quote.day, quote.state) == (DAY, QuoteState.CLOSED)


def test_a_price_of_the_session_before_is_closed():
    at = CLOSE - THREE_DAYS - timedelta(seconds=5)
    quote = read(replace(TICK, at=at))
    assert (quote.day, quote.state) == (BEFORE, QuoteState.CLOSED)


def test_without_a_calendar_the_day_is_the_exchanges_own_date():
    at = datetime(2026, 1, 4, 23, 30, tzinfo=UTC)  # Monday morning in Seoul
    quote = read(Tick("005930.KS", 71200.0, at), now=at)
    assert (str(quote.price), quote.day, quote.state) == ("71200", DAY, QuoteState.LIVE)


def test_the_close_before_comes_from_the_source_then_the_day_then_the_bars():
    given = replace(TICK, previous_close=10.1)
    later = replace(TICK, at=NOW + timedelta(seconds=1))
    bars = {"AAPL": closing()}
    assert read(given, closings=bars).previous_close == Decimal("10.1")
    assert read(later, held={"AAPL": read(given)}, closings=bars).previous_close == Decimal("10.1")
    assert read(TICK, closings=bars).previous_close == 10
    assert read(TICK, closings={"AAPL": closing(DAY, 10, 9)}).previous_close == 9
    assert read(TICK).previous_close is None


@pytest.mark.parametrize("wrong", [0.0, -3.0, float("nan"), float("inf")])
def test_a_close_before_that_cannot_be_right_is_passed_over(wrong):
    tick = replace(TICK, previous_close=wrong)
    assert read(tick, closings={"AAPL": closing()}).previous_close == 10


@pytest.mark.parametrize("day", [date(2025, 12, 31), date(2026, 1, 6)])
def test_a_close_that_is_not_of_the_session_before_is_not_compared_with(day):
    assert read(TICK, closings={"AAPL": closing(day)}).previous_close is None


def test_what_is_in_session_now_is_worth_asking_for():
    assert list(book().open_places()) == ["AAPL", "005930.KS"]  # Seoul's hours are not known here
    assert list(book(now=CLOSE).open_places()) == ["005930.KS"]


async def test_only_what_is_tracked_is_listed_with_its_place(env: Env):
    await make_instrument(env, "AAPL")
    await make_instrument(env, "005930.KS")
    await make_instrument(env, "IBM", tracked=False)
    assert await list_tracked(env) == PLACES
