"""Pages: rows by a key, each with the cursor that the next page continues after.

A cursor is the row's key as URL-safe base64 of JSON: opaque to clients, checked when it comes back.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import orjson

from app.errors import BadInput

MAX_ROWS: Final = 200

Row = TypeVar("Row")


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Rows in order, a cursor for each, and whether there are more behind them."""

    rows: list[Row]
    cursors: list[str]
    has_next: bool


def check_first(first: int, bound: int = MAX_ROWS) -> int:
    """The page size as it is.

    Raises:
        BadInput: it is not from 1 to `bound`.
    """
    if not 1 <= first <= bound:
        msg = "first is %(value)d; it must be from 1 to %(bound)d"
        raise BadInput(msg, field="first", value=first, bound=bound)
    return first


def make_cursor(*key: str | int) -> str:
    """The cursor of a row with this key."""
    return base64.urlsafe_b64encode(orjson.dumps(key)).decode().rstrip("=")


def read_cursor(cursor: str, *types: type) -> tuple[Any, ...]:
    """The key in a cursor, of these types.

    Raises:
        BadInput: no cursor of ours.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        key = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error):
        key = None
    if not isinstance(key, list) or not _fits(key, types):
        msg = "after is %(value).60r; it must be the endCursor of an earlier page"
        raise BadInput(msg, field="after", value=cursor)
    return tuple(key)


def cut_page(rows: list[Row], cursors: list[str], first: int) -> Page[Row]:
    """A page of `first` rows from a query that asked for one row more."""
    return Page(rows[:first], cursors[:first], has_next=len(rows) > first)


def _fits(key: list[Any], types: tuple[type, ...]) -> bool:
    """Whether these are values of the types that the database can compare with a column."""
    return [type(part) for part in key] == list(types) and all(
        part.isprintable() if isinstance(part, str) else abs(part) < 2**31 for part in key
    )
