"""Pages and their cursors."""

from __future__ import annotations

import base64

import pytest

from app.errors import BadInput
from app.services.paging import check_first, cut_page, make_cursor, read_cursor


@pytest.mark.parametrize("first", [1, 50, 200])
def test_a_page_size_within_the_bound_is_taken(first):
    assert check_first(first) == first


@pytest.mark.parametrize("first", [-1, 0, 201])
def test_a_page_size_out_of_bounds_names_the_bound(first):
    with pytest.raises(BadInput, match=f"first is {first}; it must be from 1 to 200"):
        check_first(first)


def test_a_cursor_reads_back_as_its_key():
    assert read_cursor(make_cursor(7, "005930.KS"), int, str) == (7, "005930.KS")
    assert read_cursor(make_cursor("2026-01-05"), str) == ("2026-01-05",)


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "!",
        "\ud800",
        "삼성",
        make_cursor("AAPL"),
        make_cursor(1, "AAPL", 2),
        make_cursor("1", "AAPL"),
        encoded("{}"),
        encoded("[true, 'A']"),
        encoded('[1, "\\u0000"]'),
        encoded('[99999999999, "A"]'),
        "A" * 5000,
    ],
)
def test_a_cursor_that_is_none_of_ours_is_refused(cursor):
    with pytest.raises(BadInput, match="endCursor") as refused:
        read_cursor(cursor, int, str)
    assert refused.value.field == "after"


def test_one_row_more_than_asked_for_means_a_next_page():
    page = cut_page([1, 2, 3], ["a", "b", "c"], 2)
    assert (page.rows, page.cursors, page.has_next) == ([1, 2], ["a", "b"], True)
    assert not cut_page([1, 2], ["a", "b"], 2).has_next
