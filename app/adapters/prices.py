"""What a price source can answer: bars and events, or a typed reason why there are none.

Frames carry floats whose shortest decimal form is the exact published price (4 places, the won has
none); they become NUMERIC when they are stored. Prices are as traded: no adjustment whatever.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Final, Literal, Protocol

import polars as pl

from app.domain.bars import PriceBasis

BAR_SCHEMA: Final = pl.Schema(
    {
        "day": pl.Date,
        "open": pl.Float64,
        "high": pl.Float64,
        "low": pl.Float64,
        "close": pl.Float64,
        "adj_close": pl.Float64,
        "volume": pl.Int64,
    }
)
REFUSED_SCHEMA: Final = pl.Schema({**BAR_SCHEMA, "reason": pl.String()})
SPLIT_SCHEMA: Final = pl.Schema(
    {"day": pl.Date, "numerator": pl.Float64, "denominator": pl.Float64}
)
DIVIDEND_SCHEMA: Final = pl.Schema({"day": pl.Date, "amount": pl.Float64})
INTRADAY_SCHEMA: Final = pl.Schema(
    {
        "at": pl.Datetime("us", "UTC"),
        "open": pl.Float64(),
        "high": pl.Float64(),
        "low": pl.Float64(),
        "close": pl.Float64(),
        "volume": pl.Int64(),
    }
)
_SYMBOL_LENGTH: Final = 24
_EXTRA: Final = frozenset(".^=-&")


@dataclass(frozen=True)
class InstrumentInfo:
    """What a source says an instrument is. `kind`: EQUITY, ETF, INDEX or FX; `mic`: XKRX …, CCY."""

    symbol: str
    name: str
    mic: str
    currency: str
    kind: str
    name_local: str | None = None


@dataclass(frozen=True)
class Profile:
    """What an instrument is and what its business is, where the source knows that."""

    info: InstrumentInfo
    sector: str | None = None
    industry: str | None = None


@dataclass(frozen=True)
class History:
    """Daily bars as traded (BAR_SCHEMA, by day), splits and dividends of the same span.

    `dividends.amount` is cash per share as traded on its ex-date. A currency pair has closes only.
    The last bar may be of a session that is still going on. A halted session is among the bars: no
    open, high and low, volume 0. `refused` holds the rows of the answer that are no bar, as they
    came, each with its reason (REFUSED_SCHEMA); days without price and volume are in neither.

    `basis` is AS_TRADED but for a source that adjusts for splits and does not tell them: its prices
    are those of today's shares, and `restate` makes them as traded by splits known from elsewhere.
    """

    info: InstrumentInfo
    bars: pl.DataFrame
    splits: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=SPLIT_SCHEMA))
    dividends: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=DIVIDEND_SCHEMA))
    refused: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=REFUSED_SCHEMA))
    basis: PriceBasis = PriceBasis.AS_TRADED

    @property
    def rejected(self) -> list[tuple[date, str]]:
        """Day and reason of each refused row."""
        return list(self.refused.select("day", "reason").iter_rows())

    def within(self, start: date | None, end: date | None) -> History:
        """The part from `start` to `end`, both included; None: no bound."""
        span = pl.col("day").is_between(start or date.min, end or date.max)
        return replace(
            self,
            bars=self.bars.filter(span),
            splits=self.splits.filter(span),
            dividends=self.dividends.filter(span),
            refused=self.refused.filter(span),
        )


@dataclass(frozen=True)
class Intraday:
    """Bars within days (INTRADAY_SCHEMA, by instant); the newest one may be unfinished."""

    info: InstrumentInfo
    bars: pl.DataFrame


@dataclass(frozen=True)
class Tick:
    """One price of one moment. `at` is the exchange's time; `previous_close` if the source says it.

    `volume` is the day's volume so far; `regular` is set when the source says that the price is of
    the regular session.
    """

    symbol: str
    price: float
    at: datetime
    previous_close: float | None = None
    volume: int | None = None
    regular: bool = False


@dataclass(frozen=True)
class NotListed:
    """The source does not know the symbol."""

    symbol: str


@dataclass(frozen=True)
class NoData:
    """The source knows the symbol and has nothing for the span asked for, or never has any."""

    detail: str


@dataclass(frozen=True)
class RateLimited:
    """Too many questions; `retry_after` in seconds."""

    retry_after: float


@dataclass(frozen=True)
class BadPayload:
    """An answer that breaks the rules; nothing of it is used."""

    detail: str


@dataclass(frozen=True)
class SourceDown:
    """No answer, or a server error."""

    detail: str


Failure = NotListed | NoData | RateLimited | BadPayload | SourceDown


def describe(failure: Failure) -> str:
    """The failure in words, for logs and the operator."""
    match failure:
        case NotListed(symbol):
            return f"{symbol} is not known there"
        case RateLimited(retry_after):
            return f"too many questions; asked again after {retry_after:.0f} s"
        case NoData(detail) | BadPayload(detail) | SourceDown(detail):
            return detail


BreakerState = Literal["closed", "open", "half-open"]


@dataclass(frozen=True)
class HostState:
    """What is known of a host. `closed_until`: nothing is sent before, None when it may be asked.

    `tokens`: questions that may be sent at once; below zero so many wait. `failures`: questions in
    a row that were not answered. `limited`: the host itself asked to wait (429).
    """

    breaker: BreakerState
    closed_until: datetime | None
    limited: bool
    tokens: float
    failures: int


def is_symbol(text: str) -> bool:
    """Whether this can be a symbol: upper-case letters, digits and `.^=-&`, at most 24 of them."""
    letters = all((c.isascii() and c.isalnum()) or c in _EXTRA for c in text)
    named = any(c.isalnum() for c in text)
    return letters and named and text == text.upper() and len(text) <= _SYMBOL_LENGTH


class PriceSource(Protocol):
    """Somewhere prices come from. No method raises for a fault of the source: it says which."""

    @property
    def name(self) -> str:
        """`yahoo`, `yfinance`, `krx`, `folder` or `sample`."""
        ...

    @property
    def provider(self) -> str:
        """Whose prices they are, which `bar.source` holds: those of `yfinance` are `yahoo`'s."""
        ...

    @property
    def minutes(self) -> tuple[int, ...]:
        """The lengths of its bars within days; none: it has daily bars only."""
        ...

    @property
    def live(self) -> bool:
        """Whether its quotes move during a session; else they are the last close."""
        ...

    def state(self) -> HostState | None:
        """What is known of the host that is asked; None when there is none."""
        ...

    async def history(
        self, symbol: str, *, start: date | None = None, end: date | None = None
    ) -> History | Failure:
        """Daily bars from `start` (None: all there are) to `end` (None: today), both included."""
        ...

    async def intraday(self, symbol: str, *, minutes: int, days: int) -> Intraday | Failure:
        """Bars of `minutes` for the last `days` sessions."""
        ...

    async def quotes(self, symbols: list[str]) -> dict[str, Tick | Failure]:
        """The newest price of each symbol, one answer for each."""
        ...

    async def close(self) -> None:
        """Lets go of connections."""
        ...
