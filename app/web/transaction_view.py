"""How the ledger of a portfolio is looked at, as its address says it: filters, order, page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar
from urllib.parse import urlencode

KINDS = (
    *("BUY", "SELL", "DEPOSIT", "WITHDRAWAL", "EXCHANGE", "DIVIDEND", "INTEREST", "FEE", "TAX"),
    *("OPENING", "TRANSFER", "SPLIT", "CORPORATE_ACTION"),
)


@dataclass(frozen=True)
class TransactionView:
    """What differs from the default stands in the query; `order` up is the smallest first."""

    symbol: str = ""
    kind: str = ""
    sort: str = "DAY"
    order: str = "down"
    after: str = ""

    SORTS: ClassVar = ("DAY", "KIND", "AMOUNT")

    def query(self, **changes: str) -> str:
        """The query of the same view with these parts changed; another order begins anew."""
        values = asdict(self) | changes
        plain = asdict(TransactionView())
        return urlencode({n: value for n, value in values.items() if value != plain[n]})

    def variables(self) -> dict[str, Any]:
        """What the page's document takes."""
        given = {"symbol": self.symbol, "kind": self.kind, "after": self.after, "sort": self.sort}
        return {n: value for n, value in given.items() if value} | {"ascending": self.order == "up"}

    def sorted_by(self, column: str) -> str:
        """The query that sorts by a column, or turns the order if it is sorted by it already."""
        up = self.order == "down" if column == self.sort else column == "KIND"
        return "?" + self.query(sort=column, order="up" if up else "down", after="")

    def direction(self, column: str) -> str:
        """What `aria-sort` says of a column."""
        if column != self.sort:
            return "none"
        return "ascending" if self.order == "up" else "descending"


def read_transaction_view(query: Mapping[str, str]) -> TransactionView:
    """The view that a query describes; what means nothing in it is passed over."""
    given = {name: query.get(name, "").strip() for name in asdict(TransactionView())}
    given["symbol"] = given["symbol"].upper()
    if given["kind"] not in KINDS:
        given["kind"] = ""
    if given["sort"].upper() not in TransactionView.SORTS:
        given["sort"] = "DAY"
    given["sort"] = given["sort"].upper()
    given["order"] = "up" if given["order"] == "up" else "down"
    return TransactionView(**given)
