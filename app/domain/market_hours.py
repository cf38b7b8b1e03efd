"""Market hours around a moment, and what a quote is called by them.

`sessions` holds some weeks of sessions of each exchange, in order of time. A market whose sessions
are not known counts as open: its prices are shown, and only their age is judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Final

from app.domain.quotes import MOVING, STALE_AFTER, Quote, QuoteState
from app.domain.sessions import Session, is_finished

SOURCE_DELAY: Final[Mapping[str, timedelta]] = {"XKRX": timedelta(minutes=20)}
"""How late Yahoo says it gives the prices of an exchange; the others are given at once."""

AFTER_CLOSE: Final = timedelta(minutes=10)
"""Until when after the close a price still belongs to the session: the closing auction's print."""

_NONE: Final = timedelta(0)


@dataclass(frozen=True)
class MarketHours:
    """Sessions by MIC, in order."""

    sessions: Mapping[str, tuple[Session, ...]] = field(default_factory=dict)

    def knows(self, mic: str | None) -> bool:
        """Whether any session of the market is known."""
        return bool(mic and self.sessions.get(mic))

    def begun(self, mic: str, at: datetime) -> Session | None:
        """The newest session that had begun at that instant, running or over."""
        return next((s for s in reversed(self.sessions.get(mic, ())) if s.open_at <= at), None)

    def before(self, mic: str, day: date) -> Session | None:
        """The last session before that day."""
        return next((s for s in reversed(self.sessions.get(mic, ())) if s.day < day), None)

    def running(self, mic: str | None, now: datetime) -> Session | None:
        """The session of which prices come in now: from the open to the close and the delay."""
        if mic is None:
            return None
        session = self.begun(mic, now)
        if session is None or now >= session.close_at + SOURCE_DELAY.get(mic, _NONE):
            return None
        return session

    def expected_day(self, mic: str, now: datetime) -> date | None:
        """The newest day whose close should be known by now."""
        newest = (s for s in reversed(self.sessions.get(mic, ())) if is_finished(s, now))
        session = next(newest, None)
        return None if session is None else session.day

    def served(self, quote: Quote, mic: str | None, now: datetime) -> Quote:
        """The quote as a reader is told it now: time alone turns live into stale or closed."""
        state = self._state(quote, mic, now)
        return quote if state is quote.state else replace(quote, state=state)

    def _state(self, quote: Quote, mic: str | None, now: datetime) -> QuoteState:
        if quote.state in {QuoteState.REPLAY, QuoteState.HISTORIC}:
            return quote.state
        session = self.running(mic, now)
        here = session is None or session.day == quote.day
        if quote.state in MOVING and here and (session or not self.knows(mic)):
            old = now - quote.at > STALE_AFTER + SOURCE_DELAY.get(mic or "", _NONE)
            return QuoteState.STALE if old else quote.state
        expected = self.expected_day(mic, now) if mic else None
        missed = expected is not None and quote.day < expected
        return QuoteState.STALE if missed else QuoteState.CLOSED
