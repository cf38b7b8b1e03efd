"""Watchlists in the schema: their instruments in order with prices, and what a paste comes to."""

from __future__ import annotations

from tests.factories import make_bars, make_instrument
from tests.graphql.asking import ask, counting_statements, fail, make_context
from tests.people import by_api_token, by_session, make_user

SAVE = """mutation ($name: String!, $symbols: [String!]!, $id: ID) {
  saveWatchlist(name: $name, symbols: $symbols, id: $id) { id name symbols } }"""
LISTS = """{ watchlists { name symbols
  instruments { symbol name sparkline(points: 3) } } }"""


async def sign_in(env):
    """The context's changes of alice, where two instruments have prices and one has none."""
    for symbol in ("AAPL", "IBM", "MSFT"):
        await make_instrument(env, symbol)
    await make_bars(env, "AAPL", [1.0, 2.0, 3.0])
    await make_bars(env, "IBM", [4.0, 5.0, 6.0])
    return {"operator": False, "identity": await by_session(env, await make_user(env))}


async def save(env, who, name: str, *symbols: str) -> str:
    """The id of a new list."""
    made = await ask(env, SAVE, {"name": name, "symbols": symbols}, **who)
    return str(made["saveWatchlist"]["id"])


async def test_lists_come_with_their_instruments_in_order(env):
    who = await sign_in(env)
    await save(env, who, "One", "IBM", "AAPL")
    await save(env, who, "Two", "MSFT")
    one, two = (await ask(env, LISTS, **who))["watchlists"]
    assert (one["name"], one["symbols"]) == ("One", ["IBM", "AAPL"])
    assert [it["symbol"] for it in one["instruments"]] == ["IBM", "AAPL"]
    assert one["instruments"][0]["sparkline"] == {"close": [4.0, 5.0, 6.0]}
    assert two["instruments"][0]["sparkline"] == {"close": []}


async def test_the_rows_of_a_list_are_asked_for_at_once(env):
    who = await sign_in(env)
    id_ = await save(env, who, "One", "IBM")
    query = "query ($id: ID!) { watchlist(id: $id) { instruments { name sparkline } } }"
    with counting_statements(env) as few:
        await ask(env, query, {"id": id_}, **who)
    await ask(env, SAVE, {"name": "One", "symbols": ["AAPL", "IBM", "MSFT"], "id": id_}, **who)
    with counting_statements(env) as more:
        assert len((await ask(env, query, {"id": id_}, **who))["watchlist"]["instruments"]) == 3
    assert len(more) == len(few)


async def test_a_paste_tells_each_word_and_the_list_as_it_is_now(env):
    who = await sign_in(env)
    id_ = await save(env, who, "One", "IBM")
    query = """mutation ($id: ID!, $symbols: [String!]!) {
      addToWatchlist(id: $id, symbols: $symbols) {
        watchlist { symbols } words { line text symbol outcome } } }"""
    told = (await ask(env, query, {"id": id_, "symbols": ["MSFT ibm", "?"]}, **who))[
        "addToWatchlist"
    ]
    assert told["watchlist"]["symbols"] == ["IBM", "MSFT"]
    assert [word["outcome"] for word in told["words"]] == ["ADDED", "LISTED", "NOT_A_SYMBOL"]
    too_many = {"id": id_, "symbols": ["A " * 10_000]}
    error = await fail(env, query, too_many, **who)
    assert error["extensions"] == {"code": "BAD_INPUT", "field": "symbols"}
    assert "10000" in error["message"]
    assert "600" in error["message"]


async def test_rows_move_and_go_and_a_position_that_is_none_names_its_field(env):
    who = await sign_in(env)
    id_ = await save(env, who, "One", "AAPL", "IBM", "MSFT")
    move = """mutation ($id: ID!, $to: Int!) {
      moveInWatchlist(id: $id, symbol: "AAPL", position: $to) { symbols } }"""
    moved = await ask(env, move, {"id": id_, "to": 2}, **who)
    assert moved["moveInWatchlist"]["symbols"] == ["IBM", "MSFT", "AAPL"]
    error = await fail(env, move, {"id": id_, "to": 3}, **who)
    assert error["extensions"] == {"code": "BAD_INPUT", "field": "position"}
    take = "mutation ($id: ID!, $symbol: String!) { takeFromWatchlist(id: $id, symbol: $symbol) { symbols } }"
    taken = await ask(env, take, {"id": id_, "symbol": "MSFT"}, **who)
    assert taken["takeFromWatchlist"]["symbols"] == ["IBM", "AAPL"]
    assert (await fail(env, take, {"id": id_, "symbol": "MSFT"}, **who))["extensions"] == {
        "code": "NOT_FOUND"
    }


async def test_a_token_that_only_reads_reads_lists(env):
    who = await sign_in(env)
    await save(env, who, "One", "IBM")
    reader = await by_api_token(env, who["identity"].user)
    context = make_context(env, operator=False).signed_in(reader)
    found = await ask(env, LISTS, operator=False, identity=context.identity)
    assert [one["name"] for one in found["watchlists"]] == ["One"]
