"""The track record: its totals are those of plain SQL, with nothing left out."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import text

from app.domain.recommend import record as record_module
from app.domain.recommend.markets import MarketKey
from app.env import Env
from app.errors import BadInput
from app.services.recommend.recommend_issue import issue
from app.services.recommend.track_record import list_records
from app.services.settings import REPLAY_KEY, choose_source, put_setting
from tests.recommending import SPLIT, make_market

PLAIN = """
    SELECT r.action, r.probability, i.day AS issued_for, i.base_rate, i.cost, o.*
    FROM recommendation_issue i JOIN recommendation r ON r.issue_id = i.id
    LEFT JOIN recommendation_outcome o USING (issue_id, symbol) WHERE i.simulated
"""


@pytest.fixture
async def issued(env: Env) -> Env:
    await make_market(env)
    await issue(env, MarketKey.US)
    return env


async def test_totals_are_those_of_the_rows(issued, monkeypatch):
    async with issued.db.read() as db:
        rows = list((await db.execute(text(PLAIN))).all())
    live, walked = await list_records(issued)
    assert (live.simulated, live.issued, live.scored, live.record) == (False, 4, 0, None)
    assert walked.simulated
    scored = [row for row in rows if row.state == "SCORED"]
    assert (walked.issued, walked.scored, walked.unpriced) == (len(rows), len(scored), 0)
    record = walked.record
    assert record is not None
    assert record.count == len(scored)
    assert record.base.value == pytest.approx(sum(row.beat for row in scored) / len(scored))
    assert record.windows == len({row.day for row in scored}) * 5 // 20
    assert walked.enough == (record.windows >= 12)
    for one in record.actions:
        own = [row for row in scored if row.action == one.action]
        assert one.count == len(own)
        assert one.beat.value == pytest.approx(sum(row.beat for row in own) / len(own))
        assert one.excess.value == pytest.approx(sum(row.excess for row in own) / len(own))
        assert one.net.value == pytest.approx(sum(row.net for row in own) / len(own))
        assert one.beat.low is not None
        assert one.beat.low <= one.beat.value
    assert sum(one.count for one in record.actions) == len(scored)
    banded = [row.inside for row in scored if row.inside is not None]
    assert banded
    assert record.coverage is not None
    assert record.coverage.value == pytest.approx(sum(banded) / len(banded))
    assert (record.skill, walked.curve) == (None, [])  # twelve windows of forecasts there are not
    monkeypatch.setattr(record_module, "WINDOWS", 0)
    walked = (await list_records(issued))[1]
    forecast = [row for row in scored if row.probability is not None]
    errors = [(row.probability - row.beat) ** 2 for row in forecast]
    bases = [(row.base_rate - row.beat) ** 2 for row in forecast]
    assert walked.record is not None
    assert walked.record.skill == pytest.approx(1 - sum(errors) / sum(bases))
    assert sum(point.count for point in walked.curve) == len(forecast)
    mean = sum(row.returned for row in scored) / len(scored)
    assert record.equal_weight.value == pytest.approx(mean)
    held = {row.day: row.held for row in scored}
    assert record.held is not None
    assert record.held.value == pytest.approx(sum(held.values()) / len(held))


async def test_plain_rules_are_recomputed_day_by_day_from_the_bars(issued):
    """By hand: total returns out of bars and splits, the best fifth by counting, means of sums."""
    async with issued.db.read() as db:
        rows = [row for row in await db.execute(text(PLAIN)) if row.state == "SCORED"]
        votes = {(r.symbol, r.day): r.strength for r in await db.execute(text(VOTES))}
        bars = list(await db.execute(text(BARS)))
    closes = {(bar.symbol, bar.day): float(bar.close) * (3 if late(bar) else 1) for bar in bars}
    days = sorted({bar.day for bar in bars})
    own: dict[str, list] = {"SIGNAL": [], "MOMENTUM_5": [], "MOMENTUM_12_1": []}
    for day in sorted({row.issued_for for row in rows}):
        issue_rows = [row for row in rows if row.issued_for == day]
        for name, begin, end in (("MOMENTUM_5", 5, 0), ("MOMENTUM_12_1", 252, 21)):
            at = days.index(day)
            if at < begin:
                continue
            past = {
                row.symbol: closes[row.symbol, days[at - end]]
                / closes[row.symbol, days[at - begin]]
                for row in issue_rows
            }
            for row in issue_rows:
                below = sum(value < past[row.symbol] for value in past.values())
                if (below + 0.5) / len(past) >= 0.8:
                    own[name].append(row)
        own["SIGNAL"] += [row for row in issue_rows if votes.get((row.symbol, day), 0) >= 1]
    record = (await list_records(issued))[1].record
    assert record is not None
    assert {one.baseline for one in record.baselines} == {n for n, bought in own.items() if bought}
    buys = [row for row in rows if row.action == "BUY"]
    for one in record.baselines:
        bought = own[one.baseline]
        assert one.count == len(bought) > 10
        assert one.beat.value == pytest.approx(mean(row.beat for row in bought))
        assert one.net.value == pytest.approx(mean(row.excess - row.cost for row in bought))
        after = mean(row.returned - row.cost for row in bought)
        assert one.bought.value == pytest.approx(after)
        both = {row.issued_for for row in bought} & {row.issued_for for row in buys}
        leads = [
            mean(row.net for row in buys if row.issued_for == day)
            - mean(row.net for row in bought if row.issued_for == day)
            for day in both
        ]
        assert one.lead is not None
        assert one.lead.value == pytest.approx(mean(leads))


def mean(values) -> float:
    known = [float(value) for value in values]
    return sum(known) / len(known)


def late(bar) -> bool:
    return bar.symbol == "TSLA" and bar.day >= SPLIT


VOTES = "SELECT symbol, day, strength FROM signal"
BARS = "SELECT symbol, day, close FROM bar WHERE symbol <> 'SPY' ORDER BY day"


async def test_days_models_and_sources_narrow_it(issued):
    (part,) = await list_records(issued, None, date(2024, 6, 1), date(2024, 8, 1))
    assert part.first_day >= date(2024, 6, 1)
    assert part.last_day <= date(2024, 8, 1)
    assert await list_records(issued, "other") == []
    with pytest.raises(BadInput, match="from is 2024-08-01"):
        await list_records(issued, None, date(2024, 8, 1), date(2024, 6, 1))
    await choose_source(issued, "sample")
    assert await list_records(issued) == []


async def test_a_replay_hides_what_was_not_over_on_its_day(env):
    days = await make_market(env, sessions=130, source="sample")
    await issue(env, MarketKey.US)
    await put_setting(env, REPLAY_KEY, {"day": str(days[110]), "shown": 0})
    (walked,) = await list_records(env)
    assert walked.last_day < days[110]
    async with env.db.read() as db:
        over = await db.scalar(
            text("SELECT count(*) FROM recommendation_outcome WHERE day < :day"), {"day": days[110]}
        )
    assert walked.scored == over > 0
