"""The feed of live prices: Yahoo's stream, and questions in market hours while it is down.

What an exchange's order of sources has no live prices of is neither streamed nor asked for: its
instruments keep the quote of their last stored close.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from typing import Final

from app.adapters.prices import PriceSource, RateLimited, Tick, describe
from app.adapters.yahoo_stream import YahooStream
from app.domain.quotes import Quote, QuoteSource, is_newer
from app.env import Env
from app.services.feed.publisher import Publisher
from app.services.feed.tick_book import Place, Refused, TickBook, list_tracked
from app.services.market.closing_quotes import list_closing_quotes
from app.services.market.market_hours import load_hours
from app.services.sources.source_order import list_live

STREAMING: Final = "yahoo"
"""The provider that has a stream."""

logger = logging.getLogger(__name__)


class LiveFeed:
    """Durations in seconds: `stale`, a silence that ends the stream; `poll`, between questions."""

    def __init__(self, env: Env, publisher: Publisher, *, stale: float, poll: float) -> None:
        self._env = env
        self._publisher = publisher
        self._poll = poll
        self._book = TickBook(env.clock, publisher.held)
        self._known = asyncio.Event()
        self._stream = YahooStream(
            env.settings.yahoo_stream_url,
            expecting=lambda: any(map(self._is_streamed, self._book.open_places().values())),
            stale_after=stale,
        )

    async def refresh(self) -> None:
        """Reads again what is tracked, the hours, and stored closes newer than what is held.

        Raises:
            Unavailable: the database does not answer.
        """
        places = await list_tracked(self._env)
        hours = await load_hours(self._env)
        items = await list_closing_quotes(self._env, places)
        closing = {symbol: item.quote for symbol, item in items.items()}
        self._book.know(places, hours, closing)
        for symbol, quote in closing.items():
            held = self._publisher.held.get(symbol)
            if is_newer(quote, held) or not self._may_stand(held, quote, places[symbol]):
                self._publisher.put(quote)
        await self._stream.watch(s for s, place in places.items() if self._is_streamed(place))
        self._known.set()

    async def run(self) -> None:
        """Streams and polls, for ever."""
        await self._known.wait()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._stream.run(self._take_streamed))
            tasks.create_task(self._ask())

    def _source(self, place: Place) -> PriceSource | None:
        """The source of an exchange's live prices; None when there are none."""
        return next(iter(list_live(self._env, place.mic)), None)

    def _is_streamed(self, place: Place) -> bool:
        source = self._source(place)
        return source is not None and source.provider == STREAMING

    def _may_stand(self, held: Quote | None, closing: Quote, place: Place) -> bool:
        """Whether a quote is of a source in use: it may be left from an earlier order."""
        source = self._source(place)
        live = source and QuoteSource(source.provider.upper())
        return held is not None and held.source in {closing.source, live}

    def _take_streamed(self, tick: Tick) -> None:
        self._take(tick, QuoteSource.YAHOO, streamed=True)

    def _take(self, tick: Tick, source: QuoteSource, *, streamed: bool) -> None:
        quote = self._book.read(tick, source, streamed=streamed)
        if isinstance(quote, Refused):
            logger.debug("tick refused", extra={"symbol": tick.symbol, "reason": quote.reason})
        else:
            self._publisher.put(quote)

    async def _ask(self) -> None:
        """Asks for the prices of open markets whenever the stream does not bring them."""
        while True:
            pause = self._poll
            asked: dict[str, list[str]] = defaultdict(list)
            for symbol, place in self._book.open_places().items():
                source = self._source(place)
                if source is None or (self._stream.alive and source.provider == STREAMING):
                    continue
                asked[source.name].append(symbol)
            for name, symbols in asked.items():
                pause = max(pause, await self._poll_source(self._env.sources[name], symbols))
            await asyncio.sleep(pause)

    async def _poll_source(self, source: PriceSource, symbols: list[str]) -> float:
        """Asks one source once: how long it wants to be left alone, in seconds."""
        rest = 0.0
        for symbol, answer in (await source.quotes(symbols)).items():
            if isinstance(answer, Tick):
                self._take(answer, QuoteSource(source.provider.upper()), streamed=False)
                continue
            logger.info("no quote", extra={"symbol": symbol, "why": describe(answer)})
            if isinstance(answer, RateLimited):
                rest = max(rest, answer.retry_after)
        return rest
