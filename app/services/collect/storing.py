"""Storing: a source's answer becomes rows and the state of its instrument, at once or never.

The rows of an instrument are those of one provider. An answer of that provider is merged with them;
one of another provider has to be of the whole history, and takes the place of all of them under one
data version. Whoever asked before somebody else changed the provider, or the mode, comes too late.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from zlib import crc32

from sqlalchemy import case, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.adapters.prices import BadPayload, Failure, History, NoData, NotListed, SourceDown
from app.adapters.prices import RateLimited as TooManyQuestions
from app.db.models import Instrument
from app.db.revised import Version
from app.env import Env
from app.errors import NotFound, Unavailable
from app.services.collect.ingest import Ingested, ingest
from app.services.market.instruments import InstrumentRow, get_instrument, hold_instrument
from app.services.market.markets import last_finished_session
from app.services.market.universe import learn_listing
from app.services.settings import hold_source
from app.services.sources.asking import make_as_traded
from app.services.sources.source_order import Order, find_order

OVERLAP: Final = 15  # stored sessions that are asked for again
SWEEP_AFTER: Final = 30  # days until everything is asked for again; up to 10 more by symbol
STORED, UNCHANGED, SUPERSEDED = "STORED", "UNCHANGED", "SUPERSEDED"
HELD: Final = "HELD"
NOT_LISTED, NO_DATA = "NOT_LISTED", "NO_DATA"

_WORTH_A_RETRY: Final = {"RATE_LIMITED", "BAD_PAYLOAD", "SOURCE_DOWN"}
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CollectionOutcome:
    """What a collection came to.

    `outcome`: STORED or UNCHANGED; HELD when the answer contradicts what is stored; NOT_LISTED,
    NO_DATA, RATE_LIMITED, BAD_PAYLOAD or SOURCE_DOWN, as the source failed; SUPERSEDED when it was
    switched away. `bars` is how many rows were new or changed, `held` how many came into the
    quarantine, `retry_after` (seconds) what the source asked for.
    """

    symbol: str
    outcome: str
    bars: int = 0
    detail: str | None = None
    retry_after: float | None = None
    held: int = 0

    @property
    def ok(self) -> bool:
        """Whether the source answered with prices."""
        return self.outcome in {STORED, UNCHANGED, HELD}

    @property
    def retryable(self) -> bool:
        """Whether another try soon may end better."""
        return self.outcome in _WORTH_A_RETRY


@dataclass(frozen=True)
class Target:
    """An instrument whose prices are to be stored, its order of sources, and what is stored of it.

    `finished`: its market's last finished session. Of the stored rows: `holder` is their provider,
    `newest` the last day, `start` the day from which to ask (None: all there is; little is stored,
    or it is time). `chosen`: the provider that somebody or a back-up has put before the order's
    first, `failing_since`: the first failure since the last answer.
    """

    instrument: InstrumentRow
    order: Order
    finished: date
    holder: str | None
    newest: date | None
    start: date | None
    chosen: str | None
    failing_since: datetime | None

    @property
    def symbol(self) -> str:
        """The instrument's."""
        return self.instrument.symbol

    @property
    def provider(self) -> str:
        """Whose prices are to be stored: the chosen one while the order has it, else its first."""
        providers = self.order.providers
        return self.chosen if self.chosen in providers else providers[0]


async def find_target(env: Env, symbol: str) -> Target:
    """All that has to be known of an instrument before its sources are asked.

    Raises:
        NotFound: there is no such instrument.
        Unavailable: the calendar has not been loaded, or no mode has been chosen.
    """
    instrument = await get_instrument(env, symbol)
    order = await find_order(env, instrument.mic, instrument.symbol)
    finished = await last_finished_session(env, instrument.mic)
    if finished is None:
        raise Unavailable("The trading calendar has not been loaded yet. Try again in a minute.")
    spread = crc32(instrument.symbol.encode()) % 10
    due = env.clock.now() - timedelta(days=SWEEP_AFTER + spread)
    query = _STATE_OF_RATES if instrument.kind == "FX" else _STATE_OF_BARS
    async with env.db.read() as db:
        params = {"symbol": instrument.symbol, "overlap": OVERLAP, "due": due}
        state = (await db.execute(text(query), params)).one_or_none()
    if state is None:  # it was removed meanwhile
        raise NotFound("There is no instrument %(symbol).40r.", symbol=symbol)
    return Target(instrument, order, finished, *state)


async def store_answer(
    env: Env, target: Target, provider: str, history: History, *, whole: bool
) -> CollectionOutcome:
    """Writes a provider's answer; the instrument's row is held, so that two wait for one another.

    It replaces all rows when those that are stored are another provider's: it must be `whole` then.
    """
    history = await make_as_traded(env, target.symbol, history)
    stored = await _write(env, target, provider, history, whole=whole)
    if stored is None:
        return CollectionOutcome(target.symbol, SUPERSEDED)
    if stored.held:
        facts = {"symbol": target.symbol, "held": stored.held, "why": stored.contradiction}
        _log.warning("rows held", extra=facts)
    if stored.contradiction is not None:
        why = f"Held, not stored: {stored.contradiction}."
        return CollectionOutcome(target.symbol, HELD, detail=why, held=stored.held)
    word = STORED if stored.changed else UNCHANGED
    return CollectionOutcome(target.symbol, word, stored.bars, held=stored.held)


