"""`/graphql` over HTTP: what is refused before the schema, and how results are answered."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import orjson
import pytest
from graphql import build_schema, print_schema

from app.graphql.schema import schema
from app.web.graphql_endpoint import MAX_BODY, Refused, parse_operation
from tests.serving import asgi_client

MARKETS = "{ markets { mic } }"
JSON = {"content-type": "application/json"}


async def test_a_query_is_answered_as_json(env, settings):
    async with asgi_client(settings) as client:
        answer = await client.post({"query": MARKETS})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert "XKRX" in [market["mic"] for market in answer.json()["data"]["markets"]]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_any_method_but_post_is_refused(env, settings, method):
    async with asgi_client(settings) as client:
        answer = await client.http.request(method, "/graphql?query=%7Bmarkets%7Bmic%7D%7D")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize(
    "media_type",
    [
        None,
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
        "application/json-patch+json",
        "text/application/json",
    ],
)
async def test_any_type_but_json_is_refused(env, settings, media_type):
    headers = {} if media_type is None else {"content-type": media_type}
    async with asgi_client(settings) as client:
        body = orjson.dumps({"query": MARKETS})
        answer = await client.http.post("/graphql", content=body, headers=headers)
    assert answer.status_code == 415


async def test_the_guard_refuses_in_its_order(env, settings):
    """Each request has every fault from its own on: the first one is answered."""
    evil = {"origin": "https://evil.example"}
    huge = b"x" * (MAX_BODY + 1)
    requests = [
        ("PUT", {"content-type": "text/plain", **evil}, huge, 405),
        ("POST", {"content-type": "text/plain", **evil}, huge, 415),
        ("POST", {**JSON, **evil}, huge, 403),
        ("POST", JSON, huge, 413),
        ("POST", JSON, b"x", 400),
    ]
    async with asgi_client(settings) as client:
        for method, headers, body, status in requests:
            answer = await client.http.request(method, "/graphql", content=body, headers=headers)
            assert answer.status_code == status
            assert "errors" in answer.json()


async def test_a_body_is_counted_while_it_is_read(env, settings):
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 10_000
            yield b" " * 10_000

    async with asgi_client(settings) as client:
        answer = await client.http.post("/graphql", content=endless(), headers=JSON)
    assert answer.status_code == 413
    assert read <= MAX_BODY + 20_000


async def test_a_body_of_just_the_limit_is_taken(env, settings):
    body = orjson.dumps({"query": MARKETS})
    async with asgi_client(settings) as client:
        padded = body + b" " * (MAX_BODY - len(body))
        assert (await client.http.post("/graphql", content=padded, headers=JSON)).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"x"',
        b"1",
        b"{}",
        b"{",
        b"\xff",
        b'{"query": null}',
        b'{"query": 1}',
        b'{"query": ""}',
        b'{"query": "{a}", "variables": []}',
        b'{"query": "\\ud800"}',
        b'{"query": "{a}", "operationName": 1}',
        b"[" * 30_000,
        b'{"a":' * 10_000,
        b'{"query": NaN}',
        b'[{"query": "{markets{mic}}"}]',
    ],
)
def test_a_body_that_is_no_operation_is_refused(body):
    with pytest.raises(Refused) as refused:
        parse_operation(body)
    assert refused.value.refusal_status == 400


def test_an_operation_is_read():
    operation = parse_operation(b'{"query": "{a}", "variables": {"x": 1}, "operationName": "A"}')
    assert (operation.query, operation.variables, operation.operation_name) == (
        "{a}",
        {"x": 1},
        "A",
    )


async def test_a_refusal_is_in_the_readers_language(env, settings):
    async with asgi_client(settings) as client:
        english = (await client.post([])).json()["errors"][0]
        korean = (await client.post([], accept_language="ko")).json()["errors"][0]
    assert english["message"] == "The body must be one JSON object; a list of them is not taken."
    assert english["extensions"] == korean["extensions"] == {"code": "BAD_INPUT"}
    assert korean["message"] != english["message"]


async def test_a_stranger_who_has_spent_its_points_is_answered_429(env, settings):
    few = replace(settings, points_per_minute=60)
    async with asgi_client(few, address="192.168.0.7") as client:
        answers = [await client.post({"query": MARKETS}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    extensions = answers[1].json()["errors"][0]["extensions"]
    assert extensions["code"] == "RATE_LIMITED"
    assert extensions["retryAfter"] > 0


async def test_the_person_at_this_machine_spends_no_points(env, settings):
    few = replace(settings, points_per_minute=60)
    async with asgi_client(few) as client:
        answers = [await client.post({"query": MARKETS}) for _ in range(5)]
    assert {answer.status_code for answer in answers} == {200}


async def test_a_database_that_is_away_is_answered_503(env, settings):
    away = replace(settings, database_url="postgresql://nobody@127.0.0.1:9/none")
    async with asgi_client(away) as client:
        answer = await client.post({"query": MARKETS})
    assert answer.status_code == 503
    assert answer.json()["errors"][0]["extensions"] == {"code": "UNAVAILABLE", "retryable": True}


async def test_the_schema_is_given_in_its_own_language(env, settings):
    async with asgi_client(settings) as client:
        answer = await client.http.get("/schema.graphql")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text == schema.as_str() + "\n"
    assert "type Instrument" in print_schema(build_schema(answer.text))


@pytest.mark.parametrize(
    ("address", "headers", "allowed"),
    [
        ("127.0.0.1", {}, True),
        ("::1", {}, True),
        ("127.0.0.1", {"x_forwarded_for": "127.0.0.1"}, False),
        ("192.168.0.7", {}, False),
    ],
)
async def test_only_the_person_at_this_machine_may_change_anything(
    env, settings, address, headers, allowed
):
    async with asgi_client(settings, address=address) as client:
        body = await client.ask("mutation { collect(symbols: []) { id } }", **headers)
    if allowed:
        assert body == {"data": {"collect": []}}
    else:
        assert body["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}


async def test_a_market_that_is_not_public_is_read_by_nobody_else(env, settings):
    private = replace(settings, public_market=False)
    async with asgi_client(private, address="192.168.0.7") as client:
        body = await client.ask(MARKETS)
        assert body["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}
    async with asgi_client(private) as client:
        assert "errors" not in await client.ask(MARKETS)


async def test_a_client_that_leaves_while_it_sends_harms_nobody(env, settings):
    async with asgi_client(settings) as client:

        async def broken() -> AsyncIterator[bytes]:
            yield b'{"query'
            raise httpx.ReadError("gone")

        with pytest.raises(httpx.ReadError):
            await client.http.post("/graphql", content=broken(), headers=JSON)
        assert (await client.post({"query": MARKETS})).status_code == 200
