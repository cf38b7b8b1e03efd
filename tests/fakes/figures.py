"""Fundamentals as the local Yahoo tells them: made-up figures under Yahoo's names, by module.

The units are Yahoo's: fractions, but `debtToEquity` in percent, and `dividendYield` a fraction in
`summaryDetail` and a percentage in the quote, which yfinance lets win.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

MODULES = {
    "summaryDetail": (
        "currency", "marketCap", "trailingPE", "forwardPE", "dividendRate", "dividendYield",
        "trailingAnnualDividendRate", "trailingAnnualDividendYield",
    ),
    "defaultKeyStatistics": (
        "forwardPE", "priceToBook", "profitMargins", "bookValue", "trailingEps", "forwardEps",
    ),
    "financialData": (
        "financialCurrency", "returnOnEquity", "grossMargins", "operatingMargins", "profitMargins",
        "totalDebt", "debtToEquity",
    ),
}  # fmt: skip
QUOTED = ("currency", "financialCurrency", "marketCap", "trailingPE", "forwardPE", "priceToBook",
          "dividendYield", "trailingAnnualDividendYield")  # fmt: skip
FIGURES: dict[str, dict[str, Any]] = {
    "AAPL": {
        "currency": "USD",
        "financialCurrency": "USD",
        "marketCap": 3012345678912,
        "trailingPE": 31.25,
        "forwardPE": 27.5,
        "priceToBook": 45.6,
        "returnOnEquity": 1.4994,
        "grossMargins": 0.46678,
        "operatingMargins": 0.31647,
        "profitMargins": 0.26915,
        "totalDebt": 112377000000,
        "debtToEquity": 154.486,
        "trailingAnnualDividendYield": 0.0038,
        "dividendYield": 0.0041,
    },
    "005930.KS": {
        "currency": "KRW",
        "financialCurrency": "KRW",
        "marketCap": 480123456789012,
        "trailingPE": 14.2,
        "forwardPE": 9.8,
        "priceToBook": 1.21,
        "returnOnEquity": 0.08292,
        "grossMargins": 0.37,
        "operatingMargins": 0.0594,
        "profitMargins": 0.10,
        "totalDebt": 17450000000000,
        "debtToEquity": 4.3,
        "trailingAnnualDividendYield": 0.0205,
        "dividendYield": 0.0205,
    },
    # losses, and a book value below zero: no trailing P/E, negative multiples
    "IBM": {
        "currency": "USD",
        "financialCurrency": "USD",
        "marketCap": 52000000000,
        "forwardPE": -12.5,
        "priceToBook": -3.4,
        "returnOnEquity": -0.75,
        "profitMargins": -0.31,
        "trailingAnnualDividendYield": 0.0,
    },
}


class Figures:
    """What is told of each company at the moment."""

    def __init__(self) -> None:
        self._told = dict(FIGURES)

    def told(self, symbol: str) -> dict[str, Any]:
        """Under Yahoo's names; nothing of companies that it knows no figures of."""
        return self._told.get(symbol, {})

    def change(self, symbol: str, figures: Mapping[str, Any]) -> None:
        """Replaces some; null: it is not told, the text `nan`: bare NaN."""
        values = {n: math.nan if v == "nan" else v for n, v in figures.items()}
        told = self.told(symbol) | values
        self._told[symbol] = {name: value for name, value in told.items() if value is not None}


def summarise(module: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """One module of quoteSummary, with those of these that it has."""
    return {"maxAge": 1} | {name: told[name] for name in MODULES.get(module, ()) if name in told}


def quote(told: Mapping[str, Any]) -> dict[str, Any]:
    """The same of the quote."""
    row = {name: told[name] for name in QUOTED if name in told}
    if isinstance(row.get("dividendYield"), float):
        row["dividendYield"] = round(row["dividendYield"] * 100, 4)
    return row | {"marketState": "CLOSED"}
