"""Key figures in words."""

from __future__ import annotations

import pytest

from app.web.figures import list_figures

SNAPSHOT = {
    "day": "2026-11-20",
    "rsi14": 61.24,
    "macd": 412.1,
    "macdSignal": 380.5,
    "stochasticK": 83.2,
    "sma20": 100.0,
    "sma50": 80.0,
    "sma200": 125.0,
    "bollingerUpper": 120.0,
    "bollingerLower": 80.0,
}


def same(message: str) -> str:
    """English is its own translation."""
    return message


def readings(close="100", **changes):
    rows = list_figures(SNAPSHOT | changes, close, 2, same)
    return {row.label.split(" (")[0]: row for row in rows}


def test_nothing_is_known_before_the_first_indicators():
    assert list_figures(None, "100", 2, same) == []


@pytest.mark.parametrize(
    ("value", "reading"),
    [
        (29.9, "oversold, below 30"),
        (30.0, "neutral, 30 to 70"),
        (70.0, "neutral, 30 to 70"),
        (70.1, "overbought, above 70"),
    ],
)
def test_rsi_is_read_in_words(value, reading):
    assert readings(rsi14=value)["RSI"].reading == reading


def test_averages_say_how_far_the_price_is_from_them():
    rows = readings()
    assert rows["Average of 20 days"].reading == "price 0.0% above"
    assert rows["Average of 50 days"].reading == "price 25.0% above"
    assert rows["Average of 200 days"].reading == "price 20.0% below"


def test_macd_is_read_against_its_signal_line():
    assert readings()["MACD"].reading == "above its signal line 380.50"
    assert readings(macd=-1.0)["MACD"].reading == "below its signal line 380.50"
    assert readings(macd=-1.0)["MACD"].value == "-1.00"


@pytest.mark.parametrize(
    ("close", "reading"),
    [("79", "below the band"), ("100", "inside the band"), ("121", "above the band")],
)
def test_the_band_says_where_the_price_lies(close, reading):
    assert readings(close)["Bollinger"].reading == reading


def test_what_is_unknown_in_warm_up_is_left_out():
    assert "Average of 200 days" not in readings(sma200=None)
    unknown = dict.fromkeys(SNAPSHOT)
    assert list_figures(unknown, "100", 2, same) == []


def test_without_a_close_the_values_stand_alone():
    rows = readings(None)
    assert rows["Average of 20 days"].reading == ""
    assert rows["Bollinger"].value == "80.00 ~ 120.00"
