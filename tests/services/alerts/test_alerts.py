"""One's own rules, hours and history, and following it."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from datetime import time
from decimal import Decimal

import pytest

from app.domain.alerts.rules import AlertKind, Rule
from app.errors import BadInput, Conflict, NotFound
from app.services.alerts import alert_rules
from app.services.alerts.alert_hours import get_hours, save_hours
from app.services.alerts.alert_rules import delete_rule, list_rules, pause_rule, save_rule
from app.services.alerts.alerts import (
    acknowledge,
    acknowledge_all,
    count_alerts,
    follow_alerts,
    list_alerts,
)
from app.services.feed.bell import Bell
from tests.alerting import notice_beginning, read_rule, see_path
from tests.factories import make_instrument
from tests.graphql.asking import choose_source
from tests.holdings import publish
from tests.paper import OPEN_US, make_quote
from tests.people import make_user


@pytest.fixture
async def alice(env):
    await make_instrument(env, "AAPL")
    return await make_user(env)


async def test_what_lies_beyond_when_a_rule_is_made_has_to_come_back_first(env, alice):
    await choose_source(env)
    await publish(env.bus, make_quote("AAPL", "155", OPEN_US))
    above = await save_rule(env, alice.id, read_rule("AAPL > 150"))
    below = await save_rule(env, alice.id, read_rule("AAPL < 150"))
    assert (above.phase, below.phase) == ("SPENT", "ARMED")
    assert await see_path(env, "AAPL", 156, 149) == 1
    assert await see_path(env, "AAPL", 150) == 1


async def test_a_changed_rule_begins_anew_and_its_numbers_go_on(env, alice):
    rule = await save_rule(env, alice.id, read_rule("AAPL > 150"))
    await see_path(env, "AAPL", 149, 151)
    changed = await save_rule(env, alice.id, read_rule("AAPL > 160", note="sell?"), str(rule.id))
    assert (changed.id, changed.level, changed.crossings, changed.note) == (
        rule.id,
        160,
        1,
        "sell?",
    )
    assert await see_path(env, "AAPL", 159, 161) == 1
    numbers = [row.number for row in (await list_alerts(env, alice.id)).rows]
    assert numbers == [2, 1]


async def test_a_paused_rule_sees_nothing_and_begins_anew_when_it_is_resumed(env, alice):
    rule = await save_rule(env, alice.id, read_rule("AAPL > 150"))
    await see_path(env, "AAPL", 149)
    paused = await pause_rule(env, alice.id, str(rule.id), paused=True)
    assert (paused.paused, paused.level) == (True, 150)
    assert await see_path(env, "AAPL", 155) == 0
    resumed = await pause_rule(env, alice.id, str(rule.id), paused=False)
    assert (resumed.paused, resumed.phase) == (False, "NEW")
    assert await see_path(env, "AAPL", 156) == 0  # it lay beyond when the rule was resumed
    assert await see_path(env, "AAPL", 149, 151) == 1


async def test_nobody_else_changes_pauses_or_deletes_a_rule(env, alice):
    rule = await save_rule(env, alice.id, read_rule("AAPL > 150"))
    charlie = await make_user(env, "charlie")
    for change in (
        save_rule(env, charlie.id, read_rule("AAPL > 1"), str(rule.id)),
        pause_rule(env, charlie.id, str(rule.id), paused=True),
        delete_rule(env, charlie.id, str(rule.id)),
    ):
        with pytest.raises(NotFound):
            await change
    assert await list_rules(env, alice.id) == [rule]


async def test_what_cannot_be_watched_is_refused(env, alice, monkeypatch):
    with pytest.raises(BadInput, match="symbol is 'NONE'; there is no such instrument"):
        await save_rule(env, alice.id, read_rule("NONE > 1"))
    with pytest.raises(NotFound):
        await save_rule(env, alice.id, Rule(AlertKind.DRAWDOWN, portfolio="9", level=Decimal(5)))
    with pytest.raises(NotFound):
        await save_rule(env, alice.id, read_rule("AAPL > 1"), "999")
    monkeypatch.setattr(alert_rules, "MOST_RULES", 1)
    await save_rule(env, alice.id, read_rule("AAPL > 1"))
    with pytest.raises(Conflict, match="1 alert rules already"):
        await save_rule(env, alice.id, read_rule("AAPL > 2"))


async def test_a_rule_that_goes_leaves_its_history(env, alice):
    rule = await save_rule(env, alice.id, read_rule("AAPL > 150"))
    await see_path(env, "AAPL", 149, 151)
    await delete_rule(env, alice.id, str(rule.id))
    assert await list_rules(env, alice.id) == []
    (kept,) = (await list_alerts(env, alice.id)).rows
    assert (kept.rule_id, kept.level) == (None, 150)


async def test_alerts_come_in_pages_and_are_read_one_by_one_or_all(env, alice):
    await save_rule(env, alice.id, read_rule("AAPL > 150"))
    await see_path(env, "AAPL", *[140, 151] * 3)
    page = await list_alerts(env, alice.id, first=2)
    rest = await list_alerts(env, alice.id, first=2, after=page.cursors[-1])
    assert (page.has_next, rest.has_next, len(rest.rows)) == (True, False, 1)
    seen = await acknowledge(env, alice.id, str(page.rows[0].id))
    assert seen.acknowledged_at is not None
    assert await acknowledge(env, alice.id, str(seen.id)) == seen
    assert await count_alerts(env, alice.id, unread=True) == 2
    assert await acknowledge_all(env, alice.id) == 2
    assert (await count_alerts(env, alice.id, unread=True), await count_alerts(env, alice.id)) == (
        0,
        3,
    )


async def test_who_follows_gets_each_alert_once_also_without_a_bell(env, alice, monkeypatch):
    begun = notice_beginning(monkeypatch)
    await save_rule(env, alice.id, read_rule("AAPL > 150"))
    bell = Bell(patience=0.02)
    async with aclosing(follow_alerts(env, bell, alice.id)) as following:
        first = asyncio.ensure_future(anext(following))
        await begun.wait()
        await see_path(env, "AAPL", 140, 151, 140, 152)
        assert (await first).value == 151
        assert (await anext(following)).value == 152
        nothing = asyncio.ensure_future(anext(following))
        await asyncio.sleep(0.1)
        assert not nothing.done()
        nothing.cancel()
        with suppress(asyncio.CancelledError):
            await nothing


async def test_hours_are_the_usual_ones_until_others_are_chosen(env, alice):
    usual = await get_hours(env, alice.id)
    assert (usual.zone.key, usual.quiet_from, usual.digest_at) == ("Asia/Seoul", None, time(8))
    await save_hours(env, alice.id, time(22), time(7), time(9))
    chosen = await get_hours(env, alice.id)
    assert (chosen.quiet_from, chosen.quiet_until, chosen.digest_at) == (time(22), time(7), time(9))
    with pytest.raises(BadInput):
        await save_hours(env, alice.id, time(22), None, time(9))
