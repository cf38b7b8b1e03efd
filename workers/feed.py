"""The feed: one process at a time brings live prices, or the replay, to the bus.

    wait for the lock ──► lead: publish · listen to events · run the feed of the chosen source
          ▲                    │ the lock's connection ended: stop at once
          └────────────────────┘

The lock is PostgreSQL's (`db/lock`), so that there is one feed also after a kill -9 and when the
broker has lost everything. A switch of the source, or of what is tracked, is heard as an event;
what was not heard is read again every ten seconds.
"""

from __future__ import annotations

import asyncio
import logging
import random
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol

import orjson

from app.adapters.bus import EVENTS
from app.config import Settings
from app.db.lock import hold_lock
from app.env import Env, open_env
from app.errors import Unavailable
from app.services.feed.publisher import Publisher
from app.services.settings import SOURCE_KEY, find_setting
from app.services.sources.source_order import SAMPLE
from workers.live_feed import LiveFeed
from workers.replay_feed import ReplayFeed

LOCK: Final = "sise-feed"
SETTLE: Final = 0.3
"""Seconds between two readings at least: a collection of many instruments is many events."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FeedTimes:
    """Durations in seconds.

    `stale`: a silence that ends the stream; `poll`: between two rounds of questions while there is
    no stream; `reread`: after which missed events are made up for.
    """

    stale: float = 45.0
    poll: float = 30.0
    reread: float = 10.0


class SourceFeed(Protocol):
    """The feed of one source."""

    async def run(self) -> None:
        """Puts quotes to the publisher, for ever."""
        ...

    async def refresh(self) -> None:
        """Reads again what is tracked.

        Raises:
            Unavailable: the database does not answer.
        """
        ...


async def run_feed(settings: Settings, times: FeedTimes | None = None) -> None:
    """Feeds whenever no other process does, until it is cancelled.

    Raises:
        ConfigError: no database or broker is set.
    """
    async with open_env(settings, application="sise-feed", pool_size=1) as env:
        while True:
            try:
                url = str(settings.database_url)
                async with hold_lock(url, LOCK, application="sise-feed-lock") as lost:
                    logger.info("this process is the feed")
                    await _lead_until(lost, env, times or FeedTimes())
                    logger.warning("the feed's lock is lost")
            except Unavailable:
                logger.warning("the database does not answer")
            await asyncio.sleep(random.uniform(0.2, 1.0))  # noqa: S311 - spreads processes


async def _lead_until(lost: asyncio.Event, env: Env, times: FeedTimes) -> None:
    async with asyncio.TaskGroup() as tasks:
        publisher, signals = Publisher(env.bus), Signals()
        leading = [
            tasks.create_task(publisher.run()),
            tasks.create_task(signals.run(env)),
            tasks.create_task(_switch(env, publisher, signals, times)),
        ]
        await lost.wait()
        for task in leading:
            task.cancel()


async def _switch(env: Env, publisher: Publisher, signals: Signals, times: FeedTimes) -> None:
    """Keeps the feed of the chosen source running."""
    async with asyncio.TaskGroup() as tasks:
        name: str | None = None
        feed: SourceFeed | None = None
        running: asyncio.Task[None] | None = None
        while True:
            try:
                chosen = await find_setting(env, SOURCE_KEY)
                if chosen != name:
                    if running is not None:
                        running.cancel()
                        await asyncio.wait({running})
                        publisher.clear()
                    name, feed = chosen, _make_feed(chosen, env, publisher, times)
                    if feed is not None:
                        logger.info("feeding", extra={"source": name})
                        await publisher.take_over(recorded=name == SAMPLE)
                        running = tasks.create_task(feed.run())
                if feed is not None:
                    await feed.refresh()
            except Unavailable as error:
                logger.warning("not read again", extra={"reason": str(error)})
            await asyncio.sleep(SETTLE)
            await signals.wait(times.reread)


def _make_feed(
    name: str | None, env: Env, publisher: Publisher, times: FeedTimes
) -> SourceFeed | None:
    if name == "yahoo":
        return LiveFeed(env, publisher, stale=times.stale, poll=times.poll)
    return ReplayFeed(env, publisher) if name == SAMPLE else None


class Signals:
    """Hears from the bus that there is something to read again."""

    KINDS: Final = frozenset({"source", "tracked", "removed", "collected", "calendar"})

    def __init__(self) -> None:
        self._heard = asyncio.Event()

    async def wait(self, seconds: float) -> None:
        """Returns when something was heard, or after so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._heard.wait()
        self._heard.clear()

    async def run(self, env: Env) -> None:
        """Listens for ever; a broker that comes back counts as a signal."""
        while True:
            try:
                async with env.bus.listen(EVENTS) as messages:
                    self._heard.set()
                    async for _, data in messages:
                        if _kind(data) in self.KINDS:
                            self._heard.set()
            except Unavailable:
                logger.warning("the bus does not answer")
            await asyncio.sleep(random.uniform(0.2, 1.0))  # noqa: S311 - spreads processes


def _kind(data: bytes) -> str | None:
    try:
        event = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    return event.get("kind") if isinstance(event, dict) else None
