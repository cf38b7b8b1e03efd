"""Numbers, days and currencies as files spell them; what can be read in two ways is refused."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.records.cells import (
    DayOrder,
    find_currency,
    find_day_order,
    read_currency,
    read_day,
    read_number,
    says_comma,
)
from app.errors import BadInput


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1,234.50", "1234.50"),
        ("1234", "1234"),
        ("-5", "-5"),
        ("5-", "-5"),
        ("(1,234)", "-1234"),
        ("△1,234", "-1234"),
        ("\u22121", "-1"),
        ("+7", "7"),
        ("₩71,200", "71200"),
        ("71,200원", "71200"),
        ("$ 5.25", "5.25"),
        ("US$5", "5"),
        ("\uff11\uff12\uff13", "123"),
        (".5", ".5"),
        ("1\u00a0234", "1234"),
    ],
)
def test_numbers_with_a_decimal_point(text, number):
    assert read_number(text) == Decimal(number)


@pytest.mark.parametrize(
    ("text", "number"), [("1.234,50", "1234.50"), ("0,5", "0.5"), ("-1.000.000", "-1000000")]
)
def test_numbers_with_a_decimal_comma(text, number):
    assert read_number(text, comma=True) == Decimal(number)


@pytest.mark.parametrize(
    "text",
    [
        *("", "-", "1,23", "1.2.3", "1e999", "1E+05", "NaN", "Infinity", "=1", "1 2,3", "0x10"),
        *("1,2345", ".", "()", "abc", "--1", "\u0663", "1,234,5", "9" * 41),
    ],
)
def test_what_is_no_number_is_refused(text):
    with pytest.raises(BadInput, match="no number"):
        read_number(text)


@given(st.text(max_size=50), st.booleans())
def test_any_text_is_a_number_or_refused(text, comma):
    with suppress(BadInput):
        assert read_number(text, comma=comma).is_finite()


@given(st.decimals(-(10**12), 10**12, places=4))
def test_a_number_is_read_as_it_is_written_in_both_styles(number):
    point = f"{number:,f}"
    comma = point.translate(str.maketrans(",.", ".,"))
    assert read_number(point) == read_number(comma, comma=True) == number


def test_a_decimal_comma_is_seen_where_nothing_speaks_against_it():
    assert says_comma(["1.234,50", "100"])
    assert says_comma(["0,5"])
    assert not says_comma(["1,234", "1,000"])
    assert not says_comma(["0,5", "0.5"])
    assert not says_comma(["1.5", ""])


@pytest.mark.parametrize(
    "text",
    [
        *("2024-01-02", "2024.01.02", "2024/1/2", "20240102", "2024년 1월 2일", "2024. 1. 2."),
        *("2024-01-02T09:00:00.000Z", "2024.01.02 15:30:01", "2024-01-02(화)"),
        *("02.01.2024", "02-01-2024"),
    ],
)
def test_days(text):
    assert read_day(text) == date(2024, 1, 2)


def test_a_date_with_slashes_needs_its_order():
    with pytest.raises(BadInput, match="two ways"):
        read_day("01/02/2024")
    assert read_day("01/02/2024", DayOrder.DMY) == date(2024, 2, 1)
    assert read_day("01/02/2024", DayOrder.MDY) == date(2024, 1, 2)
    assert read_day("24.01.02", DayOrder.YMD) == date(2024, 1, 2)


def test_the_order_is_found_where_only_one_is_possible():
    assert find_day_order(["01/02/2024", "13/02/2024"]) is DayOrder.DMY
    assert find_day_order(["01/02/2024", "02/13/2024"]) is DayOrder.MDY
    assert find_day_order(["01/02/2024"]) is None
    assert find_day_order(["13/02/2024", "02/13/2024"]) is None


@pytest.mark.parametrize(
    "text", ["", "2024-02-30", "24.01.02", "2024-13-01", "0001-01-01", "3024-01-01", "1/2", "어제"]
)
def test_what_is_no_day_is_refused(text):
    with pytest.raises(BadInput, match="no day such as"):
        read_day(text)


@given(st.text(max_size=40), st.none() | st.sampled_from(DayOrder))
def test_any_text_is_a_day_or_refused(text, order):
    with suppress(BadInput):
        assert 1900 <= read_day(text, order).year <= 2100


def test_currencies():
    assert [read_currency(t) for t in ("원", "krw", "미국 달러", "US$", "EUR")] == [
        *("KRW", "KRW", "USD", "USD"),
        "EUR",
    ]
    assert find_currency("₩1,000") == find_currency("1,000원") == "KRW"
    assert find_currency("$5") == "USD"
    assert find_currency("5") is None
