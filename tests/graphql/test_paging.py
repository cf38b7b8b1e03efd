"""Connections: a page with its cursors, and a total that is counted only when it is asked for."""

from __future__ import annotations

import pytest

from app.graphql.paging import clamp, make_connection
from app.services.paging import Page


@pytest.mark.parametrize(
    ("first", "rows"), [(None, 50), (1, 1), (200, 200), (201, 200), (10**9, 200), (0, 0), (-1, -1)]
)
def test_a_page_is_cut_at_200_and_what_is_less_than_one_is_left_to_the_service(first, rows):
    assert clamp(first, 50) == rows


async def test_a_page_becomes_edges_with_the_cursor_of_the_last():
    counted = []

    async def count() -> int:
        counted.append(1)
        return 7

    page = Page(rows=[1, 2], cursors=["a", "b"], has_next=True)
    connection = make_connection(page, str, count)
    assert [(edge.cursor, edge.node) for edge in connection.edges] == [("a", "1"), ("b", "2")]
    assert (connection.page_info.has_next_page, connection.page_info.end_cursor) == (True, "b")
    assert counted == []
    assert await connection.count() == 7


def test_an_empty_page_has_no_cursor():
    connection = make_connection(Page(rows=[], cursors=[], has_next=False), str, lambda: 0)
    assert connection.page_info.end_cursor is None
    assert connection.edges == []
