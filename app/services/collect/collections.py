"""Collections: an instrument's prices, brought from its sources into the tables.

A collection asks again for the last 15 stored sessions, for everything when little is stored, a
month after everything was last asked for, and when the answer contradicts what is stored. It asks
the sources of one provider in turn, another provider as a back-up only (`back_up`). What it takes
of the answer is `ingest`'s to say. It may run twice, or twice at once: the second one changes
nothing. The answer of a source that was switched away meanwhile is dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.adapters.prices import History
from app.db.models import Instrument, Setting
from app.db.models import Job as JobRow
from app.env import Env
from app.errors import NotFound, RateLimited
from app.services.collect.back_up import ask_back_up
from app.services.collect.storing import (
    HELD,
    CollectionOutcome,
    Target,
    find_target,
    note_problem,
    store_answer,
    tell_failure,
)
from app.services.market.instruments import check_symbol
from app.services.paging import check_first
from app.services.settings import write_setting
from app.services.sources.asking import ask_in_turn
from app.services.work.events import announce, hand_over
from app.services.work.jobs import Job, find_jobs, list_jobs, open_jobs, real_time
from app.telemetry import BARS_STORED, COLLECTIONS

REQUEST_PAUSE: Final = 10.0  # seconds between two requests for everything

_REQUESTED: Final = "collection_requested_at"


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
    """Asks the sources for what is missing and stores it.

    Raises:
        NotFound: there is no such instrument.
        Unavailable: the database does not answer, the calendar has not been loaded, or none of the
            sources can be asked by this process.
    """
    target = await find_target(env, symbol)
    alone = target.holder in {None, target.provider}
    outcome = await _ask(env, target, target.start if alone else None)
    COLLECTIONS.labels(target.order.mode, outcome.outcome).inc()
    if outcome.ok:
        BARS_STORED.labels(target.order.mode).inc(outcome.bars)
        await announce(env, "collected", symbol=target.symbol, bars=outcome.bars)
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
        rows = [
            {"key": f"collect:{symbol}:request:{now.isoformat()}", "symbol": symbol}
            for symbol in wanted
            if symbol not in waiting
        ]
        opened = await open_jobs(db, "collect", rows, now)
    await hand_over(env, opened)
    jobs = await find_jobs(env, [*opened, *waiting.values()])
    return [_row(job) for job in jobs]


async def list_collections(env: Env, first: int = 50) -> list[CollectionRow]:
    """The newest collections first.

    Raises:
        BadInput: `first` is not from 1 to 200.
    """
    return [_row(job) for job in await list_jobs(env, "collect", check_first(first))]


async def _ask(env: Env, target: Target, start: date | None) -> CollectionOutcome:
    """Asks and stores; once more, for everything, when the answer contradicts what is stored."""
    sources = target.order.of(target.provider)
    asked = await ask_in_turn(
        sources, target.symbol, start=start, currency=target.instrument.currency
    )
    if not isinstance(asked.answer, History):
        failed = tell_failure(target.symbol, asked.answer, asked.others)
        outcome = await ask_back_up(env, target, failed)
        if outcome.outcome == failed.outcome:
            await note_problem(env, target, outcome)
        return outcome
    outcome = await store_answer(env, target, target.provider, asked.answer, whole=start is None)
    if outcome.outcome == HELD and start is not None:
        return await _ask(env, target, None)
    return outcome


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
