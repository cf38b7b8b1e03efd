"""How a portfolio's page is looked at, as its address says it: order of rows, donut, benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlencode

from app.web.chart_view import one_of


@dataclass(frozen=True)
class PortfolioView:
    """What differs from the default stands in the query; `turned` is the smallest first."""

    path: str
    sort: str = "value"
    turned: bool = False
    by: str = "INSTRUMENT"
    benchmark: str = ""

    SORTS: ClassVar = ("name", "quantity", "price", "value", "result", "today", "weight")
    KEYS: ClassVar = ("INSTRUMENT", "SECTOR", "CURRENCY", "MARKET")

    def address(self, **changes: Any) -> str:
        """The address of the same view with these parts changed."""
        now = {"sort": self.sort, "turned": self.turned, "by": self.by} | {
            "benchmark": self.benchmark
        }
        values = now | changes
        query = {
            "sort": "" if values["sort"] == "value" else values["sort"],
            "order": "up" if values["turned"] else "",
            "by": "" if values["by"] == "INSTRUMENT" else values["by"],
            "benchmark": values["benchmark"],
        }
        text = urlencode({name: value for name, value in query.items() if value})
        return f"{self.path}?{text}" if text else self.path

    def sorted_by(self, column: str) -> str:
        """The address that sorts by a column, or turns the order if it is sorted by it already."""
        turned = not self.turned if column == self.sort else column == "name"
        return self.address(sort=column, turned=turned)

    def direction(self, column: str) -> str:
        """What `aria-sort` says of a column."""
        if column != self.sort:
            return "none"
        return "ascending" if self.turned else "descending"


def read_portfolio_view(path: str, query: Mapping[str, str]) -> PortfolioView:
    """The view that an address describes.

    Raises:
        BadInput: a parameter with a value that it cannot have.
    """
    return PortfolioView(
        path=path,
        sort=one_of(query, "sort", PortfolioView.SORTS, "value"),
        turned=one_of(query, "order", ("up", "down"), "down") == "up",
        by=one_of(query, "by", PortfolioView.KEYS, "INSTRUMENT"),
        benchmark=query.get("benchmark", "").strip().upper(),
    )
