"""Collections: an instrument's prices, brought from the source into the tables.

A collection asks again for the last 15 stored sessions, for everything when little is stored, a
month after everything was last asked for, and when the answer contradicts what is stored. What it
takes of the answer is `ingest`'s to say. It may run twice, or twice at once: the second one changes
nothing. The answer of a source that was switched away meanwhile is dropped.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zlib import crc32

from sqlalchemy import case, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.adapters.prices import BadPayload, Failure, History, NoData, NotListed, SourceDown
from app.adapters.prices import RateLimited as TooManyQuestions
from app.db.models import Instrument, Setting
from app.db.models import Job as JobRow
from app.db.revised import Version
from app.env import Env
from app.errors import NotFound, RateLimited, Unavailable
from app.services.events import announce, hand_over
from app.services.ingest import Ingested, ingest
from app.services.instruments import InstrumentRow, check_symbol, get_instrument
from app.services.jobs import Job, find_jobs, list_jobs, real_time
from app.services.markets import last_finished_session
from app.services.paging import check_first
from app.services.settings import get_source, hold_source, write_setting
from app.telemetry import BARS_STORED, COLLECTIONS

OVERLAP: Final = 15  # stored sessions that are asked for again
REQUEST_PAUSE: Final = 10.0  # seconds between two requests for everything
SWEEP_AFTER: Final = 30  # days until everything is asked for again; up to 10 more by symbol
STORED, UNCHANGED, SUPERSEDED = "STORED", "UNCHANGED", "SUPERSEDED"
HELD: Final = "HELD"

_REQUESTED: Final = "collection_requested_at"
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
class CollectionRow:
    """A collection as its job tells it: PENDING, RUNNING, DONE or FAILED.

    `requested_at` is when it is due (moved by a retry), `error` is for the reader.
    """

    id: int
    symbol: str
    state: str
    requested_at: datetime
    started_at: datetime | None
    done_at: datetime | None
    attempts: int
    bars: int | None
    outcome: str | None
    error: str | None


async def collect_symbol(env: Env, symbol: str) -> CollectionOutcome:
    """Asks the source for what is missing and stores it.

    Raises:
        NotFound: there is no such instrument.
        Unavailable: the database does not answer, or the calendar has not been loaded.
    """
    instrument = await get_instrument(env, symbol)
    source = await get_source(env)
    finished = await last_finished_session(env, instrument.mic)
    if finished is None:
        raise Unavailable("The trading calendar has not been loaded yet. Try again in a minute.")
    outcome = await _ask(env, instrument, source, finished, await _start(env, instrument))
    COLLECTIONS.labels(source, outcome.outcome).inc()
    if outcome.ok:
        BARS_STORED.labels(source).inc(outcome.bars)
        await announce(env, "collected", symbol=instrument.symbol, bars=outcome.bars)
    return outcome


async def request_collection(env: Env, symbols: Sequence[str] | None = None) -> list[CollectionRow]:
    """Has these instruments collected by jobs, all tracked ones without `symbols`; their jobs.

    An instrument whose collection waits or runs already keeps that one.

    Raises:
        BadInput: a symbol that cannot be one.
        NotFound: a symbol that is not watched.
        RateLimited: everything was asked for less than 10 s ago.
    """
    now = env.clock.now()
    async with env.db.write() as db:
        await db.execute(text("SELECT pg_advisory_xact_lock(hashtext('sise-collection-request'))"))
        if symbols is None:
            await _hold_off(env, db, now)
        wanted = await _tracked(db, symbols)
        waiting = await _open_jobs(db, wanted)
        values = [
            {
                "key": f"collect:{symbol}:request:{now.isoformat()}",
                "kind": "collect",
                "symbol": symbol,
                "due_at": now,
            }
            for symbol in wanted
            if symbol not in waiting
        ]
        opened: list[int] = []
        if values:
            rows = await db.scalars(insert(JobRow).values(values).returning(JobRow.id))
            opened = list(rows)
    await hand_over(env, opened)
    jobs = await find_jobs(env, [*opened, *waiting.values()])
    return [_row(job) for job in jobs]


async def list_collections(env: Env, first: int = 50) -> list[CollectionRow]:
    """The newest collections first.

    Raises:
        BadInput: `first` is not from 1 to 200.
    """
    return [_row(job) for job in await list_jobs(env, "collect", check_first(first))]


async def _ask(
    env: Env, instrument: InstrumentRow, source: str, finished: date, start: date | None
) -> CollectionOutcome:
    """Asks and stores; once more, for everything, when the answer contradicts what is stored."""
    answer = await env.sources[source].history(instrument.symbol, start=start)
    if isinstance(answer, History) and answer.info.currency != instrument.currency:
        wrong = f"The prices are in {answer.info.currency}, not in {instrument.currency}."
        answer = BadPayload(wrong)
    if not isinstance(answer, History):
        outcome = _failed(instrument.symbol, answer)
        await _note_problem(env, source, outcome)
        return outcome
    stored = await _store(env, instrument, source, answer, finished, whole=start is None)
    if stored is None:
        return CollectionOutcome(instrument.symbol, SUPERSEDED)
    if stored.contradiction is not None:
        if start is not None:
            return await _ask(env, instrument, source, finished, None)
        why = f"Held, not stored: {stored.contradiction}."
        return CollectionOutcome(instrument.symbol, HELD, detail=why, held=stored.held)
    word = STORED if stored.changed else UNCHANGED
    return CollectionOutcome(instrument.symbol, word, stored.bars, held=stored.held)


async def _start(env: Env, instrument: InstrumentRow) -> date | None:
    """The first day to ask for: None, for all there is, while little is stored, and now and then.

    A split that was learned of late may lie before the last sessions: only a whole history has it.
    """
    spread = crc32(instrument.symbol.encode()) % 10
    due = env.clock.now() - timedelta(days=SWEEP_AFTER + spread)
    query = _RATE_START if instrument.kind == "FX" else _BAR_START
    params = {"symbol": instrument.symbol, "overlap": OVERLAP, "due": due}
    async with env.db.read() as db:
        start: date | None = await db.scalar(text(query), params)
    return start


async def _store(  # noqa: PLR0913 - an answer, and of what it is
    env: Env,
    instrument: InstrumentRow,
    source: str,
    history: History,
    finished: date,
    *,
    whole: bool,
) -> Ingested | None:
    """Writes an answer; the row of the instrument is held, so that two wait for one another.

    None when the source has been switched meanwhile.
    """
    now = env.clock.now()
    well = {"checked_at": now, "problem": None, "problem_detail": None, "problem_since": None}
    well |= {"delisted_at": None} | ({"swept_at": now} if whole else {})
    async with env.db.write() as db:
        if await hold_source(db) != source:
            return None
        row = update(Instrument).where(Instrument.symbol == instrument.symbol)
        await db.execute(row.values(**well))
        version = Version(db, instrument.symbol, source, now)
        stored = await ingest(db, instrument, history, version, finished, whole=whole)
    if stored.held:
        facts = {"symbol": instrument.symbol, "held": stored.held, "why": stored.contradiction}
        _log.warning("rows held", extra=facts)
    return stored


def _failed(symbol: str, failure: Failure) -> CollectionOutcome:
    match failure:
        case NotListed():
            return CollectionOutcome(symbol, "NOT_LISTED", detail="The source has no such symbol.")
        case NoData(detail):
            return CollectionOutcome(symbol, "NO_DATA", detail=detail)
        case TooManyQuestions(retry_after):
            detail = f"The source asks to wait {retry_after:.0f} s."
            return CollectionOutcome(symbol, "RATE_LIMITED", 0, detail, retry_after)
        case BadPayload(detail):
            return CollectionOutcome(symbol, "BAD_PAYLOAD", detail=detail)
        case SourceDown(detail):
            return CollectionOutcome(symbol, "SOURCE_DOWN", detail=detail)


async def _note_problem(env: Env, source: str, outcome: CollectionOutcome) -> None:
    async with env.db.write() as db:
        if await hold_source(db) == source:
            await db.execute(
                update(Instrument)
                .where(Instrument.symbol == outcome.symbol)
                .values(
                    checked_at=env.clock.now(),
                    problem=outcome.outcome,
                    problem_detail=outcome.detail,
                    problem_since=case(
                        (Instrument.problem == outcome.outcome, Instrument.problem_since),
                        else_=env.clock.now(),
                    ),
                )
            )


async def _hold_off(env: Env, db: AsyncSession, now: datetime) -> None:
    """Lets one request for everything through in `REQUEST_PAUSE` real seconds."""
    last = await db.scalar(select(Setting.value).where(Setting.key == _REQUESTED))
    if last is not None:
        since = now - datetime.fromisoformat(last)
        wait = (real_time(env, REQUEST_PAUSE) - since).total_seconds() / env.clock.rate
        if 0 < wait <= REQUEST_PAUSE:
            msg = "All prices were asked for a moment ago. Try again in %(seconds).0f s."
            raise RateLimited(msg, retry_after=round(wait, 1), seconds=max(wait, 1))
    await write_setting(db, _REQUESTED, now.isoformat())


async def _tracked(db: AsyncSession, symbols: Sequence[str] | None) -> list[str]:
    """The tracked instruments in their order, or those of `symbols`, each of which must be one."""
    query = select(Instrument.symbol).where(Instrument.tracked)
    if symbols is None:
        return list(await db.scalars(query.order_by(Instrument.position, Instrument.symbol)))
    wanted = list(dict.fromkeys(check_symbol(symbol) for symbol in symbols))
    known = set(await db.scalars(query.where(Instrument.symbol.in_(wanted))))
    for symbol in wanted:
        if symbol not in known:
            raise NotFound("There is no instrument %(symbol).40r.", symbol=symbol)
    return wanted


async def _open_jobs(db: AsyncSession, symbols: Sequence[str]) -> dict[str, int]:
    """The newest collection that waits or runs, by symbol."""
    rows = await db.execute(
        select(JobRow.symbol, func.max(JobRow.id))
        .where(JobRow.kind == "collect", JobRow.done_at.is_(None), JobRow.symbol.in_(symbols))
        .group_by(JobRow.symbol)
    )
    return {symbol: job for symbol, job in rows if symbol is not None}


def _row(job: Job) -> CollectionRow:
    return CollectionRow(
        id=job.id,
        symbol=job.symbol or "",
        state=job.state,
        requested_at=job.due_at,
        started_at=job.started_at,
        done_at=job.done_at,
        attempts=job.attempts,
        bars=job.bars,
        outcome=job.outcome,
        error=job.last_error,
    )


_BAR_START: Final = """
    SELECT b.day FROM bar AS b JOIN instrument AS i USING (symbol)
    WHERE b.symbol = :symbol AND i.swept_at > :due ORDER BY b.day DESC OFFSET :overlap LIMIT 1
"""
_RATE_START: Final = """
    SELECT r.day FROM fx_rate AS r
    JOIN instrument AS i ON i.symbol = r.base || r.quote || '=X' AND i.swept_at > :due
    WHERE r.base = substr(:symbol, 1, 3) AND r.quote = substr(:symbol, 4, 3)
    ORDER BY r.day DESC OFFSET :overlap LIMIT 1
"""
