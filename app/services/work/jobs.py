"""Jobs: what is due, who does it and what became of it. PostgreSQL knows; the queue only carries.

    PENDING ──claim──► RUNNING ──finish──► DONE
       ▲                  │ fail, with another try ahead: PENDING, due later
       └──────────────────┴ fail, for good or after MAX_ATTEMPTS: FAILED

A job has a natural key, so that opening it twice makes one row. A claim is one conditional UPDATE:
of two workers that hold the same job, one gets it. A worker that was killed leaves its job RUNNING;
once that is older than `stale_after` it may be claimed again. Durations are real seconds, also on a
clock that runs faster (`Clock.rate`). Enqueue after the commit: `send` is called with no
transaction open.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.adapters.queue import QueueName
from app.db.models import Job as JobRow
from app.env import Env

JobKind = Literal["collect", "analyse", "alert", "notify", "check", "mail", "backtest", "recommend"]
JobState = Literal["PENDING", "RUNNING", "DONE", "FAILED"]

MAX_ATTEMPTS: Final = 5
DEADLINE: Final = 45.0  # seconds that one try may take; below the quick queue's job_timeout
STALE_AFTER: Final = 60.0  # a RUNNING job this old has lost its worker
KEEP: Final = 30  # days
REQUEUE_AFTER: Final = 60.0  # an enqueued job that has not begun by then may have been lost
_SKEW: Final = 20.0  # seconds that the clocks of two machines may differ

_ROUTES: Final[dict[str, tuple[str, QueueName]]] = {
    "collect": ("collect_instrument", "quick"),
    "analyse": ("analyse_instrument", "quick"),
    "alert": ("watch_instrument", "quick"),
    "notify": ("notify_channel", "quick"),
    "check": ("check_instrument", "quick"),
    "mail": ("send_mail", "quick"),
    "backtest": ("run_backtest", "long"),
    "recommend": ("recommend_market", "long"),
}


@dataclass(frozen=True)
class Job:
    """One row of the job table; instants are UTC, `bars` is how many rows a collection wrote."""

    id: int
    key: str
    kind: str
    symbol: str | None
    day: date | None
    state: str
    due_at: datetime
    queued_at: datetime | None
    started_at: datetime | None
    done_at: datetime | None
    attempts: int
    bars: int | None
    outcome: str | None
    last_error: str | None


async def open_job(  # noqa: PLR0913, PLR0917 - a job is these facts
    session: AsyncSession,
    kind: JobKind,
    symbol: str | None,
    day: date | None,
    key: str,
    due_at: datetime,
) -> int:
    """Writes a job in the caller's transaction and returns its id, or that of the known key."""
    made = await session.scalar(
        insert(JobRow)
        .values(key=key, kind=kind, symbol=symbol, day=day, due_at=due_at)
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(JobRow.id)
    )
    if made is None:
        made = await session.scalar(select(JobRow.id).where(JobRow.key == key))
    return int(made or 0)


async def open_jobs(
    session: AsyncSession, kind: JobKind, rows: Sequence[Mapping[str, object]], due_at: datetime
) -> list[int]:
    """Writes many jobs in the caller's transaction; the ids of those whose keys are new.

    Each row has `key` and `symbol`, and `day` where all have one.
    """
    if not rows:
        return []
    values = [{"kind": kind, "due_at": due_at, **row} for row in rows]
    new = insert(JobRow).values(values).on_conflict_do_nothing(index_elements=["key"])
    return list(await session.scalars(new.returning(JobRow.id)))


async def find_open_job(session: AsyncSession, kind: JobKind, symbol: str) -> int | None:
    """The newest job of that kind and symbol that is not done: asking twice joins it."""
    return await session.scalar(
        select(func.max(JobRow.id)).where(
            JobRow.kind == kind, JobRow.symbol == symbol, JobRow.done_at.is_(None)
        )
    )


async def send(env: Env, ids: Iterable[int]) -> int:
    """Hands open jobs to the workers and notes when; how many were new to the queue.

    One that waits there already is left alone: its id in the queue carries the newest start. A try
    that was given back has another id than before, for arq refuses an id that a killed worker
    held for as long as that worker might have needed.

    Raises:
        Unavailable: the broker does not answer; the reconciler sends them later.
    """
    wanted = [job for job in await find_jobs(env, list(ids)) if job.done_at is None]
    new = 0
    for job in wanted:
        function, queue = _ROUTES[job.kind]
        begun = int(job.started_at.timestamp() * 1000) if job.started_at else 0
        carried = f"{job.kind}:{job.id}:{begun}"
        new += await env.queue.enqueue(function, job.id, queue=queue, job_id=carried)
    await mark_queued(env, [job.id for job in wanted])
    return new


async def mark_queued(env: Env, ids: Sequence[int]) -> None:
    """Notes that these were enqueued now."""
    if ids:
        async with env.db.write() as db:
            await db.execute(
                update(JobRow).where(JobRow.id.in_(ids)).values(queued_at=env.clock.now())
            )


async def claim(env: Env, job_id: int, *, stale_after: float = STALE_AFTER) -> Job | None:
    """Takes a job for this worker: None when it is done, gone, put off, or another one has it."""
    now = env.clock.now()
    stale = _stale(now - real_time(env, stale_after))
    waiting = and_(JobRow.state == "PENDING", JobRow.due_at <= now + real_time(env, _SKEW))
    async with env.db.write() as db:
        row = await db.execute(
            update(JobRow)
            .where(JobRow.id == job_id, JobRow.attempts < MAX_ATTEMPTS)
            .where(or_(waiting, stale))
            .values(state="RUNNING", started_at=now, attempts=JobRow.attempts + 1)
            .returning(*_COLUMNS)
        )
        taken = row.first()
    return None if taken is None else Job(*taken)


