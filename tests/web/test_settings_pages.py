"""The settings of a reader: in cookies, and with the account of who has signed in."""

from __future__ import annotations

from app.services.people.users import get_by_name
from tests.people import PASSWORD, make_user
from tests.web.pages import browsing, make_market

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}
SIGN_IN = {"username": "alice", "password": PASSWORD}


async def test_settings_are_kept_in_cookies_and_lead_back_to_where_one_was(env, settings):
    await make_market(env)
    form = {"locale": "ko", "theme": "dark", "back": "/instruments/AAPL?range=5Y"}
    async with browsing(settings) as http:
        answer = await http.post("/settings", data=form)
        page = (await http.get(answer.headers["location"])).text
        by_htmx = await http.post("/settings", data={"locale": "en"}, headers=HTMX)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/instruments/AAPL?range=5Y"
    assert 'lang="ko"' in page
    assert 'data-theme="dark"' in page
    assert by_htmx.status_code == 204
    assert by_htmx.headers["hx-refresh"] == "true"


async def test_a_setting_that_there_is_not_is_refused_by_name(env, settings):
    await make_market(env)
    async with browsing(settings) as http:
        answer = await http.post("/settings", data={"theme": "pink"})
    assert answer.status_code == 400
    assert "dark, light, auto" in answer.text
    assert "set-cookie" not in answer.headers


async def test_choices_of_who_has_signed_in_are_stored_with_the_account(env, settings):
    await make_market(env)
    await make_user(env)
    chosen = {"locale": "ko", "colors": "us", "theme": "dark", "privacy": "on", "currency": "USD"}
    async with browsing(settings) as http:
        await http.post("/login", data=SIGN_IN)
        saved = await http.post("/settings", data=chosen | {"timeZone": " Europe/Berlin "})
        assert saved.status_code == 303
    user = await get_by_name(env, "alice")
    assert (user.locale, user.colours, user.theme) == ("ko", "us", "dark")
    assert (user.privacy, user.base_currency, user.time_zone) == (True, "USD", "Europe/Berlin")
    async with browsing(settings) as http:  # wherever one is signed in
        await http.post("/login", data=SIGN_IN)
        for path in ("/", "/jobs", "/settings"):
            page = (await http.get(path)).text
            assert 'data-privacy="on"' in page
            assert 'lang="ko"' in page


async def test_a_zone_that_there_is_not_stands_at_its_field(env, settings):
    await make_market(env)
    await make_user(env)
    async with browsing(settings) as http:
        await http.post("/login", data=SIGN_IN)
        answer = await http.post("/settings", data={"theme": "dark", "timeZone": "Mars/Base"})
    assert answer.status_code == 422
    assert 'id="timeZone-error"' in answer.text
    assert 'value="Mars/Base"' in answer.text
    assert (await get_by_name(env, "alice")).theme is None


async def test_a_stranger_has_no_zone_to_choose(env, settings):
    await make_market(env)
    async with browsing(settings) as http:
        page = (await http.get("/settings")).text
        assert 'name="timeZone"' not in page
        assert 'name="currency"' in page
        assert (await http.post("/settings", data={"currency": "USD"})).status_code == 303
        assert 'value="USD" checked' in " ".join((await http.get("/settings")).text.split())
