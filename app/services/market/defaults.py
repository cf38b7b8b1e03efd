"""The instruments that a new installation begins with, for each price source, in their order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app.domain.korean_names import find_korean_name


@dataclass(frozen=True)
class Seed:
    """An instrument before its source has been asked."""

    symbol: str
    name: str
    mic: str
    currency: str
    kind: str = "EQUITY"
    sector: str | None = None
    industry: str | None = None

    @property
    def name_local(self) -> str | None:
        """The Korean name."""
        return find_korean_name(self.symbol)


_TECHNOLOGY: Final = "Technology"
_CONSUMER: Final = "Consumer Cyclical"
_MEDIA: Final = "Communication Services"
_CONTENT: Final = "Internet Content & Information"

_APPLE: Final = Seed(
    "AAPL", "Apple Inc.", "XNAS", "USD", "EQUITY", _TECHNOLOGY, "Consumer Electronics"
)
_MICROSOFT: Final = Seed(
    "MSFT", "Microsoft Corporation", "XNAS", "USD", "EQUITY", _TECHNOLOGY, "Software"
)
_DOLLAR: Final = Seed("USDKRW=X", "US dollar / Korean won", "CCY", "KRW", "FX")

DEFAULTS: Final[dict[str, tuple[Seed, ...]]] = {
    "yahoo": (
        Seed(
            "005930.KS",
            "Samsung Electronics Co., Ltd.",
            "XKRX",
            "KRW",
            "EQUITY",
            _TECHNOLOGY,
            "Consumer Electronics",
        ),
        Seed("000660.KS", "SK hynix Inc.", "XKRX", "KRW", "EQUITY", _TECHNOLOGY, "Semiconductors"),
        Seed("035420.KS", "NAVER Corporation", "XKRX", "KRW", "EQUITY", _MEDIA, _CONTENT),
        _APPLE,
        Seed("NVDA", "NVIDIA Corporation", "XNAS", "USD", "EQUITY", _TECHNOLOGY, "Semiconductors"),
        Seed(
            "TSLA",
            "Tesla, Inc.",
            "XNAS",
            "USD",
            "EQUITY",
            "Consumer Cyclical",
            "Auto Manufacturers",
        ),
        _MICROSOFT,
        Seed("SPY", "SPDR S&P 500 ETF Trust", "ARCX", "USD", "ETF"),
        Seed("069500.KS", "Samsung KODEX 200 ETF", "XKRX", "KRW", "ETF"),
        Seed("^KS11", "KOSPI Composite Index", "XKRX", "KRW", "INDEX"),
        Seed("^KQ11", "KOSDAQ Composite Index", "XKRX", "KRW", "INDEX"),
        Seed("^GSPC", "S&P 500", "XNYS", "USD", "INDEX"),
        Seed("^IXIC", "Nasdaq Composite", "XNAS", "USD", "INDEX"),
        _DOLLAR,
    ),
    "sample": (
        _APPLE,
        Seed("FB", "Facebook, Inc.", "XNAS", "USD", "EQUITY", _MEDIA, _CONTENT),
        Seed("GOOG", "Google Inc.", "XNAS", "USD", "EQUITY", _MEDIA, _CONTENT),
        Seed(
            "IBM",
            "International Business Machines Corporation",
            "XNYS",
            "USD",
            "EQUITY",
            _TECHNOLOGY,
            "Information Technology Services",
        ),
        _MICROSOFT,
        _DOLLAR,
    ),
}


def default_symbols(source: str) -> list[str]:
    """The symbols of a source's defaults, in their order."""
    return [seed.symbol for seed in DEFAULTS[source]]


def find_seed(source: str, symbol: str) -> Seed | None:
    """The default of that symbol, None when it is none."""
    return next((seed for seed in DEFAULTS[source] if seed.symbol == symbol), None)
