"""Alerts through the schema: rules, history, hours, errors by field, and the subscription."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from app.domain.alerts.rules import EXTREMES, PRICES, AlertKind
from app.graphql.schema import schema
from app.services.alerts.alert_words import alert_sentence
from app.services.alerts.alerts import AlertRow
from tests.alerting import notice_beginning, see_path
from tests.factories import make_instrument
from tests.graphql.asking import make_context
from tests.people import by_session, make_user

SAVE = """mutation ($input: AlertRuleInput!) { saveAlertRule(input: $input) {
    id kind symbol indicator indicatorName strength level sessions hysteresis cooldownMinutes
    delivery armed fired instrument { name } } }"""
PRICE = {"kind": "PRICE_ABOVE", "symbol": "AAPL", "level": "150.5"}


@pytest.fixture
async def context(env):
    await make_instrument(env, "AAPL", name="Apple")
    alice = await by_session(env, await make_user(env))
    return make_context(env, operator=False).signed_in(alice)


async def answer(context, query, **variables):
    return await schema.execute(query, variable_values=variables, context_value=context.renewed())


async def test_a_rule_is_made_fires_is_read_and_deleted(env, context):
    made = (await answer(context, SAVE, input=PRICE)).data["saveAlertRule"]
    assert made | {"id": ""} == {
        "id": "", "kind": "PRICE_ABOVE", "symbol": "AAPL", "indicator": None, "indicatorName": None,
        "strength": None, "level": "150.5", "sessions": None, "hysteresis": "0.5",
        "cooldownMinutes": 30, "delivery": "AT_ONCE", "armed": False, "fired": 0,
        "instrument": {"name": "Apple"},
    }  # fmt: skip
    await see_path(env, "AAPL", 149, 151)
    query = """{ me { unreadAlerts } alertRules { fired armed }
        alerts { totalCount edges { node { id rule sentence value acknowledgedAt } } } }"""
    data = (await answer(context, query)).data
    (node,) = [edge["node"] for edge in data["alerts"]["edges"]]
    assert data["me"] == {"unreadAlerts": 1}
    assert data["alertRules"] == [{"fired": 1, "armed": False}]
    assert node["sentence"] == "Apple has risen to 151.00 (level 150.50)."
    assert node["rule"] == made["id"]
    seen = "mutation ($id: ID!) { acknowledgeAlert(id: $id) { acknowledgedAt } }"
    assert (await answer(context, seen, id=node["id"])).data["acknowledgeAlert"]["acknowledgedAt"]
    everything = await answer(context, "mutation { acknowledgeAlerts }")
    assert everything.data == {"acknowledgeAlerts": 0}
    rest = "mutation ($id: ID!, $p: Boolean!) { pauseAlertRule(id: $id, paused: $p) { paused } }"
    for paused in (True, False):
        given = {"id": made["id"], "p": paused}
        assert (await answer(context, rest, **given)).data["pauseAlertRule"] == {"paused": paused}
    charlie = await by_session(env, await make_user(env, "charlie"))
    other = make_context(env, operator=False).signed_in(charlie)
    for query, given in (
        (rest, {"id": made["id"], "p": True}),
        (SAVE, {"input": PRICE | {"id": made["id"]}}),
    ):
        refused = await answer(other, query, **given)
        assert refused.errors[0].extensions["code"] == "NOT_FOUND"
    gone = "mutation ($id: ID!) { deleteAlertRule(id: $id) }"
    assert (await answer(context, gone, id=made["id"])).data == {"deleteAlertRule": True}


async def test_an_indicator_has_its_name_and_an_unknown_one_is_named(context):
    rsi = {"kind": "INDICATOR_BELOW", "symbol": "AAPL", "level": "30", "indicator": "RSI_14"}
    made = (await answer(context, SAVE, input=rsi)).data["saveAlertRule"]
    assert (made["indicator"], made["indicatorName"], made["hysteresis"]) == (
        "RSI_14",
        "RSI(14)",
        "1",
    )
    refused = await answer(context, SAVE, input=rsi | {"indicator": "RSI_15"})
    (error,) = refused.errors
    assert error.extensions == {"code": "BAD_INPUT", "field": "indicator"}
    assert "indicator is 'RSI_15'; there are rsi_14" in error.message


async def test_hours_are_chosen_by_the_clock(context):
    save = """mutation ($from: String, $until: String, $digest: String) { saveAlertHours(
        quietFrom: $from, quietUntil: $until, digestAt: $digest) { quietFrom quietUntil digestAt } }"""
    given = {"from": "22:00", "until": "07:30", "digest": "08:15"}
    saved = (await answer(context, save, **given)).data["saveAlertHours"]
    assert saved == {"quietFrom": "22:00", "quietUntil": "07:30", "digestAt": "08:15"}
    refused = await answer(context, save, **given | {"until": "25:00"})
    assert refused.errors[0].extensions["field"] == "quietUntil"
    assert "quiet until is '25:00'" in refused.errors[0].message
    data = (await answer(context, "{ alertHours { timeZone quietFrom } }")).data
    assert data == {"alertHours": {"timeZone": "Asia/Seoul", "quietFrom": "22:00"}}


async def test_the_subscription_tells_as_soon_as_it_rings(env, context, monkeypatch):
    begun = notice_beginning(monkeypatch)
    await answer(context, SAVE, input=PRICE)
    query = "subscription { alerts { sentence } }"
    async with aclosing(await schema.subscribe(query, context_value=context)) as results:
        first = asyncio.ensure_future(anext(results))
        await begun.wait()
        await see_path(env, "AAPL", 149, 151)
        context.hub.bell.ring([context.user.id])
        result = await asyncio.wait_for(first, 60)
    assert result.data["alerts"]["sentence"].startswith("Apple has risen")


@pytest.mark.parametrize("locale", ["en", "ko"])
@pytest.mark.parametrize("kind", AlertKind)
def test_every_kind_says_what_it_is_in_both_languages(kind, locale):
    moment = datetime(2026, 3, 4, tzinfo=UTC)
    row = AlertRow(
        1, 1, 1, 1, kind, "AAPL", None, "Savings", "rsi_14", Decimal(30), 20, Decimal("25.125"),
        "BUY", None, moment, moment, None,
    )  # fmt: skip
    said = alert_sentence(row, "Apple", "USD", locale)
    assert "Apple" in said or "Savings" in said
    assert "%(" not in said
    assert "25.125" not in said
    rate = alert_sentence(replace(row, symbol="USDKRW=X"), "Dollar", "KRW", locale)
    assert ("25.125" in rate) == (kind in PRICES | EXTREMES)
    if locale == "ko":
        assert any("가" <= letter <= "힣" for letter in said)
