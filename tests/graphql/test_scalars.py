"""Scalars: every digit there and back, and nothing that is no number, day or instant."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from graphql import GraphQLError

from app.graphql.scalars import (
    SCALARS,
    Series,
    decimal_text,
    finite,
    instant_text,
    parse_day,
    parse_decimal,
    parse_instant,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("71200", "71200"),
        ("71200.000000", "71200"),
        ("187.430000", "187.43"),
        ("-0.500", "-0.5"),
        ("0", "0"),
        ("-0.00", "0"),
        ("1E+3", "1000"),
        ("1E-8", "0.00000001"),
        ("12345678901234567890.123456", "12345678901234567890.123456"),
    ],
)
def test_a_decimal_is_printed_with_all_its_digits_and_no_more(value, text):
    assert decimal_text(Decimal(value)) == text
    assert Decimal(text) == Decimal(value)


def test_a_whole_number_larger_than_an_int_of_graphql_is_printed():
    assert decimal_text(4_300_000_000) == "4300000000"


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), 1.5, True, "1", None])
def test_what_is_no_finite_decimal_is_not_printed(value):
    with pytest.raises(TypeError):
        decimal_text(value)


@pytest.mark.parametrize("text", ["187.43", "-1", "0.00000001", "12345678901234567890.1"])
def test_a_decimal_is_read_from_a_text_exactly(text):
    assert parse_decimal(text) == Decimal(text)


def test_a_decimal_is_read_from_a_whole_number():
    assert parse_decimal(42) == Decimal(42)


@pytest.mark.parametrize(
    "value",
    [
        1.5,
        float("nan"),
        True,
        None,
        "NaN",
        "Infinity",
        "-inf",
        "1e3",
        "1e999",
        "",
        " 1",
        "1_000",
        "٣",
        "1,5",
        "0x1",
        "1\x00",
        "9" * 21,
        10**21,
        ["1"],
        {"a": 1},
        ".5",
        "5.",
    ],
)
def test_what_is_no_exact_decimal_is_refused(value):
    with pytest.raises(GraphQLError, match="Decimal cannot be"):
        parse_decimal(value)


def test_an_instant_is_printed_in_utc_with_z():
    seoul = timezone(timedelta(hours=9))
    assert instant_text(datetime(2026, 1, 5, 15, 30, tzinfo=seoul)) == "2026-01-05T06:30:00Z"
    assert (
        instant_text(datetime(2026, 1, 5, 6, 30, 0, 250000, UTC)) == "2026-01-05T06:30:00.250000Z"
    )


@pytest.mark.parametrize("value", [datetime(2026, 1, 5), date(2026, 1, 5), "2026-01-05T00:00:00Z"])  # noqa: DTZ001
def test_what_is_no_instant_with_a_zone_is_not_printed(value):
    with pytest.raises(TypeError):
        instant_text(value)


@pytest.mark.parametrize(
    "text", ["2026-01-05T06:30:00Z", "2026-01-05T15:30:00+09:00", "2026-01-05T06:30Z"]
)
def test_an_instant_is_read_in_any_zone(text):
    assert parse_instant(text) == datetime(2026, 1, 5, 6, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        "2026-01-05T06:30:00",
        "2026-01-05",
        "2026-02-30T00:00:00Z",
        "2026-01-05T25:00:00Z",
        0,
        None,
        "0001-01-01T00:00:00+14:00",
        "2026-01-05T06:30:00+24:00",
        "now",
        "2026-01-05 06:30:00Z",
    ],
)
def test_what_is_no_instant_is_refused(value):
    with pytest.raises(GraphQLError, match="DateTime cannot be"):
        parse_instant(value)


def test_a_day_is_read():
    assert parse_day("2026-01-05") == date(2026, 1, 5)


@pytest.mark.parametrize(
    "value", ["20260105", "2026-W01-1", "2026-1-5", "2026-02-30", "2026-01-05T00:00:00Z", 20260105]
)
def test_what_is_no_day_is_refused(value):
    with pytest.raises(GraphQLError, match="Date cannot be"):
        parse_day(value)


def test_an_instant_is_not_printed_as_a_day():
    with pytest.raises(TypeError):
        SCALARS[date].serialize(datetime(2026, 1, 5, tzinfo=UTC))


def test_columns_are_passed_on_untouched_and_never_taken():
    columns = {"time": ["2026-01-05"], "close": [None]}
    assert SCALARS[Series].serialize(columns) is columns
    with pytest.raises(GraphQLError):
        SCALARS[Series].parse_value(columns)


@pytest.mark.parametrize(
    ("value", "shown"), [(1.5, 1.5), (None, None), (float("nan"), None), (float("inf"), None)]
)
def test_a_number_that_json_lacks_is_unknown(value, shown):
    assert finite(value) == shown
