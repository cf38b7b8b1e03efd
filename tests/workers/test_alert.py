"""The job that evaluates an instrument's rules: opened by the analysis, done once."""

from __future__ import annotations

from datetime import date

from app.services.alerts.alert_rules import save_rule
from app.services.alerts.alerts import count_alerts
from app.services.schedule import due
from app.services.work import jobs
from tests.alerting import read_rule, see_path
from tests.factories import make_bars
from tests.people import make_user
from workers.alert import watch_instrument
from workers.analyse import analyse_instrument


async def test_an_analysis_has_the_rules_evaluated(ctx, live):
    alice = await make_user(live)
    await save_rule(live, alice.id, read_rule("AAPL > 102.5"))
    await see_path(live, "AAPL", 101, start=live.clock.now().replace(day=1, hour=3))
    await make_bars(live, "AAPL", [100 + n % 7 for n in range(60)], start=date(2012, 12, 10))
    await due.open_due(live)
    (job,) = [j for j in await jobs.list_due(live) if j.kind == "analyse"]
    await analyse_instrument(ctx, job.id)
    (watching,) = await jobs.list_jobs(live, "alert")
    await watch_instrument(ctx, watching.id)
    await watch_instrument(ctx, watching.id)
    (done,) = await jobs.find_jobs(live, [watching.id])
    assert (done.state, done.outcome, done.bars) == ("DONE", "WATCHED", 1)
    assert await count_alerts(live, alice.id) == 1


async def test_a_job_that_is_gone_is_left_alone(ctx):
    await watch_instrument(ctx, 10**9)
