"""The value filter: the cheapest instruments by a figure of their companies, as it was known then.

It reads the series `fundamentals` of the history: `symbol`, `known_at` and the figures. A figure
older than OLDEST is not one any more. Where nothing was known nothing is held.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import numpy as np
import polars as pl

from app.domain.alignment import KNOWN_AT
from app.domain.backtest.history import History
from app.domain.backtest.strategy import Decision, Kind, Parameter, Strategy, Table, Values

FUNDAMENTALS: Final = "fundamentals"
OLDEST: Final = timedelta(days=100)
FIGURES: Final = ("trailing_pe", "forward_pe", "price_to_book", "dividend_yield")
_HIGH_IS_CHEAP: Final = frozenset({"dividend_yield"})


class ValueFilter(Strategy):
    """Ranks companies by one figure every so often."""

    key, name = "value_filter", "Value filter"
    description = (
        "Holds the instruments that are cheapest by a figure of their companies as it was known "
        "on that day; before the first one it holds nothing."
    )
    parameters = (
        Parameter("figure", Kind.CHOICE, "trailing_pe", choices=FIGURES),
        Parameter("every", Kind.INTEGER, 21, 1, 250),
        Parameter("top", Kind.INTEGER, 3, 1, 500),
    )

    def decide(self, history: History, values: Values) -> Decision:
        """The lowest ratios above 0, or the highest yields."""
        figure, every, top = str(values["figure"]), int(values["every"]), int(values["top"])
        known = read_figure(history, figure)
        cost = -known if figure in _HIGH_IS_CHEAP else known
        cost = np.where(known > 0, cost, np.inf)
        cost[~np.isfinite(history.close)] = np.inf
        side = np.zeros(history.shape, dtype=np.int8)
        for t in range(len(side)):
            if t % every:
                side[t] = side[t - 1]
            else:
                chosen = np.argsort(cost[t], kind="stable")[:top]
                side[t, chosen] = np.isfinite(cost[t, chosen])
        return Decision(side, {figure: known}, slots=min(top, history.shape[1]))


def read_figure(history: History, figure: str) -> Table:
    """The newest value known at each close: sessions x instruments, NaN where none is."""
    frame, closes = history.references.get(FUNDAMENTALS), history.closes_at
    known = np.full(history.shape, np.nan)
    if frame is None or closes is None:
        return known
    at = pl.DataFrame({"close_at": closes})
    for k, symbol in enumerate(history.symbols):
        own = frame.filter(pl.col("symbol") == symbol).select(KNOWN_AT, figure).sort(KNOWN_AT)
        joined = at.join_asof(own, left_on="close_at", right_on=KNOWN_AT, tolerance=OLDEST)
        known[:, k] = joined[figure].cast(pl.Float64).fill_null(np.nan).to_numpy()
    return known
