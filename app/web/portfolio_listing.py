"""Rows of the pages on portfolios, from what their documents return."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from app.web.svg import polyline

Row = dict[str, Any]

POINTS: Final = 300
WIDTH: Final = 640
HEIGHT: Final = 120


def list_summaries(nodes: Iterable[Row]) -> list[Row]:
    """Portfolios with the simple return on what was paid in, in percent."""
    return [{**node, "percent": _return_of(node["value"])} for node in nodes]


def group_sales(nodes: Iterable[Row]) -> list[Row]:
    """Sales by instrument, the one that was sold last first; the first tells of all of them."""
    groups: dict[str, list[Row]] = {}
    for node in nodes:
        groups.setdefault(node["symbol"], []).append(node)
    return [
        {
            "symbol": symbol,
            "instrument": sales[0]["instrument"],
            "sales": sales,
            **sales[0]["ofInstrument"],
        }
        for symbol, sales in groups.items()
    ]


def list_slices(nodes: Iterable[Row]) -> list[Row]:
    """Parts of the donut that close it.

    `offset` is where the slice begins, `length` how long it is, both in percent of the circle.
    Slices below nothing (an overdrawn account) have no place on a circle.
    """
    rows = [{**node} for node in nodes if node["part"] is not None and node["part"] > 0]
    whole = sum(row["part"] for row in rows)
    offset = 0.0
    for row in rows:
        row["percent"] = row["part"] * 100
        row["length"] = row["part"] / whole * 100
        row["offset"] = offset
        offset += row["length"]
    return rows


def list_months(nodes: Sequence[Row]) -> list[Row]:
    """Income of months, each with its share of the best one for a bar."""
    amounts = [Decimal(node["baseAmount"] or 0) for node in nodes]
    best = max(amounts, default=Decimal(0))
    return [
        {**node, "share": float(amount / best) if best > 0 and amount > 0 else 0.0}
        for node, amount in zip(nodes, amounts, strict=True)
    ]


def draw_equity(series: Mapping[str, Sequence[Any]]) -> Row | None:
    """The unit's value as a line of at most `POINTS` points with its ends; None without one."""
    rows = [
        (day, unit)
        for day, unit in zip(series["time"], series["unit"], strict=True)
        if unit is not None
    ]
    if len(rows) < 2:
        return None
    step = max(1, len(rows) // POINTS)
    kept = rows[:-1:step] + rows[-1:]
    return {
        "points": polyline([unit for _, unit in kept], WIDTH, HEIGHT, 3),
        "first": rows[0][0],
        "last": rows[-1][0],
        "low": min(unit for _, unit in rows),
        "high": max(unit for _, unit in rows),
    }


def _return_of(value: Mapping[str, Any]) -> float | None:
    flows = Decimal(value["flows"])
    if flows <= 0 or not value["complete"]:
        return None
    return float((Decimal(value["total"]) - flows) / flows * 100)
