"""Somebody's own prices: a folder of CSV or Parquet files (`SISE_PRICE_FOLDER`).

    AAPL.csv, 005930.KS.parquet   the prices of one symbol
    bars.csv or bars.parquet      of many: with a column `symbol`
    instruments.csv               symbol, name, exchange (XKRX XNAS XNYS ARCX CCY), currency, kind,
                                  name_local, sector, industry, basis; all but `symbol` may be
                                  missing or empty
    folder.toml                   basis = "as-traded" (the default) or "split-adjusted"

The columns of the prices: see `folder_read`. Prices and dividends that are adjusted for splits are
turned back by the column `split`, which must then hold every split up to now. A file that is wrong
is a `BadPayload` that names file, line and what; rows that are no bar are in `History.refused`.
Files are read anew for each question, so that what was put there counts at once.
"""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

import polars as pl

from app.adapters.bar_rows import part_rows
from app.adapters.folder_read import (
    BadFile,
    bars_of,
    read_dividends,
    read_rows,
    read_splits,
    read_table,
)
from app.adapters.prices import (
    BadPayload,
    Failure,
    History,
    InstrumentInfo,
    Intraday,
    NoData,
    NotListed,
    Profile,
    SourceDown,
    Tick,
    is_symbol,
)
from app.adapters.yahoo_parse import make_history
from app.domain.korean_names import find_korean_name

BASES: Final = ("as-traded", "split-adjusted")
_CLOSES: Final = {
    "XKRX": (time(15, 30), ZoneInfo("Asia/Seoul")),
    "CCY": (time(23, 59), ZoneInfo("Europe/London")),
}
_US_CLOSE: Final = (time(16), ZoneInfo("America/New_York"))
_CURRENCIES: Final = {"XKRX": "KRW", "XNAS": "USD", "XNYS": "USD", "ARCX": "USD"}
_KINDS: Final = ("EQUITY", "ETF", "INDEX", "FX")
_SUFFIXES: Final = (".csv", ".parquet")

_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class _Entry:
    """A row of instruments.csv, what is empty filled in."""

    profile: Profile
    basis: str


