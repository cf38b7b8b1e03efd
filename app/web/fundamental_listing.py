"""A company's fundamentals as a reader sees them: words for each figure, and what was refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from app.translations import Locale
from app.web.formats import NONE, compact_money, number
from app.web.listing import Translate

_HUNDRED: Final = Decimal(100)


@dataclass(frozen=True)
class Fundamental:
    """One figure; `refused`: the source told something that cannot be true."""

    label: str
    value: str
    refused: bool


def list_fundamentals(
    snapshot: Mapping[str, Any] | None, locale: Locale, _: Translate
) -> list[Fundamental]:
    """Every figure, a dash where it is not known; none without a snapshot."""
    if snapshot is None:
        return []
    names = {
        "marketCap": _("Market value"),
        "trailingPe": _("P/E"),
        "forwardPe": _("Expected P/E"),
        "priceToBook": _("P/B"),
        "returnOnEquity": _("Return on equity"),
        "dividendYield": _("Dividend yield"),
        "grossMargin": _("Gross margin"),
        "operatingMargin": _("Operating margin"),
        "netMargin": _("Net margin"),
        "totalDebt": _("Debt"),
        "debtToEquity": _("Debt to equity"),
    }
    return [
        Fundamental(label, _value(name, snapshot, locale), name in snapshot["refused"])
        for name, label in names.items()
    ]


def _value(name: str, snapshot: Mapping[str, Any], locale: Locale) -> str:
    value = snapshot[name]
    if value is None:
        return NONE
    if name == "marketCap":
        return compact_money(value, snapshot["currency"], locale)
    if name == "totalDebt":
        return compact_money(value, snapshot["statementCurrency"], locale)
    if name in {"trailingPe", "forwardPe", "priceToBook"}:
        return number(value, 2)
    return f"{number(str(Decimal(str(value)) * _HUNDRED), 2)}%"
