"""Lots: what is conserved when they are divided."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.portfolio.lots import (
    PRECISE,
    Holding,
    Lot,
    cede_cost,
    less_cost,
    minus,
    plus,
    rescaled,
    share,
    total_base,
)
from app.domain.transactions import LotMethod

DAY = date(2026, 3, 3)


def lot(quantity, cost, base="0", day=DAY, entry=None):
    return Lot(
        day, Decimal(quantity), Decimal(cost), None if base is None else Decimal(base), entry
    )


def holding(method, *lots):
    held = Holding("AAPL", "USD", method)
    for one in lots:
        held.add(one)
    return held


def test_a_share_is_rounded_far_behind_the_cent_and_the_whole_is_itself():
    with localcontext(PRECISE):
        third = share(Decimal(100), Decimal(1), Decimal(3))
        assert third == Decimal("33.333333333333333333333333")
        assert share(Decimal(100), Decimal(3), Decimal(3)) == 100
        assert share(Decimal("1E-30"), Decimal(3), Decimal(3)) == Decimal("1E-30")


def test_what_is_not_known_stays_unknown():
    one = Decimal(1)
    assert (plus(one, one), minus(one, one)) == (2, 0)
    assert plus(None, one) is plus(one, None) is minus(None, one) is minus(one, None) is None
    assert total_base([lot(1, 1, 5), lot(1, 1, None)]) is None
    assert total_base([lot(1, 1, 5), lot(1, 1, 7)]) == 12


def test_fifo_takes_the_oldest_lots_and_parts_of_the_next():
    held = holding(LotMethod.FIFO, lot(10, 1000, 10, entry=1), lot(10, 1200, 20, entry=2))
    taken = held.take(Decimal(15))
    assert taken == [lot(10, 1000, 10, entry=1), lot(5, 600, 10, entry=2)]
    assert list(held.lots) == [lot(5, 600, 10, entry=2)]
    assert held.quantity == 5


def test_average_keeps_one_lot_with_the_day_of_the_first():
    later = date(2026, 4, 1)
    held = holding(LotMethod.AVERAGE, lot(10, 1000, 10, entry=1), lot(10, 1200, 20, later, entry=2))
    assert list(held.lots) == [lot(20, 2200, 30, entry=1)]
    assert held.take(Decimal(5)) == [lot(5, 550, Decimal("7.5"), entry=1)]
    assert list(held.lots) == [lot(15, 1650, Decimal("22.5"), entry=1)]


def test_an_unknown_rate_stays_with_its_lot_only():
    held = holding(LotMethod.FIFO, lot(1, 10, None), lot(1, 10, 9))
    assert [one.base_cost for one in held.take(Decimal(1))] == [None]
    assert total_base(held.lots) == 9
    half = holding(LotMethod.FIFO, lot(2, 10, None)).take(Decimal(1))
    assert half == [lot(1, 5, None)]
    assert less_cost([lot(1, 10, None)], cede_cost([lot(1, 10, None)], Decimal("0.5"))) == [
        lot(1, 5, None)
    ]


def test_ceding_takes_a_part_of_every_cost_and_no_shares():
    lots = [lot(3, 10, 7), lot(1, 5, 3)]
    ceded = cede_cost(lots, Decimal("0.2"))
    assert ceded == [lot(3, 2, "1.4"), lot(1, 1, "0.6")]
    assert less_cost(lots, ceded) == [lot(3, 8, "5.6"), lot(1, 4, "2.4")]


AMOUNTS = st.decimals(1, 10**9, places=2)
QUANTITIES = st.decimals("0.000001", 10**6, places=6)


@pytest.mark.parametrize("method", LotMethod)
@given(data=st.data())
def test_nothing_is_lost_and_nothing_remains(method, data):
    lots = [
        lot(q, c, b)
        for q, c, b in data.draw(
            st.lists(st.tuples(QUANTITIES, AMOUNTS, AMOUNTS), min_size=1, max_size=8)
        )
    ]
    with localcontext(PRECISE):
        held = holding(method, *lots)
        total = sum(one.quantity for one in lots)
        taken = []
        while held.quantity:
            if data.draw(st.booleans()):
                factor = data.draw(st.sampled_from([Decimal(2), Decimal("0.1"), Decimal("1.5")]))
                held.rescale(held.quantity * factor)
            part = data.draw(st.sampled_from([1, 2, 3, 7]))
            quantity = (
                held.quantity if part == 1 else share(held.quantity, Decimal(1), Decimal(part))
            )
            if 0 < quantity <= held.quantity:
                before = held.quantity
                taken += held.take(quantity)
                assert held.quantity == before - quantity == sum(one.quantity for one in held.lots)
            if len(taken) > 60:
                taken += held.take(held.quantity)
        assert total > 0
        assert not held.lots
        assert sum(one.cost for one in taken) == sum(one.cost for one in lots)
        assert sum(one.base_cost for one in taken) == sum(one.base_cost for one in lots)


def test_a_holding_below_zero_gives_its_shares_back_oldest_first():
    held = holding(LotMethod.FIFO, lot(-2, -20, -2), lot(-3, -33, -3))
    assert held.take(Decimal(-3)) == [lot(-2, -20, -2), lot(-1, -11, -1)]
    assert held.quantity == -2


def test_rescaling_gives_the_last_lot_what_rounding_left():
    with localcontext(PRECISE):
        lots = rescaled([lot(1, 1), lot(1, 1), lot(1, 1)], Decimal(3), Decimal(1))
        assert sum(one.quantity for one in lots) == 1
        assert lots[0].quantity == Decimal("0.333333333333333333333333")
    assert rescaled([], Decimal(0), Decimal(5)) == []
