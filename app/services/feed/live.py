"""Live quotes for readers: the newest ones, and a subscription that sends what changes.

The feed publishes on the bus; each web process has one `QuoteHub` that listens there for all its
readers. The bus may die and lose everything: the hub goes on with what it has, listens anew by
itself, reads the newest values again and sends every reader a fresh snapshot. What a reader is told
also changes with time alone: a price that stays away becomes STALE, and CLOSED after the session.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from contextlib import aclosing, asynccontextmanager, suppress
from datetime import date
from typing import Any, Final

import orjson
from sqlalchemy import select

from app.adapters.bus import EVENTS, QUOTES
from app.db.models import Instrument
from app.domain.market_hours import MarketHours
from app.domain.quotes import Quote, is_newer, quotes_from_json
from app.env import Env
from app.errors import BadInput, Unavailable
from app.services.feed.bell import Bell
from app.services.feed.fan_out import SPACING, Delta, FanOut, Frame, Group
from app.services.market.closing_quotes import ClosingQuote, list_closing_quotes
from app.services.market.market_hours import load_hours
from app.services.settings import read_mode
from app.services.sources.source_order import SAMPLE
from app.telemetry import SUBSCRIBERS, TICKS

SWEEP_EVERY: Final = 5.0
"""Seconds between two looks at the clock for quotes that have become stale."""

REFRESH_EVERY: Final = 60.0
"""Seconds after which instruments and market hours are read again."""

logger = logging.getLogger(__name__)


async def list_quotes(env: Env, symbols: Iterable[str]) -> dict[str, Quote]:
    """The newest quote of each instrument, in the order asked for; unknown symbols are left out.

    From the bus where the feed has published one, else by the last stored close.

    Raises:
        Unavailable: the database does not answer. The bus may be down.
    """
    wanted = list(dict.fromkeys(symbols))
    mode, hours, mics = await _mode(env), await load_hours(env), await _list_mics(env, wanted)
    found = await _published(env, wanted, mode)
    closing = await list_closing_quotes(env, [s for s in wanted if s not in found])
    found |= {symbol: item.quote for symbol, item in closing.items()}
    now = env.clock.now()
    return {s: hours.served(found[s], mics.get(s), now) for s in wanted if s in found}


async def list_published(env: Env, symbols: Iterable[str]) -> dict[str, Quote]:
    """The newest quotes that the feed has published, of the chosen source's kind alone.

    Raises:
        Unavailable: the database does not answer. Without the bus there are none.
    """
    return await _published(env, list(symbols), await _mode(env))


class QuoteHub:
    """The quotes of one web process and their subscribers. Use it inside `running()`.

    `bell` rings for those whose alerts have been stored.
    """

    def __init__(self, env: Env) -> None:
        self._env = env
        self.bell = Bell()
        self._published: dict[str, Quote] = {}
        self._served: dict[str, Quote] = {}
        self._fan_out = FanOut()
        self._hours = MarketHours()
        self._mics: dict[str, str] = {}
        self._mode: str | None = None
        self._closing: dict[str, ClosingQuote | None] = {}
        self._asking = asyncio.Lock()
        self._changed = asyncio.Event()
        self._tried = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listens to the bus for the block; it begins when the first attempt has ended."""
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(self._listen()), tasks.create_task(self._keep_time())]
            await self._tried.wait()
            try:
                yield
            finally:
                for task in running:
                    task.cancel()

    def latest(self, symbols: Iterable[str]) -> dict[str, Quote]:
        """What has come over the bus for these symbols, without a question to anybody."""
        return {s: self._served[s] for s in dict.fromkeys(symbols) if s in self._served}

    async def quotes(self, symbols: Iterable[str]) -> dict[str, Quote]:
        """The newest quotes: `latest`, and for the rest the last stored close.

        Raises:
            Unavailable: a quote is missing here and the database does not answer.
        """
        wanted = list(dict.fromkeys(symbols))
        closing = await self._closes([s for s in wanted if s not in self._served])
        found = self.latest(wanted)
        now = self._env.clock.now()
        for symbol, item in closing.items():
            found.setdefault(symbol, self._hours.served(item.quote, item.mic, now))
        return {symbol: found[symbol] for symbol in wanted if symbol in found}

    async def _closes(self, symbols: list[str]) -> dict[str, ClosingQuote]:
        """Quotes by stored closes; of many readers who ask at once one goes to the database."""
        if not symbols:
            return {}
        async with self._asking:
            known = self._closing
            asked = [symbol for symbol in symbols if symbol not in known]
            found = await list_closing_quotes(self._env, asked)
            known |= {s: found.get(s) for s in asked if s in self._mics}
        return found | {s: item for s in symbols if (item := known.get(s)) is not None}

    async def subscribe(self, symbols: Iterable[str]) -> AsyncGenerator[dict[str, Quote]]:
        """First all quotes there are, then those that changed, at most four times a second.

        Raises:
            Unavailable: as `quotes`, before the first item.
        """
        async with aclosing(self._deltas(frozenset(symbols))) as deltas:
            async for delta in deltas:
                yield delta.quotes

    async def frames(self, symbols: Iterable[str]) -> AsyncGenerator[Frame]:
        """As `subscribe`, in columns: the same object for all who have the same symbols."""
        async with aclosing(self._deltas(frozenset(symbols))) as deltas:
            async for delta in deltas:
                yield delta.frame

    async def _deltas(self, symbols: frozenset[str]) -> AsyncGenerator[Delta]:
        loop = asyncio.get_running_loop()
        SUBSCRIBERS.inc()
        try:
            with self._fan_out.join(symbols) as (group, mailbox):
                version = group.version
                snapshot = await self._snapshot(group)
                known = snapshot if group.pending or group.version != version else None
                taken = loop.time()
                yield snapshot
                while True:
                    delta = await mailbox.take(taken + SPACING)
                    taken = loop.time()
                    if known is not None:  # what was on its way meanwhile is in the snapshot
                        delta, known = delta.without(known), None
                    if delta.quotes:
                        yield delta
        finally:
            SUBSCRIBERS.dec()

    async def _snapshot(self, group: Group) -> Delta:
        """All quotes of a group: made once, however many ask, until one of them changes."""
        async with group.making:
            if group.snapshot is not None:
                return group.snapshot
            version = group.version
            snapshot = Delta(await self.quotes(sorted(group.symbols)))
            if group.version == version:
                group.snapshot = snapshot
            return snapshot

    async def _listen(self) -> None:
        """Keeps the subscription to the bus up, for ever."""
        pause = 0.1
        while True:
            try:
                async with self._env.bus.listen(QUOTES, EVENTS) as messages:
                    await self._begin()
                    self._tried.set()
                    pause = 0.1
                    async for channel, data in messages:
                        self._receive(channel, data)
            except Unavailable:
                logger.warning("the bus does not answer", extra={"retry_in": round(pause, 1)})
            self._tried.set()
            await asyncio.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - spreads processes
            pause = min(2.0, pause * 2)

    async def _begin(self) -> None:
        """Reads the newest values and sends all of them: readers may have missed some."""
        await self._refresh()
        kept = await self._env.bus.kept(QUOTES)
        for quote in _readable(b"[" + b",".join(kept.values()) + b"]", self._mode):
            if is_newer(quote, self._published.get(quote.symbol)):
                self._published[quote.symbol] = quote
        self._serve(self._published.values())
        self._fan_out.push(self._served.values(), whole=True)

    def _receive(self, channel: str, data: bytes) -> None:
        if channel == EVENTS:
            self._take_event(data)
            return
        quotes = _readable(data, self._mode)
        for quote in quotes:
            self._published[quote.symbol] = quote
            TICKS.labels(quote.source.lower()).inc()
        self._fan_out.push(self._serve(quotes))

    def _take_event(self, data: bytes) -> None:
        """A switch of the source or a replay that begins again makes quotes void."""
        try:
            event: dict[str, Any] = orjson.loads(data)
            kind = event["kind"]
            if kind == "source":
                self._mode = mode = str(event["source"])
                self._forget(lambda quote: not _is_of(quote, mode))
            elif kind == "alert":
                self.bell.ring(event["users"])
                return
            elif kind == "replay":
                day = date.fromisoformat(event["day"])
                self._forget(lambda quote: quote.day > day)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            logger.warning("event dropped", extra={"reason": repr(error)})
            return
        self._forget_closes()
        if kind in {"source", "tracked", "removed", "calendar"}:
            self._changed.set()

    def _forget(self, void: Callable[[Quote], bool]) -> None:
        for symbol in [s for s, quote in self._published.items() if void(quote)]:
            del self._published[symbol]
            self._served.pop(symbol, None)

    def _forget_closes(self) -> None:
        """Lets stored closes, and the snapshots made with them, be read again."""
        self._closing = {}
        self._fan_out.forget_snapshots()

    def _serve(self, quotes: Iterable[Quote]) -> list[Quote]:
        """Judges quotes by the clock; those that readers see differently from before."""
        now = self._env.clock.now()
        changed = []
        for quote in quotes:
            served = self._hours.served(quote, self._mics.get(quote.symbol), now)
            before = self._served.get(quote.symbol)
            if before is None and (item := self._closing.get(quote.symbol)) is not None:
                before = self._hours.served(item.quote, item.mic, now)
            self._served[quote.symbol] = served
            if before != served:
                changed.append(served)
        return changed

    async def _keep_time(self) -> None:
        """Reads instruments and hours now and then, and sends what time alone has changed."""
        loop = asyncio.get_running_loop()
        due = loop.time() + REFRESH_EVERY
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(SWEEP_EVERY):
                    await self._changed.wait()
            if self._changed.is_set() or loop.time() >= due:
                self._changed.clear()
                await self._refresh()
                due = loop.time() + REFRESH_EVERY
            self._fan_out.push(self._serve(list(self._published.values())))

    async def _refresh(self) -> None:
        """Reads instruments and hours; without a database what was known stays."""
        try:
            self._forget_closes()
            self._mode = await _mode(self._env)
            self._hours = await load_hours(self._env)
            self._mics = await _list_mics(self._env)
        except Unavailable:
            logger.warning("the database does not answer")


