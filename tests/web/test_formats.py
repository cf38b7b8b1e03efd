"""Numbers and instants as readers see them."""

from __future__ import annotations

import pytest

from app.web.formats import (
    clock,
    day,
    digits,
    direction,
    make_filters,
    moment,
    number,
    percent,
    row_as_of,
    short_moment,
    signed,
    zone_name,
)

DASH = "\N{EN DASH}"


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [
        ("71200", 0, "71,200"),
        ("1234567.8", 2, "1,234,567.80"),
        ("0.125", 2, "0.13"),
        ("2.5", 0, "3"),
        ("-2.5", 0, "-3"),
        ("-0.004", 2, "0.00"),
        (187.435, 2, "187.44"),
        (None, 2, DASH),
    ],
)
def test_a_number_is_grouped_and_rounded_half_away_from_zero(value, places, text):
    assert number(value, places) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [("599", "+599"), ("-7997.2", "-7,997"), ("0", "0"), ("-0.4", "0"), (None, DASH)],
)
def test_a_change_has_a_sign_unless_it_shows_as_zero(value, text):
    assert signed(value, 0) == text


def test_a_percentage_has_two_places_and_a_sign():
    assert percent(0.853) == "+0.85%"
    assert percent(-3.0) == "-3.00%"
    assert percent(None) == DASH


def test_the_direction_is_that_of_the_value():
    assert [direction(v) for v in ("0.01", "-5", "0", None)] == ["up", "down", "flat", "flat"]


@pytest.mark.parametrize(
    ("kind", "currency", "places"),
    [
        ("EQUITY", "KRW", 0),
        ("ETF", "USD", 2),
        ("INDEX", "KRW", 2),
        ("FX", "KRW", 2),
        ("FX", "USD", 4),
    ],
)
def test_won_have_no_decimals_and_indices_and_rates_do(kind, currency, places):
    assert digits({"kind": kind, "currency": currency}) == places


def test_an_instant_stands_on_the_clock_of_its_exchange():
    assert clock("2026-11-23T05:31:07Z", "Asia/Seoul") == "14:31"
    assert clock("2026-11-23T05:31:07Z", "America/New_York", seconds=True) == "00:31:07"
    assert moment("2026-11-23T05:31:07Z", "Asia/Seoul") == "2026-11-23 14:31 KST"
    assert short_moment("2026-11-23T15:31:07Z", "Asia/Seoul") == "11-24 00:31"
    assert clock(None, "Asia/Seoul") == moment(None, "Asia/Seoul") == DASH
    assert short_moment(None, "Asia/Seoul") == DASH


def test_a_session_date_stays_as_it_is_in_tables():
    assert day("2012-03-05") == "2012-03-05"
    assert day(None) == DASH


def test_zones_have_the_names_of_market_clocks():
    assert [zone_name(z) for z in ("Asia/Seoul", "America/New_York")] == ["KST", "ET"]
    assert zone_name("Europe/London", "ko") == "런던"
    assert zone_name("America/Sao_Paulo") == "Sao Paulo"


def test_money_has_the_symbol_of_the_language_and_the_places_of_the_currency():
    korean, english = make_filters("ko")["money"], make_filters("en")["money"]
    assert korean("1234567.5", "KRW") == "₩1,234,568"
    assert korean("1234567.8", "USD") == "US$1,234,567.80"
    assert english("-1234.5", "USD") == "-$1,234.50"
    assert english("5", "EUR") == "EUR 5.00"
    assert english(None, "USD") == DASH


def test_large_counts_are_short_in_the_units_of_the_language():
    korean, english = make_filters("ko")["compact"], make_filters("en")["compact"]
    assert [korean(v) for v in ("9999", "14456000", "250000000")] == ["9,999", "1,446만", "2.5억"]
    assert [english(v) for v in ("999", "14456000", "2500000000")] == ["999", "14.5M", "2.5B"]
    assert korean(None) == DASH


def test_a_day_in_words_follows_the_language():
    assert make_filters("ko")["long_day"]("2012-03-05") == "2012년 3월 5일"
    assert make_filters("en")["long_day"]("2012-03-05") == "March 5, 2012"
    assert make_filters("en")["long_day"](None) == DASH


@pytest.mark.parametrize(
    ("state", "text"),
    [("LIVE", "15:29"), ("DELAYED", "15:29"), ("CLOSED", "2026-11-20"), ("STALE", "2026-11-20")],
)
def test_a_price_that_moves_has_a_time_and_any_other_its_day(state, text):
    quote = {"state": state, "at": "2026-11-20T06:29:30Z", "day": "2026-11-20"}
    assert row_as_of(quote, "Asia/Seoul") == text
