"""The price sources of a worker: those of every process, and yfinance, which brings pandas along.

The web process never imports this. yfinance itself is loaded at the first question, in a thread: a
worker that is never asked for it stays small.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from importlib import import_module
from typing import Protocol, TypeVar

from app.adapters.politeness import Politeness
from app.adapters.prices import (
    Failure,
    History,
    HostState,
    InstrumentInfo,
    Intraday,
    PriceSource,
    Profile,
    Tick,
)
from app.adapters.sources import Hosts, make_sources
from app.adapters.yahoo_parse import MINUTES
from app.config import YAHOO_URL, Settings
from app.domain.fundamentals import Fundamentals

_Answer = TypeVar("_Answer")


class CompanySource(PriceSource, Protocol):
    """A price source that knows companies, too."""

    async def search(self, query: str, *, count: int = 10) -> list[InstrumentInfo] | Failure:
        """Instruments whose name or code is like the words."""
        ...

    async def profile(self, symbol: str) -> Profile | Failure:
        """Name, sector and industry."""
        ...

    async def fundamentals(self, symbol: str) -> Fundamentals | Failure:
        """What the company costs, earns and owes."""
        ...


class Deferred:
    """A reader of Yahoo that is loaded when it is first asked."""

    def __init__(self, name: str, load: Callable[[], CompanySource], host: Politeness) -> None:
        self._name, self._load, self._host = name, load, host
        self._source: CompanySource | None = None
        self._loading = asyncio.Lock()

    @property
    def name(self) -> str:
        """What it is called."""
        return self._name

    @property
    def provider(self) -> str:
        """What `bar.source` holds."""
        return "yahoo"

    @property
    def minutes(self) -> tuple[int, ...]:
        """The lengths of its bars within days."""
        return MINUTES

    @property
    def live(self) -> bool:
        """Its quotes move during a session."""
        return True

    def state(self) -> HostState:
        """What is known of its host."""
        return self._host.state()

    async def history(
        self, symbol: str, *, start: date | None = None, end: date | None = None
    ) -> History | Failure:
        """Daily bars and events."""
        return await self._ask(lambda source: source.history(symbol, start=start, end=end))

    async def intraday(self, symbol: str, *, minutes: int, days: int) -> Intraday | Failure:
        """Bars within days."""
        return await self._ask(lambda source: source.intraday(symbol, minutes=minutes, days=days))

    async def quotes(self, symbols: list[str]) -> dict[str, Tick | Failure]:
        """The newest prices."""
        found = await self._ask(lambda source: source.quotes(symbols))
        return found if isinstance(found, dict) else dict.fromkeys(symbols, found)

    async def search(self, query: str, *, count: int = 10) -> list[InstrumentInfo] | Failure:
        """Instruments whose name or code is like the words."""
        return await self._ask(lambda source: source.search(query, count=count))

    async def profile(self, symbol: str) -> Profile | Failure:
        """Name, sector and industry."""
        return await self._ask(lambda source: source.profile(symbol))

    async def fundamentals(self, symbol: str) -> Fundamentals | Failure:
        """What the company costs, earns and owes."""
        return await self._ask(lambda source: source.fundamentals(symbol))

    async def close(self) -> None:
        """Lets go of connections, if it was ever loaded."""
        if self._source is not None:
            await self._source.close()

    async def _ask(
        self, question: Callable[[CompanySource], Awaitable[_Answer | Failure]]
    ) -> _Answer | Failure:
        async with self._loading:
            if self._source is None:
                self._source = await asyncio.to_thread(self._load)
        return await question(self._source)


def make_worker_sources(settings: Settings) -> dict[str, PriceSource]:
    """Every source by name."""
    hosts = Hosts(settings)
    host = hosts.at(settings.yahoo_url)

    def load() -> CompanySource:
        module = import_module("app.adapters.yfinance_source")
        url = None if settings.yahoo_url == YAHOO_URL else settings.yahoo_url
        cache = settings.data_dir / "yfinance"
        source: CompanySource = module.YFinanceSource(
            url, now=settings.clock.now, host=host, cache=cache
        )
        return source

    deferred = Deferred("yfinance", load, host)
    return make_sources(settings, hosts) | {"yfinance": deferred}
