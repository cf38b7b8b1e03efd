"""Drawings of the page on correlation: cells with a shade, the scatter, the rolling line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

Row = dict[str, Any]

LEVELS: Final = 4
"""Shades of a cell to each side of zero."""
SIZE: Final = 320
WIDTH: Final = 720
HEIGHT: Final = 160
INSET: Final = 6
DOTS: Final = 800
"""Days in the scatter, the newest."""


def list_cells(matrix: Mapping[str, Sequence[Any]]) -> list[Row]:
    """A row for each instrument: its symbol and its cells, the own one empty."""
    return [
        {
            "symbol": symbol,
            "cells": [
                {"symbol": other, "value": value, "level": _level(value), "own": other == symbol}
                for other, value in zip(matrix["columns"], values, strict=True)
            ],
        }
        for symbol, values in zip(matrix["rows"], matrix["values"], strict=True)
    ]


def draw_scatter(series: Mapping[str, Sequence[float]]) -> Row:
    """Each day as a dot, both axes as wide as the largest move, zero in the middle."""
    one, two = series["one"][-DOTS:], series["two"][-DOTS:]
    reach = max((abs(value) for value in (*one, *two)), default=0.0) or 1.0
    scale = (SIZE / 2 - INSET) / reach
    dots = [
        {"x": round(SIZE / 2 + x * scale, 1), "y": round(SIZE / 2 - y * scale, 1)}
        for x, y in zip(one, two, strict=True)
    ]
    return {"dots": dots, "reach": reach, "size": SIZE}


def draw_rolling(series: Mapping[str, Sequence[Any]]) -> Row:
    """The coefficient of each window on a scale from -1 to 1; no points before there is one."""
    days, values = series["time"], series["rolling"]
    known = [place for place, value in enumerate(values) if value is not None]
    if len(known) < 2:
        return {"points": [], "width": WIDTH, "height": HEIGHT}
    first, span = known[0], known[-1] - known[0]
    points = [
        f"{(place - first) / span * WIDTH:.1f},{HEIGHT / 2 * (1 - values[place]):.1f}"
        for place in known
    ]
    return {
        "points": points,
        "width": WIDTH,
        "height": HEIGHT,
        "first": days[first],
        "last": days[known[-1]],
        "newest": values[known[-1]],
    }


def _level(value: float | None) -> int | None:
    """A shade from -LEVELS to LEVELS; 0 from -1/8 to 1/8."""
    return None if value is None else round(value * LEVELS)
