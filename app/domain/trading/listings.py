"""A listing: on which market an instrument trades and what it is, which decides its rules."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from app.domain.market import Kind
from app.domain.trading.tables import Market
from app.errors import BadInput

_BY_SUFFIX: Final = {"KS": Market.KOSPI, "KQ": Market.KOSDAQ, "KN": Market.KONEX}
_TRADED: Final = frozenset({Kind.EQUITY, Kind.ETF})


@dataclass(frozen=True, slots=True)
class Listing:
    """What decides the rules of an instrument; an ETN counts as an ETF.

    `multiple` is that of a fund on its index (2 for leveraged, -1 for inverse); 1 otherwise.
    """

    market: Market
    kind: Kind = Kind.EQUITY
    multiple: Decimal = Decimal(1)

    @property
    def currency(self) -> str:
        """What its prices are in."""
        return "USD" if self.market is Market.US else "KRW"

    @property
    def is_fund(self) -> bool:
        """An ETF or ETN."""
        return self.kind is Kind.ETF


def find_listing(symbol: str, kind: Kind = Kind.EQUITY, multiple: Decimal = Decimal(1)) -> Listing:
    """The listing that a symbol tells: 005930.KS, 035720.KQ, AAPL.

    Raises:
        BadInput: an index or a currency pair, which nobody can order.
    """
    if kind not in _TRADED:
        message = "%(symbol)s cannot be traded: it is neither a share nor a fund"
        raise BadInput(message, field="symbol", symbol=symbol)
    _, _, suffix = symbol.rpartition(".")
    return Listing(_BY_SUFFIX.get(suffix, Market.US), kind, multiple)
