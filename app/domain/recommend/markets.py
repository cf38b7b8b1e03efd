"""The markets that instruments are ranked in: one of each currency, with what may stand for it."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple


class MarketKey(StrEnum):
    """Korea and the United States."""

    KR = "KR"
    US = "US"


class Home(NamedTuple):
    """A market's currency and its benchmarks, the first that is watched counts.

    A fund comes before the index: its prices know the dividends.
    """

    currency: str
    benchmarks: tuple[str, ...]


HOMES: Final = {
    MarketKey.KR: Home("KRW", ("069500.KS", "^KS11")),
    MarketKey.US: Home("USD", ("SPY", "^GSPC")),
}
