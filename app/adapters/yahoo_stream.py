"""Yahoo's streaming WebSocket: prices as they are traded, over one connection that is kept up.

A message is JSON, `{"type": "pricing", "message": <base64 of PricingData>}`; a subscription is
`{"subscribe": [symbols]}` and is said again every 15 seconds, as the server forgets it. When the
connection ends, cannot be made, or is silent although prices are expected, it is made anew after a
random pause that grows with each failure in a row.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import random
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Final

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from app.adapters.prices import BadPayload, Tick
from app.adapters.pricing_proto import (
    EXTENDED_MARKET,
    HEARTBEAT,
    POST_MARKET,
    REGULAR_MARKET,
    PricingData,
    read_pricing,
)

SUBSCRIBE_EVERY: Final = 15.0
MAX_MESSAGE: Final = 65_536
FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 30.0
_TIME_LIMIT: Final = 253_402_300_799_000  # the end of the year 9999, in milliseconds

logger = logging.getLogger(__name__)


class YahooStream:
    """The stream; `run` keeps it up, `watch` says which symbols.

    `expecting()` answers whether prices should come now (some market is in session): only then does
    a silence of `stale_after` seconds end the connection.
    """

    def __init__(
        self, url: str, *, expecting: Callable[[], bool], stale_after: float = 45.0
    ) -> None:
        self._url = url
        self._expecting = expecting
        self._stale_after = stale_after
        self._symbols: frozenset[str] = frozenset()
        self._wanted = asyncio.Event()
        self._socket: ClientConnection | None = None
        self._heard: float | None = None
        self._failures = 0

    @property
    def alive(self) -> bool:
        """Whether a price came over the present connection within `stale_after` seconds."""
        if self._socket is None or self._heard is None:
            return False
        return asyncio.get_running_loop().time() - self._heard < self._stale_after

    async def watch(self, symbols: Iterable[str]) -> None:
        """Subscribes to exactly these symbols from now on."""
        before, self._symbols = self._symbols, frozenset(symbols)
        if self._symbols:
            self._wanted.set()
        else:
            self._wanted.clear()
        if self._socket is None:
            return
        try:
            await _say(self._socket, "unsubscribe", before - self._symbols)
            await _say(self._socket, "subscribe", self._symbols - before)
        except (OSError, WebSocketException):
            logger.debug("the stream ended while its symbols changed")  # `run` makes it anew

    async def run(self, on_tick: Callable[[Tick], None]) -> None:
        """Hands every tick to `on_tick`, for ever; every fault of the other side is overcome."""
        while True:
            await self._wanted.wait()
            try:
                await self._stay(on_tick)
            except (OSError, WebSocketException) as error:
                reason = str(error) or type(error).__name__
                logger.warning("price stream ended", extra={"reason": reason})
            finally:
                self._socket = self._heard = None
            self._failures += 1
            await asyncio.sleep(pause_after(self._failures))

    async def _stay(self, on_tick: Callable[[Tick], None]) -> None:
        """One connection, until it ends.

        Raises:
            OSError: it could not be made, or it was silent for too long.
            WebSocketException: it was refused or ended.
        """
        loop = asyncio.get_running_loop()
        async with connect(
            self._url,
            compression=None,
            max_size=MAX_MESSAGE,
            open_timeout=10,
            close_timeout=1,
        ) as socket:
            self._socket = socket
            await _say(socket, "subscribe", self._symbols)
            begun = said = loop.time()
            while True:
                text = await _receive(socket, min(SUBSCRIBE_EVERY, self._stale_after))
                now = loop.time()
                if text is not None:
                    self._hear(text, now, on_tick)
                elif now - (self._heard or begun) >= self._stale_after and self._expecting():
                    raise TimeoutError("no price came although a market is in session")
                if now - said >= SUBSCRIBE_EVERY:
                    await _say(socket, "subscribe", self._symbols)
                    said = now

    def _hear(self, text: str | bytes, now: float, on_tick: Callable[[Tick], None]) -> None:
        tick = read_tick(text)
        if isinstance(tick, BadPayload):
            logger.warning("price message dropped", extra={"reason": tick.detail})
        elif tick is not None:
            self._heard = now
            self._failures = 0
            on_tick(tick)


def pause_after(failures: int) -> float:
    """Seconds to wait after so many failures in a row: half to all of a doubling bound."""
    bound = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(failures - 1, 10))
    return random.uniform(bound / 2, bound)  # noqa: S311 - spreads clients, hides nothing


def read_tick(text: str | bytes) -> Tick | BadPayload | None:
    """One message of the stream; None for what carries no price of the regular session."""
    try:
        envelope = orjson.loads(text)
        if envelope["type"] != "pricing":
            return None
        data = read_pricing(base64.b64decode(envelope["message"], validate=True))
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        return BadPayload(f"not a pricing message: {error!r}")
    if data.quote_type == HEARTBEAT or data.market_hours in {POST_MARKET, EXTENDED_MARKET}:
        return None
    if not data.id or not 0 < data.time < _TIME_LIMIT:
        return BadPayload(f"a pricing message without symbol or time: {data}")
    return Tick(
        symbol=data.id,
        price=data.price,
        at=datetime.fromtimestamp(data.time / 1000, UTC),
        previous_close=_previous_close(data),
        volume=data.day_volume or None,
        regular=data.market_hours == REGULAR_MARKET,
    )


def _previous_close(data: PricingData) -> float | None:
    """As sent, or else from the change, to the decimals of the price; None with neither."""
    if data.previous_close > 0:
        return data.previous_close
    if data.change == 0:
        return None
    return round(data.price - data.change, data.price_hint or 2)


async def _receive(socket: ClientConnection, seconds: float) -> str | bytes | None:
    """The next message; None when none came in so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            return await socket.recv()
    except TimeoutError:
        return None


async def _say(socket: ClientConnection, verb: str, symbols: frozenset[str]) -> None:
    if symbols:
        await socket.send(orjson.dumps({verb: sorted(symbols)}).decode())
