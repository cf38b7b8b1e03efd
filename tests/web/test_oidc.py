"""Sign-in by other sites over real HTTP: the good way, and every way that must not lead in."""

from __future__ import annotations

import base64
import re
import ssl
from dataclasses import replace

import httpx
from sqlalchemy import func, select

from app.db.engine import EVERYONE
from app.db.models import OidcIdentity, User, UserSession
from app.domain.totp import compute_code
from app.services.people.second_factor import begin_second_factor, confirm_second_factor
from app.services.people.users import get_by_name
from tests.fakes.oidc import (
    sign,
)
from tests.serving import asgi_client
from tests.web.bad_sign_ins import BAD, FAULTS
from tests.web.trips import another, go, leave, me, visiting

COOKIE = "sise-dev-oidc"


async def counts(env) -> tuple[int, int, int]:
    """How many people, identities and sessions there are."""
    async with env.db.read(uid=EVERYONE) as db:
        tables = (User, OidcIdentity, UserSession)
        found = [await db.scalar(select(func.count()).select_from(table)) for table in tables]
        return tuple(found)


async def test_who_comes_for_the_first_time_gets_an_account_and_then_comes_back(
    env, settings, providers
):
    async with visiting(settings, providers) as client:
        done = await go(client, next="/jobs")
        assert (done.status_code, done.headers["location"]) == (303, "/jobs")
        assert done.headers["cache-control"] == "no-store"
        assert await me(client) == {
            "username": "alice",
            "email": "alice@example.com",
            "emailVerified": True,
            "role": "ADMIN",
            "hasPassword": False,
        }
        first = client.http.cookies["sise-dev-sid"]
        assert COOKIE not in client.http.cookies
        await go(client)
        assert client.http.cookies["sise-dev-sid"] != first  # a new session, and the old one ended
        assert await counts(env) == (1, 1, 1)


async def test_what_is_asked_has_state_nonce_and_a_challenge(env, settings, providers):
    async with visiting(settings, providers) as client:
        await leave(client)
        (asked,) = providers.asked
        assert asked["response_type"] == "code"
        assert asked["redirect_uri"] == "http://localhost:8000/auth/home/callback"
        assert asked["scope"] == "openid email profile"
        assert min(len(asked["state"]), len(asked["nonce"]), len(asked["code_challenge"])) >= 20
        await leave(client)
        assert providers.asked[1]["state"] != asked["state"]
        assert providers.asked[1]["nonce"] != asked["nonce"]


async def test_the_cookie_of_the_round_trip_is_short_and_strict(env, settings, providers):
    async with visiting(settings, providers, public_url="https://sise.example.com") as client:
        begun = await client.http.get("/auth/home")
        cookie = begun.headers["set-cookie"]
        assert cookie.startswith(f"{COOKIE}=")
        assert "Max-Age=600" in cookie
        assert "httponly; samesite=lax" in cookie
        transport = httpx.ASGITransport(client.app, client=("192.0.2.7", 1))
        site = "https://localhost:8000"
        async with httpx.AsyncClient(transport=transport, base_url=site) as http:
            cookie = (await http.get("/auth/home")).headers["set-cookie"]
        assert cookie.startswith("__Host-oidc=")
        assert cookie.endswith("secure")
        assert "path=/;" in cookie
        back = "redirect_uri=https%3A%2F%2Fsise.example.com%2Fauth%2Fhome%2Fcallback"
        assert back in begun.headers["location"]


async def test_github_is_asked_for_the_address_that_is_primary_and_verified(
    env, settings, providers
):
    other = {"email": "other@example.com", "primary": False, "verified": True}
    providers.emails = [other, *providers.emails]
    async with visiting(settings, providers) as client:
        assert (await go(client, "github")).status_code == 303
        found = await me(client)
        assert (found["username"], found["email"], found["emailVerified"]) == (
            "alice",
            "alice@example.com",
            True,
        )
        assert providers.asked[0]["scope"] == "read:user user:email"
        async with env.db.read(uid=EVERYONE) as db:
            row = await db.scalar(select(OidcIdentity))
            assert (row.iss, row.sub) == (f"{providers.url}/github", "17")


async def test_an_address_of_github_that_is_not_verified_is_nobody_s(env, settings, providers):
    providers.emails = [{"email": "alice@example.com", "primary": True, "verified": False}]
    async with visiting(settings, providers) as client:
        await go(client, "github")
        found = await me(client)
        assert (found["email"], found["emailVerified"]) == ("nobody@example.invalid", False)


