"""The pages of recommendations and of their record, as a reader without JavaScript sees them."""

from __future__ import annotations

import re

import pytest

from app.domain.recommend.markets import MarketKey
from app.services.recommend.recommend_issue import issue
from app.services.schedule.due_recommendations import open_due_recommendations
from app.web.recommend_pages import SIZE, draw_calibration
from tests.ledgers import keep, make_portfolio
from tests.people import make_user
from tests.recommending import make_market
from tests.web.pages import browsing, text_of
from tests.web.test_portfolio_pages import sign_in


async def test_before_there_is_anything_the_pages_say_what_to_wait_for(env, settings):
    await make_market(env, ("AAPL",), benchmark=None, sessions=30)
    await open_due_recommendations(env)
    async with browsing(settings) as http:
        seen = text_of((await http.get("/recommendations")).text)
        assert "No recommendations yet" in seen
        assert "United States: reading the stored history" in seen
        assert "No record yet" in text_of((await http.get("/track-record")).text)
        assert "Newest recommendations" not in (await http.get("/")).text


@pytest.mark.parametrize("locale", ["ko", "en"])
async def test_a_market_its_reasons_and_its_record_in_both_languages(env, settings, locale):
    await make_market(env, sessions=360)
    await issue(env, MarketKey.US)
    async with browsing(settings, locale) as http:
        for path in ("/recommendations", "/recommendations?market=US", "/track-record", "/"):
            page = (await http.get(path)).text
            seen = text_of(page)
            assert not re.search(r"\b(None|NaN|undefined|null|nan)\b", seen), path
            if path.startswith("/recommendations"):
                assert page.count('<details class="reasons">') == 4
                assert page.count("data-symbol=") == 4
                assert "SPY" in seen
        assert ("기준 비율" if locale == "ko" else "base rate") in seen.lower()
        page = (await http.get("/instruments/AAPL")).text
        seen = text_of(page)
        assert not re.search(r"\b(None|NaN|undefined|null|nan)\b", seen)
        assert 'href="/recommendations?market=US"' in page
        assert 'href="/track-record"' in page
        said = r"4개 중 [1-4]번째" if locale == "ko" else r"number [1-4] of 4"
        assert re.search(said, seen)
        assert ("부터" if locale == "ko" else "since 20") in seen
        assert 'id="recommendation"' not in (await http.get("/instruments/SPY")).text


async def test_what_one_holds_is_looked_at_and_others_see_nothing_of_it(env, settings):
    await make_market(env, sessions=110)
    await issue(env, MarketKey.US)
    alice = await make_user(env)
    portfolio = await make_portfolio(env, alice, currency="USD")
    await keep(env, alice, portfolio, "DEPOSIT 10000")
    await keep(env, alice, portfolio, "BUY 3 AAPL @ 10")
    async with browsing(settings) as http:
        assert "Your positions" not in (await http.get("/recommendations")).text
        await sign_in(http)
        seen = text_of((await http.get("/recommendations")).text)
        assert "Your positions" in seen
        assert re.search(r"Keep it|Sell half|Sell all", seen)


async def test_a_page_that_cannot_be_continued_is_a_bad_request(env, settings):
    await make_market(env, sessions=110)
    await issue(env, MarketKey.US)
    async with browsing(settings) as http:
        assert (await http.get("/recommendations?market=US&after=x")).status_code == 400
        assert (await http.get("/recommendations?market=XX")).status_code == 200


def test_the_calibration_curve_lies_on_one_scale_for_both_axes():
    points = [{"forecast": 0.4, "seen": 0.5}, {"forecast": 0.6, "seen": 0.6}]
    curve = draw_calibration(points)
    assert curve is not None
    assert (curve["low"], curve["high"]) == (0.4, 0.6)
    assert curve["dots"] == [(0.0, SIZE / 2), (SIZE, 0.0)]
    assert draw_calibration(points[:1]) is None
    assert draw_calibration([points[0], points[0] | {"seen": 0.4}, points[0]]) is not None
