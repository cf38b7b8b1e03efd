"""Sends quotes to the bus, conflated: the newest of each symbol, at most ten batches a second.

A batch goes out as one message and is written to the hash of newest values in the same step. The
hash is written again as a whole every few seconds, so that a broker that lost everything has it
back by itself. While the broker is away, nothing queues up: the newest quote of each symbol waits.
"""

from __future__ import annotations

import asyncio
import logging
import random
from contextlib import suppress
from typing import Final

from app.adapters.bus import QUOTES, Bus
from app.domain.quotes import Quote, quotes_from_json, quotes_to_json
from app.errors import BadInput, Unavailable

BATCH_EVERY: Final = 0.1
KEEP_EVERY: Final = 5.0
LONGEST_PAUSE: Final = 1.0

logger = logging.getLogger(__name__)


class Publisher:
    """`put` quotes, `run` sends them. `held` is the newest quote of each symbol."""

    def __init__(self, bus: Bus) -> None:
        self.held: dict[str, Quote] = {}
        self._bus = bus
        self._waiting: dict[str, Quote] = {}
        self._filled = asyncio.Event()
        self._wipe = False

    def put(self, quote: Quote) -> None:
        """Takes a quote as the newest of its symbol."""
        self.held[quote.symbol] = quote
        self._waiting[quote.symbol] = quote
        self._filled.set()

    def clear(self) -> None:
        """Forgets everything, and lets the hash be emptied before anything else is sent."""
        self.held.clear()
        self._waiting.clear()
        self._wipe = True
        self._filled.set()

    async def take_over(self, *, recorded: bool) -> None:
        """Begins with what an earlier publisher left; quotes of the other mode are wiped."""
        try:
            kept = await self._bus.kept(QUOTES)
            quotes = quotes_from_json(b"[" + b",".join(kept.values()) + b"]")
        except (BadInput, Unavailable) as error:
            logger.warning("nothing taken over", extra={"reason": str(error)})
            self._wipe = True
            return
        usable = [quote for quote in quotes if quote.source.recorded is recorded]
        self.held.update({quote.symbol: quote for quote in usable})
        self._wipe = self._wipe or len(usable) < len(quotes)

    async def run(self) -> None:
        """Sends what is put, for ever; a broker that is away is asked again and again."""
        loop = asyncio.get_running_loop()
        keep_at, pause = loop.time(), BATCH_EVERY
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(KEEP_EVERY):
                    await self._filled.wait()
            self._filled.clear()
            try:
                await self._send()
                if loop.time() >= keep_at:
                    await self._bus.keep(QUOTES, {s: q.to_json() for s, q in self.held.items()})
                    keep_at = loop.time() + KEEP_EVERY
                pause = BATCH_EVERY
            except Unavailable:
                logger.warning("the bus does not answer", extra={"retry_in": round(pause, 1)})
                self._filled.set()
                keep_at = loop.time()
                pause = min(LONGEST_PAUSE, 2 * pause)
                await asyncio.sleep(random.uniform(0, pause))  # noqa: S311 - spreads processes
            await asyncio.sleep(BATCH_EVERY)

    async def _send(self) -> None:
        """One batch. What could not be sent waits again, unless something newer does.

        Raises:
            Unavailable: the bus does not answer.
        """
        if self._wipe:
            await self._bus.forget(QUOTES)
            self._wipe = False
        batch, self._waiting = self._waiting, {}
        if not batch:
            return
        try:
            await self._bus.announce(
                QUOTES,
                quotes_to_json(batch.values()),
                QUOTES,
                {symbol: quote.to_json() for symbol, quote in batch.items()},
            )
        except Unavailable:
            if not self._wipe:
                self._waiting = batch | self._waiting
            raise