async def test_an_unverified_address_links_nothing_and_counts_as_unverified(
    env, settings, providers
):
    async with visiting(settings, providers) as client:
        await go(client)
        alice = await get_by_name(env, "alice")
        for number, said in enumerate((False, None, "false", 1, "yes", [True]), 2):
            providers.person |= {"sub": f"{number}", "email_verified": said}
            async with another(client, number) as browser:
                await go(browser, "other")
                found = await me(browser)
                assert (found["username"], found["role"]) == (f"alice{number}", "USER")
                assert (found["email"], found["emailVerified"]) == (alice.email, False)
        assert await counts(env) == (7, 7, 7)


async def test_a_verified_address_links_nothing_either(env, settings, providers):
    async with visiting(settings, providers) as client:
        await go(client)
        client.http.cookies.clear()
        refused = await go(client, "other")
        assert refused.status_code == 409
        assert "connect Other in the settings" in refused.text
        assert await me(client) is None
        assert await counts(env) == (1, 1, 1)


async def test_particulars_that_the_token_lacks_are_asked_for(env, settings, providers):
    providers.bend = lambda claims: sign({k: v for k, v in claims.items() if "email" not in k})
    async with visiting(settings, providers) as client:
        await go(client)
        assert (await me(client))["emailVerified"]


async def test_an_audience_of_several_is_right_if_we_are_the_authorised_one(
    env, settings, providers
):
    providers.bend = lambda claims: sign(claims | {"aud": ["sise", "api"], "azp": "sise"})
    async with visiting(settings, providers) as client:
        assert (await go(client)).status_code == 303


async def test_what_cannot_be_believed_is_answered_with_401_and_leads_nowhere(
    env, settings, providers
):
    unexpected = {}
    async with visiting(settings, providers) as client:
        for number, (name, prepare) in enumerate(BAD.items()):
            providers.reset()
            prepare(providers)
            async with another(client, number) as browser:
                refused = await go(browser)
                told = "Home has not shown who you are" in refused.text
                clean = "<script>alert" not in refused.text and COOKIE not in browser.http.cookies
                if (refused.status_code, told, clean, await me(browser)) != (401, True, True, None):
                    unexpected[name] = refused.status_code
    print(f"{len(BAD)} bad sign-ins, {len(unexpected)} unexpected")
    assert unexpected == {}
    assert await counts(env) == (0, 0, 0)


async def test_particulars_of_somebody_else_are_not_believed(env, settings, providers):
    providers.bend = lambda claims: sign({k: v for k, v in claims.items() if "email" not in k})
    providers.userinfo = {"sub": "18", "email": "bob@example.com", "email_verified": True}
    async with visiting(settings, providers) as client:
        assert (await go(client)).status_code == 401
    assert await counts(env) == (0, 0, 0)


async def test_a_callback_works_once_and_only_in_the_browser_that_began(env, settings, providers):
    async with visiting(settings, providers) as client:
        back = await leave(client)
        kept = dict(client.http.cookies)
        async with another(client, 1) as victim:
            assert (await victim.http.get(back)).status_code == 401  # without the cookie
            victim.http.cookies.set(COOKIE, "eyJhIjoxfQ==.x.y")
            assert (await victim.http.get(back)).status_code == 401  # with one of its own making
        assert (await client.http.get(back)).status_code == 303
        assert (await client.http.get(back)).status_code == 401  # replayed
        client.http.cookies.set(COOKIE, kept[COOKIE])
        assert (await client.http.get(back)).status_code == 401  # with the old cookie: a used code
    assert (await counts(env))[0] == 1


async def test_what_began_at_one_provider_does_not_end_at_another(env, settings, providers):
    async with visiting(settings, providers) as client:
        back = await leave(client)
        assert (await client.http.get(back.replace("/home/", "/other/"))).status_code == 401
        back = await leave(client)
        assert (await client.http.get(back.replace("/home/", "/github/"))).status_code == 401
        back = await leave(client, "github")
        assert (await client.http.get(f"{back}&iss=https://evil.example")).status_code == 401
    assert await counts(env) == (0, 0, 0)


async def test_a_provider_that_fails_is_a_page_that_says_so(env, settings, providers):
    unexpected = {}
    for name, fault in FAULTS.items():
        providers.faults[fault.path] = fault.response
        async with visiting(settings, providers) as client, another(client, 1) as browser:
            answer = await browser.http.get(f"/auth/{fault.key}")
            if answer.status_code == 302:
                answer = await go(browser, fault.key)
            told = fault.key.capitalize() in answer.text
            if answer.status_code not in {401, 503} or not told or await me(browser):
                unexpected[name] = answer.status_code
            providers.reset()
            providers.emails = []  # the address is the other account's
            if (await go(browser, fault.key)).status_code != 303:
                unexpected[name] = "something of it is remembered"
        providers.reset()
        await env.tally.clear("provider:198.51.100.1")
    assert unexpected == {}


