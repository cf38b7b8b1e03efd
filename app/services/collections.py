"""Collections: an instrument's prices, brought from the source into the tables.

A collection asks again for the last 15 stored sessions (for everything when nothing is stored),
takes finished sessions only, and writes bars and events, or rates, in one transaction. Bars are as
traded, so a later split changes none of them. It may run twice, or twice at once: the second one
changes nothing. The answer of a source that was switched away meanwhile is dropped.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import polars as pl
from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.adapters.prices import BadPayload, Failure, History, NoData, NotListed, SourceDown
from app.adapters.prices import RateLimited as TooManyQuestions
from app.db.frames import copy_frame, merge_frame
from app.db.models import Instrument, Setting
from app.db.models import Job as JobRow
from app.domain.bars import PRICES, clean
from app.env import Env
from app.errors import NotFound, RateLimited, Unavailable
from app.services.events import announce, hand_over
from app.services.instruments import InstrumentRow, check_symbol, get_instrument
from app.services.jobs import Job, find_jobs, list_jobs, real_time
from app.services.markets import last_finished_session
from app.services.paging import check_first
from app.services.settings import get_source, hold_source, write_setting
from app.telemetry import BARS_STORED, COLLECTIONS

OVERLAP: Final = 15  # stored sessions that are asked for again
REQUEST_PAUSE: Final = 10.0  # seconds between two requests for everything
STORED, UNCHANGED, SUPERSEDED = "STORED", "UNCHANGED", "SUPERSEDED"

_REQUESTED: Final = "collection_requested_at"
_PLACES: Final = 6  # of NUMERIC(20, 6)
_WORTH_A_RETRY: Final = {"RATE_LIMITED", "BAD_PAYLOAD", "SOURCE_DOWN"}
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CollectionOutcome:
    """What a collection came to.

    `outcome`: STORED or UNCHANGED; NOT_LISTED, NO_DATA, RATE_LIMITED, BAD_PAYLOAD or SOURCE_DOWN,
    as the source failed; SUPERSEDED when it was switched away. `bars` is how many rows were new or
    changed, `retry_after` (seconds) what the source asked for.
    """

    symbol: str
    outcome: str
    bars: int = 0
    detail: str | None = None
    retry_after: float | None = None

    @property
    def ok(self) -> bool:
        """Whether the source answered with prices."""
        return self.outcome in {STORED, UNCHANGED}

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
    start = await _start(env, instrument)
    answer = await env.sources[source].history(instrument.symbol, start=start)
    if isinstance(answer, History):
        outcome = await _store(env, instrument, source, answer, finished)
    else:
        outcome = _failed(instrument.symbol, answer)
        await _note_problem(env, source, outcome)
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


async def _start(env: Env, instrument: InstrumentRow) -> date | None:
    """The first day to ask for: None, for all there is, while little is stored."""
    query = _RATE_START if instrument.kind == "FX" else _BAR_START
    params = {"symbol": instrument.symbol, "overlap": OVERLAP}
    async with env.db.read() as db:
        start: date | None = await db.scalar(text(query), params)
    return start


async def _store(
    env: Env, instrument: InstrumentRow, source: str, history: History, finished: date
) -> CollectionOutcome:
    """Cleans and writes; the row of the instrument is held, so that two wait for one another."""
    now = env.clock.now()
    frames = _frames(instrument, source, history, finished, now)
    clear = update(Instrument).where(Instrument.symbol == instrument.symbol)
    async with env.db.write() as db:
        if await hold_source(db) != source:
            return CollectionOutcome(instrument.symbol, SUPERSEDED)
        await db.execute(clear.values(checked_at=now, problem=None, problem_detail=None))
        write = copy_frame if await _is_empty(db, instrument.symbol) else merge_frame
        written = {table: await write(db, table, frame) for table, frame in frames.items()}
    bars = written.get("bar", 0) + written.get("fx_rate", 0)
    outcome = STORED if any(written.values()) else UNCHANGED
    return CollectionOutcome(instrument.symbol, outcome, bars)


async def _is_empty(db: AsyncSession, symbol: str) -> bool:
    """Whether nothing of the instrument is stored: the first load needs no merge."""
    return not await db.scalar(text(_ANYTHING), {"symbol": symbol})


def _frames(
    instrument: InstrumentRow, source: str, history: History, finished: date, now: datetime
) -> dict[str, pl.DataFrame]:
    """What is to be written, by table."""
    is_rate = instrument.kind == "FX"
    rounded = history.bars.with_columns(pl.col(*PRICES, "adj_close").round(_PLACES))
    bars, left_out = clean(rounded, finished=finished, closes_only=is_rate)
    left_out = [*history.rejected, *left_out]
    odd = [(day.isoformat(), why) for day, why in left_out if day <= finished]
    if odd:
        facts = {"symbol": instrument.symbol, "count": len(odd), "newest": odd[-5:]}
        _log.warning("bars left out", extra=facts)
    common = {"source": pl.lit(source), "fetched_at": pl.lit(now)}
    if is_rate:
        pair = {"base": pl.lit(instrument.symbol[:3]), "quote": pl.lit(instrument.symbol[3:6])}
        return {"fx_rate": bars.select("day", rate="close", **pair, **common)}
    tables = {"bar": bars, "split": history.splits, "dividend": history.dividends}
    symbol = pl.lit(instrument.symbol).alias("symbol")
    return {name: frame.with_columns(symbol, **common) for name, frame in tables.items()}


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
    SELECT day FROM bar WHERE symbol = :symbol ORDER BY day DESC OFFSET :overlap LIMIT 1
"""
_ANYTHING: Final = """
    SELECT EXISTS (SELECT FROM bar WHERE symbol = :symbol)
        OR EXISTS (SELECT FROM split WHERE symbol = :symbol)
        OR EXISTS (SELECT FROM dividend WHERE symbol = :symbol)
        OR EXISTS (
            SELECT FROM fx_rate
            WHERE base = substr(:symbol, 1, 3) AND quote = substr(:symbol, 4, 3)
        )
"""
_RATE_START: Final = """
    SELECT day FROM fx_rate
    WHERE base = substr(:symbol, 1, 3) AND quote = substr(:symbol, 4, 3)
    ORDER BY day DESC OFFSET :overlap LIMIT 1
"""
