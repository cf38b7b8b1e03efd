"""How a host outside is asked: not too often, not in vain, and only as many at a time as is polite.

One `Politeness` stands for one host; whoever asks that host shares it.

    token bucket   so many questions a minute after a burst; who would wait longer than his patience
                   is told RateLimited with the seconds, and takes no token
    Retry-After    after a 429 nothing is sent until its time has passed, and no burst after it
    back-off       a host that does not answer is asked twice more, after growing random pauses
    breaker        closed ──`failures` questions in a row unanswered──► open ──pause──► half-open
                   ▲                                                      ▲                │
                   └──────────── the one probe is answered ───────────────┼────────────────┤
                                                                          └── it is not ───┘

Durations are real seconds, also on a clock that runs faster than life (`rate`): the host outside
lives in real time. Instants are the clock's. Pauses are slept, never spun.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from random import SystemRandom
from typing import Final, TypeVar

from app.adapters.prices import BreakerState, Failure, HostState, RateLimited, SourceDown

TRIES: Final = 3
PATIENCE: Final = 20.0  # seconds that a question waits for its turn, if nobody says otherwise
LONGEST_WAIT: Final = 3600.0  # seconds that a Retry-After is believed
USUAL_WAIT: Final = 60.0  # seconds after a 429 that says none
LONGEST_PAUSE: Final = 300.0  # seconds that the breaker stays open at most
_RANDOM: Final = SystemRandom()

_Answer = TypeVar("_Answer")
_patience: ContextVar[float | None] = ContextVar("patience", default=None)
_log = logging.getLogger(__name__)


@contextmanager
def wait_at_most(seconds: float) -> Iterator[None]:
    """Within the block nobody waits longer for his turn: for a caller who has a deadline."""
    token = _patience.set(max(0.0, seconds))
    try:
        yield
    finally:
        _patience.reset(token)


def read_wait(retry_after: str | None, now: datetime) -> float:
    """Seconds of a Retry-After, 1 to an hour: a number or an HTTP date; a minute when neither."""
    if retry_after is None:
        return USUAL_WAIT
    seconds = USUAL_WAIT
    if retry_after.strip().isdecimal():
        seconds = float(retry_after)
    else:
        try:
            until = parsedate_to_datetime(retry_after)
            seconds = (until.replace(tzinfo=until.tzinfo or UTC) - now).total_seconds()
        except ValueError:
            pass
    return min(max(seconds, 1.0), LONGEST_WAIT)


class Politeness:
    """The manners towards one host; `now` is the clock and `rate` its speed.

    `per_minute` and `burst` fill the bucket, `at_once` questions run at a time. `pause`: the mean
    seconds before a second try. `failures` and `rest`: how many open the breaker, and for how many
    seconds the first time; each probe that fails doubles it.
    """

    def __init__(  # noqa: PLR0913 - each is a number of its own
        self,
        *,
        now: Callable[[], datetime],
        rate: float = 1.0,
        per_minute: float = 600.0,
        burst: int = 60,
        at_once: int = 4,
        pause: float = 0.5,
        failures: int = 5,
        rest: float = 2.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._now, self._sleep = now, sleep
        self._rate = rate or 1.0  # a clock that stands passes no time at any speed
        self._per_second, self._burst = per_minute / 60, float(burst)
        self._slots = asyncio.Semaphore(at_once)
        self._pause, self._most, self._rest = pause, failures, rest
        self._tokens, self._filled_at = self._burst, now()
        self._limited_until: datetime | None = None
        self._open_until: datetime | None = None
        self._failures = self._trips = 0
        self._probing = False

    def state(self) -> HostState:
        """What is known of the host now."""
        self._fill()
        limited, rests = self._left(self._limited_until), self._left(self._open_until)
        until = None
        if max(limited, rests) > 0:
            until = self._limited_until if limited > rests else self._open_until
        breaker: BreakerState = "closed"
        if self._open_until is not None:
            breaker = "open" if rests > 0 else "half-open"
        return HostState(breaker, until, limited > 0, self._tokens, self._failures)

    async def ask(
        self,
        send: Callable[[], Awaitable[_Answer | Failure]],
        *,
        tries: int = TRIES,
        cost: int = 1,
    ) -> _Answer | Failure:
        """Sends in turn, again after a pause when there is no answer; what came of it.

        `cost`: the tokens it takes, for a question that is several requests.
        """
        patience = _patience.get()
        answer: _Answer | Failure = SourceDown("not asked")
        probe = False
        for attempt in range(tries):
            if attempt:
                spread = _RANDOM.uniform(0.5, 1.5)
                await self._sleep(self._pause * 2 ** (attempt - 1) * spread)
            refusal = await self._turn(PATIENCE if patience is None else patience, cost)
            if refusal is None:
                async with self._slots:
                    refusal = self._refusal()
                    if refusal is None:
                        probe = self._open_until is not None
                        answer = await self._send(send, probe=probe)
            if refusal is not None:
                if attempt:
                    break
                return refusal
            if not isinstance(answer, SourceDown) or self._open_until is not None:
                break
        self._count(answer, probe=probe)
        return answer

    async def _send(
        self, send: Callable[[], Awaitable[_Answer | Failure]], *, probe: bool
    ) -> _Answer | Failure:
        """One try; of probes there is one at a time."""
        self._probing = probe or self._probing
        try:
            return await send()
        finally:
            if probe:
                self._probing = False

    def _count(self, answer: object, *, probe: bool) -> None:
        """Learns from the end of a question."""
        if isinstance(answer, SourceDown):
            self._failures += 1
            closed = self._open_until is None
            if probe or (closed and self._failures >= self._most):
                self._trip(answer)
            return
        if self._open_until is not None:
            _log.info("the host answers again")
        self._failures = self._trips = 0
        self._open_until = None
        if isinstance(answer, RateLimited):
            self._limit(answer.retry_after)

    def _limit(self, seconds: float) -> None:
        until = self._after(seconds)
        self._limited_until = max(until, self._limited_until or until)
        self._fill()
        self._tokens = min(self._tokens, 1.0)
        _log.warning("the host limits the rate", extra={"retry_after": seconds})

    def _trip(self, answer: SourceDown) -> None:
        rest = min(self._rest * 2**self._trips, LONGEST_PAUSE) * _RANDOM.uniform(0.75, 1.25)
        self._open_until = self._after(rest)
        self._trips += 1
        extra = {"seconds": round(rest, 1), "failures": self._failures, "reason": answer.detail}
        _log.warning("the host does not answer and is left alone", extra=extra)

    def _refusal(self) -> RateLimited | SourceDown | None:
        """Why nothing may be sent now."""
        wait = self._left(self._limited_until)
        if wait > 0:
            return RateLimited(wait)
        if self._open_until is None:
            return None
        wait = self._left(self._open_until)
        if wait > 0:
            return SourceDown(f"not asked: it did not answer; tried again in {wait:.1f} s")
        return SourceDown("not asked: it did not answer; being tried") if self._probing else None

    async def _turn(self, patience: float, cost: int) -> RateLimited | SourceDown | None:
        """Takes tokens, waiting for them; why not, when it must not or would take too long.

        A host that asked for a short rest is waited for, too.
        """
        while (refusal := self._refusal()) is not None:
            if isinstance(refusal, SourceDown) or refusal.retry_after > patience:
                return refusal
            patience -= refusal.retry_after
            await self._sleep(refusal.retry_after)
        self._fill()
        wait = max(0.0, cost - self._tokens) / self._per_second
        if wait > patience:
            return RateLimited(wait)
        self._tokens -= cost
        if wait > 0:
            try:
                await self._sleep(wait)
            except asyncio.CancelledError:
                self._tokens += cost
                raise
        return None

    def _fill(self) -> None:
        """Adds the tokens of the time that has passed; while the host wants rest there are none."""
        now = self._now()
        since = max(self._filled_at, self._limited_until or self._filled_at)
        seconds = max(0.0, (now - since).total_seconds() / self._rate)
        self._tokens = min(self._burst, self._tokens + seconds * self._per_second)
        self._filled_at = now

    def _left(self, until: datetime | None) -> float:
        """Real seconds until an instant of the clock."""
        if until is None:
            return 0.0
        return max(0.0, (until - self._now()).total_seconds() / self._rate)

    def _after(self, seconds: float) -> datetime:
        return self._now() + timedelta(seconds=seconds * self._rate)
