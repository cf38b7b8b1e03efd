"""An analysis job from claim to end."""

from __future__ import annotations

from datetime import date

from sqlalchemy import func, select

from app.db.models import IndicatorDaily
from app.services.schedule import due
from app.services.work import jobs
from tests.factories import make_bars
from workers.analyse import analyse_instrument


async def test_all_indicators_of_an_instrument_are_made(ctx, live):
    await make_bars(live, "AAPL", [100 + n % 7 for n in range(60)], start=date(2012, 12, 10))
    await due.open_due(live)
    (job,) = [j for j in await jobs.list_due(live) if j.kind == "analyse"]
    await analyse_instrument(ctx, job.id)
    (done,) = await jobs.find_jobs(live, [job.id])
    assert (done.state, done.outcome, done.bars) == ("DONE", "ANALYSED", 60)
    async with live.db.read() as db:
        rows = select(func.count()).where(IndicatorDaily.rsi_14.is_not(None))
        assert await db.scalar(rows) == 60 - 14


async def test_a_job_that_is_gone_is_left_alone(ctx):
    await analyse_instrument(ctx, 10**9)