async def keep(env: Env, job: Job) -> bool:
    """Says that a claimed job is still being worked at: it does not become stale.

    False when the job is no longer this worker's.
    """
    return await _settle(env, job, started_at=env.clock.now())


async def release(env: Env, job: Job) -> None:
    """Gives a claimed job back untried: the worker is being stopped."""
    await _settle(env, job, state="PENDING", queued_at=None, attempts=job.attempts - 1)


async def finish(env: Env, job: Job, bars: int, outcome: str) -> bool:
    """The job is done; `outcome` is one word for the reader.

    False when the job was no longer this worker's.
    """
    done_at = env.clock.now()
    return await _settle(
        env, job, state="DONE", done_at=done_at, bars=bars, outcome=outcome, last_error=None
    )


async def fail(
    env: Env, job: Job, error: str, *, outcome: str | None = None, retry_at: datetime | None = None
) -> bool:
    """The try failed. With `retry_at` and a try left the job waits until then, else it is FAILED.

    False when the job was no longer this worker's.
    """
    why = {"last_error": error, "outcome": outcome}
    if retry_at is not None and job.attempts < MAX_ATTEMPTS:
        return await _settle(env, job, state="PENDING", due_at=retry_at, queued_at=None, **why)
    return await _settle(env, job, state="FAILED", done_at=env.clock.now(), **why)


async def postpone(env: Env, job: Job, why: str, outcome: str, due_at: datetime) -> bool:
    """The source asked to wait: the job waits, and the try does not count.

    False when the job was no longer this worker's.
    """
    tries = {"attempts": job.attempts - 1, "queued_at": None, "due_at": due_at}
    return await _settle(env, job, state="PENDING", last_error=why, outcome=outcome, **tries)


async def bury_dead(env: Env, *, stale_after: float = STALE_AFTER) -> int:
    """Fails the jobs whose worker died at every try: they may be what kills it."""
    now = env.clock.now()
    async with env.db.write() as db:
        dead = await db.scalars(
            update(JobRow)
            .where(_stale(now - real_time(env, stale_after)), JobRow.attempts >= MAX_ATTEMPTS)
            .values(
                state="FAILED",
                done_at=now,
                outcome="KILLED",
                last_error=f"The worker ended during each of {MAX_ATTEMPTS} tries.",
            )
            .returning(JobRow.id)
        )
        return len(dead.all())


async def forget_old(env: Env) -> int:
    """Deletes jobs that ended more than KEEP days ago; how many."""
    before = env.clock.now() - timedelta(days=KEEP)
    async with env.db.write() as db:
        old = await db.scalars(delete(JobRow).where(JobRow.done_at < before).returning(JobRow.id))
        return len(old.all())


async def list_due(
    env: Env,
    limit: int = 500,
    *,
    stale_after: float = STALE_AFTER,
    requeue_after: float = REQUEUE_AFTER,
) -> list[Job]:
    """Jobs that a worker should have: due and not enqueued of late, or left behind RUNNING."""
    now = env.clock.now()
    waiting = and_(
        JobRow.state == "PENDING",
        JobRow.due_at <= now,
        or_(
            JobRow.queued_at.is_(None),
            JobRow.queued_at <= now - real_time(env, requeue_after),
        ),
    )
    lost = and_(_stale(now - real_time(env, stale_after)), JobRow.attempts < MAX_ATTEMPTS)
    due = (
        select(*_COLUMNS)
        .where(JobRow.done_at.is_(None), or_(waiting, lost))
        .order_by(JobRow.due_at, JobRow.id)
        .limit(limit)
    )
    async with env.db.read() as db:
        return [Job(*row) for row in await db.execute(due)]


async def find_jobs(env: Env, ids: Sequence[int]) -> list[Job]:
    """The jobs of these ids, by id; unknown ones are left out."""
    async with env.db.read() as db:
        rows = await db.execute(select(*_COLUMNS).where(JobRow.id.in_(ids)).order_by(JobRow.id))
        return [Job(*row) for row in rows]


async def list_jobs(env: Env, kind: JobKind | None = None, first: int = 50) -> list[Job]:
    """The newest jobs first."""
    newest = select(*_COLUMNS).order_by(JobRow.id.desc()).limit(first)
    if kind is not None:
        newest = newest.where(JobRow.kind == kind)
    async with env.db.read() as db:
        return [Job(*row) for row in await db.execute(newest)]


async def count_open(env: Env) -> int:
    """How many jobs wait or run now and are due."""
    due = [JobRow.done_at.is_(None), JobRow.due_at <= env.clock.now()]
    async with env.db.read() as db:
        return int(await db.scalar(select(func.count()).where(*due)) or 0)


def real_time(env: Env, seconds: float) -> timedelta:
    """So many real seconds on the process's clock."""
    return timedelta(seconds=seconds * env.clock.rate)


def _stale(before: datetime) -> ColumnElement[bool]:
    return and_(JobRow.state == "RUNNING", JobRow.started_at <= before)


async def _settle(env: Env, job: Job, **values: Any) -> bool:
    """Writes the end of a try if the job is still in it: a worker given up for dead is too late."""
    mine = (JobRow.id == job.id, JobRow.state == "RUNNING", JobRow.attempts == job.attempts)
    async with env.db.write() as db:
        settled = await db.scalar(update(JobRow).where(*mine).values(**values).returning(JobRow.id))
    return settled is not None


_COLUMNS: Final = tuple(JobRow.__table__.c[name] for name in Job.__dataclass_fields__)
