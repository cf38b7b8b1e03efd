"""The work of a backtest: one part of a sweep, or its conclusion, off the event loop.

Whatever is computed is stored by its natural key, so a part that runs twice, after a killed worker,
counts once. While it runs the row tells how far it is, and is looked at: one that was cancelled
ends at its next look.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event
from typing import Any, Final, TypeVar

from sqlalchemy import func, select, text, update

from app.db.engine import EVERYONE
from app.db.models import Backtest, BacktestData
from app.domain.backtest.overfitting import BLOCKS
from app.domain.backtest.parameters import choose_strategy
from app.domain.backtest.report import dump_certificate
from app.domain.backtest.shadow import compare_trades, dump_compared
from app.domain.backtest.study import Cells, certify_study, conclude, join_cells
from app.env import Env
from app.services.backtest.backtest_runners import Runner, Work
from app.services.backtest.backtest_store import (
    CELLS,
    REPORT,
    SUMS,
    list_data,
    pack_frame,
    pack_report,
    pack_sums,
    put_data,
    unpack_frame,
    unpack_sums,
)
from app.services.backtest.backtest_tape import load_reference, load_tape
from app.services.backtest.backtests import BacktestRow
from app.services.backtest.strategy_shelf import Shelf
from app.services.portfolio.ledger import list_entries
from app.services.work.events import hand_over
from app.services.work.jobs import Job, keep, open_job

T = TypeVar("T")

LOOK_EVERY: Final = 0.25  # seconds between looks at a row whose work is under way
KEEP_EVERY: Final = 15.0  # seconds between words that the worker is alive


class Stopped(Exception):
    """The work was ended from outside."""


@dataclass
class Watch:
    """What the computing thread and the event loop tell one another."""

    stage: str
    base: float
    span: float
    share: float = 0.0
    stopped: Event = field(default_factory=Event)

    def __call__(self, share: float) -> None:
        """Called by the computation.

        Raises:
            Stopped: it is to end.
        """
        self.share = share
        if self.stopped.is_set():
            raise Stopped

    @property
    def progress(self) -> float:
        """Of the whole backtest."""
        return self.base + self.span * self.share


async def do_part(env: Env, job: Job, shelf: Shelf, runner: Runner) -> str:
    """Does what the job is for; the outcome in one word.

    A runner with room for more takes along parts that nobody has computed yet; their own jobs then
    have nothing to do.

    Raises:
        BadInput: what was asked for cannot be run.
    """
    backtest_id, part = (int(word) for word in job.key.split(":")[1:])
    row = await _begin(env, backtest_id)
    if row is None:
        return "GONE"
    try:
        if part < row.parts:
            await _run_parts(env, job, row, part, shelf, runner)
        else:
            await _conclude(env, job, row, shelf)
    except Stopped:
        return "CANCELLED"
    return "DONE"


async def _begin(env: Env, backtest_id: int) -> BacktestRow | None:
    """The row, which is at work from now on; None when there is nothing to do for it."""
    mine = (Backtest.id == backtest_id, Backtest.done_at.is_(None))
    started = func.coalesce(Backtest.started_at, env.clock.now())
    change = update(Backtest).where(*mine).values(state="RUNNING", started_at=started)
    async with env.db.write(uid=EVERYONE) as db:
        found = (await db.scalars(change.returning(Backtest))).one_or_none()
        return None if found is None else BacktestRow.of(found)


async def _run_parts(  # noqa: PLR0913, PLR0917 - a job, and who does it
    env: Env, job: Job, row: BacktestRow, part: int, shelf: Shelf, runner: Runner
) -> None:
    request, size = row.request, int(row.input["part_size"])
    strategy = choose_strategy(shelf, request.strategy)
    done = await _list_parts(env, row.id)
    if part in done:
        return
    others = [number for number in range(row.parts) if number not in done and number != part]
    parts = [part, *others][: runner.width]
    work = Work(await load_tape(env, request, row.data_version), strategy, request)
    spans = [(n * size, min((n + 1) * size, request.cells)) for n in parts]
    steps = row.parts + 1
    watch = Watch("CELLS", len(done) / steps, len(parts) / steps)
    found = await _off_loop(env, job, row, watch, lambda: runner.run(work, spans, watch))
    for number, cells in zip(parts, found, strict=True):
        await _store_cells(env, row, number, cells)


async def _store_cells(env: Env, row: BacktestRow, part: int, cells: Cells) -> None:
    """Stores a part; the last one opens the job that concludes."""
    last: list[int] = []
    async with env.db.write(uid=EVERYONE) as db:
        held = await db.execute(text(_HOLD), {"id": row.id})
        if held.first() is None:  # deleted or cancelled meanwhile
            return
        await put_data(db, row.id, CELLS, part, pack_frame(cells.frame))
        await put_data(db, row.id, SUMS, part, pack_sums(cells.sums))
        stored = BacktestData.backtest_id == row.id, BacktestData.name == CELLS
        done = await db.scalar(select(func.count()).where(*stored)) or 0
        further = func.greatest(Backtest.progress, done / (row.parts + 1))
        await db.execute(update(Backtest).where(Backtest.id == row.id).values(progress=further))
        if done == row.parts:
            now = env.clock.now()
            key = f"backtest:{row.id}:{row.parts}"
            last = [await open_job(db, "backtest", None, None, key, now)]
    await hand_over(env, last)


async def _conclude(env: Env, job: Job, row: BacktestRow, shelf: Shelf) -> None:
    request = row.request
    strategy = choose_strategy(shelf, request.strategy)
    tape = await load_tape(env, request, row.data_version)
    reference = await load_reference(env, request, row.data_version)
    cells = await _load_cells(env, row)
    tried = await _count_tried(env, row)
    base = row.parts / (row.parts + 1)
    span = (1.0 - base) / 2
    watch = Watch("RESULT", base, span)
    study = await _off_loop(
        env,
        job,
        row,
        watch,
        lambda: conclude(
            tape,
            strategy,
            request,
            cells=cells,
            tried=tried,
            reference=reference,
            watch=watch,
        ),
    )
    trials = request.cells if cells is None else cells.frame.height
    if row.portfolio_id is not None:
        trials = 0  # it tries nothing new
        entries = await list_entries(env, row.user_id, str(row.portfolio_id))
        study.report["shadow"] = dump_compared(compare_trades(entries, study.result))
    await _store_report(env, row, study.report, trials=trials)
    watch = Watch("CERTIFICATE", base + span, span)
    found = await _off_loop(
        env, job, row, watch, lambda: certify_study(tape, strategy, request, study, watch)
    )
    told = study.report | {"certificate": dump_certificate(found)}
    await _store_report(env, row, told, trials=trials, done=True)


async def _off_loop(env: Env, job: Job, row: BacktestRow, watch: Watch, work: Callable[[], T]) -> T:
    """The work in a thread, looked after: the row tells how far it is, the job that it lives.

    Raises:
        Stopped: the backtest was cancelled or deleted.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(asyncio.to_thread(work))
    keep_at = loop.time() + KEEP_EVERY
    try:
        await _tell(env, row, watch)
        while True:
            done, _ = await asyncio.wait({task}, timeout=LOOK_EVERY)
            if done:
                return task.result()
            await _tell(env, row, watch)
            if loop.time() >= keep_at:
                await keep(env, job)
                keep_at = loop.time() + KEEP_EVERY
    finally:
        watch.stopped.set()
        if not task.done():
            await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # seen


