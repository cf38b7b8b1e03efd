"""Coming in and going out through the pages."""

from __future__ import annotations

import base64
import re
from dataclasses import replace

import pytest

from app.domain.access import Role
from app.domain.totp import compute_code
from app.providers import Provider
from app.services.people.invitations import invite
from app.services.people.second_factor import begin_second_factor, confirm_second_factor
from app.services.people.users import get_by_name
from app.web.auth import PLAIN_COOKIE
from tests.people import PASSWORD, make_user
from tests.web.pages import browsing, calling_from, make_market, text_of

NEW = {
    "username": "alice",
    "email": "alice@example.com",
    "password": PASSWORD,
    "disclaimer": "yes",
}


async def sign_in(http, name="alice", password=PASSWORD, **more):
    """What the form of `/login` answers."""
    return await http.post("/login", data={"username": name, "password": password, **more})


def hidden(page: str, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}"\s+value="([^"]*)"', page)
    assert found is not None
    return found[1]


async def test_one_signs_in_goes_on_and_signs_out(env, settings):
    await make_market(env)
    await make_user(env)
    async with browsing(settings) as http:
        form = await http.get("/login?next=/jobs%3Fx%3D1")
        answer = await sign_in(http, next=hidden(form.text, "next"))
        assert (answer.status_code, answer.headers["location"]) == (303, "/jobs?x=1")
        page = await http.get("/about")
        assert "alice" in text_of(page.text)
        assert page.headers["cache-control"] == "no-store"
        again = await http.get("/login?next=/data")
        assert (again.status_code, again.headers["location"]) == (303, "/data")
        out = await http.post("/logout")
        assert (out.status_code, out.headers["location"]) == (303, "/")
        assert "Max-Age=0" in out.headers["set-cookie"]
        page = await http.get("/about")
        assert "alice" not in text_of(page.text)
        assert page.headers["cache-control"] == "private, no-cache"


async def test_signing_in_gives_a_new_session_and_ends_the_one_before(env, settings):
    await make_market(env)
    await make_user(env)
    async with browsing(settings) as http:
        await sign_in(http)
        before = http.cookies[PLAIN_COOKIE]
        await sign_in(http)
        assert http.cookies[PLAIN_COOKIE] != before
        http.cookies.clear()
        page = await http.get("/about", headers={"Cookie": f"{PLAIN_COOKIE}={before}"})
        assert "alice" not in text_of(page.text)


async def test_unknown_and_wrong_get_the_same_answer(env, settings):
    await make_market(env)
    await make_user(env)
    async with browsing(settings) as http:
        answers = [await sign_in(http, name, "wrong-password") for name in ("alice", "mallo")]
    pages = [answer.text.replace("mallo", "alice") for answer in answers]
    known, unknown = [re.sub(r'data-now="[^"]+"', "", page) for page in pages]
    assert known == unknown
    assert [answer.status_code for answer in answers] == [422, 422]
    assert 'id="password-error"' in known
    assert 'value="alice"' in known
    assert "wrong-password" not in known
    assert answers[0].headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "next_", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
async def test_one_goes_on_within_this_site_alone(env, settings, next_):
    await make_market(env)
    await make_user(env)
    async with browsing(settings) as http:
        assert (await sign_in(http, next=next_)).headers["location"] == "/"
        assert (await http.get("/login", params={"next": next_})).headers["location"] == "/"


async def test_too_many_tries_stand_in_the_form_with_when_to_come_again(env, settings):
    await make_market(env)
    await make_user(env)
    async with browsing(settings) as http:
        answers = [await sign_in(http, password="wrong-password") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [422] * 5 + [429]
    assert int(answers[-1].headers["retry-after"]) > 0
    assert 'role="alert"' in answers[-1].text
    assert 'value="alice"' in answers[-1].text


async def test_the_second_factor_is_asked_for_after_the_password_alone(env, settings):
    await make_market(env)
    user = await make_user(env)
    secret = base64.b32decode((await begin_second_factor(env, user.id)).secret)
    step = int(env.clock.now().timestamp()) // 30
    codes = await confirm_second_factor(env, user.id, compute_code(secret, step))
    async with browsing(settings) as http:
        asked = await sign_in(http, next="/jobs")
        assert asked.status_code == 200
        assert PLAIN_COOKIE not in http.cookies
        half = {"half": hidden(asked.text, "half"), "next": hidden(asked.text, "next")}
        wrong = await http.post("/login", data=half | {"code": "12345"})
        assert wrong.status_code == 422
        assert 'id="code-error"' in wrong.text
        done = await http.post("/login", data=half | {"code": codes[0]})
        assert (done.status_code, done.headers["location"]) == (303, "/jobs")
        assert PLAIN_COOKIE in http.cookies
        http.cookies.clear()
        forged = await http.post("/login", data={"half": "x" * 80, "code": codes[1]})
        assert forged.status_code == 422
        assert PLAIN_COOKIE not in http.cookies
        assert 'name="username"' in forged.text


async def test_the_first_account_is_made_by_the_page_and_the_browser_is_signed_in(env, settings):
    await make_market(env)
    async with browsing(settings) as http:
        assert "administers it" in (await http.get("/register")).text
        answer = await http.post("/register", data=NEW | {"next": "/universe"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/universe")
        assert (await http.get("/settings/account")).status_code == 200
    user = await get_by_name(env, "alice")
    assert user.role is Role.ADMIN
    assert user.disclaimer_at is not None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"username": "a"}, "username"),
        ({"username": "taken"}, "username"),
        ({"email": "nowhere"}, "email"),
        ({"password": "1234567890"}, "password"),
        ({"password": "short"}, "password"),
        ({"disclaimer": ""}, "disclaimer"),
    ],
)
async def test_what_is_wrong_with_an_account_stands_at_its_field(env, settings, change, field):
    await make_market(env)
    await make_user(env, "taken")
    async with browsing(settings) as http:
        answer = await http.post("/register", data=NEW | change)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert answer.text.count("field-error") == 1
    assert f'value="{change.get("username", "alice")}"' in answer.text
    assert PASSWORD not in answer.text
    assert PLAIN_COOKIE not in answer.headers.get("set-cookie", "")


async def test_registration_is_as_the_setting_says(env, settings):
    await make_market(env)
    admin = await make_user(env, "root", Role.ADMIN)
    closed = replace(settings, registration="closed")
    async with calling_from(closed, "192.0.2.9") as client:
        page = await client.http.get("/register")
        assert 'name="password"' not in page.text
        assert "/register" not in (await client.http.get("/login")).text
        assert (await client.http.post("/register", data=NEW)).status_code == 422
    invited = replace(settings, registration="invite")
    async with calling_from(invited, "192.0.2.9") as client:
        token = await invite(env, admin.id)
        page = await client.http.get(f"/register?invitation={token}")
        assert f'value="{token}"' in page.text
        refused = await client.http.post("/register", data=NEW | {"invitation": "x"})
        assert 'id="invitation-error"' in refused.text
        made = await client.http.post("/register", data=NEW | {"invitation": token})
        assert made.status_code == 303


async def test_what_was_chosen_before_becomes_the_account_s(env, settings):
    await make_market(env)
    before = {"locale": "ko", "theme": "dark", "privacy": "on", "currency": "USD"}
    async with browsing(settings) as http:
        await http.post("/settings", data=before)
        await http.post("/register", data=NEW)
        http.cookies.delete("sise_theme")
        page = (await http.get("/settings")).text
    assert 'data-theme="dark"' in page
    user = await get_by_name(env, "alice")
    chosen = (user.locale, user.theme, user.privacy, user.base_currency)
    assert chosen == ("ko", "dark", True, "USD")
    async with browsing(settings) as http:  # another browser, with other choices
        await http.post("/settings", data={"locale": "en", "theme": "light", "privacy": "off"})
        await sign_in(http)
        page = (await http.get("/settings")).text
    assert all(part in page for part in ('lang="ko"', 'data-theme="dark"', 'data-privacy="on"'))


async def test_one_who_may_not_is_led_to_signing_in_and_back(env, settings):
    await make_market(env)
    await make_user(env, role=Role.ADMIN)
    async with browsing(settings) as http:
        page = await http.get("/settings/tokens?done=revoke")
        assert page.status_code == 401
        assert 'href="/login?next=/settings/tokens%3Fdone%3Drevoke"' in page.text
        headers = {"Referer": "http://localhost:8000/universe?after=x"}
        posted = await http.post("/universe", data={"symbols": "MSFT"}, headers=headers)
        assert posted.status_code == 401
        assert 'href="/login?next=/universe%3Fafter%3Dx"' in posted.text


async def test_where_the_market_is_not_public_the_door_is_still_there(env, settings):
    await make_market(env)
    await make_user(env)
    private = replace(settings, public_market=False)
    async with calling_from(private, "192.0.2.9") as client:
        refused = await client.http.get("/")
        assert refused.status_code == 401
        assert 'href="/login"' in refused.text
        assert (await client.http.get("/login")).status_code == 200
        await sign_in(client.http)
        assert (await client.http.get("/")).status_code == 200


async def test_other_sites_stand_beside_the_forms_and_keep_where_one_goes(env, settings):
    await make_market(env)
    keycloak = Provider("keycloak", "Keycloak", "https://login.example.com", "id", "secret")
    known = replace(settings, providers=(keycloak,))
    async with browsing(known) as http:
        page = (await http.get("/login?next=/jobs?x%3D1")).text
        assert 'href="/auth/keycloak?next=%2Fjobs%3Fx%3D1&amp;invitation="' in page
        assert "Sign in by Keycloak" in text_of(page)
        page = (await http.get("/register?invitation=abc")).text
        assert 'href="/auth/keycloak?next=%2F&amp;invitation=abc"' in page
