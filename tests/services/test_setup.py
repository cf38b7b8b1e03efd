"""The start: what is missing is chosen, seeded and loaded; what is there costs next to nothing."""

from __future__ import annotations

import csv
import gzip
import importlib.util
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import event, text

from app.config import SourceName
from app.domain.session_overrides import SESSION_SCHEMA
from app.env import Env
from app.errors import ConfigError
from app.services.market.calendars import list_overrides, source_of, store_sessions
from app.services.market.instruments import list_instruments
from app.services.market.prices import find_fx_rate
from app.services.settings import get_source
from app.services.setup import prepare
from tests.clocks import at
from tests.factories import weekdays
from tests.fakes.yahoo import FakeYahoo

TODAY = "2013-03-01T22:30"


class Steps:
    """Progress as a list of steps with their parts: [name, done, total]."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, int, int]] = []
        self.notes: list[str] = []

    def step(self, name: str, total: int) -> None:
        self.steps.append((name, 0, total))

    def advance(self) -> None:
        name, done, total = self.steps[-1]
        self.steps[-1] = (name, done + 1, total)

    def note(self, sentence: str) -> None:
        self.notes.append(sentence)


class ShortCalendar:
    """Chores with a few weeks of weekdays for a calendar, and one indicator a symbol."""

    def __init__(self) -> None:
        self.analysed: list[str] = []

    async def refresh_sessions(self, env: Env) -> None:
        now = env.clock.now()
        days = [*weekdays(now.date() - timedelta(30), 30), now.date() + timedelta(400)]
        opens = pl.col("day").cast(pl.Datetime("us", "UTC"))
        frame = pl.DataFrame({"day": days}).join(
            pl.DataFrame({"mic": ["XKRX", "XNAS", "XNYS", "ARCX"]}), how="cross"
        )
        frame = frame.with_columns(
            open_at=opens + pl.duration(hours=14), close_at=opens + pl.duration(hours=21)
        )
        made_from = source_of(await list_overrides(env))
        await store_sessions(env, frame.select(SESSION_SCHEMA.names()), made_from)

    async def analyse(self, env: Env, symbols: list[str], advance: Callable[[], None]) -> None:
        async with env.db.write() as db:
            for symbol in symbols:
                insert = "INSERT INTO indicator_daily (symbol, day) VALUES (:symbol, '2013-03-01')"
                await db.execute(text(insert), {"symbol": symbol})
                advance()
        self.analysed += symbols


@pytest.fixture
def fresh(env: Env, yahoo: FakeYahoo) -> Env:
    """An empty installation at the end of the recorded prices."""
    return at(env, TODAY)


def with_source(env: Env, name: SourceName) -> Env:
    return replace(env, settings=replace(env.settings, price_source=name))


async def start(env: Env) -> tuple[list[tuple[str, int, int]], list[str]]:
    progress, chores = Steps(), ShortCalendar()
    await prepare(env, progress, chores)
    return progress.steps, chores.analysed


async def bars(env: Env) -> dict[str, int]:
    async with env.db.read() as db:
        query = "SELECT symbol, count(*) FROM bar GROUP BY symbol ORDER BY symbol"
        return {row[0]: row[1] for row in await db.execute(text(query))}


async def test_a_first_start_takes_yahoo_when_it_answers(fresh):
    steps, analysed = await start(fresh)
    assert await get_source(fresh) == "yahoo"
    assert steps == [
        ("Asking Yahoo Finance", 1, 1),
        ("Trading calendars", 1, 1),
        ("Prices: Yahoo Finance", 14, 14),
        ("Indicators", 13, 13),
    ]
    stored = await bars(fresh)
    assert (len(stored), stored["AAPL"], stored["TSLA"]) == (13, 3270, 196)
    assert analysed[:2] == ["005930.KS", "000660.KS"]
    assert await find_fx_rate(fresh, "USD", "KRW") is not None
    row = (await list_instruments(fresh)).rows[0]
    assert (row.symbol, row.name_local) == ("005930.KS", "삼성전자")


async def test_a_first_start_takes_the_sample_when_yahoo_does_not_answer(fresh, yahoo):
    yahoo.fault("*", "html")
    steps, analysed = await start(fresh)
    assert await get_source(fresh) == "sample"
    assert steps[2:] == [("Prices: The sample", 6, 6), ("Indicators", 5, 5)]
    assert await bars(fresh) == {"AAPL": 3270, "FB": 196, "GOOG": 2148, "IBM": 3270, "MSFT": 3270}
    assert analysed == ["AAPL", "FB", "GOOG", "IBM", "MSFT"]


async def test_a_second_start_has_nothing_to_do_and_asks_nobody(fresh, yahoo):
    await start(fresh)
    yahoo.clear_log()
    statements: list[str] = []
    listener = lambda *arguments: statements.append(arguments[2])  # noqa: E731
    engine = fresh.db.engine.sync_engine
    event.listen(engine, "before_cursor_execute", listener)
    try:
        assert await start(fresh) == ([], [])
    finally:
        event.remove(engine, "before_cursor_execute", listener)
    assert yahoo.log() == []
    assert len(statements) < 20


async def test_the_choice_is_remembered_though_yahoo_comes_back(fresh, yahoo):
    yahoo.fault("*", "html")
    await start(fresh)
    yahoo.reset()
    assert await start(fresh) == ([], [])
    assert await get_source(fresh) == "sample"
    assert yahoo.log() == []


async def test_a_source_that_is_set_is_taken_unasked(fresh, yahoo):
    await start(with_source(fresh, "sample"))
    assert await get_source(fresh) == "sample"
    assert yahoo.log() == []


async def test_another_source_than_the_one_in_use_needs_a_switch(fresh):
    await start(with_source(fresh, "sample"))
    with pytest.raises(ConfigError, match="`sise source yahoo` switches"):
        await start(with_source(fresh, "yahoo"))
    await start(with_source(fresh, "sample"))


async def test_an_instrument_that_fails_does_not_stop_the_start(fresh, yahoo):
    yahoo.fault("MSFT", "html")
    yahoo.fault("NVDA", "empty")
    steps, _ = await start(with_source(fresh, "yahoo"))
    assert steps[1] == ("Prices: Yahoo Finance", 14, 14)
    assert steps[2] == ("Indicators", 11, 11)
    assert {"MSFT", "NVDA"}.isdisjoint(await bars(fresh))
    problems = {row.symbol: row.problem for row in (await list_instruments(fresh)).rows}
    assert (problems["MSFT"], problems["NVDA"]) == ("BAD_PAYLOAD", "BAD_PAYLOAD")
    assert problems["AAPL"] is None


async def test_a_start_that_was_cut_short_goes_on_where_it_was(fresh):
    await start(with_source(fresh, "sample"))
    async with fresh.db.write() as db:
        await db.execute(text("DELETE FROM bar WHERE symbol = 'IBM'"))
        await db.execute(text("DELETE FROM indicator_daily WHERE symbol IN ('IBM', 'FB')"))
        await db.execute(text("UPDATE instrument SET checked_at = NULL WHERE symbol = 'IBM'"))
    steps, analysed = await start(fresh)
    assert steps == [("Prices: The sample", 1, 1), ("Indicators", 2, 2)]
    assert analysed == ["FB", "IBM"]
    assert (await bars(fresh))["IBM"] == 3270


async def test_every_stored_price_is_the_recorded_one_to_the_last_digit(fresh):
    await start(with_source(fresh, "sample"))
    async with fresh.db.read() as db:
        query = "SELECT symbol, day, open, high, low, close, volume FROM bar ORDER BY symbol, day"
        stored = [tuple(row) for row in await db.execute(text(query))]
    assert stored == recorded()


def recorded() -> list[tuple[str, date, Decimal, Decimal, Decimal, Decimal, int]]:
    """The rows of the installed file, read by the standard library."""
    spec = importlib.util.find_spec("bokeh_sampledata")
    assert spec is not None
    path = Path((spec.submodule_search_locations or [""])[0]) / "_data" / "stocks.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        rows = [
            (
                row["Ticker"],
                date.fromisoformat(row["Date"]),
                Decimal(row["Open"]),
                Decimal(row["High"]),
                Decimal(row["Low"]),
                Decimal(row["Close"]),
                int(row["Volume"]),
            )
            for row in csv.DictReader(lines)
        ]
    return sorted(rows)
