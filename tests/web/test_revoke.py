"""What is revoked is refused at the next request; an open WebSocket ends within a minute."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from app.domain.access import Scope
from app.services.people.access_tokens import LIFETIME
from app.services.people.api_tokens import create_api_token, revoke_api_token
from app.services.people.sessions import end_all, open_session
from app.services.people.token_pairs import open_family
from app.web import graphql_socket
from app.web.auth import PLAIN_COOKIE
from tests.clocks import StillClock, at
from tests.people import DEVICE, make_user
from tests.serving import BASE_URL, asgi_client, served
from tests.web.test_graphql_socket import FRAMES, ask, hear, say, talking

ME = "{ me { username } }"
NOW = datetime(2026, 1, 5, tzinfo=UTC)


def test_a_look_is_taken_at_least_once_a_minute():
    assert graphql_socket.RECHECK <= 55


async def test_the_next_request_after_revoking_is_refused(env, settings):
    user = await make_user(env)
    row, api_token = await create_api_token(env, user, "bot", frozenset({Scope.READ}), None)
    pair = await open_family(env, user.id, DEVICE)
    secret = await open_session(env, user.id, DEVICE)
    async with asgi_client(settings) as client:
        means = (
            {"Authorization": f"Bearer {api_token}"},
            {"Authorization": f"Bearer {pair.access_token}"},
            {"Cookie": f"{PLAIN_COOKIE}={secret}", "Origin": BASE_URL},
        )
        before = [await client.post({"query": ME}, **headers) for headers in means]
        assert [a.json()["data"]["me"] for a in before] == [{"username": "alice"}] * 3
        await revoke_api_token(env, user.id, str(row.id))
        await end_all(env, user.id)
        after = [await client.post({"query": ME}, **headers) for headers in means]
    assert [answer.status_code for answer in after] == [401] * 3


async def closing(socket) -> int | None:
    try:
        async with asyncio.timeout(60):
            while True:
                await socket.recv()
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


async def test_a_browser_s_socket_ends_after_signing_out_everywhere(env, settings, monkeypatch):
    monkeypatch.setattr(graphql_socket, "RECHECK", 0.1)
    user = await make_user(env)
    secret = await open_session(env, user.id, DEVICE)
    with served(settings) as url:
        async with talking(url, Cookie=f"{PLAIN_COOKIE}={secret}", Origin=url) as socket:
            answer = await ask(socket, ME)
            assert answer["payload"]["data"]["me"] == {"username": "alice"}
            await hear(socket)
            await ask(socket, FRAMES, "2")
            await asyncio.sleep(0.3)
            await say(socket, {"type": "ping"})
            assert await hear(socket) == {"type": "pong"}
            await end_all(env, user.id)
            assert await closing(socket) == 4401


@pytest.mark.parametrize("kind", ["access", "api"])
async def test_a_program_signs_in_by_its_first_message(env, settings, monkeypatch, kind):
    monkeypatch.setattr(graphql_socket, "RECHECK", 0.1)
    user = await make_user(env)
    row, token = await create_api_token(env, user, "bot", frozenset({Scope.READ}), None)
    if kind == "access":
        token = (await open_family(env, user.id, DEVICE)).access_token
    with served(settings) as url:
        async with talking(url, {"authorization": f"Bearer {token}"}) as socket:
            answer = await ask(socket, ME)
            assert answer["payload"]["data"]["me"] == {"username": "alice"}
            await end_all(env, user.id)
            await revoke_api_token(env, user.id, str(row.id))
            assert await closing(socket) == 4401


async def test_a_socket_ends_with_the_access_token_that_has_opened_it(env, settings, monkeypatch):
    monkeypatch.setattr(graphql_socket, "RECHECK", 0.1)
    clock = StillClock(start=NOW)
    token = (await open_family(at(env, NOW), (await make_user(env)).id, DEVICE)).access_token
    with served(replace(settings, clock=clock)) as url:
        async with talking(url, {"authorization": f"Bearer {token}"}) as socket:
            await asyncio.sleep(0.3)
            await say(socket, {"type": "ping"})
            assert await hear(socket) == {"type": "pong"}
            object.__setattr__(clock, "start", NOW + LIFETIME)
            assert await closing(socket) == 4401


@pytest.mark.parametrize("word", ["Bearer x", "x", "", None, 5, ["Bearer x"]])
async def test_a_first_message_with_a_wrong_token_closes_with_4403(env, settings, word):
    with served(settings) as url:
        async with connect(
            url.replace("http", "ws") + "/graphql", subprotocols=["graphql-transport-ws"]
        ) as socket:
            await say(socket, {"type": "connection_init", "payload": {"authorization": word}})
            assert await closing(socket) == 4403
