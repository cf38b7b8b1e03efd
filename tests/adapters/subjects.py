"""What the contract of a price source is tried on: each source with the same made-up instrument.

The instrument `CODE` traded on five days, prices as traded: a dividend of 400 won, a 4:1 split, a
halt, a dividend of 100 won. Each subject is set up by its own means: a local Yahoo, a local Naver,
files in a folder.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from app.adapters.folder import FolderSource
from app.adapters.krx import KrxSource
from app.adapters.politeness import Politeness
from app.adapters.prices import SPLIT_SCHEMA, Failure, History, PriceSource
from app.adapters.yahoo import YahooSource
from app.adapters.yfinance_source import YFinanceSource
from tests.fakes.naver import FakeNaver
from tests.fakes.yahoo import FakeYahoo

CODE = "123450.KS"
NOW = datetime(2013, 3, 4, 12, tzinfo=UTC)
TIMEOUT = 60.0
IMPATIENT = 0.4  # seconds; for a server that answers late
ROWS: list[tuple[Any, ...]] = [
    (date(2013, 2, 21), 40_000.0, 41_200.0, 39_600.0, 40_400.0, 1000),
    (date(2013, 2, 22), 40_400.0, 41_600.0, 40_000.0, 41_200.0, 1100),
    (date(2013, 2, 25), 10_300.0, 10_600.0, 10_200.0, 10_400.0, 4000),
    (date(2013, 2, 26), None, None, None, 10_400.0, 0),
    (date(2013, 2, 27), 10_400.0, 10_600.0, 10_300.0, 10_500.0, 4200),
]
SPLITS = [(date(2013, 2, 25), 4.0, 1.0)]
DIVIDENDS = [(date(2013, 2, 22), 400.0), (date(2013, 2, 27), 100.0)]
HEAD = "date,open,high,low,close,volume,dividend,split\n"


class Restated(KrxSource):
    """Naver's prices, turned back by the splits that are known from elsewhere."""

    async def history(
        self,
        symbol: str,
        *,
        start: date | None = None,
        end: date | None = None,
        splits: pl.DataFrame | None = None,
    ) -> History | Failure:
        assert splits is None
        known = pl.DataFrame(SPLITS, schema=SPLIT_SCHEMA, orient="row")
        return await super().history(symbol, start=start, end=end, splits=known)


@dataclass
class Subject:
    """A source and how to set it up. `events`: whether it tells dividends."""

    name: str
    source: PriceSource
    yahoo: FakeYahoo
    naver: FakeNaver
    folder: Path
    rows: list[tuple[Any, ...]]

    @property
    def events(self) -> bool:
        return self.name != "krx"

    def plant(self, rows: list[tuple[Any, ...]] | None = None) -> None:
        """Lists CODE with these rows."""
        self.rows = ROWS if rows is None else rows
        texts = [[f"{row[0]}", *row[1:]] for row in self.rows]
        self.yahoo.set(
            CODE,
            like="005930.KS",
            fresh=True,
            name="Contract Co.",
            bars=texts,
            splits={f"{day}": [new, old] for day, new, old in SPLITS},
            dividends={f"{day}": amount for day, amount in DIVIDENDS},
        )
        like = self.naver.listings["005930.KS"]
        bars = pl.DataFrame(self.rows, schema=like.bars.schema, orient="row")
        splits = {day: (new, old) for day, new, old in SPLITS}
        self.naver.set(replace(like, symbol=CODE, name="계약", bars=bars, splits=splits))
        (self.folder / f"{CODE}.csv").write_text(HEAD + "".join(map(_line, self.rows)))

    def fault(self, kind: str, symbol: str = CODE, **options: Any) -> None:
        """From now on the symbol is answered with a fault."""
        if self.name == "krx":
            self.naver.fault(symbol, kind, **options)
        elif self.name != "folder":
            self.yahoo.fault(symbol, kind, **options)
        else:
            path = self.folder / f"{symbol}.csv"
            text = path.read_text() if path.exists() else HEAD
            path.write_text(_spoil(kind, text))


def _spoil(kind: str, text: str) -> str:
    whole = {"empty": "", "null": HEAD, "html": "<!doctype html><title>Sign in</title>"}
    if kind in whole:
        return whole[kind]
    changed = {
        "truncated": text[:-12],
        "lengths": text + "2013-03-01,1,2,3,4,5,6,7,8,9\n",
        "types": text.replace("40000", "forty"),
    }
    return changed[kind]


def _line(row: tuple[Any, ...]) -> str:
    day = row[0]
    numbers = ["" if value is None else f"{value:g}" for value in row[1:]]
    paid = dict(DIVIDENDS).get(day, "")
    split = next((f"{new:g}:{old:g}" for at, new, old in SPLITS if at == day), "")
    return ",".join([f"{day}", *numbers, f"{paid}", split]) + "\n"


def _now() -> datetime:
    return NOW


@asynccontextmanager
async def open_subject(
    name: str, yahoo: FakeYahoo, naver: FakeNaver, folder: Path, timeout: float = TIMEOUT
) -> AsyncIterator[Subject]:
    """The source of that name on its local server or folder, CODE listed."""
    host = Politeness(now=_now, pause=0.001)
    sources: dict[str, PriceSource] = {
        "yahoo": YahooSource(yahoo.url, now=_now, timeout=timeout, host=host),
        "yfinance": YFinanceSource(
            yahoo.url, now=_now, timeout=timeout, host=host, cache=folder / "cache"
        ),
        "folder": FolderSource(folder),
        "krx": Restated(naver.url, now=_now, timeout=timeout, host=host),
    }
    subject = Subject(name, sources[name], yahoo, naver, folder, ROWS)
    subject.plant()
    try:
        yield subject
    finally:
        for source in sources.values():
            await source.close()
