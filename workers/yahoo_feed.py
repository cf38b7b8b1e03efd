"""The feed of live prices: Yahoo's stream, and questions in market hours while it is down."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from app.adapters.prices import RateLimited, Tick, describe
from app.adapters.yahoo_stream import YahooStream
from app.domain.quotes import is_newer
from app.env import Env
from app.services.closing_quotes import list_closing_quotes
from app.services.market_hours import load_hours
from app.services.publisher import Publisher
from app.services.tick_book import Refused, TickBook, list_tracked

SOURCE: Final = "yahoo"

logger = logging.getLogger(__name__)


class YahooFeed:
    """Durations in seconds: `stale`, a silence that ends the stream; `poll`, between questions."""

    def __init__(self, env: Env, publisher: Publisher, *, stale: float, poll: float) -> None:
        self._env = env
        self._publisher = publisher
        self._poll = poll
        self._book = TickBook(env.clock, publisher.held)
        self._known = asyncio.Event()
        self._stream = YahooStream(
            env.settings.yahoo_stream_url,
            expecting=lambda: bool(self._book.open_symbols()),
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
            if is_newer(quote, self._publisher.held.get(symbol)):
                self._publisher.put(quote)
        await self._stream.watch(places)
        self._known.set()

    async def run(self) -> None:
        """Streams and polls, for ever."""
        await self._known.wait()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._stream.run(self._take_streamed))
            tasks.create_task(self._ask())

    def _take_streamed(self, tick: Tick) -> None:
        self._take(tick, streamed=True)

    def _take(self, tick: Tick, *, streamed: bool) -> None:
        quote = self._book.read(tick, streamed=streamed)
        if isinstance(quote, Refused):
            logger.debug("tick refused", extra={"symbol": tick.symbol, "reason": quote.reason})
        else:
            self._publisher.put(quote)

    async def _ask(self) -> None:
        """Asks for the prices of open markets whenever the stream does not bring them."""
        while True:
            pause = self._poll
            symbols = [] if self._stream.alive else self._book.open_symbols()
            if symbols:
                answers = await self._env.sources[SOURCE].quotes(symbols)
                for symbol, answer in answers.items():
                    if isinstance(answer, Tick):
                        self._take(answer, streamed=False)
                    else:
                        logger.info("no quote", extra={"symbol": symbol, "why": describe(answer)})
                        if isinstance(answer, RateLimited):
                            pause = max(pause, answer.retry_after)
            await asyncio.sleep(pause)
