"""The page on alerts: rules, history, channels and hours by plain forms; errors beside their fields."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import update

from app.db.models import AlertRule
from app.errors import BadInput
from app.services.alerts.alert_channels import list_notices
from app.services.alerts.alert_rules import list_rules
from app.services.alerts.alerts import count_alerts
from app.web.alert_pages import read_rule
from tests.alerting import see_path
from tests.fakes.receiver import receiving
from tests.people import PASSWORD, make_user
from tests.web.pages import browsing, make_market, read, text_of

RULE = {"act": "save", "kind": "PRICE_ABOVE", "symbol": "aapl", "level": "1,150.5"}
DIALOG = {"HX-Request": "true", "HX-Target": "div#dialog-body"}


@pytest.fixture
async def alice(env):
    await make_market(env)
    return await make_user(env)


@pytest.fixture
async def http(alice, settings):
    async with browsing(replace(settings, webhook_inside=True)) as http:
        await http.post("/login", data={"username": "alice", "password": PASSWORD})
        yield http


def number(page: str, act: str) -> str:
    """The id of the first row that has a form of that act."""
    (form,) = re.findall(rf'value="{act}">.*?name="id"\s+value="(\d+)"', page, re.DOTALL)[:1]
    return form


async def test_a_rule_is_made_comes_is_read_and_deleted(env, alice, http):
    made = await http.post("/alerts", data=RULE)
    assert (made.status_code, made.headers["location"]) == (303, "/alerts#rules")
    (rule,) = await list_rules(env, alice.id)
    assert (rule.symbol, str(rule.level)) == ("AAPL", "1150.500000")
    await see_path(env, "AAPL", 1100, 1200, start=env.clock.now())
    page = (await http.get("/alerts")).text
    assert "Apple Inc. has risen to 1,200.00 (level 1,150.50)." in text_of(page)
    assert "came 1 time" in text_of(page)
    bells = [tag for tag, attributes in read(page).tags if "data-bell" in attributes]
    assert len(bells) == 1
    assert 'data-bell="1"' in page
    read_one = {"act": "acknowledge", "id": number(page, "acknowledge")}
    assert (await http.post("/alerts", data=read_one)).status_code == 303
    assert await count_alerts(env, alice.id, unread=True) == 0
    assert (await http.post("/alerts", data={"act": "all"})).status_code == 303
    gone = {"act": "delete", "id": str(rule.id)}
    assert (await http.post("/alerts", data=gone)).status_code == 303
    assert await list_rules(env, alice.id) == []
    assert "has risen" in (await http.get("/alerts")).text


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"level": ""}, "level", "A rule of the kind “price above” needs level"),
        ({"level": "0"}, "level", "level is 0; it must be from 0 to 1000000000"),
        ({"symbol": "NONE"}, "symbol", "symbol is 'NONE'; there is no such instrument here"),
        (
            {"kind": "NEW_HIGH", "sessions": "many"},
            "sessions",
            "sessions is 'many'; it must be a whole",
        ),
        ({"kind": "INDICATOR_ABOVE", "indicator": "RSI_15"}, "indicator", "indicator is 'RSI_15'"),
        ({"kind": "DRAWDOWN", "symbol": ""}, "portfolio", "the kind “drawdown” needs portfolio"),
        ({"expiresAt": "soon"}, "expiresAt", "The end is 'soon'; it must be a day"),
        ({"expiresAt": "2020-01-01"}, "expiresAt", "must lie in the future"),
    ],
)
async def test_what_was_wrong_stands_at_its_field_and_what_was_typed_stays(
    http, change, field, said
):
    page = await http.post("/alerts", data=RULE | change)
    assert page.status_code == 422
    assert said in text_of(page.text)
    assert f'id="rule-{field}-error"' in page.text
    assert 'value="1,150.5"' in page.text or "level" in change


async def test_the_dialog_of_an_instrument_makes_one_and_says_so(env, alice, http):
    page = (await http.get("/instruments/AAPL")).text
    assert 'action="/alerts/new"' in page
    form = await http.get("/alerts/new?symbol=AAPL&level=187.5", headers=DIALOG)
    assert 'value="187.5"' in form.text
    assert "<html" not in form.text
    bad = await http.post("/alerts", data=RULE | {"level": "-1"}, headers=DIALOG)
    assert (bad.status_code, "level is -1" in bad.text) == (422, True)
    done = await http.post("/alerts", data=RULE, headers=DIALOG)
    assert done.status_code == 200
    assert "The alert is set." in text_of(done.text)
    assert len(await list_rules(env, alice.id)) == 1
    assert (await http.get("/alerts/new?symbol=AAPL")).status_code == 200


async def test_a_rule_is_changed_paused_and_resumed_by_plain_forms(env, alice, http):
    full = RULE | {"note": "sell?", "cooldownMinutes": "15", "hysteresis": "1.5",
                   "delivery": "URGENT", "expiresAt": "2030-03-04"}  # fmt: skip
    await http.post("/alerts", data=full)
    (rule,) = await list_rules(env, alice.id)
    assert f'href="/alerts?edit={rule.id}#new"' in (await http.get("/alerts")).text
    page = (await http.get(f"/alerts?edit={rule.id}")).text
    assert "Change an alert" in text_of(page)
    for name, value in {**full, "symbol": "AAPL", "level": "1150.5", "id": str(rule.id)}.items():
        if name not in {"act", "kind", "delivery"}:
            assert re.search(rf'name="{name}"[^>]*value="{re.escape(value)}"', page), name
    for chosen in ("PRICE_ABOVE", "URGENT"):
        assert f'<option value="{chosen}" selected>' in page
    change = full | {"id": str(rule.id), "level": "-1", "note": "buy?", "paused": "yes"}
    bad = await http.post("/alerts", data=change)
    assert bad.status_code == 422
    assert 'id="rule-level-error"' in bad.text
    assert "Change an alert" in text_of(bad.text)
    assert re.search(r'name="paused"\s+value="yes" checked', bad.text)
    assert await list_rules(env, alice.id) == [rule]
    assert (await http.post("/alerts", data=change | {"level": "900"})).status_code == 303
    (changed,) = await list_rules(env, alice.id)
    assert (changed.id, changed.note, changed.paused) == (rule.id, "buy?", True)
    assert (int(changed.level), changed.expires_at) == (900, rule.expires_at)
    assert "paused" in text_of((await http.get("/alerts")).text)
    for act, paused in (("resume", False), ("pause", True)):
        done = await http.post("/alerts", data={"act": act, "id": str(rule.id)})
        assert (done.status_code, done.headers["location"]) == (303, "/alerts#rules")
        assert (await list_rules(env, alice.id))[0].paused is paused


async def test_after_a_split_the_level_is_that_of_today(env, alice, http):
    """The list and the form show it, with what was chosen; saving the form changes nothing."""
    await http.post("/alerts", data=RULE)
    (rule,) = await list_rules(env, alice.id)
    async with env.db.write(uid=alice.id) as db:
        await db.execute(update(AlertRule).values(level_day=date(2025, 2, 2)))  # before a split
    assert "reaches or exceeds 287.63 (1,150.50 before the split)" in text_of(
        (await http.get("/alerts")).text
    )
    form = (await http.get(f"/alerts?edit={rule.id}")).text
    assert re.search(r'name="level"[^>]*value="287.625"', form)
    assert "1150.5 before the split" in text_of(form)
    await http.post("/alerts", data=RULE | {"id": str(rule.id), "level": "287.625"})
    (saved,) = await list_rules(env, alice.id)
    assert (saved.level, saved.level_before_split) == (Decimal("287.625"), None)


async def test_nobody_else_sees_or_changes_a_rule(env, alice, http, settings):
    await http.post("/alerts", data=RULE)
    (rule,) = await list_rules(env, alice.id)
    await make_user(env, "charlie")
    async with browsing(settings) as other:
        await other.post("/login", data={"username": "charlie", "password": PASSWORD})
        assert (await other.get(f"/alerts?edit={rule.id}")).status_code == 404
        acts = [{"act": act} for act in ("pause", "resume", "delete", "acknowledge")]
        for change in (RULE | {"level": "1"}, *acts):
            refused = await other.post("/alerts", data=change | {"id": str(rule.id)})
            assert refused.status_code == 422
            assert "it is not yours" in text_of(refused.text)
    assert await list_rules(env, alice.id) == [rule]
    assert (await http.get("/alerts?edit=999")).status_code == 404


async def test_a_channel_is_added_tried_and_removed_and_a_bad_address_is_named(env, alice, http):
    with receiving() as receiver:
        channel = {"act": "channel", "kind": "SLACK", "name": "team", "address": receiver.url}
        assert (await http.post("/alerts", data=channel)).status_code == 303
        page = (await http.get("/alerts")).text
        assert receiver.url not in page
        assert "team" in text_of(page)
        (id_,) = re.findall(r'name="id"\s+value="(\d+)"', page)
        tried = await http.post("/alerts", data={"act": "test", "id": id_})
        assert tried.headers["location"] == "/alerts#notices"
        (notice,) = await list_notices(env, alice.id)
        assert (notice.state, notice.alert_id) == ("WAITING", None)
        assert "Waiting" in text_of((await http.get("/alerts")).text)
    bad = await http.post("/alerts", data=channel | {"address": "team.example/hook"})
    assert bad.status_code == 422
    assert "address is 'team.example/hook'; it must be a web address" in text_of(bad.text)
    assert 'id="channel-address-error"' in bad.text
    mail = await http.post("/alerts", data={"act": "channel", "kind": "EMAIL"})
    assert "No mail is sent from here." in text_of(mail.text)
    assert (await http.post("/alerts", data={"act": "remove", "id": id_})).status_code == 303


async def test_hours_are_chosen_and_half_of_them_are_refused(http):
    hours = {"act": "hours", "quietFrom": "22:00", "quietUntil": "07:00", "digestAt": "08:30"}
    assert (await http.post("/alerts", data=hours)).status_code == 303
    page = (await http.get("/alerts")).text
    assert 'value="22:00"' in page
    bad = await http.post("/alerts", data=hours | {"quietUntil": ""})
    assert (bad.status_code, "Quiet hours need" in bad.text) == (422, True)


async def test_korean_pages_are_korean_and_strangers_are_sent_to_sign_in(alice, settings, http):
    await http.post("/alerts", data=RULE)
    http.headers["Accept-Language"] = "ko"
    page = (await http.get("/alerts")).text
    assert "가격이 이 값 이상" in text_of(page)
    async with browsing(settings) as stranger:
        assert (await stranger.get("/alerts")).status_code in {303, 401}
        assert "data-bell" not in (await stranger.get("/")).text


def test_a_rule_ends_with_its_day_at_home():
    given = read_rule({"kind": "FRESHNESS", "expiresAt": "2026-03-04", "note": " "}, "Asia/Seoul")
    assert given == {"kind": "FRESHNESS", "expiresAt": "2026-03-05T00:00:00+09:00"}
    with pytest.raises(BadInput, match="cooldownMinutes is 'x'"):
        read_rule({"cooldownMinutes": "x"}, "Asia/Seoul")
