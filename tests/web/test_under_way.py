"""What is computed for the first time has a bar on the pages that will show it."""

from __future__ import annotations

import re
from datetime import timedelta

from sqlalchemy import text

from app.domain.recommend.markets import MarketKey
from app.services.recommend.recommend_issue import issue
from app.services.schedule.due_recommendations import open_due_recommendations
from app.services.signals.signal_worth import refresh_worth
from app.services.work import jobs
from tests.recommending import make_market
from tests.trust_rows import make_job
from tests.web.pages import browsing, text_of

PAGES = ("/signals", "/recommendations", "/track-record")
POLL = {"HX-Request": "true", "HX-Request-Type": "full", "HX-Target": "div#under-way"}


async def test_a_first_computation_has_a_bar_until_it_is_over(env, settings):
    await make_market(env, sessions=110)
    due = env.clock.now() - timedelta(minutes=1)
    await make_job(env, "AAPL", "DONE", due_at=due, done_at=env.clock.now(), attempts=1)
    await make_job(env, "MSFT", "PENDING", due_at=due)
    async with browsing(settings) as http:
        for path in PAGES:
            page = (await http.get(path)).text
            assert '<progress max="2" value="1">' in page
            assert page.count("<progress>") == 2  # the history is read, the worth is measured
            assert "Prices and signals: 1 of 2 instruments" in text_of(page)
            assert f'hx-get="{path}"' in page
        async with env.db.write() as db:
            await db.execute(text("DELETE FROM job WHERE symbol = 'MSFT'"))
        await open_due_recommendations(env)
        (opened,) = await jobs.list_jobs(env, "recommend")
        job = await jobs.claim(env, opened.id)
        await issue(env, MarketKey.US)
        await refresh_worth(env)
        (bar,) = re.findall(r"<progress (.*?)>", (await http.get(PAGES[1])).text)
        assert re.fullmatch(r'max="21" value="[1-9]\d?"', bar)
        await jobs.finish(env, job, 0, "ISSUED")
        for path in PAGES:
            page = (await http.get(path)).text
            assert 'id="under-way"' not in page
            over = (await http.get(path, headers=POLL)).text
            assert re.search(r'id="under-way"\s+hx-get="[^"]+"\s+hx-trigger="load"', over)
