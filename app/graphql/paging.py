"""Relay's connections: edges with cursors, page info, and how many there are in all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import strawberry

from app.graphql.describing import described
from app.services.paging import MAX_ROWS, Page, check_first, cut_page, make_cursor, read_cursor

Node = TypeVar("Node")
Row = TypeVar("Row")


@described
@strawberry.type
class PageInfo:
    """Whether there are more rows, and the cursor that `after` takes to continue."""

    has_next_page: bool
    end_cursor: str | None


@described
@strawberry.type
class Edge(Generic[Node]):
    """One row of a page with its cursor."""

    cursor: str
    node: Node


@described
@strawberry.type
class Connection(Generic[Node]):
    """A page of rows, in order."""

    edges: list[Edge[Node]]
    page_info: PageInfo
    count: strawberry.Private[Callable[[], Any]]

    @strawberry.field
    async def total_count(self) -> int:
        """How many rows there are on all pages."""
        return int(await self.count())


def clamp(first: int | None, default: int) -> int:
    """A page holds at most 200 rows, whatever was asked for; the service refuses less than one."""
    return default if first is None else min(first, MAX_ROWS)


def make_connection(
    page: Page[Row], convert: Callable[[Row], Node], count: Callable[[], Any]
) -> Connection[Node]:
    """A page of a service as a connection; `count` awaits the total."""
    edges = [
        Edge(cursor=cursor, node=convert(row))
        for row, cursor in zip(page.rows, page.cursors, strict=True)
    ]
    info = PageInfo(
        has_next_page=page.has_next, end_cursor=page.cursors[-1] if page.cursors else None
    )
    return Connection(edges=edges, page_info=info, count=count)


def connect_rows(
    rows: Sequence[Row], first: int, after: str | None, convert: Callable[[Row], Node]
) -> Connection[Node]:
    """A page of rows that are all at hand; a cursor is the number of a row.

    Raises:
        BadInput: `first` is not from 1 to 200, or a foreign cursor.
    """
    start = 0 if after is None else max(read_cursor(after, int)[0] + 1, 0)
    wanted = list(rows[start : start + check_first(first) + 1])
    cursors = [make_cursor(start + number) for number in range(len(wanted))]

    async def count() -> int:
        return len(rows)

    return make_connection(cut_page(wanted, cursors, first), convert, count)
