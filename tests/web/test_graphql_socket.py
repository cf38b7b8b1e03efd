"""`/graphql` over WebSocket, spoken to by bare clients: one of ours and one of another project."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from time import monotonic

import orjson
import pytest
from gql import Client, gql
from gql.transport.websockets import WebsocketsTransport
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from app.adapters.bus import QUOTES
from app.domain.quotes import Quote, QuoteSource, QuoteState, quotes_to_json
from app.env import Env
from app.services.feed.fan_out import INTERVAL
from app.web.graphql_socket import find_fault
from tests.factories import make_bars, make_instrument
from tests.serving import served

FRAMES = 'subscription { quoteFrames(symbols: ["AAPL", "MSFT"]) }'


def quote(symbol: str, price: str, before: str = "100") -> Quote:
    at = datetime(2026, 1, 5, 15, 30, tzinfo=UTC)
    state = QuoteState.REPLAY  # its state does not change with time
    money = (Decimal(price), Decimal(before))
    return Quote(symbol, *money, at, date(2026, 1, 5), QuoteSource.SAMPLE, state)


async def publish(env: Env, *quotes: Quote) -> None:
    await env.bus.publish(QUOTES, quotes_to_json(quotes))


async def make_market(env: Env) -> None:
    for symbol, close in (("AAPL", 101.5), ("MSFT", 50.0)):
        await make_instrument(env, symbol)
        await make_bars(env, symbol, [100.0, close])


@asynccontextmanager
async def talking(url: str, payload: dict | None = None, **headers: str):
    """A socket that has been let in."""
    async with connect(
        url.replace("http", "ws") + "/graphql",
        subprotocols=["graphql-transport-ws"],
        additional_headers={name.replace("_", "-"): value for name, value in headers.items()},
        open_timeout=60,
    ) as socket:
        await say(socket, {"type": "connection_init"} | ({"payload": payload} if payload else {}))
        assert await hear(socket) == {"type": "connection_ack"}
        yield socket


async def say(socket, message: dict) -> None:
    await socket.send(orjson.dumps(message).decode())


async def hear(socket) -> dict:
    data = await asyncio.wait_for(socket.recv(), 60)
    assert isinstance(data, str)  # never a binary frame
    return orjson.loads(data)


async def ask(socket, query: str, number: str = "1") -> dict:
    await say(socket, {"id": number, "type": "subscribe", "payload": {"query": query}})
    return await hear(socket)


async def test_a_client_of_another_project_sees_prices_move(env, settings):
    await make_market(env)
    subscription = gql(
        'subscription { quotes(symbols: ["AAPL", "MSFT"]) { symbol price change changePercent } }'
    )
    with served(settings) as url:
        transport = WebsocketsTransport(
            url.replace("http", "ws") + "/graphql",
            subprotocols=[WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL],
            connect_timeout=60,
            ack_timeout=60,
        )
        received = []
        async with Client(transport=transport) as session, asyncio.timeout(60):
            async for result in session.subscribe(subscription):
                received.append(result["quotes"])
                if len(received) == 1:
                    await publish(env, quote("AAPL", "102.25"))
                else:
                    break
    snapshot = {row["symbol"]: row["price"] for row in received[0]}
    assert snapshot == {"AAPL": "101.5", "MSFT": "50"}
    assert received[1] == [
        {
            "symbol": "AAPL",
            "price": "102.25",
            "change": "2.25",
            "changePercent": pytest.approx(2.25),
        }
    ]


async def test_frames_are_columns_of_a_snapshot_and_then_of_changes(env, settings):
    await make_market(env)
    with served(settings) as url:
        async with talking(url) as socket:
            first = (await ask(socket, FRAMES))["payload"]["data"]["quoteFrames"]
            assert sorted(first["symbol"]) == ["AAPL", "MSFT"]
            assert {len(column) for column in first.values()} == {2}
            await publish(env, quote("MSFT", "51"), quote("IBM", "9"))
            second = (await hear(socket))["payload"]["data"]["quoteFrames"]
            assert second == {
                "symbol": ["MSFT"],
                "price": ["51"],
                "change": ["-49"],
                "changePercent": [-49.0],
                "at": ["2026-01-05T15:30:00Z"],
                "day": ["2026-01-05"],
                "state": ["REPLAY"],
            }


async def test_a_burst_of_ticks_is_sent_as_the_newest_prices_four_times_a_second(env, settings):
    await make_market(env)
    with served(settings) as url:
        async with talking(url) as socket:
            await ask(socket, FRAMES)
            begun = monotonic()
            for cent in range(1, 200):
                await publish(env, quote("AAPL", f"1{cent:02}.5"))
                await asyncio.sleep(0.005)
            prices = []
            while not prices or prices[-1] != "1199.5":
                frame = (await hear(socket))["payload"]["data"]["quoteFrames"]
                prices.append(frame["price"][frame["symbol"].index("AAPL")])
            assert 2 <= len(prices) <= (monotonic() - begun) / INTERVAL + 1


async def test_a_subscription_that_is_completed_sends_nothing_more(env, settings):
    await make_market(env)
    with served(settings) as url:
        async with talking(url) as socket:
            await ask(socket, FRAMES)
            await say(socket, {"id": "1", "type": "complete"})
            await say(socket, {"type": "ping"})
            assert await hear(socket) == {"type": "pong"}  # it has ended
            await publish(env, quote("AAPL", "103"))
            await say(socket, {"type": "ping"})
            assert await hear(socket) == {"type": "pong"}
            assert (await ask(socket, FRAMES))["type"] == "next"  # the id is free again


async def test_queries_and_mutations_run_over_a_socket_each_with_fresh_eyes(env, settings):
    await make_market(env)
    query = '{ instrument(symbol: "AAPL") { exchange { mic } bars { totalCount } } }'
    with served(settings) as url:
        async with talking(url) as socket:
            first = await ask(socket, query)
            assert first["payload"]["data"]["instrument"]["bars"] == {"totalCount": 2}
            assert await hear(socket) == {"id": "1", "type": "complete"}
            await make_instrument(env, "IBM")
            found = await ask(socket, "{ instruments { totalCount } }")
            assert found["payload"]["data"] == {"instruments": {"totalCount": 3}}


async def test_errors_over_a_socket_are_in_the_readers_language(env, settings):
    query = "{ instruments(first: 0) { totalCount } }"
    messages = {}
    with served(settings) as url:
        for language in ("en", "ko"):
            async with talking(url, accept_language=language) as socket:
                error = (await ask(socket, query))["payload"]["errors"][0]
                assert error["extensions"] == {"code": "BAD_INPUT", "field": "first"}
                messages[language] = error["message"]
    assert messages["en"] == "first is 0; it must be from 1 to 200"
    assert messages["ko"] != messages["en"]


async def test_a_market_that_is_not_public_closes_with_4403(env, settings):
    private = replace(settings, public_market=False)
    with served(private) as url:
        async with talking(url) as socket:  # the person at this machine
            assert (await ask(socket, "{ markets { mic } }"))["type"] == "next"
        forwarded = {"x-forwarded-for": "203.0.113.7"}
        async with connect(
            url.replace("http", "ws") + "/graphql",
            subprotocols=["graphql-transport-ws"],
            additional_headers=forwarded,
        ) as socket:
            await say(socket, {"type": "connection_init"})
            with pytest.raises(ConnectionClosed):
                await hear(socket)
            assert socket.close_code == 4403


async def test_only_the_person_at_this_machine_may_change_anything(env, settings):
    change = "mutation { collect(symbols: []) { id } }"
    with served(settings) as url:
        async with talking(url, x_forwarded_for="203.0.113.7") as socket:
            error = (await ask(socket, change))["payload"]["errors"][0]
            assert error["extensions"] == {"code": "UNAUTHENTICATED"}
        async with talking(url) as socket:
            assert (await ask(socket, change))["payload"]["data"] == {"collect": []}


@pytest.mark.parametrize(
    "message",
    [
        {"type": "connection_init"},
        {"type": "connection_init", "payload": {"authorization": "Bearer x"}},
        {"type": "ping"},
        {"type": "pong", "payload": {}},
        {"type": "complete", "id": "1"},
        {"type": "subscribe", "id": "1", "payload": {"query": "{ a }"}},
        {"type": "subscribe", "id": "1", "payload": {"query": "{ a }", "variables": None}},
    ],
)
def test_a_message_of_the_protocol_has_no_fault(message):
    assert find_fault(message) is None


@pytest.mark.parametrize(
    "message",
    [
        None,
        [],
        "x",
        {},
        {"type": None},
        {"type": "complete"},
        {"type": "complete", "id": ""},
        {"type": "subscribe", "id": 1, "payload": {"query": "{ a }"}},
        {"type": "subscribe", "id": "1"},
        {"type": "subscribe", "id": "1", "payload": {"query": None}},
        {"type": "subscribe", "id": "1", "payload": {"query": "{ a }", "variables": []}},
        {"type": "subscribe", "id": "1", "payload": {"query": "{ a }", "operationName": 1}},
    ],
)
def test_anything_else_has_one(message):
    assert find_fault(message)
