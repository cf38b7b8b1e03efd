"""Quotes: change, JSON without a lost digit, which tick may take which one's place."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.quotes import (
    Quote,
    QuoteSource,
    QuoteState,
    check_price,
    is_newer,
    moving_state,
    plain,
    quotes_from_json,
    quotes_to_json,
)
from app.errors import BadInput

AT = datetime(2026, 1, 5, 15, 30, tzinfo=UTC)
QUOTE = Quote(
    "AAPL",
    Decimal("190.5"),
    Decimal(200),
    AT,
    date(2026, 1, 5),
    QuoteSource.YAHOO,
    QuoteState.LIVE,
)


def test_change_is_the_difference_to_the_close_before_and_its_percentage():
    assert QUOTE.change == Decimal("-9.5")
    assert QUOTE.change_percent == pytest.approx(-4.75, abs=1e-12)


def test_without_a_close_before_there_is_no_change():
    quote = replace(QUOTE, previous_close=None)
    assert quote.change is None
    assert quote.change_percent is None


@given(
    price=st.decimals("0.000001", "99999999999999.999999", places=6),
    previous=st.none() | st.decimals("0.000001", "99999999999999.999999", places=6),
    at=st.datetimes(timezones=st.just(UTC)),
)
def test_a_quote_travels_as_json_without_losing_a_digit(price, previous, at):
    quote = replace(QUOTE, price=price, previous_close=previous, at=at, day=at.date())
    assert Quote.from_json(quote.to_json()) == quote
    assert quotes_from_json(quotes_to_json([quote, QUOTE])) == [quote, QUOTE]
    assert str(Quote.from_json(quote.to_json()).price) == str(price)


@pytest.mark.parametrize(
    "text",
    [
        b"{}",
        b"[]",
        b"null",
        b"{",
        b'{"symbol": 1}',
        QUOTE.to_json().replace(b'"190.5"', b'"abc"'),
        QUOTE.to_json().replace(b"LIVE", b"ALIVE"),
        QUOTE.to_json().replace(b"2026-01-05T", b"2026-13-05T"),
        QUOTE.to_json().replace(b'"2026-01-05"', b"5"),
    ],
)
def test_what_is_no_quote_is_refused(text):
    with pytest.raises(BadInput):
        Quote.from_json(text)


@pytest.mark.parametrize("text", [b"{}", b"null", b"[1]", b"[", b"7"])
def test_what_is_no_list_of_quotes_is_refused(text):
    with pytest.raises(BadInput):
        quotes_from_json(text)


def test_a_tick_takes_the_place_of_an_older_one_only():
    later = replace(QUOTE, at=AT + timedelta(seconds=1))
    assert is_newer(QUOTE, None)
    assert is_newer(later, QUOTE)
    assert not is_newer(QUOTE, later)
    assert not is_newer(QUOTE, QUOTE)
    assert is_newer(replace(QUOTE, price=Decimal(191)), QUOTE)


def test_replay_ticks_go_by_their_order_and_another_source_begins_anew():
    replay = replace(QUOTE, state=QuoteState.REPLAY, source=QuoteSource.SAMPLE)
    earlier = replace(replay, at=AT - timedelta(days=300), day=date(2025, 3, 5))
    assert is_newer(earlier, replay)
    assert is_newer(replace(earlier, state=QuoteState.CLOSED), QUOTE)


@pytest.mark.parametrize("price", ["0", "-1", "NaN", "Infinity", "-Infinity", "sNaN"])
def test_a_price_must_be_positive_and_finite(price):
    assert "must be a positive number" in str(check_price(Decimal(price), AT, AT))
    assert check_price(Decimal("0.0001"), AT, AT) is None


def test_a_tick_may_be_two_minutes_ahead_at_most():
    assert check_price(Decimal(1), AT + timedelta(seconds=120), AT) is None
    assert "future" in str(check_price(Decimal(1), AT + timedelta(seconds=121), AT))


def test_a_late_price_is_never_called_live():
    old = AT - timedelta(seconds=91)
    assert moving_state(AT, AT, streamed=True) is QuoteState.LIVE
    assert moving_state(old, AT, streamed=True) is QuoteState.DELAYED
    assert moving_state(AT, AT, streamed=False) is QuoteState.DELAYED


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("71200.000000", "71200"),
        ("545.180000", "545.18"),
        ("7.12E+4", "71200"),
        ("0.0001", "0.0001"),
    ],
)
def test_prices_are_written_without_trailing_zeros_and_exponents(number, text):
    assert str(plain(Decimal(number))) == text
