"""The function of the long queue: a real worker carries a backtest, and knows a job of another."""

from __future__ import annotations

from app.adapters.queue import open_pool
from app.services.backtest.backtests import get_backtest
from app.services.work import jobs
from tests.backtests import ask, make_market
from tests.people import make_user
from tests.workers.conftest import context
from workers.backtest import run_backtest
from workers.pace import Pace
from workers.settings import make_worker


async def test_a_worker_of_the_long_queue_carries_it(env):
    await make_market(env)
    alice = (await make_user(env)).id
    row = await ask(env, alice, values={}, axes={"fast": (2, 3), "slow": (8, 9)})
    async with open_pool(env.settings.redis_url) as pool:
        worker = make_worker("long", env, pool, Pace(), burst=True)
        worker.cron_jobs = []
        await worker.async_run()
    done = await get_backtest(env, alice, str(row.id))
    assert (done.state, done.error) == ("DONE", None)
    assert {(j.state, j.outcome) for j in await jobs.list_jobs(env, "backtest")} == {("DONE",) * 2}


async def test_a_job_that_is_gone_is_left_alone(env):
    await run_backtest(context(env), 10**9)
