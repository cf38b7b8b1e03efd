"""Reading what was issued: the newest of each market, pages, orders, and positions one holds."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from app.domain.recommend.actions import ADVICE
from app.domain.recommend.markets import MarketKey
from app.env import Env
from app.errors import BadInput
from app.services.recommend.recommend_issue import issue
from app.services.recommend.recommendations import (
    Sort,
    WalkRow,
    count_recommendations,
    find_recommendation,
    find_situations,
    list_held,
    list_issues,
    list_recommendations,
    list_walks,
)
from app.services.schedule.due_recommendations import open_due_recommendations
from app.services.work import jobs
from tests.ledgers import keep, make_portfolio
from tests.people import make_user
from tests.recommending import add_day, make_market


@pytest.fixture
async def issued(env: Env) -> Env:
    await make_market(env, sessions=110)
    await issue(env, MarketKey.US)
    return env


async def test_the_newest_issue_of_a_market_in_pages_and_orders(issued):
    (head,) = await list_issues(issued)
    assert (head.market, head.few, head.compared_with, head.simulated) == ("US", True, "SPY", False)
    first = await list_recommendations(issued, first=3)
    ranks = [row.rank for row in first.rows]
    assert ranks == sorted(ranks, reverse=True)
    assert first.has_next
    rest = await list_recommendations(issued, first=3, after=first.cursors[-1])
    assert not rest.has_next
    symbols = [row.symbol for row in first.rows + rest.rows]
    assert sorted(symbols) == ["AAPL", "GOOG", "MSFT", "TSLA"]
    assert await count_recommendations(issued) == head.instruments == 4
    by_name = await list_recommendations(issued, sort=Sort.SYMBOL, market="US")
    assert [row.symbol for row in by_name.rows] == sorted(symbols)
    assert len((await list_recommendations(issued, sort=Sort.PROBABILITY)).rows) == 4
    assert (await list_recommendations(issued, market="KR")).rows == []
    assert all(row.outcome is None and row.reasons for row in first.rows)


async def test_an_earlier_day_shows_what_was_said_then_and_what_became_of_it(issued):
    async with issued.db.read() as db:
        day = await db.scalar(text("SELECT min(day) FROM recommendation_issue"))
    (head,) = await list_issues(issued, day)
    assert (head.day, head.simulated) == (day, True)
    rows = (await list_recommendations(issued, as_of=day)).rows
    assert {row.outcome.state for row in rows if row.outcome} == {"SCORED"}
    assert await list_issues(issued, day.replace(year=2020)) == []


async def test_what_cannot_be_asked_is_named(issued):
    for wrong, field in (
        ({"first": 0}, "first"),
        ({"market": "JP"}, "market"),
        ({"after": "x"}, "after"),
    ):
        with pytest.raises(BadInput) as caught:
            await list_recommendations(issued, **wrong)
        assert caught.value.field == field


async def test_an_instrument_that_was_removed_leaves_the_list_and_not_the_record(issued):
    async with issued.db.write() as db:
        await db.execute(text("DELETE FROM instrument WHERE symbol = 'AAPL'"))
    assert await count_recommendations(issued) == 3
    async with issued.db.read() as db:
        assert await db.scalar(text("SELECT count(*) FROM recommendation WHERE symbol = 'AAPL'"))


async def test_of_one_instrument_its_number_and_since_when_as_the_rows_say(issued):
    async with issued.db.read() as db:
        said = (await db.execute(text(SAID))).all()
    days = sorted({row.day for row in said})
    newest = [row for row in said if row.day == days[-1]]
    earlier = [row for row in said if row.day == days[-2]]
    for part in (newest, earlier):
        keys = [(row.issue_id, row.symbol) for row in part]
        found = await find_situations(issued, keys)
        for row in part:
            standing = found[row.issue_id, row.symbol]
            assert standing.ordinal == 1 + sum(other.rank > row.rank for other in part)
            run = row.day
            for other in reversed(said):  # back through the days until it said something else
                if (other.symbol, other.simulated) != (row.symbol, row.simulated):
                    continue
                if other.day <= row.day:
                    if other.action != row.action:
                        break
                    run = other.day
            assert standing.since == run
    assert len({(row.symbol, row.action) for row in said}) > len({row.symbol for row in said})
    one = await find_recommendation(issued, "AAPL")
    assert one is not None
    assert (one.symbol, one.issue.day) == ("AAPL", days[-1])
    assert await find_recommendation(issued, "IBM") is None  # it does not trade any more
    assert await find_recommendation(issued, "SPY") is None


SAID = """
    SELECT r.issue_id, r.symbol, r.action, r.rank, i.day, i.simulated
    FROM recommendation AS r JOIN recommendation_issue AS i ON i.id = r.issue_id ORDER BY i.day
"""


async def test_positions_that_one_holds_get_the_rule_s_advice_and_others_see_none(issued):
    alice, charlie = await make_user(issued, "alice"), await make_user(issued, "charlie")
    portfolio = await make_portfolio(issued, alice, currency="USD")
    await keep(issued, alice, portfolio, "DEPOSIT 10000")
    await keep(issued, alice, portfolio, "BUY 3 AAPL @ 10")
    (held,) = await list_held(issued, alice.id)
    assert (held.symbol, held.quantity, held.portfolio_id) == ("AAPL", 3, portfolio.id)
    assert held.advice is ADVICE[held.recommendation.action]
    assert await list_held(issued, charlie.id) == []


async def test_the_first_walk_tells_how_far_it_is_until_it_has_ended(env):
    days = await make_market(env, sessions=110)
    waiting = WalkRow("US", 0, 21)
    assert await list_walks(env) == [waiting]
    await open_due_recommendations(env)
    assert await list_walks(env) == [waiting]
    (opened,) = await jobs.list_jobs(env, "recommend")
    job = await jobs.claim(env, opened.id)
    await issue(env, MarketKey.US)
    (walk,) = await list_walks(env)
    assert 0 < walk.done < walk.total == 21
    await jobs.finish(env, job, 0, "ISSUED")
    assert await list_walks(env) == []
    await add_day(env, days[-1] + timedelta(days=1))
    assert await open_due_recommendations(env) == 1
    assert await list_walks(env) == []
