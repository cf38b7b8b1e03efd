"""Allocation by instrument, sector, currency and market."""

from __future__ import annotations

from decimal import Decimal

from app.domain.portfolio.allocation import AllocationKey, Slice, allocate, gather
from tests.domain.portfolio.test_valuation import value

HELD = """
    2021-01-04 DEPOSIT 1000 KRW
    2021-01-04 OPENING AAPL 2 x 100 USD
    2021-01-04 OPENING TSLA 1 x 100 USD
    2021-01-04 OPENING 005930.KS 10 x 80 KRW
    2021-01-04 DEPOSIT 1 USD
"""
SECTORS = {"AAPL": "Technology", "005930.KS": "Technology"}


def slices(key, text=HELD, prices=None):
    told = value(text, prices or {"AAPL": 3, "TSLA": 2, "005930.KS": 100}, {"USD": 500})
    return [(s.name, s.value) for s in allocate(told, key, lambda p: SECTORS.get(p.symbol))]


def test_the_slices_of_each_key():
    assert slices(AllocationKey.INSTRUMENT) == [("AAPL", 3_000), (None, 1_500), ("005930.KS", 1_000), ("TSLA", 1_000)]  # fmt: skip
    assert slices(AllocationKey.SECTOR) == [("Technology", 4_000), (None, 1_500), ("", 1_000)]
    assert slices(AllocationKey.CURRENCY) == [("USD", 4_500), ("KRW", 2_000)]
    assert slices(AllocationKey.MARKET) == slices(AllocationKey.SECTOR)


def test_parts_are_of_the_whole():
    told = value(
        "2021-01-04 DEPOSIT 500 KRW\n2021-01-04 OPENING 005930.KS 10 x 80 KRW", {"005930.KS": 150}
    )
    assert allocate(told, AllocationKey.INSTRUMENT, lambda _: None) == [
        Slice("005930.KS", Decimal(1_500), Decimal("0.75")), Slice(None, Decimal(500), Decimal("0.25")),
    ]  # fmt: skip


def test_a_whole_that_is_not_above_zero_has_no_parts():
    told = value("2021-01-04 WITHDRAWAL 500 KRW", {})
    assert allocate(told, AllocationKey.CURRENCY, lambda _: None) == [
        Slice("KRW", Decimal(-500), None)
    ]


def test_what_has_no_value_and_what_is_closed_is_left_out():
    text = HELD + "2021-01-05 SELL TSLA 1 x 100 USD\n2021-01-05 WITHDRAWAL 101 USD"
    found = slices(AllocationKey.INSTRUMENT, text, {"005930.KS": 99})
    assert found == [(None, 1_000), ("005930.KS", 990)]


def test_the_smaller_ones_above_nothing_are_one_slice():
    parts = {"A": 5, "B": 3, None: 1, "C": 1, "D": -2}
    slices = [Slice(name, Decimal(n), Decimal(n) / 8) for name, n in parts.items()]
    assert gather(slices, 2) == [*slices[:2], Slice("", Decimal(2), Decimal("0.25"), 2)]
    assert gather(slices, 4) == slices[:4]
    assert gather(slices, 9) == slices
    unknown = [Slice(name, Decimal(n), None) for name, n in parts.items()]
    assert gather(unknown, 2)[-1] == Slice("", Decimal(2), None, 2)
