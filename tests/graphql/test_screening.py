"""Screens in the schema: hits with their figures and marks, the fields, one's own screens."""

from __future__ import annotations

from app.services.signals.analysis import analyse
from tests.factories import make_bars, make_instrument
from tests.graphql.asking import ask, choose_source, fail

SCREEN = """query($filter: ScreenFilter, $sort: ScreenSort, $after: String) {
    screen(filter: $filter, sort: $sort, first: 1, after: $after) { totalCount
        pageInfo { hasNextPage endCursor }
        edges { node { symbol day current close volume signal change rsi14 toSma20 fromHigh
            fundamentalDay instrument { name freshness { state } } } } } }"""


async def make_market(env) -> None:
    await choose_source(env)
    for number, symbol in enumerate(("AAPL", "IBM", "KO")):
        await make_instrument(env, symbol, name=f"{symbol} Inc.")
        await make_bars(env, symbol, [100.0 + number * (n % 7) for n in range(80)])
        await analyse(env, symbol)


def any_of(*terms: dict) -> dict:
    return {"any": list(terms)}


async def test_hits_come_with_their_figures_and_their_mark(env):
    await make_market(env)
    wanted = {
        "all": [any_of({"field": "close", "min": 100.5}, {"field": "kind", "words": ["ETF"]})]
    }
    sort = {"field": "close", "descending": True}
    found = (await ask(env, SCREEN, {"filter": wanted, "sort": sort}))["screen"]
    (edge,) = found["edges"]
    assert (found["totalCount"], found["pageInfo"]["hasNextPage"]) == (2, True)
    hit = edge["node"]
    assert (hit["symbol"], hit["close"], hit["volume"]) == ("KO", "104", "1000")
    assert hit["current"] is False  # no calendar has been loaded
    assert hit["instrument"] == {"name": "KO Inc.", "freshness": {"state": "UNKNOWN"}}
    assert 0 < hit["rsi14"] < 100
    assert hit["fundamentalDay"] is None
    after = found["pageInfo"]["endCursor"]
    found = (await ask(env, SCREEN, {"filter": wanted, "sort": sort, "after": after}))["screen"]
    assert [e["node"]["symbol"] for e in found["edges"]] == ["IBM"]
    assert not found["pageInfo"]["hasNextPage"]


async def test_what_cannot_be_asked_for_names_its_field(env):
    term = {"field": "rsi_14", "min": 120}
    error = await fail(env, SCREEN, {"filter": {"all": [any_of(term)]}})
    assert error["extensions"] == {"code": "BAD_INPUT", "field": "filter"}
    assert error["message"] == "rsi_14 is asked for at 120; it must be from 0 to 100"
    error = await fail(env, SCREEN, {"filter": {"all": [any_of(*[term] * 1000)]}})
    assert error["message"] == "filter has 1000 terms; 50 are allowed"


async def test_fields_have_their_bounds_or_their_words(env):
    await make_market(env)
    found = await ask(env, "{ screenFields { key low high words } }")
    fields = {field["key"]: field for field in found["screenFields"]}
    assert fields["rsi_14"] == {"key": "rsi_14", "low": 0.0, "high": 100.0, "words": []}
    assert fields["exchange"]["words"] == ["XNAS"]
    assert fields["signal"]["words"][0] == "STRONG_BUY"
