"""Rows of the pages on portfolios."""

from __future__ import annotations

import pytest

from app.web.portfolio_listing import (
    LARGEST,
    draw_equity,
    group_sales,
    income_by_month,
    list_benchmarks,
    list_positions,
    list_slices,
    list_summaries,
)


def part(name, value, share):
    return {"name": name, "value": value, "part": share}


def test_the_donut_closes_whatever_is_on_it():
    nodes = [part(str(n), "1", 0.09) for n in range(10)] + [part(None, "1", 0.1)]
    slices = list_slices(nodes, [])
    assert len(slices) == LARGEST + 1
    assert sum(row["length"] for row in slices) == pytest.approx(100)
    assert slices[-1]["value"] == str(len(nodes) - LARGEST)
    assert slices[1]["offset"] == pytest.approx(slices[0]["length"])


def test_what_is_below_nothing_has_no_place_on_a_circle():
    slices = list_slices([part("A", "12", 1.2), part(None, "-2", -0.2)], [])
    assert [(row["symbol"], round(row["length"])) for row in slices] == [("A", 100)]


def test_income_is_summed_by_month_and_a_missing_rate_makes_no_sum():
    rows = income_by_month(
        [
            {"day": "2026-03-05", "baseAmount": "100"},
            {"day": "2026-03-20", "baseAmount": "50"},
            {"day": "2026-01-09", "baseAmount": "75"},
            {"day": "2026-02-09", "baseAmount": None},
        ]
    )
    assert [(row["month"], row["amount"]) for row in rows] == [
        ("2026-03", "150"),
        ("2026-02", None),
        ("2026-01", "75"),
    ]
    assert [row["share"] for row in rows] == [1.0, 0.0, 0.5]


def test_the_largest_position_comes_first_and_one_without_a_value_last():
    rows = [
        {"symbol": name, "baseValue": value, "weight": None}
        for name, value in (("A", "5"), ("B", None), ("C", "70"))
    ]
    assert [row["symbol"] for row in list_positions(rows)] == ["C", "A", "B"]


def test_positions_are_sorted_either_way_and_what_is_not_known_comes_last():
    rows = [
        {
            "symbol": name,
            "instrument": {"name": name},
            "price": price and {"value": price},
            "baseValue": "1",
            "weight": None,
        }
        for name, price in (("b", "9"), ("A", None), ("C", "10"))
    ]
    by = lambda *sort, **way: [row["symbol"] for row in list_positions(rows, *sort, **way)]  # noqa: E731
    assert by("price") == ["C", "b", "A"]
    assert by("price", turned=True) == ["b", "C", "A"]
    assert by("name", turned=True) == ["A", "b", "C"]


def test_sales_are_summed_by_instrument_and_a_missing_rate_makes_no_sum():
    rows = [
        {"symbol": symbol, "instrument": None, "baseGain": gain}
        for symbol, gain in (("A", "5"), ("B", None), ("A", "-7"), ("B", "1"))
    ]
    groups = group_sales(rows)
    assert [(one["symbol"], one["gain"], len(one["sales"])) for one in groups] == [
        ("A", "-2", 2),
        ("B", None, 2),
    ]


def test_a_curve_stands_beside_indices_and_funds():
    rows = [{"symbol": kind, "kind": kind} for kind in ("EQUITY", "INDEX", "ETF")]
    assert [row["symbol"] for row in list_benchmarks(rows)] == ["INDEX", "ETF"]
    assert list_benchmarks(rows[:1]) == rows[:1]


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
