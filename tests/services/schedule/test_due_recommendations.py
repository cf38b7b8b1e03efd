"""When recommendations are due: a day that is analysed, and nothing of the market on its way."""

from __future__ import annotations

from sqlalchemy import text

from app.domain.recommend.markets import MarketKey
from app.env import Env
from app.services.recommend.recommend_issue import issue
from app.services.schedule.due_recommendations import is_complete, open_due_recommendations
from app.services.work.jobs import list_jobs
from tests.recommending import make_market


async def open_job(env: Env, symbol: str, attempts: int = 0) -> None:
    async with env.db.write() as db:
        await db.execute(
            text(
                "INSERT INTO job (key, kind, symbol, due_at, attempts)"
                " VALUES (:symbol || 'x', 'collect', :symbol, now(), :attempts)"
            ),
            {"symbol": symbol, "attempts": attempts},
        )


async def test_a_day_is_due_once_when_its_market_is_complete(env):
    assert await open_due_recommendations(env) == 0  # no source is chosen
    days = await make_market(env, ("AAPL", "MSFT"), sessions=110)
    await open_job(env, "MSFT")
    assert await open_due_recommendations(env) == 0
    async with env.db.write() as db:  # the worker of its first try was killed
        await db.execute(text("UPDATE job SET attempts = 2, state = 'RUNNING'"))
    assert not await is_complete(env, MarketKey.US)
    assert await open_due_recommendations(env) == 0
    async with env.db.write() as db:  # it fails again and again
        await db.execute(text("UPDATE job SET state = 'PENDING'"))
    assert await is_complete(env, MarketKey.US)
    assert await open_due_recommendations(env) == 1
    assert await open_due_recommendations(env) == 0
    (job,) = await list_jobs(env, "recommend")
    assert job.key == f"recommend:yahoo:US:{days[-1]}"
    await issue(env, MarketKey.US)
    async with env.db.write() as db:
        await db.execute(text("DELETE FROM job"))
    assert await open_due_recommendations(env) == 0


async def test_another_market_s_collections_hold_nobody_up(env):
    await make_market(env, ("AAPL",), sessions=110)
    await open_job(env, "005930.KS")
    assert await open_due_recommendations(env) == 1
