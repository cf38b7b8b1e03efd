"""Orders in the schema: exact figures, words in both languages, and whose they are."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.domain.access import Scope
from app.env import Env
from app.services.people.identity import Identity
from tests.factories import make_instrument
from tests.graphql.asking import ask, fail
from tests.ledgers import make_portfolio
from tests.paper import open_markets, tell
from tests.people import by_api_token, by_session, make_user

PREVIEW = """mutation ($input: OrderInput!) { previewOrder(input: $input) { symbol currency price
    priceAt quantity notional fee tax cashChange cashAfter reserved tradeDay settlesOn marketOpen
    expiresAt warnings fillRule } }"""
PLACE = """mutation ($input: OrderInput!, $key: ID!) { placeOrder(input: $input, key: $key) {
    id symbol side type timeInForce quantity amount price state filled reason expiresAt fillRule
    fills { price } events { state filled } instrument { name } } }"""
CANCEL = "mutation ($id: ID!) { cancelOrder(id: $id) { state endedAt } }"
LIST = """query ($id: ID!, $state: OrderState, $after: String) { portfolio(id: $id) {
    cash { currency reserved orderable }
    orders(state: $state, first: 1, after: $after) { totalCount pageInfo { endCursor }
        edges { node { price state } } } } }"""


@pytest.fixture
async def market(env: Env) -> Env:
    return await open_markets(env)


@pytest.fixture
async def alice(env: Env) -> Identity:
    return await by_session(env, await make_user(env))


@pytest.fixture
async def wanted(env: Env, alice: Identity) -> dict[str, str]:
    portfolio = await make_portfolio(env, alice.user, 10_000, currency="USD")
    size = {"quantity": "10", "price": "99.005"}
    return {"portfolio": str(portfolio.id), "symbol": "AAPL", "side": "BUY", "type": "LIMIT"} | size


async def test_a_preview_is_exact_and_says_its_rule(
    market: Env, alice: Identity, wanted: dict[str, str]
):
    answer = await ask(market, PREVIEW, {"input": wanted}, identity=alice)
    found = answer["previewOrder"]
    assert found.pop("fillRule").startswith("It fills at its limit once the market has gone")
    assert found == {
        "symbol": "AAPL",
        "currency": "USD",
        "price": "99",
        "priceAt": "2026-03-04T15:00:00Z",
        "quantity": "10",
        "notional": "990",
        "fee": "2.48",
        "tax": "0",
        "cashChange": "-992.48",
        "cashAfter": "9007.52",
        "reserved": "992.48",
        "tradeDay": "2026-03-04",
        "settlesOn": "2026-03-05",
        "marketOpen": True,
        "expiresAt": "2026-03-04T21:00:00Z",
        "warnings": ["PRICE_ROUNDED"],
    }
    korean = await ask(market, PREVIEW, {"input": wanted}, identity=alice, locale="ko")
    assert "지정가" in korean["previewOrder"]["fillRule"]


async def test_orders_are_placed_listed_in_pages_and_canceled(
    market: Env, alice: Identity, wanted: dict[str, str]
):
    placed = await ask(market, PLACE, {"input": wanted, "key": "a"}, identity=alice)
    order = placed["placeOrder"]
    assert (order["state"], order["price"], order["fills"]) == ("NEW", "99", [])
    assert order["events"] == [{"state": "NEW", "filled": "0"}]
    assert order["instrument"] == {"name": "AAPL"}
    assert await ask(market, PLACE, {"input": wanted, "key": "a"}, identity=alice) == placed
    second = wanted | {"price": "98"}
    await ask(market, PLACE, {"input": second, "key": "b"}, identity=alice)
    canceled = await ask(market, CANCEL, {"id": order["id"]}, identity=alice)
    assert canceled["cancelOrder"]["state"] == "CANCELED"
    own = {"id": wanted["portfolio"]}
    page = (await ask(market, LIST, own, identity=alice))["portfolio"]
    assert page["cash"] == [{"currency": "USD", "reserved": "982.45", "orderable": "9017.55"}]
    assert page["orders"]["totalCount"] == 2
    assert page["orders"]["edges"] == [{"node": {"price": "98", "state": "NEW"}}]
    cursor = page["orders"]["pageInfo"]["endCursor"]
    rest = await ask(market, LIST, own | {"after": cursor}, identity=alice)
    assert rest["portfolio"]["orders"]["edges"] == [{"node": {"price": "99", "state": "CANCELED"}}]
    waiting = await ask(market, LIST, own | {"state": "NEW"}, identity=alice)
    assert waiting["portfolio"]["orders"]["totalCount"] == 1


async def test_only_who_may_trade_orders(market: Env, alice: Identity, wanted: dict[str, str]):
    reader = await by_api_token(market, alice.user)
    trader = await by_api_token(market, alice.user, Scope.READ, Scope.TRADE)
    given = {"input": wanted, "key": "a"}
    refused = await fail(market, PLACE, given, identity=reader, operator=False)
    assert refused["extensions"]["code"] == "FORBIDDEN"
    assert await ask(market, PLACE, given, identity=trader, operator=False)
    error = await fail(market, PREVIEW, {"input": wanted | {"quantity": "0"}}, identity=alice)
    assert error["extensions"] == {"code": "BAD_INPUT", "field": "quantity"}


async def test_a_preview_tells_what_it_would_exchange(env: Env):
    market = await open_markets(env)
    await make_instrument(market, "USDKRW=X", kind="FX")
    await tell(market, "USDKRW=X", "1400", market.clock.now() - timedelta(minutes=1))
    alice = await by_session(env, await make_user(env))
    book = await make_portfolio(market, alice.user, 2_000_000)
    preview = """mutation ($id: ID!) { previewOrder(input: {portfolio: $id, symbol: "AAPL", side: BUY,
        quantity: "10", autoExchange: true}) { warnings exchange { currency amount currencyTo amountTo
        rate spread source } } }"""
    found = (await ask(market, preview, {"id": str(book.id)}, identity=alice))["previewOrder"]
    assert found["warnings"] == []
    assert found["exchange"] == {
        "currency": "KRW",
        "amount": "1488419",
        "currencyTo": "USD",
        "amountTo": "1052.63",
        "rate": "1400",
        "spread": "0.01",
        "source": "YAHOO",
    }
