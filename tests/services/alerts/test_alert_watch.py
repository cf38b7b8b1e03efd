"""Evaluating rules: on quotes, closes, indicators, freshness and drawdown; each crossing stored once."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from sqlalchemy import insert, select, update

from app.db.models import AlertRule, Bar, EquityDaily, IndicatorDaily, Instrument, Signal
from app.domain.alerts.rules import AlertKind, Rule
from app.errors import Unavailable
from app.services.alerts import alert_store
from app.services.alerts.alert_rules import list_rules, pause_rule, save_rule
from app.services.alerts.alert_watch import (
    open_watch,
    see_quotes,
    watch_close,
    watch_drawdowns,
    watch_freshness,
    watch_quotes,
    watch_replay,
)
from app.services.alerts.alerts import count_alerts, list_alerts
from app.services.settings import REPLAY_KEY, put_setting
from app.services.work import jobs
from tests.alerting import read_rule, see_path
from tests.clocks import at
from tests.factories import make_bars, make_instrument, make_sessions, make_split, weekdays
from tests.graphql.asking import choose_source
from tests.holdings import publish
from tests.ledgers import make_portfolio
from tests.paper import OPEN_US, make_quote
from tests.people import make_user
from tests.recommending import make_market

NONE = timedelta(0)


@pytest.fixture
async def alice(env):
    await make_instrument(env, "AAPL")
    return await make_user(env)


async def told(env, user) -> list[tuple[str, float | None]]:
    """What has been told, the oldest first: kind and value."""
    rows = (await list_alerts(env, user.id)).rows[::-1]
    return [(row.kind, None if row.value is None else float(row.value)) for row in rows]


async def test_a_crossing_is_stored_once_and_the_next_one_after_it_has_gone_back(env, alice):
    await save_rule(env, alice.id, read_rule("AAPL > 150"))
    await save_rule(env, alice.id, read_rule("AAPL < 140"))
    assert await see_path(env, "AAPL", 149, 150.5, 149.9, 151, 145, 139, 152) == 3
    assert await told(env, alice) == [
        ("PRICE_ABOVE", 150.5),
        ("PRICE_BELOW", 139),
        ("PRICE_ABOVE", 152),
    ]
    (below, above) = await list_rules(env, alice.id)
    assert (above.crossings, below.crossings) == (2, 1)


async def test_two_workers_that_see_the_same_store_it_once(env, alice):
    await save_rule(env, alice.id, read_rule("AAPL > 150"))
    await see_path(env, "AAPL", 149)
    quote = make_quote("AAPL", "151", OPEN_US + timedelta(hours=1))
    async with asyncio.TaskGroup() as tasks:
        looks = [tasks.create_task(see_quotes(env, [quote])) for _ in range(5)]
    assert sum(look.result() for look in looks) == 1
    assert await see_quotes(env, [quote]) == 0  # a restart that sees it again


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_random_path_is_told_at_each_crossing_once(env, alice, seed):
    """Each price is seen by two workers at once, and earlier ones again in any order."""
    chance = random.Random(seed)
    await save_rule(env, alice.id, read_rule("AAPL > 100", band=Decimal(2)))
    prices = [95, *(chance.randint(94, 106) for _ in range(40))]
    quotes = [
        make_quote("AAPL", str(price), OPEN_US + timedelta(minutes=number))
        for number, price in enumerate(prices)
    ]
    for number, quote in enumerate(quotes):
        async with asyncio.TaskGroup() as workers:
            for _ in range(2):
                workers.create_task(see_quotes(env, [quote]))
        await see_quotes(env, [chance.choice(quotes[: number + 1])])
    regions = ["A" if price <= 98 else "B" for price in prices if not 98 < price < 100]
    crossings = [pair for pair in pairwise(regions) if pair == ("A", "B")]
    assert await count_alerts(env, alice.id) == len(crossings) > 4


async def test_a_number_is_never_stored_twice_even_if_the_rule_forgot(env, alice):
    rule = await save_rule(env, alice.id, read_rule("AAPL > 150"))
    await see_path(env, "AAPL", 149, 151)
    async with env.db.write(uid=alice.id) as db:
        mine = update(AlertRule).where(AlertRule.id == rule.id)
        await db.execute(mine.values(phase="ARMED", crossings=0, seen_at=None))
    assert await see_path(env, "AAPL", 152) == 0
    assert len(await told(env, alice)) == 1


async def test_nothing_is_stored_of_a_crossing_whose_notices_cannot_be(env, alice, monkeypatch):
    await save_rule(env, alice.id, read_rule("AAPL > 150"))
    await see_path(env, "AAPL", 149)

    async def fail(*_given):
        raise Unavailable("no")

    with monkeypatch.context() as patch:
        patch.setattr(alert_store, "open_notices", fail)
        with pytest.raises(Unavailable):
            await see_path(env, "AAPL", 151)
    assert await told(env, alice) == []
    assert await see_path(env, "AAPL", 151) == 1


async def test_a_paused_or_expired_rule_sees_nothing(env, alice):
    await save_rule(env, alice.id, read_rule("AAPL > 150", paused=True))
    end = env.clock.now() + timedelta(days=1)
    await save_rule(env, alice.id, read_rule("AAPL > 150", expires_at=end))
    assert await see_path(at(env, end + timedelta(1)), "AAPL", 149, 151) == 0
    assert await see_path(env, "AAPL", 149, 151) == 1


async def test_live_quotes_are_looked_at_once_and_a_bus_that_is_away_hides_none(env, alice):
    await choose_source(env)
    await save_rule(env, alice.id, read_rule("AAPL > 150"))
    known = {}
    for price, made in (("149", 0), ("151", 1), ("151", 0)):
        await publish(env.bus, make_quote("AAPL", price, OPEN_US + timedelta(minutes=int(price))))
        assert await watch_quotes(env, known) == made
    assert known["AAPL"].price == 151


async def test_a_change_counts_from_the_close_before(env, alice):
    rule = Rule(AlertKind.CHANGE_BELOW, "AAPL", level=Decimal(-3), cooldown=NONE)
    await save_rule(env, alice.id, rule)
    assert await see_path(env, "AAPL", 99, 96.5, 99) == 1  # the close before is 100
    assert await told(env, alice) == [("CHANGE_BELOW", -3.5)]


async def test_a_price_that_was_touched_while_nobody_looked_counts_at_the_close(env, alice):
    days = await make_bars(env, "AAPL", [100, 101, 102], start=date(2026, 3, 2))  # highs 101 to 103
    await make_sessions(env, "XNAS", days)
    await choose_source(env)
    early = at(env, datetime.combine(days[-1], time(9), env.clock.now().tzinfo))
    await save_rule(env, alice.id, read_rule("AAPL > 102.5"))
    await set_back(env, early.clock.now())
    assert await watch_close(env, "AAPL") == 1
    assert await told(env, alice) == [("PRICE_ABOVE", 103)]
    assert await watch_close(env, "AAPL") == 0  # the job runs twice
    await save_rule(env, alice.id, read_rule("AAPL > 102.7"))  # made after the session
    assert await watch_close(env, "AAPL") == 0


async def set_back(env, moment):
    """Rules were made and armed at that moment."""
    async with env.db.write(uid="everyone") as db:
        await db.execute(update(AlertRule).values(phase="ARMED", seen_at=moment, armed_at=moment))


@pytest.mark.parametrize(("new", "old", "level"), [(4, 1, 20), (7, 1, "11.428571"), (1, 3, 240)])
async def test_a_split_changes_what_a_level_means(env, alice, new, old, level):
    """The level is that of today wherever it is seen: in the evaluation, the rule and the alert."""
    rule = await save_rule(env, alice.id, read_rule("AAPL < 80"))
    average = Rule(AlertKind.INDICATOR_BELOW, "AAPL", measure="sma_20", level=Decimal(80))
    oscillator = replace(average, measure="rsi_14")
    others = [await save_rule(env, alice.id, other) for other in (average, oscillator)]
    async with env.db.write(uid=alice.id) as db:
        await db.execute(update(AlertRule).values(level_day=date(2026, 1, 5)))
    await make_split(env, "AAPL", date(2026, 1, 6), new, old)
    wanted = Decimal(level)
    assert await see_path(env, "AAPL", float(wanted) * 1.2, float(wanted) * 1.05) == 0
    assert await see_path(env, "AAPL", float(wanted)) == 1
    known = {row.id: row for row in await list_rules(env, alice.id)}
    for it, today, before in ((rule, wanted, 80), (others[0], wanted, 80), (others[1], 80, None)):
        assert (known[it.id].level, known[it.id].level_before_split) == (today, before)
    assert (await list_alerts(env, alice.id)).rows[0].level == wanted
    again = await pause_rule(env, alice.id, str(rule.id), paused=False)
    assert (again.level, again.level_before_split) == (wanted, 80)


async def test_a_new_high_passes_that_of_the_sessions_and_its_level_follows(env, alice):
    days = await make_bars(env, "AAPL", [100, 104, 102, 101], start=date(2026, 3, 2))
    await make_sessions(env, "XNAS", days)
    await choose_source(env)
    rule = Rule(AlertKind.NEW_HIGH, "AAPL", sessions=3, cooldown=NONE)
    made = await save_rule(env, alice.id, rule)
    assert made.level == 105
    morning = OPEN_US + timedelta(days=2)
    assert await see_path(env, "AAPL", 105, start=morning) == 0
    assert await see_path(env, "AAPL", 105.01, start=morning) == 1
    await make_bars(env, "AAPL", [106], start=weekdays(days[-1], 2)[-1])  # its high: 107
    await watch_close(env, "AAPL")
    assert (await list_rules(env, alice.id))[0].level == 107
    assert await told(env, alice) == [("NEW_HIGH", 105.01)]


async def test_indicators_and_the_signal_are_seen_at_the_close(env, alice):
    days = await make_bars(env, "AAPL", [100] * 6, start=date(2026, 3, 2))
    await make_sessions(env, "XNAS", weekdays(days[0], 10))
    await choose_source(env)
    rsi = Rule(AlertKind.INDICATOR_BELOW, "AAPL", measure="rsi_14", level=Decimal(30))
    await store_readings(env, days[:4], 50.0)
    await save_rule(env, alice.id, rsi)
    await save_rule(env, alice.id, Rule(AlertKind.SIGNAL_CHANGE, "AAPL", cooldown=NONE))
    assert await watch_close(env, "AAPL") == 0
    await store_readings(env, days[4:5], 25.0)
    await make_bars(env, "AAPL", [100], start=weekdays(days[-1], 2)[-1])
    assert await watch_close(env, "AAPL") == 2
    assert sorted(await told(env, alice)) == [("INDICATOR_BELOW", 25), ("SIGNAL_CHANGE", None)]
    assert (await list_alerts(env, alice.id)).rows[0].word == "BUY"


async def test_a_replay_tells_of_indicators_signals_and_highs_as_its_days_pass(env):
    """Each day is looked at twice, as after a restart; what it told is counted by hand."""
    days = await make_market(env, ("AAPL",), benchmark=None, sessions=90, source="sample")
    alice = await make_user(env)
    await stand_at(env, days[40])
    rsi = Rule(
        AlertKind.INDICATOR_ABOVE, "AAPL", measure="rsi_14", level=Decimal(52), cooldown=NONE
    )
    await save_rule(env, alice.id, rsi)
    await save_rule(env, alice.id, Rule(AlertKind.SIGNAL_CHANGE, "AAPL", cooldown=NONE))
    await save_rule(env, alice.id, Rule(AlertKind.NEW_HIGH, "AAPL", sessions=5, cooldown=NONE))
    known = await watch_replay(env, None)
    for day in days[41:]:
        await stand_at(env, day)
        known = await watch_replay(env, known)
        assert known == day
        assert await watch_replay(env, None) == day
    async with env.db.read() as db:
        read = select(IndicatorDaily.rsi_14).order_by(IndicatorDaily.day)
        figures = (await db.scalars(read)).all()[39:-1]
        votes = (await db.scalars(select(Signal.strength).order_by(Signal.day))).all()[-51:-1]
        highs = (await db.scalars(select(Bar.high).order_by(Bar.day))).all()
    crossings, armed = [], figures[0] < 52
    for figure in figures[1:]:
        if armed and figure >= 52:
            crossings.append(figure)
        armed = figure < 52 and (armed or figure <= 51)
    found = await told(env, alice)
    assert len(crossings) > 1
    assert [value for kind, value in found if kind == "INDICATOR_ABOVE"] == pytest.approx(
        crossings, abs=1e-6
    )
    changes = sum(one != before for before, one in pairwise(votes))
    assert sum(kind == "SIGNAL_CHANGE" for kind, _ in found) == changes > 1
    rule = next(rule for rule in await list_rules(env, alice.id) if rule.sessions)
    assert rule.level == max(highs[-6:-1])  # of the sessions before the replayed day


async def stand_at(env, day):
    await put_setting(env, REPLAY_KEY, {"day": str(day), "step": 0})


async def store_readings(env, days, rsi):
    rows = [
        {"symbol": "AAPL", "day": day, "rsi_14": rsi, "stochastic_k": 50.0, "macd_histogram": 1.0}
        for day in days
    ]
    vote = 1 if rsi < 30 else 0
    votes = {"strength": vote, "rsi_vote": vote, "stochastic_vote": 0, "macd_vote": 0}
    async with env.db.write() as db:
        await db.execute(insert(IndicatorDaily), rows)
        await db.execute(insert(Signal), [{"symbol": "AAPL", "day": day} | votes for day in days])


async def test_prices_that_stay_away_are_told_once_until_they_are_there_again(env, alice):
    days = await make_bars(env, "AAPL", [100, 101], start=date(2026, 3, 2), source="yahoo")
    await make_sessions(env, "XNAS", weekdays(days[0], 10))
    await choose_source(env)
    fresh = at(env, f"{days[-1]}T23:00")
    await save_rule(fresh, alice.id, Rule(AlertKind.FRESHNESS, "AAPL", cooldown=NONE))
    late = at(env, f"{weekdays(days[-1], 3)[-1]}T23:00")
    assert [await watch_freshness(e) for e in (fresh, late, late)] == [0, 1, 0]
    assert await told(env, alice) == [("FRESHNESS", 1)]


async def test_a_drawdown_is_told_of_the_portfolio(env, alice):
    book = await make_portfolio(env, alice)
    rule = Rule(AlertKind.DRAWDOWN, portfolio=str(book.id), level=Decimal(10), cooldown=NONE)
    for day, drawdown in ((3, -0.05), (4, -0.12)):
        row = {"portfolio_id": book.id, "day": date(2026, 3, day), "missing": 0}
        async with env.db.write(uid=alice.id) as db:
            await db.execute(insert(EquityDaily).values(row | {"drawdown": drawdown}))
        if day == 3:
            await save_rule(env, alice.id, rule)
    assert await watch_drawdowns(env) == 1
    assert await watch_drawdowns(env) == 0
    assert (await list_alerts(env, alice.id)).rows[0].portfolio == book.name
    assert await told(env, alice) == [("DRAWDOWN", 12)]


async def test_an_instrument_without_rules_needs_no_job(env, alice):
    assert await open_watch(env, "AAPL", 1) == []
    await save_rule(env, alice.id, read_rule("AAPL > 150"))
    (job,) = await open_watch(env, "AAPL", 1)
    assert await open_watch(env, "AAPL", 1) == [job]
    assert (await jobs.find_jobs(env, [job]))[0].kind == "alert"


async def test_a_rule_of_an_instrument_that_goes_does_no_harm(env, alice):
    await save_rule(env, alice.id, read_rule("AAPL > 150"))
    async with env.db.write() as db:
        await db.delete(await db.get_one(Instrument, "AAPL"))
    assert await watch_close(env, "AAPL") == 0
