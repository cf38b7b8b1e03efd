"""What is known of a recorded day's course: four prices, in an order fixed by rule.

A daily bar says what the first, the highest, the lowest and the last price were, not when the two
extremes were. The replay shows the open, then the extreme that lies nearer to it, then the other,
then the close; when both are equally near, the low comes first. Nothing in between is made up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

STEPS: Final = 4
WINDOW: Final = 250
"""How many of the last recorded sessions are played."""

_PLACES: Final = Decimal("0.000001")


@dataclass(frozen=True)
class Cursor:
    """Where the replay stands: `step` 0 … 3 of `day` is the one shown."""

    day: date
    step: int


def day_path(
    open_: Decimal | None, high: Decimal | None, low: Decimal | None, close: Decimal | None
) -> tuple[Decimal | None, ...]:
    """The price of each of the four steps; None where nothing is known.

    A bar without a close has no course; one without an open or an extreme has its close only.
    """
    if close is None:
        return (None,) * STEPS
    if open_ is None or high is None or low is None:
        return (None, None, None, close)
    low_first = open_ - low <= high - open_
    return (open_, low, high, close) if low_first else (open_, high, low, close)


def split_close(close: Decimal, ratio: Decimal) -> Decimal:
    """A close of the day before on the basis of a day with a split, to six places.

    `ratio` is new shares for an old one; 1 without a split.
    """
    return close if ratio == 1 else (close / ratio).quantize(_PLACES)


def play_window(days: list[date]) -> list[date]:
    """The days that are played, of all recorded ones in order: the last 250.

    At least one recorded day stays before the first, so that there is something to compare with.
    """
    return days[1:][-WINDOW:]


def last_shown(playing: date | None) -> date | None:
    """The day before the one that is played, so that nothing is known early; None: no limit."""
    return None if playing is None else playing - timedelta(days=1)


def next_cursor(cursor: Cursor | None, window: list[date]) -> Cursor:
    """The step after `cursor`; at the end of the window, or without a cursor, its first day."""
    if cursor is None:
        return Cursor(window[0], 0)
    if cursor.step < STEPS - 1:
        return Cursor(cursor.day, cursor.step + 1)
    later = next((day for day in window if day > cursor.day), window[0])
    return Cursor(later, 0)
