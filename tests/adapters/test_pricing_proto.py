"""Yahoo's streamed message, read as protobuf's own implementation reads it."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.pricing_proto import read_pricing
from tests.fakes.pricing import PricingData

FLOATS = st.floats(width=32, min_value=2**-20, max_value=2**24)
LONGS = st.integers(-(2**63), 2**63 - 1)


@given(
    price=FLOATS,
    change=st.floats(width=32, allow_nan=False, allow_infinity=False),
    previous_close=FLOATS,
    time=LONGS,
    day_volume=LONGS,
    price_hint=LONGS,
    id=st.text(max_size=12),
    market_hours=st.integers(0, 3),
    quote_type=st.integers(0, 2**31 - 1),
    bid=FLOATS,
    market_cap=st.floats(0, 1e15),
    short_name=st.text(max_size=200),
)
def test_every_field_is_read_as_protobuf_reads_it(**fields):
    oracle = PricingData(**fields)
    ours = read_pricing(oracle.SerializeToString())
    for name in ("id", "time", "day_volume", "price_hint", "market_hours", "quote_type"):
        assert getattr(ours, name) == getattr(oracle, name)
    for name in ("price", "change", "previous_close"):
        assert PricingData(**{name: getattr(ours, name)}) == PricingData(
            **{name: getattr(oracle, name)}
        )


@pytest.mark.parametrize(
    "price", [189.53, 71200.0, 23456.78, 0.0001, 2654.32, 1467.25, 100.1, 0.1, 99999.99]
)
def test_a_price_is_the_decimal_that_was_meant(price):
    assert read_pricing(PricingData(price=price).SerializeToString()).price == price


@pytest.mark.parametrize("price", [float("inf"), float("-inf"), 3.4028234663852886e38])
def test_a_price_out_of_all_bounds_is_read_and_left_to_the_checks(price):
    assert read_pricing(PricingData(price=price).SerializeToString()).price == pytest.approx(price)


def test_a_field_that_is_absent_has_its_default():
    data = read_pricing(b"")
    assert (data.id, data.price, data.time, data.previous_close) == ("", 0.0, 0, 0.0)


@given(st.binary(max_size=80))
def test_garbage_is_read_or_refused_but_breaks_nothing(data):
    with contextlib.suppress(ValueError):
        read_pricing(data)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x0a\x05AAP", "field 1 has wire type 2 or is cut off"),
        (b"\x15\x00\x00", "field 2 has wire type 5 or is cut off"),
        (b"\x18", "cut off in a number"),
        (b"\x18" + b"\xff" * 10, "more than ten bytes"),
        (b"\x00\x00", "field number 0"),
        (b"\x10\x05", r"field 2 \(price\) has wire type 0"),
        (b"\x0a\x01\xff", "invalid start byte"),
        (b"\x0b", "field 1 has wire type 3"),
        (b"\x0d\x00\x00\x00\x00", r"field 1 \(id\) has wire type 5"),
    ],
)
def test_a_broken_message_says_where_it_is_broken(data, reason):
    with pytest.raises(ValueError, match=reason):
        read_pricing(data)
