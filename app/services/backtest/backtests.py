"""Backtests of a user: asking for one, following it, ending it, and what is known of each.

    PENDING ──a worker begins──► RUNNING ──► DONE | FAILED
       └───────────── cancel ───────┴──────► CANCELLED

PostgreSQL holds the queue: a row of `backtest` and its jobs, one for each part of a sweep. A
deleted one loses its results and keeps its row, because what it tried goes on to count.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import Backtest, BacktestData
from app.domain.backtest.request import Request
from app.env import Env
from app.errors import Conflict
from app.services.backtest.backtest_input import Checked, Wanted, check_wanted
from app.services.backtest.strategies import get_strategy
from app.services.collect.revisions import data_version
from app.services.owned import get_owned, missing, read_id
from app.services.paging import Page, check_first, cut_page, make_cursor, read_cursor
from app.services.settings import get_source
from app.services.work.events import hand_over
from app.services.work.jobs import open_jobs

MOST_OPEN: Final = 20
"""Backtests of one person that wait or run."""

FAILED_REASON: Final = "The computation failed: %(why)s"

LOOK_EVERY: Final = 0.25
"""Seconds between looks at a backtest that is being followed."""


@dataclass(frozen=True)
class BacktestRow:
    """A backtest as the layers above see one; `error` is a message of ours with its values."""

    id: int
    user_id: int
    name: str | None
    mode: str
    strategy: str
    symbols: list[str]
    first_day: date
    last_day: date
    input: dict[str, Any]
    data_version: int
    source: str
    state: str
    stage: str | None
    progress: float
    parts: int
    trials: int
    figures: dict[str, Any] | None
    error: dict[str, Any] | None
    repeats: bool
    repeat_of: int | None
    portfolio_id: int | None
    created_at: datetime
    started_at: datetime | None
    done_at: datetime | None

    @classmethod
    def of(cls, row: Backtest) -> BacktestRow:
        """From the table."""
        return cls(**{one.name: getattr(row, one.name) for one in fields(cls)})

    @property
    def request(self) -> Request:
        """What was asked for."""
        return Request.load(self.input)

    @property
    def title(self) -> str:
        """The strategy's own name when it was asked for."""
        return str(self.input.get("title", self.strategy))

    @property
    def open(self) -> bool:
        """Whether it waits or runs."""
        return self.done_at is None

    def seconds_left(self, now: datetime) -> int | None:
        """How long it may still take, by what it has taken so far; None where nobody can know."""
        if not self.open or self.started_at is None or self.progress < 0.02:
            return None
        passed = max((now - self.started_at).total_seconds(), 0.0)
        return round(passed * (1.0 - self.progress) / self.progress)


async def start_backtest(env: Env, user_id: int, wanted: Wanted) -> BacktestRow:
    """Checks what is wanted, stores it on the newest data version and hands it to the workers.

    Raises:
        BadInput: something that cannot be run, with its field.
        Conflict: too many of the user's wait or run.
    """
    checked = await check_wanted(env, await get_strategy(env, wanted.strategy), wanted)
    version, source = await data_version(env), await get_source(env)
    values = new_row(checked, user_id, version, source, env.clock.now())
    async with env.db.write(uid=user_id) as db:
        await require_room(db, user_id)
        made = (await db.scalars(insert(Backtest).values(values).returning(Backtest))).one()
        jobs = await open_parts(db, made, env.clock.now())
        row = BacktestRow.of(made)
    await hand_over(env, jobs)
    return row


def new_row(
    checked: Checked, user_id: int, version: int, source: str, now: datetime
) -> dict[str, Any]:
    """The columns of a new backtest."""
    request = checked.request
    return {
        "user_id": user_id,
        "name": checked.name,
        "mode": request.mode,
        "strategy": request.strategy,
        "symbols": list(request.symbols),
        "first_day": request.first_day,
        "last_day": request.last_day,
        "input": request.dump() | {"part_size": checked.part_size, "title": checked.title},
        "data_version": version,
        "source": source,
        "parts": checked.parts,
        "trials": request.cells,
        "created_at": now,
    }


async def open_parts(db: AsyncSession, row: Backtest, now: datetime) -> list[int]:
    """The jobs of its parts; one without parts has only the job that concludes it."""
    numbers = range(row.parts) if row.parts else [0]
    rows = [{"key": f"backtest:{row.id}:{number}", "symbol": None} for number in numbers]
    return await open_jobs(db, "backtest", rows, now)


async def get_backtest(env: Env, user_id: int, backtest_id: str) -> BacktestRow:
    """One of the user's.

    Raises:
        NotFound: it is not there or not the user's.
    """
    whose = (Backtest.id == read_id(backtest_id), Backtest.user_id == user_id)
    async with env.db.read(uid=user_id) as db:
        found = await db.scalar(select(Backtest).where(*whose, Backtest.deleted_at.is_(None)))
    if found is None:
        raise missing()
    return BacktestRow.of(found)


