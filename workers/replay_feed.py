"""The feed of the sample: recorded days, played one step at a time."""

from __future__ import annotations

import asyncio
import logging
from datetime import date
from typing import Final

import orjson

from app.adapters.bus import EVENTS
from app.domain.quotes import Quote
from app.domain.replay import Cursor
from app.env import Env
from app.errors import Unavailable
from app.services.feed.publisher import Publisher
from app.services.feed.tick_book import list_tracked
from app.services.market.closing_quotes import list_closing_quotes
from app.services.market.replay import advance, find_cursor, load_day

NOTHING_YET: Final = 1.0
"""Seconds to wait while nothing is recorded, or the database does not answer."""

logger = logging.getLogger(__name__)


class ReplayFeed:
    """Steps every `SISE_REPLAY_STEP` seconds; begins where the last one stopped."""

    def __init__(self, env: Env, publisher: Publisher) -> None:
        self._env = env
        self._publisher = publisher
        self._symbols: frozenset[str] = frozenset()
        self._known = asyncio.Event()
        self._loaded: tuple[date, frozenset[str]] | None = None
        self._steps: list[list[Quote]] = []

    async def refresh(self) -> None:
        """Reads again what is tracked; an instrument without a tick gets its last close.

        Raises:
            Unavailable: the database does not answer.
        """
        self._symbols = frozenset(await list_tracked(self._env))
        await self._fill()
        self._known.set()

    async def run(self) -> None:
        """Plays for ever; a database that is away is waited for."""
        await self._known.wait()
        at: Cursor | None = None
        shown = False
        while True:
            pause = self._env.settings.replay_step
            try:
                at = await (self._step(at) if shown else self._show_again())
                if at is None:
                    pause = NOTHING_YET if shown else 0
                shown = True
            except Unavailable:
                logger.warning("the replay waits for the database")
                pause, shown = NOTHING_YET, False
            await asyncio.sleep(pause)

    async def _show_again(self) -> Cursor | None:
        """Puts what was shown last, which the broker may have lost; None before the first step."""
        at = await find_cursor(self._env)
        if at is not None:
            await self._load(at.day)
            for quotes in self._steps[: at.step + 1]:
                self._put(quotes)
        return at

    async def _step(self, before: Cursor | None) -> Cursor | None:
        """One step on; None while nothing is recorded."""
        at = await advance(self._env)
        if at is None:
            return None
        if at.step == 0:
            await self._begin_day(at.day, again=before is not None and at.day <= before.day)
        await self._load(at.day)
        self._put(self._steps[at.step])
        return at

    async def _begin_day(self, day: date, *, again: bool) -> None:
        """Says which day it is; when the replay begins again, later days are forgotten first."""
        try:
            event = {"kind": "replay", "day": day.isoformat()}
            await self._env.bus.publish(EVENTS, orjson.dumps(event))
        except Unavailable:
            logger.warning("the bus does not answer")
        if again:
            self._publisher.clear()
            await self._fill()

    async def _fill(self) -> None:
        """Puts the last close before the replayed day of what has no quote yet."""
        held = self._publisher.held
        missing = [symbol for symbol in self._symbols if symbol not in held]
        for symbol, item in (await list_closing_quotes(self._env, missing)).items():
            if symbol not in held:
                self._publisher.put(item.quote)

    async def _load(self, day: date) -> None:
        wanted = (day, self._symbols)
        if self._loaded != wanted:
            self._steps = await load_day(self._env, day, self._symbols)
            self._loaded = wanted

    def _put(self, quotes: list[Quote]) -> None:
        for quote in quotes:
            self._publisher.put(quote)
