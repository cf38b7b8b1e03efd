"""How far the running collections are."""

from __future__ import annotations

from datetime import timedelta

from app.services.schedule.job_progress import get_progress, list_failing
from app.services.signals.signal_worth import refresh_worth
from tests.factories import make_instrument
from tests.recommending import make_market
from tests.trust_rows import make_job


async def test_nothing_runs_in_a_quiet_installation(env):
    await make_job(env, "AAPL", "DONE", done_at=env.clock.now(), attempts=1)
    progress = await get_progress(env)
    assert (progress.total, progress.next_try_at, progress.measuring) == (0, None, False)


async def test_the_worth_of_signals_is_being_measured_until_it_was_computed(env):
    await make_market(env, ("AAPL",), benchmark=None, sessions=60)
    assert (await get_progress(env)).measuring
    assert await refresh_worth(env)
    assert not (await get_progress(env)).measuring


async def test_a_batch_is_counted_by_what_has_become_of_its_jobs(env):
    now = env.clock.now()
    due, later = now - timedelta(minutes=5), now + timedelta(minutes=10)
    ended = now - timedelta(minutes=1)
    await make_job(env, "OLD", "DONE", due_at=due, done_at=now - timedelta(hours=1), attempts=1)
    await make_job(env, "A", "DONE", due_at=due, done_at=ended, attempts=1)
    await make_job(env, "B", "FAILED", due_at=due, done_at=ended, attempts=5)
    await make_job(env, "C", "RUNNING", due_at=due, started_at=ended, attempts=1)
    await make_job(env, "D", "PENDING", due_at=due)
    await make_job(env, "E", "PENDING", due_at=later, started_at=ended, attempts=2)
    progress = await get_progress(env)
    assert progress.total == 5
    assert (progress.done, progress.failed, progress.running) == (1, 1, 1)
    assert (progress.waiting, progress.retrying, progress.next_try_at) == (1, 1, later)


async def test_only_the_newest_collection_of_an_instrument_can_be_failing(env):
    now = env.clock.now()
    for symbol in ("A", "B", "C"):
        await make_instrument(env, symbol)
    ended = {"done_at": now, "attempts": 5, "outcome": "SOURCE_DOWN", "last_error": "curl: (6)"}
    await make_job(env, "A", "FAILED", **ended)
    await make_job(env, "A", "DONE", done_at=now, attempts=1)
    await make_job(env, "B", "PENDING", due_at=now, attempts=1, outcome="RATE_LIMITED")
    await make_job(env, "C", "FAILED", **ended)
    await make_job(env, "D", "PENDING", due_at=now)
    rows = await list_failing(env)
    assert [(row.symbol, row.state) for row in rows] == [("C", "FAILED"), ("B", "PENDING")]
    assert (rows[0].error, rows[0].outcome) == ("curl: (6)", "SOURCE_DOWN")
    assert len(await list_failing(env, 1)) == 1
