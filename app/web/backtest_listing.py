"""Rows and drawings of the pages on backtests, from what their documents return."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from app.web.backtest_form import EXITS

Row = dict[str, Any]

POINTS: Final = 400
SMALL: Final = 120
"""Points of a curve, and of one in a column of a table."""

WIDTH: Final = 720
HEIGHT: Final = 220
INSET: Final = 4
LEVELS: Final = 4
"""Shades of a heatmap to each side."""

CURVES: Final = ("equity", "buyAndHold", "equalWeight", "benchmark")


def draw_curves(series: Mapping[str, Sequence[Any]], most: int = POINTS) -> Row | None:
    """The curves of a result on one scale, and its drawdown below; None without sessions."""
    days = series.get("time", ())
    if len(days) < 2:
        return None
    kept = thin(len(days), most)
    curves = {name: series[name] for name in CURVES if name in series}
    known = [value for curve in curves.values() for value in curve if value is not None]
    low, high, deepest = min(known), max(known), min(series["drawdown"])
    depth = [series["drawdown"][i] for i in kept]
    return {
        "first": days[0],
        "last": days[-1],
        "low": low,
        "high": high,
        "deepest": deepest,
        "lines": {
            name: draw([curve[i] for i in kept], low, high, HEIGHT)
            for name, curve in curves.items()
        },
        "drawdown": [
            f"{INSET},0", *draw(depth, min(deepest, -1e-9), 0.0, 80), f"{WIDTH - INSET},0",
        ],
    }  # fmt: skip


def draw_trades(series: Mapping[str, Sequence[Any]], fills: Mapping[str, Sequence[Any]]) -> Row:
    """The closes of an instrument with its purchases and sales as marks."""
    days, closes = list(series["time"]), list(series["close"])
    known = [value for value in closes if value is not None]
    if len(known) < 2:
        return {"points": [], "marks": []}
    kept = thin(len(days))
    low, high = min(known), max(known)
    places = {day: place for place, day in enumerate(days)}
    marks = []
    for day, quantity in zip(fills["day"], fills["quantity"], strict=True):
        place = places.get(day)
        if place is None or closes[place] is None:
            continue
        x = INSET + place / (len(days) - 1) * (WIDTH - 2 * INSET)
        marks.append({"x": round(x, 1), "y": round(_y(closes[place], low, high, HEIGHT), 1),
                      "buys": quantity > 0})  # fmt: skip
    points = draw([closes[i] for i in kept], low, high, HEIGHT)
    return {"points": points, "marks": marks, "first": days[0], "last": days[-1]}


def draw(values: Sequence[float | None], low: float, high: float, height: float) -> list[str]:
    """`x,y` of each known value between two bounds."""
    step = (WIDTH - 2 * INSET) / max(len(values) - 1, 1)
    return [
        f"{INSET + place * step:.1f},{_y(value, low, high, height):.1f}"
        for place, value in enumerate(values)
        if value is not None
    ]


def thin(count: int, most: int = POINTS) -> list[int]:
    """At most `most` places of so many, the last one with them."""
    step = max(1, -(-count // most))
    kept = list(range(0, count, step))
    return kept if kept[-1] == count - 1 else [*kept, count - 1]


def shade(matrix: Row, *, middle: float | None = 0.0) -> list[Row]:
    """Rows of a heatmap: each cell with its shade from -LEVELS to LEVELS, None where it is empty.

    The middle is `middle`, or half way between the extremes.
    """
    known = [value for row in matrix["values"] for value in row if value is not None]
    if not known:
        return []
    centre = (min(known) + max(known)) / 2 if middle is None else middle
    widest = max(abs(value - centre) for value in known) or 1.0

    def level(value: float | None) -> int | None:
        return None if value is None else round((value - centre) / widest * LEVELS)

    return [
        {"name": name, "cells": [{"value": value, "level": level(value)} for value in row]}
        for name, row in zip(matrix["rows"], matrix["values"], strict=True)
    ]


def with_years(matrix: Row) -> list[Row]:
    """Monthly returns with their shades, and the return of each year."""
    rows = shade(matrix)
    for row, values in zip(rows, matrix["values"], strict=True):
        product = 1.0
        for value in values:
            product *= 1.0 + (value or 0.0)
        row["year"] = product - 1.0
    return rows


def tell_values(name: str, values: Sequence[Any]) -> list[Any]:
    """Values of an axis as the form takes them: exits in percent."""
    return [f"{float(one) * 100:g}%" for one in values] if name in EXITS else list(values)


def tell_exits(row: Row) -> Row:
    """A cell with its exits as the form takes them."""
    return row | {name: tell_values(name, [row[name]])[0] for name in EXITS if name in row}


def rows_of(columns: Mapping[str, Sequence[Any]]) -> list[Row]:
    """Columns as rows."""
    names = list(columns)
    return [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _y(value: float, low: float, high: float, height: float) -> float:
    room = height - 2 * INSET
    return INSET + room / 2 if high <= low else INSET + (high - value) / (high - low) * room
