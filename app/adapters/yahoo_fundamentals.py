"""Yahoo's names and units of fundamentals, as yfinance hands them over, in ours.

Its fractions are fractions but for two: `debtToEquity` is in percent, and so is `dividendYield`,
which is the coming year's; the yield of the last year, `trailingAnnualDividendYield`, comes first.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from app.adapters.yahoo_parse import CURRENCIES, Malformed
from app.domain.fundamentals import Fundamentals, make_fundamentals

_NAMES: Final = {
    "market_cap": "marketCap",
    "total_debt": "totalDebt",
    "trailing_pe": "trailingPE",
    "forward_pe": "forwardPE",
    "price_to_book": "priceToBook",
    "return_on_equity": "returnOnEquity",
    "dividend_yield": "trailingAnnualDividendYield",
    "gross_margin": "grossMargins",
    "operating_margin": "operatingMargins",
    "net_margin": "profitMargins",
}
_CODE_LENGTH: Final = 3
_HALVES: Final = frozenset({"maxAge", "marketState"})
"""What only the summary has, and only the quote: yfinance goes on with one of the two alone."""


def read_fundamentals(symbol: str, info: Mapping[str, Any]) -> Fundamentals:
    """The figures of `Ticker.get_info()`.

    Raises:
        Malformed: half of it is missing, or it names no currency that is supported.
    """
    if not _HALVES.issubset(info):
        raise Malformed(f"half of the answer about {symbol} is missing")
    currency = info.get("currency")
    if currency not in CURRENCIES:
        raise Malformed(f"the currency of {symbol} is {currency!r}")
    told = {ours: info.get(theirs) for ours, theirs in _NAMES.items()}
    if told["dividend_yield"] is None:
        told["dividend_yield"] = _of_percent(info.get("dividendYield"))
    told["debt_to_equity"] = _of_percent(info.get("debtToEquity"))
    statements = info.get("financialCurrency")
    named = isinstance(statements, str) and len(statements) == _CODE_LENGTH and statements.isupper()
    return make_fundamentals(str(currency), statements if named else None, told)


def _of_percent(value: object) -> object:
    """A hundredth; what is no number goes on as it is, to be refused."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return float(Decimal(str(value)) / 100)  # 2.05 is 0.0205, not the nearest to 0.02049…
