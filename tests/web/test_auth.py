"""Who is calling: cookies and tokens at the door, and what becomes of those that were ended."""

from __future__ import annotations

from dataclasses import replace

import pytest
from starlette.requests import Request

from app.domain.access import Role, Scope
from app.services.people.account import delete_account
from app.services.people.sessions import end_all, list_sign_ins, open_session
from app.services.people.token_pairs import open_family
from app.web.auth import (
    PLAIN_COOKIE,
    SECURE_COOKIE,
    caller_of,
    cookie_name,
    open_browser_session,
    read_bearer,
    write_cookie,
)
from tests.people import DEVICE, PASSWORD, by_api_token, by_session, make_user
from tests.serving import asgi_client

ME = "{ me { username } }"
CHANGE = "mutation { dropQuarantined(id: 1) { id } }"
ORIGIN = {"Origin": "http://localhost:8000"}


async def sign_in(env, user) -> dict[str, str]:
    """The headers of the person's browser."""
    secret = await open_session(env, user.id, DEVICE)
    return ORIGIN | {"Cookie": f"{PLAIN_COOKIE}={secret}"}


def code(answer) -> str | None:
    errors = answer.get("errors")
    return errors[0]["extensions"]["code"] if errors else None


async def test_a_cookie_and_a_token_name_their_person(env, settings):
    user = await make_user(env)
    token = (await open_family(env, user.id, DEVICE)).access_token
    async with asgi_client(settings) as client:
        for headers in (await sign_in(env, user), {"Authorization": f"bearer {token}"}):
            assert (await client.ask(ME, **headers))["data"]["me"] == {"username": "alice"}
        assert (await client.ask(ME))["data"]["me"] is None


async def test_the_person_at_this_machine_rules_until_there_is_an_account(env, settings):
    async with asgi_client(settings) as client:
        assert code(await client.ask(CHANGE)) == "NOT_FOUND"
        admin = await make_user(env, "root", Role.ADMIN)
        assert code(await client.ask(CHANGE)) == "UNAUTHENTICATED"
        assert code(await client.ask(CHANGE, **await sign_in(env, admin))) == "NOT_FOUND"
        await delete_account(env, await by_session(env, admin), PASSWORD)
        assert code(await client.ask(CHANGE)) == "UNAUTHENTICATED"
    async with asgi_client(settings) as client:  # a new process knows it too
        assert code(await client.ask(CHANGE)) == "UNAUTHENTICATED"


async def test_somebody_else_s_page_cannot_use_the_cookie(env, settings):
    admin = await make_user(env, "root", Role.ADMIN)
    cookie = {"Cookie": (await sign_in(env, admin))["Cookie"]}
    async with asgi_client(settings) as client:
        for origin in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {}):
            answer = await client.post({"query": CHANGE}, **cookie, **origin)
            assert answer.status_code == 403


@pytest.mark.parametrize(
    "header", ["Bearer x", "Bearer", "Basic YTpi", "bearer stk_1_x", "Bearer " + "x" * 9_000]
)
async def test_a_token_that_is_not_in_force_is_401_everywhere(env, settings, header):
    async with asgi_client(settings) as client:
        for path in ("/graphql", "/api/candles/AAPL", "/"):
            answer = await client.http.post(path, headers={"Authorization": header}, json={})
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
            assert "nosniff" in answer.headers["x-content-type-options"]


async def test_after_signing_out_the_next_request_is_401_and_the_cookie_is_taken_away(
    env, settings
):
    user = await make_user(env)
    headers = await sign_in(env, user)
    async with asgi_client(settings) as client:
        assert code(await client.ask("mutation { signOut(everywhere: true) }", **headers)) is None
        answer = await client.post({"query": ME}, **headers)
        assert answer.status_code == 401
        assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        assert f"{PLAIN_COOKIE}=" in answer.headers["set-cookie"]
        assert "Max-Age=0" in answer.headers["set-cookie"]
        page = await client.http.get("/settings", headers=headers)
        assert page.status_code != 401
        assert "Max-Age=0" in page.headers["set-cookie"]


async def test_an_api_token_is_refused_at_the_next_request_once_it_is_revoked(env, settings):
    user = await make_user(env)
    headers = await sign_in(env, user)
    async with asgi_client(settings) as client:
        made = await client.ask(
            'mutation { createApiToken(name: "b", scopes: [READ]) { text token { id } } }',
            **headers,
        )
        token = made["data"]["createApiToken"]
        bearer = {"Authorization": f"Bearer {token['text']}"}
        assert (await client.ask(ME, **bearer))["data"]["me"] == {"username": "alice"}
        assert code(await client.ask("{ sessions { id } }", **bearer)) == "FORBIDDEN"
        await client.ask(f"mutation {{ revokeApiToken(id: {token['token']['id']}) }}", **headers)
        assert (await client.post({"query": ME}, **bearer)).status_code == 401


async def test_static_files_and_probes_ask_nobody_who_they_are(env, settings):
    async with asgi_client(settings) as client:
        for path in ("/healthz", "/static/app.css"):
            answer = await client.http.get(path, headers={"Authorization": "Bearer x"})
            assert answer.status_code != 401


async def test_without_the_database_everybody_is_a_stranger(env, settings):
    user = await make_user(env, role=Role.ADMIN)
    headers = await sign_in(env, user)
    gone = replace(settings, database_url="postgresql://sise@127.0.0.1:1/sise")
    async with asgi_client(gone) as client:
        answer = await client.post({"query": CHANGE}, **headers)
        assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        assert "set-cookie" not in answer.headers


def test_the_plain_cookie_counts_only_over_http_on_loopback(settings):
    public = replace(settings, host="0.0.0.0")
    names = [cookie_name(s, secure=tls) for s in (settings, public) for tls in (False, True)]
    assert names == [PLAIN_COOKIE, SECURE_COOKIE, SECURE_COOKIE, SECURE_COOKIE]


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_browser_is_signed_in_by_a_cookie_for_this_host_alone(env, settings, scheme):
    user = await make_user(env)
    async with asgi_client(settings) as client:
        scope = {
            "type": "http", "app": client.app, "scheme": scheme, "method": "POST", "path": "/",
            "query_string": b"", "client": ("192.0.2.7", 1),
            "headers": [(b"user-agent", b"Firefox"), (b"host", b"localhost")],
        }  # fmt: skip
        await open_browser_session(Request(scope), user.id)
        caller = caller_of(Request(scope))
    assert caller.identity is not None
    assert caller.identity.user.username == "alice"
    cookie = write_cookie(settings, caller.cookie or "", secure=scheme == "https")
    name = SECURE_COOKIE if scheme == "https" else PLAIN_COOKIE
    assert cookie.startswith(f"{name}=")
    assert {"HttpOnly", "SameSite=lax", "Path=/", "Max-Age=2592000"} <= set(cookie.split("; "))
    assert ("Secure" in cookie) is (scheme == "https")
    assert "Domain" not in cookie
    found = await list_sign_ins(env, await by_api_token(env, user, Scope.READ))
    assert [(s.user_agent, s.address) for s in found] == [("Firefox", "192.0.2.0/24")]
    await end_all(env, user.id)


def test_the_token_of_a_header_is_read():
    headers = [None, "Bearer a", "bearer  a ", "Basic a", "", "Bearer"]
    assert [read_bearer(h) for h in headers] == [None, "a", "a", "", "", ""]
