"""Connecting a provider: by a ticket of the settings, the password, and a link."""

from __future__ import annotations

import re
from urllib.parse import unquote

from app.services.people.sessions import open_session
from tests.people import DEVICE, PASSWORD, make_user
from tests.web.pages import choose_source
from tests.web.trips import another, go, me, visiting


async def test_who_has_signed_in_connects_a_provider_with_the_password(env, settings, providers):
    alice = await make_user(env)
    asked = 'mutation ($p: String!) { linkProvider(key: "home", password: $p) }'
    origin = {"origin": "http://localhost:8000"}
    async with visiting(settings, providers) as client:
        secret = await open_session(env, alice.id, DEVICE)
        client.http.cookies.set("sise-dev-sid", secret)
        told = await client.ask(asked, {"p": "wrong"}, **origin)
        assert told["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        address = (await client.ask(asked, {"p": PASSWORD}, **origin))["data"]["linkProvider"]
        assert (await client.http.get("/auth/home?link=guessed")).status_code == 401
        async with another(client, 1) as thief:
            assert (await thief.http.get(address)).status_code == 401
        done = await go(client, "home", link=address.partition("?link=")[2])
        assert done.headers["location"] == "/settings/security?done=link"
        assert client.http.cookies["sise-dev-sid"] == secret
        listed = await client.ask("{ linkedProviders { id key title } }", **origin)
        (row,) = listed["data"]["linkedProviders"]
        assert (row["key"], row["title"]) == ("home", "Home")
        async with another(client, 2) as browser:
            await go(browser)
            assert (await me(browser))["username"] == "alice"


async def test_the_settings_connect_by_a_link_and_disconnect_by_a_form(env, settings, providers):
    alice = await make_user(env)
    await choose_source(env, "yahoo")
    async with visiting(settings, providers) as client:
        http, page = client.http, "/settings/security"
        http.headers["Origin"] = "http://localhost:8000"
        http.cookies.set("sise-dev-sid", await open_session(env, alice.id, DEVICE))
        assert 'value="link home"' in (await http.get(page)).text
        form = {"act": "link home", "password": "wrong"}
        refused = await http.post(page, data=form)
        assert refused.status_code == 422
        assert 'id="provider-password-error"' in refused.text
        asked = await http.post(page, data=form | {"password": PASSWORD})
        onwards = re.search(r'id="go-on"\s+href="/auth/home\?link=([^"]+)"', asked.text)
        assert onwards is not None
        done = await go(client, "home", link=unquote(onwards[1]))
        shown = (await http.get(done.headers["location"])).text
        assert "The site is connected." in shown
        assert 'value="link home"' not in shown
        id_ = re.search(r'value="(unlink \d+)"', shown)
        assert id_ is not None
        kept = await http.post(page, data={"act": id_[1], "password": "wrong"})
        assert 'id="provider-password-error"' in kept.text
        off = await http.post(page, data={"act": id_[1], "password": PASSWORD})
        assert off.headers["location"] == f"{page}?done=unlink"
        assert 'value="link home"' in (await http.get(off.headers["location"])).text
        unknown = await http.post(page, data={"act": "link nobody", "password": PASSWORD})
        assert unknown.status_code == 422
        assert "There is no provider" in unknown.text


async def test_the_only_way_in_is_not_disconnected(env, settings, providers):
    await choose_source(env, "yahoo")
    async with visiting(settings, providers) as client:
        client.http.headers["Origin"] = "http://localhost:8000"
        await go(client)
        await client.http.post("/disclaimer", data={"next": "/"})
        page = (await client.http.get("/settings/security")).text
        id_ = re.search(r'value="(unlink \d+)"', page)
        assert id_ is not None
        refused = await client.http.post("/settings/security", data={"act": id_[1]})
        assert refused.status_code == 422
        assert "It is your only way in" in refused.text
