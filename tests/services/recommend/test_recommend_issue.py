"""Issuing: the walk over the history, a day after it, outcomes for all, and nobody may change it."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.domain.recommend.markets import MarketKey
from app.domain.recommend.outcomes import CLOSES_AFTER
from app.domain.recommend.walk import recommend, walk_forward
from app.env import Env
from app.services.recommend import recommend_issue
from app.services.recommend.recommend_data import load_market
from app.services.recommend.recommend_issue import ENGINE, issue, weekly
from app.services.recommend.recommend_seal import find_broken_seal
from tests.factories import make_fundamentals, weekdays
from tests.recommending import SHARES, SPLIT, add_day, make_market

TABLES = ("baseline_choice", "recommendation_outcome", "recommendation", "recommendation_issue")


async def rows(env: Env, sql: str) -> list:
    async with env.db.read() as db:
        return list((await db.execute(text(sql))).all())


ALL = """
    SELECT i.day, i.simulated, r.*, o.state, o.beat, o.excess, o.net, o.inside, o.held, i.cost
    FROM recommendation_issue i JOIN recommendation r ON r.issue_id = i.id
    LEFT JOIN recommendation_outcome o USING (issue_id, symbol) ORDER BY i.day, symbol
"""


async def test_the_history_is_simulated_a_day_is_issued_and_all_that_is_over_is_scored(env):
    days = await make_market(env)
    outcome, written = await issue(env, MarketKey.US)
    assert outcome == "ISSUED"
    found = await rows(env, ALL)
    assert len(found) == written > 200
    live = {row.day for row in found if not row.simulated}
    assert live == {days[-1]}
    simulated = sorted({row.day for row in found if row.simulated})
    assert all(day.weekday() == 0 for day in simulated)
    assert len(simulated) > 50
    over = days[-1 - CLOSES_AFTER]
    assert all((row.state == "SCORED") == (row.day <= over) for row in found)
    assert {row.symbol for row in found} == set(SHARES)
    assert "IBM" not in {row.symbol for row in found if row.day == days[-1]}
    fallen = [row for row in found if row.symbol == "IBM"][-1]
    assert fallen.state == "SCORED"  # sold at its last close
    assert all(row.reasons for row in found)
    assert await find_broken_seal(env) is None
    assert await issue(env, MarketKey.US) == ("ISSUED", 0)
    assert len(await rows(env, ALL)) == len(found)


async def test_what_is_stored_is_what_the_walk_says_in_prices_of_its_day(env):
    await make_market(env)
    await issue(env, MarketKey.US)
    data = await load_market(env, MarketKey.US)
    assert data is not None
    assert data.panel.benchmark_symbol == "SPY"
    walk = walk_forward(data.panel, ENGINE, np.zeros(len(data.panel.days)))
    days = data.panel.days.tolist()
    for row in (await rows(env, ALL))[::41]:
        at, column = days.index(row.day), data.panel.symbols.index(row.symbol)
        said = next(one for one in recommend(walk, at) if one.symbol == row.symbol)
        assert (row.rank, row.action, row.probability) == (said.rank, said.action, said.probability)
        traded = said.close * (3 if row.symbol == "TSLA" and row.day < SPLIT else 1)
        assert abs(float(row.close) - traded) < 1e-6
        if row.target is not None:
            assert abs(float(row.target) - traded * (1 + said.high)) < 0.006
        if row.state:
            assert row.excess == pytest.approx(walk.outcomes.excess[at, column])
            assert row.net == pytest.approx(row.excess - row.cost)
            assert row.beat == (row.excess > 0)
            assert row.held == pytest.approx(walk.outcomes.held[at])


async def test_a_new_day_is_issued_once_and_what_is_gone_is_counted_as_without_prices(
    env, superuser
):
    days = await make_market(env)
    await issue(env, MarketKey.US)
    first = len(await rows(env, ALL))
    async with env.db.write() as db:
        await db.execute(text("DELETE FROM instrument WHERE symbol = 'GOOG'"))
    for day in weekdays(days[-1] + timedelta(days=1), 3):
        await add_day(env, day, [share for share in SHARES if share != "GOOG"])
        assert (await issue(env, MarketKey.US))[0] == "ISSUED"
    found = await rows(env, ALL)
    issues = Counter(row.day for row in found if not row.simulated)
    assert sorted(issues.values()) == [3, 3, 3, 4]
    assert len(found) == first + 9
    states = Counter(row.state for row in found if row.symbol == "GOOG")
    assert states["SCORED"] > 40
    assert states["NO_PRICES"] in {0, 1}  # the Monday that was over meanwhile
    assert await find_broken_seal(env) is None


async def test_issues_from_before_there_were_plain_rules_get_theirs_at_the_next_walk(
    env, superuser
):
    await make_market(env, sessions=110)
    await issue(env, MarketKey.US)
    chosen = await rows(env, CHOICES)
    assert {row.baseline for row in chosen} >= {"SIGNAL", "MOMENTUM_5"}
    async with superuser.write() as db:
        await db.execute(text("SET LOCAL session_replication_role = replica"))
        await db.execute(text("DELETE FROM baseline_choice"))
    assert await rows(env, CHOICES) == []
    assert await issue(env, MarketKey.US) == ("ISSUED", 0)
    assert await rows(env, CHOICES) == chosen


CHOICES = "SELECT * FROM baseline_choice ORDER BY issue_id, symbol, baseline"


async def test_a_market_without_a_closed_outcome_waits(env):
    await make_market(env, ("AAPL",), benchmark=None, sessions=70)
    assert await issue(env, MarketKey.US) == ("TOO_SHORT", 0)
    assert await issue(env, MarketKey.KR) == ("TOO_SHORT", 0)


async def test_a_source_that_was_switched_meanwhile_gets_no_rows(env, monkeypatch):
    await make_market(env, sessions=200)

    async def other(_db):
        return "sample"

    monkeypatch.setattr(recommend_issue, "hold_source", other)
    assert await issue(env, MarketKey.US) == ("SUPERSEDED", 0)
    assert await rows(env, ALL) == []


async def test_fundamentals_count_from_their_day_on(env):
    await make_market(env, sessions=120)
    for number, symbol in enumerate(SHARES):
        await make_fundamentals(env, symbol, date(2024, 5, 1), trailing_pe=10.0 + number)
    data = await load_market(env, MarketKey.US)
    assert data is not None
    pe = data.panel.fundamentals["trailing_pe"]
    known = np.isfinite(pe).any(axis=1)
    assert data.panel.days[known][0] == np.datetime64("2024-05-01")


CHANGES = [
    *(f"DELETE FROM {table}" for table in TABLES),
    *(f"TRUNCATE {table} CASCADE" for table in TABLES),
    "UPDATE recommendation SET rank = 99",
    "UPDATE recommendation_issue SET simulated = false",
    "UPDATE recommendation_outcome SET beat = true",
    "UPDATE baseline_choice SET baseline = 'SIGNAL'",
    "INSERT INTO recommendation SELECT * FROM recommendation",
    "INSERT INTO recommendation_outcome SELECT * FROM recommendation_outcome",
]


async def test_direct_sql_cannot_change_what_was_issued(env, superuser):
    await make_market(env, sessions=110)
    await issue(env, MarketKey.US)
    assert await rows(env, ALL)
    for database in (env.db, superuser):  # the role has no right to; a trigger stops who has
        for statement in CHANGES:
            with pytest.raises(DBAPIError, match=r"permission denied|append-only|duplicate key"):
                async with database.write() as db:
                    await db.execute(text(statement))
    assert await find_broken_seal(env) is None
    async with superuser.write() as db:  # behind the trigger's back
        await db.execute(text("SET LOCAL session_replication_role = replica"))
        broken = await db.scalar(text("SELECT min(issue_id) FROM recommendation"))
        await db.execute(
            text("UPDATE recommendation SET rank = 1 WHERE issue_id = :id"), {"id": broken}
        )
    assert await find_broken_seal(env) == broken


def test_the_first_session_of_each_week_whatever_comes_later():
    days = np.array(
        ["2026-01-01", "2026-01-02", "2026-01-05", "2026-01-07", "2026-01-13", "2026-01-14"],
        dtype="datetime64[D]",
    )
    assert weekly(days) == [0, 2, 4]
    assert weekly(days[:4]) == [0, 2]