async def _list_mics(env: Env, symbols: list[str] | None = None) -> dict[str, str]:
    """The market of each instrument."""
    wanted = select(Instrument.symbol, Instrument.mic)
    if symbols is not None:
        wanted = wanted.where(Instrument.symbol.in_(symbols))
    async with env.db.read() as db:
        return {row.symbol: row.mic for row in await db.execute(wanted)}


async def _mode(env: Env) -> str | None:
    """Whether live prices or the sample's may be shown; None before the first choice."""
    return (await read_mode(env))[0]


async def _published(env: Env, symbols: list[str], mode: str | None) -> dict[str, Quote]:
    """What the feed has left on the bus; nothing when the bus is down."""
    try:
        kept = await env.bus.kept(QUOTES, symbols)
    except Unavailable:
        return {}
    quotes = _readable(b"[" + b",".join(kept.values()) + b"]", mode)
    return {quote.symbol: quote for quote in quotes}


def _readable(data: bytes, mode: str | None) -> list[Quote]:
    """The quotes of a message that are of the chosen mode; what is no message is dropped."""
    try:
        quotes = quotes_from_json(data)
    except BadInput as error:
        logger.warning("quotes dropped", extra={"reason": str(error)})
        return []
    return [quote for quote in quotes if mode is None or _is_of(quote, mode)]


def _is_of(quote: Quote, mode: str) -> bool:
    return quote.source.recorded is (mode == SAMPLE)
