"""Fundamentals: what is believed, what is refused and named, what is simply not told."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest

from app.domain.fundamentals import AMOUNTS, RATIOS, Fundamentals, make_fundamentals

BROKEN = (math.nan, math.inf, -math.inf, "Infinity", "31.2", True, [1], 10**400)


def test_what_is_told_is_kept_exactly():
    found = make_fundamentals(
        "USD", "KRW", {"market_cap": 3012345678912, "total_debt": 0.1, "trailing_pe": 31.25}
    )
    assert found == Fundamentals(
        "USD", "KRW", Decimal(3012345678912), Decimal("0.1"), trailing_pe=31.25
    )
    assert not found.empty


def test_what_is_not_told_is_none_and_not_refused():
    found = make_fundamentals("KRW", None, {"market_cap": None, "other": 5})
    assert found == Fundamentals("KRW")
    assert found.empty


@pytest.mark.parametrize("value", BROKEN)
@pytest.mark.parametrize("name", [*AMOUNTS, *RATIOS])
def test_what_is_no_finite_number_is_refused_by_its_name(name, value):
    found = make_fundamentals("USD", None, {"debt_to_equity": 1.5} | {name: value})
    assert getattr(found, name) is None
    assert found.refused == (name,)


@pytest.mark.parametrize("name", [*AMOUNTS, *RATIOS])
def test_a_figure_at_its_bounds_is_kept_and_one_beyond_is_refused(name):
    for bound, beyond in zip((AMOUNTS | RATIOS)[name], (-1, 1), strict=True):
        kept = make_fundamentals("USD", None, {name: bound})
        assert (getattr(kept, name), kept.refused) == (bound, ())
        step = max(abs(float(bound)) * 1e-6, 1e-3) * beyond
        far = make_fundamentals("USD", None, {name: float(bound) + step})
        assert (getattr(far, name), far.refused) == (None, (name,))


def test_losses_are_real():
    told = {"forward_pe": -12.5, "price_to_book": -3.4, "return_on_equity": -0.75}
    found = make_fundamentals("USD", None, told | {"net_margin": -42.0})
    assert found.refused == ()
    assert (found.forward_pe, found.net_margin) == (-12.5, -42.0)
