"""Rows of the pages on portfolios, from what their documents return."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from app.web.svg import polyline

Row = dict[str, Any]

POINTS: Final = 300
WIDTH: Final = 640
HEIGHT: Final = 120

_FIGURES: Final = {
    "quantity": "quantity",
    "value": "baseValue",
    "result": "baseUnrealisedPnl",
    "today": "dayPnl",
    "weight": "weight",
}
LARGEST: Final = 5
"""Slices of the donut with a name of their own; the rest is one more."""


def list_summaries(nodes: Iterable[Row]) -> list[Row]:
    """Portfolios with the simple return on what was paid in, in percent."""
    return [{**node, "percent": _return_of(node["value"])} for node in nodes]


def list_positions(
    nodes: Iterable[Row], column: str = "value", *, turned: bool = False
) -> list[Row]:
    """Positions with the weight in percent, the largest first by that column, or the smallest.

    One without a figure comes last either way.
    """
    rows = [
        {**node, "percent": None if node["weight"] is None else node["weight"] * 100}
        for node in nodes
    ]
    known = [row for row in rows if _figure_of(row, column) is not None]
    unknown = [row for row in rows if _figure_of(row, column) is None]
    return sorted(known, key=lambda row: _figure_of(row, column), reverse=not turned) + unknown


def group_sales(nodes: Iterable[Row]) -> list[Row]:
    """Sales by instrument, the one that was sold last first, with the sum of their results.

    A sale without a rate of its day leaves no sum.
    """
    groups: dict[str, list[Row]] = {}
    for node in nodes:
        groups.setdefault(node["symbol"], []).append(node)
    return [
        {
            "symbol": symbol,
            "instrument": sales[0]["instrument"],
            "sales": sales,
            "gain": _sum_of(sale["baseGain"] for sale in sales),
        }
        for symbol, sales in groups.items()
    ]


def list_slices(nodes: Sequence[Row], positions: Iterable[Row]) -> list[Row]:
    """Parts of the donut that close it: the largest by name, the rest together.

    `offset` is where the slice begins, both in percent of the circle. Slices below nothing (an
    overdrawn account) have no place on a circle.
    """
    instruments = {row["symbol"]: row["instrument"] for row in positions}
    shown = [node for node in nodes if node["part"] is not None and node["part"] > 0]
    rows = [
        {
            "cash": node["name"] is None,
            "instrument": instruments.get(node["name"] or ""),
            "symbol": node["name"],
            "value": node["value"],
            "part": node["part"],
        }
        for node in shown[:LARGEST]
    ]
    if rest := shown[LARGEST:]:
        value = sum((Decimal(node["value"]) for node in rest), Decimal(0))
        part = sum(node["part"] for node in rest)
        rows.append(
            {"cash": False, "instrument": None, "symbol": None, "value": str(value), "part": part}
        )
    whole = sum(row["part"] for row in rows)
    offset = 0.0
    for row in rows:
        row["percent"] = row["part"] * 100
        row["length"] = row["part"] / whole * 100
        row["offset"] = offset
        offset += row["length"]
    return rows


def list_benchmarks(nodes: Sequence[Row]) -> list[Row]:
    """What a curve can stand beside: indices and funds; where there is none, whatever is known."""
    return [row for row in nodes if row["kind"] in {"INDEX", "ETF"}] or list(nodes[:10])


def income_by_month(nodes: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Income of each month, the newest first, with its share of the best one for a bar.

    A month in which an amount has no rate has no sum.
    """
    sums: defaultdict[str, list[str | None]] = defaultdict(list)
    for node in nodes:
        sums[node["day"][:7]].append(node["baseAmount"])
    rows: list[Row] = []
    for month in sorted(sums, reverse=True):
        known = [Decimal(amount) for amount in sums[month] if amount is not None]
        complete = len(known) == len(sums[month])
        rows.append({"month": month, "amount": str(sum(known)) if complete else None})
    best = max((Decimal(row["amount"]) for row in rows if row["amount"]), default=Decimal(0))
    for row in rows:
        amount = Decimal(row["amount"] or 0)
        row["share"] = float(amount / best) if best > 0 and amount > 0 else 0.0
    return rows


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


def _sum_of(amounts: Iterable[str | None]) -> str | None:
    known = list(amounts)
    return None if None in known else str(sum((Decimal(a) for a in known if a), Decimal(0)))


def _figure_of(row: Mapping[str, Any], column: str) -> Any:
    """What a position is sorted by: a name, or a figure; None where there is none."""
    if column == "name":
        return (row["instrument"] or {"name": row["symbol"]})["name"].casefold()
    if column == "price":
        return None if row["price"] is None else Decimal(row["price"]["value"])
    text = row[_FIGURES[column]]
    return None if text is None else Decimal(str(text))


def _return_of(value: Mapping[str, Any]) -> float | None:
    flows = Decimal(value["flows"])
    if flows <= 0 or not value["complete"]:
        return None
    return float((Decimal(value["total"]) - flows) / flows * 100)
