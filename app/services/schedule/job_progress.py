"""How far the work on the universe is, and which instruments cannot be collected just now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text

from app.env import Env
from app.services.collect.collections import CollectionRow
from app.services.paging import check_first
from app.services.signals.signal_worth import KEY as WORTH_KEY


@dataclass(frozen=True)
class CollectionProgress:
    """The batch that runs: its open collections, and those that ended since the first was due.

    `waiting` have not been tried yet, `retrying` have and will be again, the first `next_try_at`.
    All are 0 while nothing is open. `measuring`: there are signals, and their worth is not known
    yet.
    """

    total: int
    done: int
    failed: int
    running: int
    waiting: int
    retrying: int
    next_try_at: datetime | None
    measuring: bool


async def get_progress(env: Env) -> CollectionProgress:
    """The batch of collections that runs now."""
    async with env.db.read() as db:
        params = {"now": env.clock.now(), "worth": WORTH_KEY}
        row = (await db.execute(text(_PROGRESS), params)).one()
    return CollectionProgress(*row)


async def list_failing(env: Env, first: int = 50) -> list[CollectionRow]:
    """The newest collection of each instrument, if it failed or waits for another try.

    Those that failed for good come first, the newest first.

    Raises:
        BadInput: `first` is not from 1 to 200.
    """
    params = {"rows": check_first(first)}
    async with env.db.read() as db:
        return [CollectionRow(*row) for row in await db.execute(text(_FAILING), params)]


_PROGRESS: Final = """
    WITH started AS (
        SELECT min(
            CASE WHEN due_at <= :now THEN due_at ELSE coalesce(started_at, due_at) END
        ) AS at
        FROM job WHERE kind = 'collect' AND done_at IS NULL
    )
    SELECT count(*),
        count(*) FILTER (WHERE state = 'DONE'),
        count(*) FILTER (WHERE state = 'FAILED'),
        count(*) FILTER (WHERE state = 'RUNNING'),
        count(*) FILTER (WHERE state = 'PENDING' AND attempts = 0),
        count(*) FILTER (WHERE state = 'PENDING' AND attempts > 0),
        min(due_at) FILTER (WHERE state = 'PENDING' AND attempts > 0),
        EXISTS (SELECT FROM instrument WHERE signals_by IS NOT NULL AND kind IN ('EQUITY', 'ETF'))
            AND NOT EXISTS (SELECT FROM setting WHERE key = :worth)
    FROM job, started
    WHERE kind = 'collect' AND (done_at IS NULL OR done_at >= started.at)
"""

_FAILING: Final = """
    SELECT id, symbol, state, due_at, started_at, done_at, attempts, bars, outcome, last_error
    FROM job
    WHERE id IN (SELECT max(id) FROM job WHERE kind = 'collect' GROUP BY symbol)
        AND (state = 'FAILED' OR state = 'PENDING' AND attempts > 0)
    ORDER BY state = 'FAILED' DESC, id DESC
    LIMIT :rows
"""
