"""From ticks to quotes: each one is checked, dated by its session and compared with what is held.

Refused are: a symbol that is not tracked, a price that is not positive and finite, an instant more
than two minutes ahead or not after the one held, and a price from outside the regular session (the
close is the regular session's). Where the source itself says that a price is of the regular
session, its word counts more than the calendar, which may have missed a late close.

The close before comes from the source, which knows of a split on its very day; otherwise from the
day's earlier quote; otherwise it is the stored close of the session before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import select

from app.adapters.prices import Tick
from app.clock import Clock
from app.db.models import Exchange, Instrument
from app.domain.market_hours import AFTER_CLOSE, MarketHours
from app.domain.quotes import (
    Quote,
    QuoteSource,
    QuoteState,
    check_price,
    is_newer,
    moving_state,
    plain,
)
from app.env import Env


@dataclass(frozen=True)
class Place:
    """Where an instrument is traded."""

    mic: str
    zone: ZoneInfo


@dataclass(frozen=True)
class Refused:
    """A tick that makes no quote, and why."""

    reason: str


async def list_tracked(env: Env) -> dict[str, Place]:
    """Every tracked instrument and where it is traded.

    Raises:
        Unavailable: the database does not answer.
    """
    wanted = (
        select(Instrument.symbol, Instrument.mic, Exchange.time_zone)
        .join(Exchange, Exchange.mic == Instrument.mic)
        .where(Instrument.tracked)
    )
    async with env.db.read() as db:
        rows = await db.execute(wanted)
        return {row.symbol: Place(row.mic, ZoneInfo(row.time_zone)) for row in rows}


class TickBook:
    """What is needed to judge ticks; `held` are the newest quotes, which somebody else keeps."""

    def __init__(self, clock: Clock, held: Mapping[str, Quote]) -> None:
        self._clock = clock
        self._held = held
        self._places: Mapping[str, Place] = {}
        self._hours = MarketHours()
        self._closing: Mapping[str, Quote] = {}

    def know(
        self, places: Mapping[str, Place], hours: MarketHours, closing: Mapping[str, Quote]
    ) -> None:
        """Replaces what is known: tracked instruments, hours, quotes by the last stored close."""
        self._places, self._hours, self._closing = places, hours, closing

    def open_places(self) -> dict[str, Place]:
        """The instruments whose market is in session, or has hours that are not known."""
        now = self._clock.now()
        return {
            symbol: place
            for symbol, place in self._places.items()
            if not self._hours.knows(place.mic) or self._hours.running(place.mic, now)
        }

    def read(self, tick: Tick, source: QuoteSource, *, streamed: bool) -> Quote | Refused:
        """The quote that a tick makes. A polled price is one of the regular session."""
        place = self._places.get(tick.symbol)
        if place is None:
            return Refused("it is not tracked")
        now = self._clock.now()
        price = Decimal(repr(tick.price))
        problem = check_price(price, tick.at, now)
        if problem is not None:
            return Refused(problem)
        day = self._day(place, tick.at, regular=tick.regular or not streamed)
        if day is None:
            return Refused("it is from outside the regular session")
        quote = Quote(
            symbol=tick.symbol,
            price=plain(price),
            previous_close=self._previous_close(tick, place, day),
            at=tick.at,
            day=day,
            source=source,
            state=self._state(place, tick.at, day, now, streamed=streamed),
        )
        if not is_newer(quote, self._held.get(tick.symbol)):
            return Refused("it is not newer than the one held")
        return quote

    def _day(self, place: Place, at: datetime, *, regular: bool) -> date | None:
        """The session a price belongs to; None when it is of none."""
        session = self._hours.begun(place.mic, at)
        if session is not None and at < session.close_at + AFTER_CLOSE:
            return session.day
        if regular or not self._hours.knows(place.mic):
            return at.astimezone(place.zone).date()
        return None

    def _state(
        self, place: Place, at: datetime, day: date, now: datetime, *, streamed: bool
    ) -> QuoteState:
        if self._hours.knows(place.mic):
            session = self._hours.running(place.mic, now)
            if session is None or session.day != day:
                return QuoteState.CLOSED
        return moving_state(at, now, streamed=streamed)

    def _previous_close(self, tick: Tick, place: Place, day: date) -> Decimal | None:
        if tick.previous_close is not None:
            given = Decimal(repr(tick.previous_close))
            if given.is_finite() and given > 0:
                return plain(given)
        held = self._held.get(tick.symbol)
        if held is not None and held.day == day and held.previous_close is not None:
            return held.previous_close
        closing = self._closing.get(tick.symbol)
        if closing is None or closing.day > day:
            return None
        if closing.day == day:
            return closing.previous_close
        before = self._hours.before(place.mic, day)
        return closing.price if before is not None and before.day == closing.day else None
