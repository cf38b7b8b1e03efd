"""Drawings of backtests: curves on one scale, marks at their days, shades of a heatmap."""

from __future__ import annotations

import pytest

from app.web.backtest_listing import draw_curves, draw_trades, rows_of, shade, thin, with_years


def test_curves_share_a_scale_and_the_drawdown_hangs_from_the_top():
    series = {"time": ["a", "b", "c"], "equity": [100, 50, 150], "drawdown": [0, -0.5, 0],
              "buyAndHold": [100, 100, None]}  # fmt: skip
    drawn = draw_curves(series)
    assert drawn["lines"]["equity"] == ["4.0,110.0", "360.0,216.0", "716.0,4.0"]
    assert drawn["lines"]["buyAndHold"] == ["4.0,110.0", "360.0,110.0"]
    assert drawn["drawdown"][0] == "4,0"
    assert drawn["drawdown"][2] == "360.0,76.0"
    assert (drawn["low"], drawn["high"], drawn["deepest"]) == (50, 150, -0.5)
    assert draw_curves({"time": ["a"]}) is None
    assert draw_curves({}) is None


def test_trades_are_marked_at_their_closes():
    series = {"time": ["a", "b", "c"], "close": [1, 2, 3]}
    drawn = draw_trades(series, {"day": ["b", "c", "x"], "quantity": [5, -5, 1]})
    assert drawn["marks"] == [
        {"x": 360.0, "y": 110.0, "buys": True}, {"x": 716.0, "y": 4.0, "buys": False},
    ]  # fmt: skip
    assert draw_trades({"time": [], "close": []}, {"day": [], "quantity": []})["marks"] == []


def test_of_many_points_some_are_drawn_and_the_last_one():
    assert thin(3) == [0, 1, 2]
    kept = thin(10_001)
    assert len(kept) <= 402
    assert kept[-1] == 10_000


def test_shades_go_from_the_middle_to_the_extremes():
    matrix = {"rows": [2020], "columns": [1, 2, 3], "values": [[0.1, -0.2, None]]}
    (row,) = with_years(matrix)
    assert [cell["level"] for cell in row["cells"]] == [2, -4, None]
    assert row["year"] == pytest.approx(1.1 * 0.8 - 1)
    (row,) = shade(matrix, middle=None)
    assert [cell["level"] for cell in row["cells"]] == [4, -4, None]
    assert shade({"rows": [], "columns": [], "values": []}) == []
    assert rows_of({"a": [1, 2], "b": [3, 4]}) == [{"a": 1, "b": 3}, {"a": 2, "b": 4}]