async def note_problem(env: Env, target: Target, outcome: CollectionOutcome) -> None:
    """Remembers why an instrument has no new prices, and since when.

    That a source does not know the symbol has a beginning of its own.
    """
    unknown = outcome.outcome == NOT_LISTED
    same = Instrument.problem == NOT_LISTED if unknown else Instrument.problem != NOT_LISTED
    now = env.clock.now()
    values = {
        "checked_at": now,
        "problem": outcome.outcome,
        "problem_detail": outcome.detail,
        "problem_since": case((same, Instrument.problem_since), else_=now),
    }
    async with env.db.write() as db:
        if await hold_source(db) == target.order.mode:
            row = update(Instrument).where(Instrument.symbol == target.symbol)
            await db.execute(row.values(**values))


def tell_failure(symbol: str, failure: Failure, others: str = "") -> CollectionOutcome:
    """The outcome of a collection that brought nothing; `others`: what further sources said."""
    beside = f" ({others})" if others else ""
    match failure:
        case NotListed():
            detail = f"The source has no such symbol.{beside}"
            return CollectionOutcome(symbol, NOT_LISTED, detail=detail)
        case NoData(detail):
            return CollectionOutcome(symbol, NO_DATA, detail=detail + beside)
        case TooManyQuestions(retry_after):
            detail = f"The source asks to wait {retry_after:.0f} s.{beside}"
            return CollectionOutcome(symbol, "RATE_LIMITED", 0, detail, retry_after)
        case BadPayload(detail):
            return CollectionOutcome(symbol, "BAD_PAYLOAD", detail=detail + beside)
        case SourceDown(detail):
            return CollectionOutcome(symbol, "SOURCE_DOWN", detail=detail + beside)


async def _write(
    env: Env, target: Target, provider: str, history: History, *, whole: bool
) -> Ingested | None:
    """None when mode or provider have been changed since the source was asked."""
    now = env.clock.now()
    async with env.db.write() as db:
        if await hold_source(db) != target.order.mode:
            return None
        if not await hold_instrument(db, target.symbol):
            return None  # it was removed meanwhile
        holder = await _find_holder(db, target.instrument)
        if holder not in {None, provider, target.holder}:
            return None
        replaces = holder not in {None, provider}
        version = Version(db, target.symbol, provider, now)
        stored = await ingest(
            db, target.instrument, history, version, target.finished, whole=whole, replace=replaces
        )
        values: dict[str, Any] = {"checked_at": now}
        if stored.contradiction is None or not replaces:
            first = provider == target.order.providers[0]
            values |= _WELL | {"price_source": None if first else provider}
            values |= {"swept_at": now} if whole else {}
        row = update(Instrument).where(Instrument.symbol == target.symbol)
        await db.execute(row.values(**values))
        if target.instrument.name == target.symbol != history.info.name:
            await learn_listing(db, target.symbol, history.info)
    return stored


async def _find_holder(db: AsyncSession, instrument: InstrumentRow) -> str | None:
    """Whose rows are stored now; the instrument's row is held, so it does not change."""
    query = _HOLDER_OF_RATES if instrument.kind == "FX" else _HOLDER_OF_BARS
    holder: str | None = await db.scalar(text(query), {"symbol": instrument.symbol})
    return holder


_WELL: Final = dict.fromkeys(("problem", "problem_detail", "problem_since", "delisted_at"))
_OF_BARS: Final = "FROM bar AS r WHERE r.symbol = :symbol"
_OF_RATES: Final = """
    FROM fx_rate AS r WHERE r.base = substr(:symbol, 1, 3) AND r.quote = substr(:symbol, 4, 3)
"""
_HOLDER: Final = "SELECT r.source %s ORDER BY r.day DESC LIMIT 1"
_STATE: Final = """
    SELECT n.source, n.day, s.day, i.price_source, i.problem_since
    FROM instrument AS i
    LEFT JOIN LATERAL (SELECT r.day, r.source %s ORDER BY r.day DESC LIMIT 1) AS n ON true
    LEFT JOIN LATERAL (
        SELECT r.day %s AND i.swept_at > :due ORDER BY r.day DESC OFFSET :overlap LIMIT 1
    ) AS s ON true
    WHERE i.symbol = :symbol
"""
_HOLDER_OF_BARS: Final = _HOLDER % _OF_BARS
_HOLDER_OF_RATES: Final = _HOLDER % _OF_RATES
_STATE_OF_BARS: Final = _STATE % (_OF_BARS, _OF_BARS)
_STATE_OF_RATES: Final = _STATE % (_OF_RATES, _OF_RATES)