class FolderSource:
    """The prices in the folder at `path`; reading takes place in a thread."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def name(self) -> str:
        """What it is called."""
        return "folder"

    @property
    def provider(self) -> str:
        """What `bar.source` holds."""
        return "folder"

    @property
    def minutes(self) -> tuple[int, ...]:
        """None: its files hold daily bars."""
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

        def read() -> History | Failure:
            whole = self._load(symbol)
            if not isinstance(whole, History):
                return whole
            found = whole.within(start, end)
            if found.bars.is_empty() and found.refused.is_empty():
                return NoData(f"the folder has no prices of {symbol} from {start} to {end}")
            return found

        return await self._ask(symbol, read)

    async def intraday(self, symbol: str, *, minutes: int, days: int) -> Intraday | Failure:  # noqa: ARG002
        """There are none."""
        found = await self._ask(symbol, lambda: self._load(symbol))
        return NoData("the folder has daily prices only") if isinstance(found, History) else found

    async def quotes(self, symbols: list[str]) -> dict[str, Tick | Failure]:
        """The last close of each, at the end of its day."""
        return {symbol: await self._last(symbol) for symbol in symbols}

    async def search(self, query: str, *, count: int = 10) -> list[InstrumentInfo] | Failure:
        """Instruments of the folder whose name or symbol holds the words."""
        words = query.strip().casefold()

        def read() -> list[InstrumentInfo]:
            entries = self._instruments()
            names = {p.stem for p in self._path.iterdir() if p.suffix in _SUFFIXES}
            known = {*entries, *(n for n in names if is_symbol(n) and n != "INSTRUMENTS")}
            infos = [entries.get(s, _guess(s)).profile.info for s in sorted(known)]
            fits = [i for i in infos if words in f"{i.symbol}\n{i.name}\n{i.name_local}".casefold()]
            return fits[:count]

        return await self._ask("SEARCH", read) if words else []

    async def profile(self, symbol: str) -> Profile | Failure:
        """What instruments.csv says."""

        def read() -> Profile | Failure:
            entry = self._instruments().get(symbol)
            if entry is not None:
                return entry.profile
            return NotListed(symbol) if self._find(symbol) is None else _guess(symbol).profile

        return await self._ask(symbol, read)

    async def close(self) -> None:
        """Nothing is open."""

    async def _last(self, symbol: str) -> Tick | Failure:
        history = await self.history(symbol)
        if not isinstance(history, History):
            return history
        closes = history.bars.select("day", "close", "volume").drop_nulls("close")
        if closes.is_empty():
            return NoData(f"the folder has no close of {symbol}")
        rows = closes.tail(2).rows(named=True)
        at, zone = _CLOSES.get(history.info.mic, _US_CLOSE)
        return Tick(
            symbol=symbol,
            price=rows[-1]["close"],
            at=datetime.combine(rows[-1]["day"], at, zone).astimezone(UTC),
            previous_close=rows[0]["close"] if len(rows) == 2 else None,
            volume=rows[-1]["volume"],
        )

    async def _ask(self, symbol: str, read: Callable[[], _Answer | Failure]) -> _Answer | Failure:
        """What `read` finds in a thread, or why it does not."""
        if not is_symbol(symbol):
            return NotListed(symbol)

        def safely() -> _Answer | Failure:
            if not self._path.is_dir():
                return SourceDown(f"the folder {self._path} is not there")
            try:
                return read()
            except BadFile as bad:
                return BadPayload(str(bad))
            except OSError as error:
                return SourceDown(f"{error.filename}: {error.strerror}")

        return await asyncio.to_thread(safely)

    def _find(self, symbol: str) -> tuple[Path, bool] | None:
        """The file with the symbol's prices, and whether it holds those of others as well."""
        for suffix in _SUFFIXES:
            path = self._path / f"{symbol}{suffix}"
            if path.is_file():
                return path, False
        for suffix in _SUFFIXES:
            path = self._path / f"bars{suffix}"
            if path.is_file():
                return path, True
        return None

    def _load(self, symbol: str) -> History | Failure:
        place = self._find(symbol)
        if place is None:
            return NotListed(symbol)
        path, shared = place
        table = read_table(path, symbol if shared else None)
        if table.is_empty() and shared:
            return NotListed(symbol)
        entry = self._instruments().get(symbol) or _guess(symbol, self._basis())
        info = entry.profile.info
        closes_only = info.kind == "FX"
        rows = read_rows(path, table, closes_only=closes_only)
        if rows.is_empty():
            return NoData(f"{path.name} has no rows")
        splits, paid = read_splits(path, table, rows), read_dividends(rows)
        if entry.basis == "split-adjusted":
            return make_history(info, bars_of(rows), splits, paid)
        bars, refused = part_rows(bars_of(rows), closes_only=closes_only)
        return History(info, bars, splits, paid, refused)

    def _basis(self) -> str:
        path = self._path / "folder.toml"
        if not path.is_file():
            return BASES[0]
        try:
            known = tomllib.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise BadFile(f"{path.name}: {error}") from error
        return _check(path, "basis", known.get("basis", BASES[0]), BASES)

    def _instruments(self) -> dict[str, _Entry]:
        path = self._path / "instruments.csv"
        if not path.is_file():
            return {}
        basis = self._basis()
        table = read_table(path)
        if "symbol" not in table.columns:
            raise BadFile(f"{path.name}: there is no column symbol")
        rows = table.filter(pl.col("symbol").is_not_null()).iter_rows(named=True)
        return {row["symbol"]: _entry(path, row, basis) for row in rows}


def _entry(path: Path, row: dict[str, str | None], basis: str) -> _Entry:
    symbol = row["symbol"] or ""
    where = f"{path.name}, line {row['line']}"
    if not is_symbol(symbol):
        raise BadFile(f"{where}: {symbol[:40]!r} is no symbol")
    usual = _guess(symbol).profile.info
    mic = _check(
        path, where, row.get("exchange") or row.get("mic") or usual.mic, (*_CURRENCIES, "CCY")
    )
    kind = _check(path, where, row.get("kind") or usual.kind, _KINDS)
    due = _CURRENCIES.get(mic) or symbol[3:6]
    currency = _check(path, where, row.get("currency") or due, (due,))
    local = row.get("name_local") or usual.name_local
    info = InstrumentInfo(symbol, row.get("name") or symbol, mic, currency, kind, local)
    profile = Profile(info, row.get("sector"), row.get("industry"))
    return _Entry(profile, _check(path, where, row.get("basis") or basis, BASES))


def _guess(symbol: str, basis: str = BASES[0]) -> _Entry:
    """What the symbol itself tells."""
    mic, kind = "XNAS", "EQUITY"
    if symbol.endswith((".KS", ".KQ")) or symbol.startswith(("^KS", "^KQ")):
        mic = "XKRX"
    elif symbol.endswith("=X"):
        mic, kind = "CCY", "FX"
    if symbol.startswith("^"):
        kind = "INDEX"
    currency = _CURRENCIES.get(mic) or symbol[3:6]
    local = find_korean_name(symbol)
    return _Entry(Profile(InstrumentInfo(symbol, symbol, mic, currency, kind, local)), basis)


def _check(path: Path, where: str, value: object, choices: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in choices:
        place = where if where.startswith(path.name) else f"{path.name}: {where}"
        raise BadFile(f"{place}: {str(value)[:40]!r} is none of {', '.join(choices)}")
    return value
