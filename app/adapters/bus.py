"""Valkey as a bus: what is published is heard by every process, and the newest values can be read.

Nothing here is the truth: all of it may be lost and comes back with the next tick or collection.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, TypeVar, cast

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from app.errors import Unavailable

QUOTES = "sise:quotes"  # channel: a JSON list of quotes a message; hash: symbol → newest quote
EVENTS = "sise:events"  # channel: one JSON object a message, `kind` says what happened

T = TypeVar("T")

PATIENCE: Final = 5.0
"""Seconds after which an answer is no longer expected."""

QUIET: Final = 5.0
"""Seconds of silence on a subscription after which the broker is asked whether it is there."""


class Bus:
    """Publish, subscribe, and hashes of newest values.

    Every method raises `Unavailable` when the broker does not answer.
    """

    def __init__(self, url: str) -> None:
        self._redis: Redis = Redis.from_url(
            url, socket_connect_timeout=PATIENCE, health_check_interval=15
        )
        self._listener: Redis = Redis.from_url(url, socket_connect_timeout=PATIENCE)

    async def publish(self, channel: str, message: bytes) -> None:
        """Sends one message to whoever listens now."""
        async with _answering():
            await self._redis.publish(channel, message)

    async def announce(
        self, channel: str, message: bytes, hash_name: str, values: Mapping[str, bytes]
    ) -> None:
        """Writes fields of a hash and sends a message about them: both or neither.

        Who reads the hash once the message has come sees these values or newer ones.
        """
        async with _answering(), self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(hash_name, mapping=dict(values))
            pipe.publish(channel, message)
            await pipe.execute()

    @asynccontextmanager
    async def listen(self, *channels: str) -> AsyncIterator[AsyncIterator[tuple[str, bytes]]]:
        """Opens a subscription; it is in force when the block begins. Yields (channel, message).

        A broker that has gone is noticed by the closed connection, a silent one by a ping that is
        not answered: reading raises `Unavailable`, and the caller listens anew.
        """
        pubsub = self._listener.pubsub()
        try:
            early = await _subscribe(pubsub, channels)
            yield _messages(pubsub, early)
        finally:
            await pubsub.aclose()  # type: ignore[no-untyped-call]

    async def keep(self, hash_name: str, values: Mapping[str, bytes]) -> None:
        """Writes fields of a hash of newest values."""
        if values:
            async with _answering():
                await _answer(self._redis.hset(hash_name, mapping=dict(values)))

    async def kept(self, hash_name: str, names: Sequence[str] | None = None) -> dict[str, bytes]:
        """Fields of a hash of newest values: all, or those of `names` that are there."""
        async with _answering():
            if names is None:
                everything = await _answer(self._redis.hgetall(hash_name))
                return {name.decode(): value for name, value in everything.items()}
            values = await _answer(self._redis.hmget(hash_name, list(names))) if names else []
        return {k: v for k, v in zip(names, values, strict=True) if v is not None}

    async def drop(self, hash_name: str, name: str) -> None:
        """Deletes one field of a hash of newest values."""
        async with _answering():
            await _answer(self._redis.hdel(hash_name, name))

    async def forget(self, name: str) -> None:
        """Deletes a hash or a cached value."""
        async with _answering():
            await self._redis.delete(name)

    async def cache(self, name: str, value: bytes, seconds: float) -> None:
        """Keeps a value for so many seconds."""
        async with _answering():
            await self._redis.set(name, value, px=max(1, int(seconds * 1000)))

    async def cached(self, name: str) -> bytes | None:
        """A value kept by `cache`, None when it is gone."""
        async with _answering():
            value: bytes | None = await self._redis.get(name)
        return value

    async def count(self, name: str, seconds: float) -> tuple[int, float]:
        """Adds one to a counter that lives so long; the count and the seconds that are left."""
        async with _answering(), self._redis.pipeline(transaction=True) as pipe:
            pipe.set(name, 0, px=max(1, int(seconds * 1000)), nx=True)
            pipe.incr(name)
            pipe.pttl(name)
            _, count, left = await pipe.execute()
        return int(count), max(0, left) / 1000

    async def counted(self, name: str) -> tuple[int, float]:
        """A counter as it stands, zero when it is gone."""
        async with _answering(), self._redis.pipeline(transaction=True) as pipe:
            pipe.get(name)
            pipe.pttl(name)
            count, left = await pipe.execute()
        return int(count or 0), max(0, left) / 1000

    async def ping(self) -> str:
        """The program that answers, as `Valkey 9.1.2`."""
        async with _answering():
            facts = await self._redis.info("server")
        name = "Valkey" if "valkey_version" in facts else "Redis"
        return f"{name} {facts.get('valkey_version') or facts['redis_version']}"

    async def close(self) -> None:
        """Closes every connection."""
        await self._redis.aclose()
        await self._listener.aclose()


async def _answer(command: Awaitable[T] | T) -> T:
    """Awaits a command that the client's types call possibly synchronous."""
    return await cast("Awaitable[T]", command)


async def _subscribe(pubsub: PubSub, channels: Sequence[str]) -> deque[dict[str, Any]]:
    """Subscribes and waits for the broker's word; what is published meanwhile is returned."""
    early: deque[dict[str, Any]] = deque()
    async with _answering():
        await pubsub.subscribe(*channels)
        confirmed = 0
        while confirmed < len(channels):
            message = await pubsub.get_message(timeout=PATIENCE)
            if message is not None and message["type"] == "message":
                early.append(message)
            elif message is not None:
                confirmed += message["type"] == "subscribe"
    return early


async def _messages(
    pubsub: PubSub, early: deque[dict[str, Any]]
) -> AsyncIterator[tuple[str, bytes]]:
    asked = False
    while True:
        message = early.popleft() if early else None
        if message is None:
            with _translated():
                message = await pubsub.get_message(timeout=PATIENCE if asked else QUIET)
                if message is None:
                    if asked:
                        raise TimeoutError("no answer to a ping")
                    await pubsub.ping()
        asked = message is None
        if message is not None and message["type"] == "message":
            yield message["channel"].decode(), message["data"]


@asynccontextmanager
async def _answering() -> AsyncIterator[None]:
    """An answer within `PATIENCE` seconds, or `Unavailable`.

    Not the client's `socket_timeout`: it waits by `asyncio.wait_for`, which before Python 3.12
    loses a cancellation that comes together with the answer.
    """
    with _translated():
        async with asyncio.timeout(PATIENCE):
            yield


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (RedisError, OSError) as error:
        raise Unavailable("The broker does not answer. Try again in a moment.") from error