async def list_backtests(
    env: Env, user_id: int, *, first: int = 50, after: str | None = None
) -> Page[BacktestRow]:
    """The user's, the newest first.

    Raises:
        BadInput: `first` is not from 1 to 200, or a foreign cursor.
    """
    check_first(first)
    query = select(Backtest).where(*_kept(user_id)).order_by(Backtest.id.desc()).limit(first + 1)
    if after is not None:
        query = query.where(Backtest.id < read_cursor(after, int)[0])
    async with env.db.read(uid=user_id) as db:
        rows = [BacktestRow.of(row) for row in await db.scalars(query)]
    return cut_page(rows, [make_cursor(row.id) for row in rows], first)


async def count_backtests(env: Env, user_id: int) -> int:
    """How many the user has."""
    query = select(func.count()).select_from(Backtest).where(*_kept(user_id))
    async with env.db.read(uid=user_id) as db:
        return int(await db.scalar(query) or 0)


async def follow_backtest(env: Env, user_id: int, backtest_id: str) -> AsyncGenerator[BacktestRow]:
    """The backtest now and whenever it has come further, until it has ended.

    Raises:
        NotFound: it is not there or not the user's.
    """
    seen: BacktestRow | None = None
    while seen is None or seen.open:
        row = await get_backtest(env, user_id, backtest_id)
        if row != seen:
            yield row
        seen = row
        if row.open:
            await asyncio.sleep(LOOK_EVERY)


async def cancel_backtest(env: Env, user_id: int, backtest_id: str) -> BacktestRow:
    """Ends one that waits or runs; a worker that has it notices at its next look.

    Raises:
        NotFound: it is not there or not the user's.
        Conflict: it has ended already.
    """
    async with env.db.write(uid=user_id) as db:
        row = await get_owned(db, Backtest, backtest_id, user_id, Backtest.deleted_at.is_(None))
        if row.done_at is not None:
            raise Conflict("This backtest has ended already.")
        row.state, row.done_at = "CANCELLED", env.clock.now()
        await db.flush()
        return BacktestRow.of(row)


async def delete_backtest(env: Env, user_id: int, backtest_id: str) -> None:
    """Takes one out of sight with its results; a running one ends. It goes on to count as a trial.

    Raises:
        NotFound: it is not there or not the user's.
    """
    now = env.clock.now()
    async with env.db.write(uid=user_id) as db:
        row = await get_owned(db, Backtest, backtest_id, user_id, Backtest.deleted_at.is_(None))
        if row.figures is not None:  # it was seen, even if it was cancelled later
            row.state, row.done_at = "DONE", row.done_at or now
        elif row.done_at is None:
            row.state, row.done_at = "CANCELLED", now
        row.deleted_at, row.name, row.figures = now, None, None
        row.repeats = False
        await db.flush()
        await db.execute(delete(BacktestData).where(BacktestData.backtest_id == row.id))
        await db.execute(delete(Backtest).where(Backtest.repeat_of == row.id))


async def fail_dead(env: Env) -> int:
    """Ends the backtests of which a job has failed for good; how many."""
    async with env.db.write(uid="everyone") as db:
        done = await db.scalars(text(_FAIL), {"now": env.clock.now(), "message": FAILED_REASON})
        return len(done.all())


async def fail_backtest(env: Env, backtest_id: int, error: dict[str, Any]) -> None:
    """Ends a backtest that cannot be run, with the reason."""
    end = update(Backtest).where(Backtest.id == backtest_id, Backtest.done_at.is_(None))
    async with env.db.write(uid="everyone") as db:
        await db.execute(end.values(state="FAILED", done_at=env.clock.now(), error=error))


async def require_room(db: AsyncSession, user_id: int) -> None:
    """Refuses one more that waits or runs.

    Raises:
        Conflict: too many of the user's do already.
    """
    waiting = select(func.count()).where(
        Backtest.user_id == user_id, Backtest.done_at.is_(None), Backtest.repeat_of.is_(None)
    )
    if (await db.scalar(waiting) or 0) >= MOST_OPEN:
        message = "%(bound)d backtests wait or run already. Cancel one, or wait for it."
        raise Conflict(message, bound=MOST_OPEN)


def _kept(user_id: int) -> tuple[Any, ...]:
    return Backtest.user_id == user_id, Backtest.deleted_at.is_(None), Backtest.repeat_of.is_(None)


_FAIL: Final = """
    UPDATE backtest AS b SET state = 'FAILED', done_at = :now,
        error = jsonb_build_object('message', CAST(:message AS text),
            'values', jsonb_build_object('why', j.last_error))
    FROM job AS j
    WHERE b.done_at IS NULL AND j.kind = 'backtest' AND j.state = 'FAILED'
        AND split_part(j.key, ':', 2)::bigint = b.id
    RETURNING b.id
"""
