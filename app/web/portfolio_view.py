"""How a portfolio's page is looked at, as its address says it: order of rows, donut, benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlencode

from app.web.chart_view import one_of


@dataclass(frozen=True)
class PortfolioView:
    """What differs from the default stands in the query; `turned` is the smallest first.

    `whole`: every position, not the first `MOST`. `sales` is the cursor behind which they go on.
    """

    path: str
    sort: str = "value"
    turned: bool = False
    by: str = "INSTRUMENT"
    benchmark: str = ""
    whole: bool = False
    sales: str = ""

    MOST: ClassVar = 50
    SORTS: ClassVar = ("name", "quantity", "price", "value", "result", "today", "weight")
    KEYS: ClassVar = ("INSTRUMENT", "SECTOR", "CURRENCY", "MARKET")

    def query(self, **changes: Any) -> dict[str, str]:
        """What the query says of the same view with these parts changed."""
        values = vars(self) | changes
        query = {
            "sort": "" if values["sort"] == "value" else values["sort"],
            "order": "up" if values["turned"] else "",
            "by": "" if values["by"] == "INSTRUMENT" else values["by"],
            "benchmark": values["benchmark"],
            "rows": "all" if values["whole"] else "",
            "sales": values["sales"],
        }
        return {name: value for name, value in query.items() if value}

    def address(self, **changes: Any) -> str:
        """The address of the same view with these parts changed."""
        text = urlencode(self.query(**changes))
        return f"{self.path}?{text}" if text else self.path

    def variables(self) -> dict[str, Any]:
        """What the page's document has to be told."""
        return {
            "by": self.by,
            "first": None if self.whole else self.MOST,
            "sort": self.sort.upper(),
            "ascending": self.turned,
            "after": self.sales or None,
        }

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
        whole=one_of(query, "rows", ("all", "first"), "first") == "all",
        sales=query.get("sales", ""),
    )
