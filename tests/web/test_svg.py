"""Points of small drawings."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.web.svg import last_rows, polyline


def test_a_line_runs_from_the_left_to_the_right_with_the_lowest_value_at_the_bottom():
    assert polyline([1, 2, 3], 100, 20, 0) == ["0.0,20.0", "50.0,10.0", "100.0,0.0"]


def test_unknown_values_leave_a_place_and_no_point():
    assert polyline([1, None, 3], 100, 20, 0) == ["0.0,20.0", "100.0,0.0"]


def test_a_flat_line_lies_in_the_middle():
    assert polyline([5, 5], 100, 20, 2) == ["2.0,10.0", "98.0,10.0"]


def test_fewer_than_two_values_make_no_line():
    assert polyline([], 100, 20, 2) == []
    assert polyline([None, 4], 100, 20, 2) == []


@given(st.lists(st.floats(0.01, 1e9), min_size=2, max_size=60))
def test_every_point_lies_inside_the_drawing(values):
    for point in polyline(values, 84, 28, 2):
        x, y = (float(part) for part in point.split(","))
        assert 2 <= x <= 82
        assert 1.9 <= y <= 26.1


def test_the_last_rows_are_the_newest_known_closes():
    series = {"time": ["a", "b", "c", "d"], "close": [1.0, 2.0, None, 4.0]}
    assert last_rows(series, 2) == [("d", 4.0), ("b", 2.0)]
    assert last_rows({"time": [], "close": []}, 60) == []
