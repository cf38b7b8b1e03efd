"""Rows of the pages on portfolios."""

from __future__ import annotations

import pytest

from app.web.portfolio_listing import (
    draw_equity,
    group_sales,
    list_months,
    list_slices,
    list_summaries,
)


def test_the_donut_closes_and_what_is_below_nothing_has_no_place_on_it():
    parts = {"A": 0.6, None: 0.5, "B": 0.1, "C": -0.2, "D": None}
    slices = list_slices({"name": name, "part": part} for name, part in parts.items())
    assert [row["name"] for row in slices] == ["A", None, "B"]
    assert sum(row["length"] for row in slices) == pytest.approx(100)
    assert slices[2]["offset"] == pytest.approx(slices[0]["length"] + slices[1]["length"])
    assert slices[0]["percent"] == pytest.approx(60)


def test_a_month_is_drawn_beside_the_best_one_and_what_is_not_known_is_none_of_it():
    amounts = ("150", None, "75", "-5")
    rows = list_months([{"month": "m", "baseAmount": amount} for amount in amounts])
    assert [row["share"] for row in rows] == [1.0, 0.0, 0.5, 0.0]


def test_sales_stand_by_instrument_under_what_all_of_them_have_brought():
    rows = [
        {"symbol": symbol, "instrument": None, "ofInstrument": {"count": count, "baseGain": gain}}
        for symbol, count, gain in (("A", 5, "-2"), ("B", 1, None), ("A", 5, "-2"))
    ]
    groups = group_sales(rows)
    assert [(one["symbol"], one["baseGain"], one["count"]) for one in groups] == [
        ("A", "-2", 5),
        ("B", None, 1),
    ]
    assert groups[0]["sales"] == [rows[0], rows[2]]


def test_a_return_needs_all_figures_and_money_paid_in():
    def percent(**value):
        return list_summaries([{"value": value}])[0]["percent"]

    assert percent(flows="1000", total="1100", complete=True) == pytest.approx(10)
    assert percent(flows="0", total="1100", complete=True) is None
    assert percent(flows="1000", total="1100", complete=False) is None


def test_a_long_curve_is_drawn_with_few_points_and_its_ends():
    series = {"time": [str(n) for n in range(3001)], "unit": [None, *map(float, range(3000))]}
    curve = draw_equity(series)
    assert (curve["first"], curve["last"], curve["low"], curve["high"]) == ("1", "3000", 0, 2999)
    assert 250 < len(curve["points"]) <= 302
    assert draw_equity({"time": ["1"], "unit": [100.0]}) is None
