"""Points of the small drawings that the server makes: sparklines and the still chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def polyline(
    values: Sequence[float | None], width: float, height: float, inset: float
) -> list[str]:
    """`x,y` of each known value, the lowest at the bottom; gaps are passed over.

    A flat line lies in the middle. Fewer than two known values make no line: an empty list.
    """
    known = [(place, value) for place, value in enumerate(values) if value is not None]
    if len(known) < 2:
        return []
    low, high = min(v for _, v in known), max(v for _, v in known)
    step = (width - 2 * inset) / (len(values) - 1)
    scale = (height - 2 * inset) / (high - low) if high > low else 0.0
    middle = height / 2
    return [
        f"{inset + place * step:.1f},"
        f"{height - inset - (value - low) * scale if scale else middle:.1f}"
        for place, value in known
    ]


def last_rows(series: Mapping[str, Sequence[Any]], count: int) -> list[tuple[str, float]]:
    """Day and close of the last `count` known closes, the newest first."""
    rows = zip(series["time"], series["close"], strict=True)
    return [(day, close) for day, close in rows if close is not None][-count:][::-1]
