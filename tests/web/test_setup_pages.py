"""The first run: three steps, each of which may be skipped, and the notice that leads there."""

from __future__ import annotations

import re
from dataclasses import replace

from sqlalchemy import text

from app.domain.access import Role
from app.services.people.users import get_by_name
from tests.people import PASSWORD, make_user
from tests.web.pages import browsing, calling_from, make_market, text_of

NEW = {
    "username": "alice",
    "email": "alice@example.com",
    "password": PASSWORD,
    "disclaimer": "yes",
}
CHOSEN = {"locale": "ko", "colors": "us", "currency": "USD"}


async def count(env, table: str) -> int:
    async with env.db.read() as db:
        return int(await db.scalar(text(f"SELECT count(*) FROM {table}")))


async def test_three_steps_set_a_new_installation_up(env, settings):
    await make_market(env)
    async with browsing(settings) as http:
        assert 'href="/setup"' in (await http.get("/")).text
        look = await http.post("/setup?step=look", data=CHOSEN)
        assert (look.status_code, look.headers["location"]) == (303, "/setup?step=account")
        made = await http.post(look.headers["location"], data=NEW)
        assert (made.status_code, made.headers["location"]) == (303, "/setup?step=follow")
        page = await http.get(made.headers["location"])
        assert page.status_code == 200
        form = {"list": ["kospi200"], "symbols": "msft, 000020"}
        done = await http.post(made.headers["location"], data=form)
        assert (done.status_code, done.headers["location"]) == (303, "/")
        assert 'href="/setup"' not in (await http.get("/")).text
    user = await get_by_name(env, "alice")
    assert (user.role, user.locale, user.colours) == (Role.ADMIN, "ko", "us")
    assert user.base_currency == "USD"
    assert await count(env, "instrument WHERE tracked AND symbol LIKE '%.KS'") >= 200
    assert await count(env, "instrument WHERE symbol IN ('MSFT', '000020.KS')") == 2


async def test_every_step_can_be_skipped_and_the_notice_put_away(env, settings):
    await make_market(env)
    async with browsing(settings) as http:
        for step, skip in (
            ("look", "/setup?step=account"),
            ("account", "/setup?step=follow"),
            ("follow", "/"),
        ):
            page = await http.get(f"/setup?step={step}")
            assert f'href="{skip}">Skip' in " ".join(page.text.split())
        later = await http.post("/setup/later", data={"back": "/jobs"})
        assert (later.status_code, later.headers["location"]) == (303, "/jobs")
        assert 'href="/setup"' not in (await http.get("/jobs")).text
        assert (await http.get("/setup")).status_code == 200


async def test_what_is_wrong_stands_in_its_step(env, settings):
    await make_market(env)
    async with browsing(settings) as http:
        weak = await http.post("/setup?step=account", data=NEW | {"password": "short"})
        assert weak.status_code == 422
        assert 'id="password-error"' in weak.text
        assert "Setting up" in weak.text
        unknown = await http.post("/setup?step=follow", data={"symbols": "msft <b>x</b>"})
        assert unknown.status_code == 200
        assert 'id="symbols-error"' in unknown.text
        none = await http.post("/setup?step=follow", data={"list": "nasdaq9"})
        assert none.status_code == 422
    assert await count(env, '"user"') == 0
    assert await count(env, "instrument WHERE symbol = 'MSFT'") == 1


async def test_once_there_is_an_account_only_administrators_come_here(env, settings):
    await make_market(env)
    await make_user(env)
    await make_user(env, "root", Role.ADMIN)
    async with browsing(settings) as http:
        assert (await http.get("/setup")).headers["location"] == "/"
        assert (await http.post("/setup?step=follow", data={"list": "sp500"})).status_code == 303
        await http.post("/login", data={"username": "alice", "password": PASSWORD})
        assert (await http.get("/setup")).headers["location"] == "/"
        await http.post("/login", data={"username": "root", "password": PASSWORD})
        assert (await http.get("/setup?step=follow")).status_code == 200
    assert await count(env, "instrument") == 3


async def test_every_technical_word_has_what_it_means_beside_it(env, settings):
    await make_market(env)
    words: set[str] = set()
    async with browsing(settings) as http:
        for step in ("look", "account", "follow"):
            whole = (await http.get(f"/setup?step={step}")).text
            page = whole.partition("<main")[2].partition("</main>")[0]
            for id_ in {part.split('"')[0] for part in page.split('popovertarget="')[1:]}:
                assert f'id="{id_}"' in page
                words.add(id_)
            assert len(text_of(page)) > 100
    assert words == {
        f"term-{word}"
        for word in (
            "colours",
            "currency",
            "administrator",
            "demo",
            "instrument",
            "index",
            "symbol",
        )
    }


async def test_an_account_to_look_around_is_made_by_one_click_before_the_first(env, settings):
    await make_market(env)
    async with browsing(settings) as http:
        assert 'value="demo"' in (await http.get("/setup?step=account")).text
        made = await http.post("/setup?step=account", data={"act": "demo"})
        assert made.headers["cache-control"] == "no-store"
        assert re.search(r'id="person-name"\s+lang="">demo<', made.text)
        assert "Sign in" not in text_of(made.text)
        found = re.search(r'id="demo-password"\s+value="([\w-]{16})"', made.text)
        assert found is not None
        page = await http.get("/setup?step=account")
        assert "You are signed in as demo" in text_of(page.text)
        assert found[1] not in page.text
        own = (await http.get("/settings/account")).text + (await http.get("/settings/people")).text
        assert "There is none yet" in own
        assert ".invalid" not in own
        again = await http.post("/setup?step=account", data={"act": "demo"})
        assert again.status_code == 409
    demo = await get_by_name(env, "demo")
    assert demo.role is Role.ADMIN
    assert demo.disclaimer_at is not None
    async with browsing(settings) as http:
        signed = await http.post("/login", data={"username": "demo", "password": found[1]})
        assert signed.status_code == 303


async def test_nobody_elsewhere_makes_an_account_to_look_around(env, settings):
    await make_market(env)
    open_ = replace(settings, registration="open", public_market=True)
    async with calling_from(open_, "192.0.2.9") as client:
        assert 'value="demo"' not in (await client.http.get("/setup?step=account")).text
        assert "/setup" not in (await client.http.get("/")).text
        refused = await client.http.post("/setup?step=account", data={"act": "demo"})
        assert refused.status_code in {401, 403}
    assert await count(env, '"user"') == 0