async def _tell(env: Env, row: BacktestRow, watch: Watch) -> None:
    """Writes how far it is.

    Raises:
        Stopped: it is not to go on.
    """
    mine = (Backtest.id == row.id, Backtest.state == "RUNNING")
    values: dict[str, Any] = {
        "stage": watch.stage,
        "progress": func.greatest(Backtest.progress, watch.progress),
    }
    async with env.db.write(uid=EVERYONE) as db:
        told = await db.scalar(update(Backtest).where(*mine).values(values).returning(Backtest.id))
    if told is None:
        raise Stopped


async def _store_report(
    env: Env, row: BacktestRow, report: dict[str, Any], *, trials: int, done: bool = False
) -> None:
    """Stores the result, and ends the backtest if it is the last word.

    Raises:
        Stopped: it was cancelled or deleted meanwhile.
    """
    values: dict[str, Any] = {"figures": report["figures"], "trials": trials}
    if done:
        now = env.clock.now()
        values |= {"state": "DONE", "done_at": now, "progress": 1.0, "stage": None}
    mine = (Backtest.id == row.id, Backtest.state == "RUNNING")
    data = await asyncio.to_thread(pack_report, report)
    async with env.db.write(uid=EVERYONE) as db:
        told = await db.scalar(update(Backtest).where(*mine).values(values).returning(Backtest.id))
        if told is None:
            raise Stopped
        await put_data(db, row.id, REPORT, 0, data, renew=True)


async def _load_cells(env: Env, row: BacktestRow) -> Cells | None:
    if not row.parts:
        return None
    async with env.db.read(uid=EVERYONE) as db:
        frames = await list_data(db, row.id, CELLS)
        sums = await list_data(db, row.id, SUMS)
    parts = []
    for packed, packed_sums in zip(frames, sums, strict=True):
        parts.append(Cells(unpack_frame(packed), unpack_sums(packed_sums, BLOCKS)))
    return join_cells(parts)


async def _list_parts(env: Env, backtest_id: int) -> set[int]:
    """The numbers of the parts that are computed."""
    whose = BacktestData.backtest_id == backtest_id, BacktestData.name == CELLS
    async with env.db.read(uid=EVERYONE) as db:
        return set(await db.scalars(select(BacktestData.part).where(*whose)))


async def _count_tried(env: Env, row: BacktestRow) -> int:
    """What the user has tried on overlapping symbols and days before, deleted runs too."""
    params = {
        "own": [row.id if row.repeat_of is None else row.repeat_of, row.id],
        "user_id": row.user_id,
        "symbols": row.symbols,
        "first": row.first_day,
        "last": row.last_day,
    }
    async with env.db.read(uid=EVERYONE) as db:
        return int(await db.scalar(text(_TRIED), params) or 0)


_HOLD: Final = "SELECT id FROM backtest WHERE id = :id AND state = 'RUNNING' FOR UPDATE"
_TRIED: Final = """
    SELECT sum(trials) FROM backtest
    WHERE user_id = :user_id AND id <> ALL(:own) AND repeat_of IS NULL
        AND (state = 'DONE' OR figures IS NOT NULL)
        AND symbols && CAST(:symbols AS varchar[])
        AND first_day <= :last AND last_day >= :first
"""