async def test_a_provider_that_is_not_there_is_503(env, settings, providers):
    gone = tuple(replace(p, issuer="http://127.0.0.1:1/a") for p in providers.providers()[:1])
    async with asgi_client(replace(settings, providers=gone), address="192.0.2.7") as client:
        answer = await client.http.get("/auth/home")
        assert (answer.status_code, "Home does not answer" in answer.text) == (503, True)
        assert (await client.http.get("/auth/home/callback")).status_code == 503


async def test_registration_is_as_set(env, settings, providers):
    async with visiting(settings, providers, registration="closed") as client:
        assert (await go(client)).status_code == 403
    async with visiting(settings, providers, registration="invite") as client:
        assert (await go(client)).status_code == 400
        assert (await go(client, invitation="guessed")).status_code == 400
    assert await counts(env) == (0, 0, 0)
    async with visiting(settings, providers) as client:
        await go(client)
        headers = {"origin": "http://localhost:8000"}
        invitation = (await client.ask("mutation { invite }", **headers))["data"]["invite"]
    async with visiting(settings, providers, registration="invite") as client:
        providers.person |= {"sub": "18", "email": "bob@example.com", "preferred_username": "bob"}
        assert (await go(client, invitation=invitation)).status_code == 303
        assert (await me(client))["username"] == "bob"
    async with visiting(settings, providers, registration="closed") as client:
        assert (await go(client)).status_code == 303  # who has an account comes in


async def test_a_sign_in_reads_no_authorities_anew(env, settings, providers, monkeypatch):
    """That takes the event loop tens of milliseconds for each question to a provider."""
    async with visiting(settings, providers) as client:
        monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", None, raising=False)
        assert (await go(client)).status_code == 303


async def test_one_goes_on_to_this_site_alone(env, settings, providers):
    elsewhere = ("//evil.example", "https://evil.example", "/\\evil.example", "/a\nb", "")
    async with visiting(settings, providers) as client:
        for onwards in elsewhere:
            assert (await go(client, next=onwards)).headers["location"] == "/"


async def test_another_site_cannot_begin_it(env, settings, providers):
    async with visiting(settings, providers) as client:
        for site in ("cross-site", "same-site"):
            answer = await client.http.get("/auth/home", headers={"sec-fetch-site": site})
            assert answer.status_code == 403
        assert (await client.http.post("/auth/home")).status_code == 405
        for key in ("nobody", "HOME", "home'--", "%00", "x" * 2000):
            assert (await client.http.get(f"/auth/{key}")).status_code == 404
    assert providers.asked == []


async def test_the_way_is_limited(env, settings, providers):
    async with visiting(settings, providers) as client:
        codes = [(await client.http.get("/auth/home")).status_code for _ in range(21)]
        assert codes == [302] * 20 + [429]


async def test_who_has_a_second_factor_is_asked_for_it_after_the_provider(env, settings, providers):
    async with visiting(settings, providers) as client:
        await go(client)
        user = await get_by_name(env, "alice")
        secret = base64.b32decode((await begin_second_factor(env, user.id)).secret)
        step = int(env.clock.now().timestamp()) // 30
        codes = await confirm_second_factor(env, user.id, compute_code(secret, step))
        async with another(client, 1) as browser:
            asked = await go(browser, next="/jobs")
            assert (asked.status_code, await me(browser)) == (200, None)
            half = re.search(r'name="half" value="([^"]+)"', asked.text)[1]
            form = {"half": half, "code": "000000", "next": "/jobs"}
            origin = {"origin": "http://localhost:8000"}
            wrong = await browser.http.post("/login", data=form, headers=origin)
            assert (wrong.status_code, await me(browser)) == (422, None)
            form["code"] = codes[0]
            done = await browser.http.post("/login", data=form, headers=origin)
            assert (done.status_code, done.headers["location"]) == (303, "/jobs")
            assert (await me(browser))["username"] == "alice"


async def test_no_secret_of_it_is_logged(env, settings, providers, caplog):
    caplog.set_level(0)
    async with visiting(settings, providers) as client:
        await go(client)
        BAD["mix-up: the answer is of another issuer"](providers)
        await go(client)
    ours = [r.getMessage() + str(vars(r)) for r in caplog.records if r.name.startswith("app.")]
    assert ours
    assert not [line for line in ours if re.search(r"alice@|geheim|code\d|eyJ", line)]
