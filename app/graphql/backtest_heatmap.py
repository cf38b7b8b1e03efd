"""The heatmap of a sweep: a figure of its cells over two axes."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

import polars as pl

from app.domain.backtest.parameters import Value
from app.errors import BadInput
from app.graphql.backtest_types import show_value
from app.graphql.enums import register_enum
from app.graphql.scalars import Matrix


class SweepMetric(StrEnum):
    """A figure of the cells of a sweep."""

    SHARPE_RATIO = "SHARPE_RATIO"
    ROI = "ROI"
    MAX_DRAWDOWN = "MAX_DRAWDOWN"
    ROUND_TRIPS = "ROUND_TRIPS"


register_enum(SweepMetric)

WIDEST: Final = 60
"""Values of an axis that a heatmap shows; of more, evenly spaced ones."""


def make_heatmap(
    cells: pl.DataFrame,
    axes: dict[str, list[Value]],
    best: dict[str, Any],
    choice: tuple[str, str],
    metric: SweepMetric,
) -> Matrix:
    """A figure over two axes, the others as in the best cell; null where values do not go together.

    Raises:
        BadInput: an axis that there is not.
    """
    for field, name in zip(("x", "y"), choice, strict=True):
        if name not in axes:
            message = "%(name)s is %(value)s; it must be %(bound)s"
            bound = ", ".join(axes)
            raise BadInput(message, field=field, name=field, value=name, bound=bound)
    x, y = choice
    for name in axes:
        if name not in choice:
            cells = cells.filter(pl.col(name) == best[name])
    columns, rows = _thin(axes[x], best[x]), _thin(axes[y], best[y])
    cols = (cells[x], cells[y], cells[metric.value.lower()])
    found = {(a, b): figure for a, b, figure in zip(*cols, strict=True)}
    if x == y:  # one axis is one row
        rows = [best[y]]
        found = {(a, best[y]): figure for (a, _), figure in found.items()}
    values = [[found.get((a, b)) for a in columns] for b in rows]
    shown = {"rows": [show_value(v) for v in rows], "columns": [show_value(v) for v in columns]}
    return Matrix({**shown, "values": values})


def _thin(values: list[Value], kept: Value) -> list[Value]:
    """At most WIDEST of them, in order, with the one that was chosen."""
    step = -(-len(values) // WIDEST)
    if step == 1:
        return values
    shift = values.index(kept) % step
    return values[shift::step]
