"""What the rows of a page have in common: one question for all of them, whatever their number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date
from typing import TypeVar

import polars as pl
from strawberry.dataloader import DataLoader

from app.domain.quotes import Quote
from app.domain.sessions import Session
from app.env import Env
from app.services.collect.fundamentals import FundamentalRow, list_fundamentals
from app.services.collect.source_status import StoredDays, find_stored_days
from app.services.collect.stored_data import list_bars_before, list_recent_revisions
from app.services.feed.live import QuoteHub
from app.services.market.instruments import find_instruments, list_exchanges
from app.services.market.markets import list_sessions
from app.services.market.prices import (
    BarRow,
    freshness,
    list_dividends,
    list_sparklines,
    list_splits,
)
from app.services.market.universe import find_seen
from app.services.portfolio.cash import CashRow, list_cash
from app.services.portfolio.equity import read_equity
from app.services.portfolio.ledger import find_reversals
from app.services.portfolio.portfolio_books import BookShelf
from app.services.portfolio.portfolio_value import Valuation, value_now
from app.services.recommend.recommendations import Situation, find_situations
from app.services.signals.readings import Reading, list_readings
from app.services.signals.signal_worth import find_worth
from app.services.sources.source_order import Reach, find_reach

K = TypeVar("K")
V = TypeVar("V")

EquityKey = tuple[int, int, date | None, date | None]


class Loaders:
    """One loader a kind; each asks its service once for all keys of a moment."""

    def __init__(self, env: Env, hub: QuoteHub, books: BookShelf) -> None:
        self._env, self._hub, self._books = env, hub, books
        self.instruments = _by_key(lambda symbols: find_instruments(env, symbols))
        self.quotes: DataLoader[str, Quote | None] = _by_key(hub.quotes)
        self.freshness = _by_key(lambda symbols: freshness(env, symbols))
        self.seen = _by_key(lambda symbols: find_seen(env, symbols))
        self.exchanges = _by_key(lambda _mics: list_exchanges(env))
        self.splits = _by_key(lambda symbols: list_splits(env, symbols))
        self.dividends = _by_key(lambda symbols: list_dividends(env, symbols))
        self.sparklines: DataLoader[tuple[str, int], list[float] | None] = _by_group(
            lambda symbols, points: list_sparklines(env, symbols, points)
        )
        self.readings: DataLoader[tuple[str, date | None], Reading | None] = _by_group(
            lambda symbols, on: list_readings(env, symbols, on)
        )
        self.fundamentals: DataLoader[tuple[str, date | None], FundamentalRow | None] = _by_group(
            lambda symbols, on: list_fundamentals(env, symbols, on)
        )
        self.worth = _by_key(lambda _kinds: find_worth(env))
        self.situations: DataLoader[tuple[int, str], Situation | None] = _by_key(
            lambda keys: find_situations(env, keys)
        )
        self.bars_before: DataLoader[tuple[str, date], BarRow | None] = _by_key(
            lambda keys: list_bars_before(env, keys)
        )
        self.recent_revisions = _by_key(lambda symbols: list_recent_revisions(env, symbols))
        self.reaches = DataLoader(self._load_reaches)
        self.sessions = DataLoader(self._load_sessions)
        self.stored_days = DataLoader(self._load_stored_days)
        self.equity = DataLoader(self._load_equity)
        self.valuations = DataLoader(self._load_valuations)
        self.cash = DataLoader(self._load_cash)
        self.reversals = DataLoader(self._load_reversals)

    async def _load_reaches(self, mics: list[str]) -> list[Reach]:
        """Key: MIC; there are few markets."""
        return [await find_reach(self._env, mic) for mic in mics]

    async def _load_sessions(self, keys: list[tuple[str, int]]) -> list[list[Session]]:
        """Key: MIC and number of sessions; there are few markets."""
        return [await list_sessions(self._env, mic, first) for mic, first in keys]

    async def _load_stored_days(self, keys: list[None]) -> list[StoredDays]:
        """Of all instruments: there is one answer."""
        return [await find_stored_days(self._env)] * len(keys)

    async def _load_equity(self, keys: list[EquityKey]) -> list[pl.DataFrame]:
        """Key: owner, portfolio, and the first and the last day asked for."""
        return [await read_equity(self._env, *key) for key in keys]

    async def _load_valuations(self, keys: list[tuple[int, str]]) -> list[Valuation]:
        """Key: owner and portfolio; each is asked for once however many fields want it."""
        opened = [await self._books.open(self._env, *key) for key in keys]
        return [await value_now(self._env, self._hub, one) for one in opened]

    async def _load_cash(self, keys: list[tuple[int, str]]) -> list[list[CashRow]]:
        """Key: owner and portfolio."""
        return [await list_cash(self._env, *key) for key in keys]

    async def _load_reversals(self, keys: list[tuple[int, int]]) -> list[int | None]:
        """Key: owner and transaction; a context has one owner."""
        found = await find_reversals(self._env, keys[0][0], [number for _, number in keys])
        return [found.get(number) for _, number in keys]


def _by_key(
    load: Callable[[list[K]], Awaitable[Mapping[K, V]]],
) -> DataLoader[K, V | None]:
    """A loader from a service that leaves out what it does not know."""

    async def load_all(keys: list[K]) -> Sequence[V | None]:
        found = await load(keys)
        return [found.get(key) for key in keys]

    return DataLoader(load_all)


def _by_group(
    load: Callable[[list[str], K], Awaitable[Mapping[str, V]]],
) -> DataLoader[tuple[str, K], V | None]:
    """The same for keys of a symbol and an argument: one question for each argument."""

    async def load_all(keys: list[tuple[str, K]]) -> Sequence[V | None]:
        groups: dict[K, list[str]] = defaultdict(list)
        for symbol, argument in keys:
            groups[argument].append(symbol)
        found = {arg: await load(symbols, arg) for arg, symbols in groups.items()}
        return [found[argument].get(symbol) for symbol, argument in keys]

    return DataLoader(load_all)
