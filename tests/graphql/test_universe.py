"""The universe part: many at once, lists, what hangs on an instrument, and its removal."""

from __future__ import annotations

from tests.factories import make_bars, make_instrument
from tests.graphql.asking import ask, choose_source, fail

REPORT = "added tracked repeated refused lines { line text symbol outcome }"


async def test_a_pasted_list_is_reported_word_by_word(env):
    await choose_source(env)
    await make_instrument(env, "AAPL")
    query = f"mutation($s: [String!]!) {{ trackInstruments(symbols: $s) {{ {REPORT} }} }}"
    report = (await ask(env, query, {"s": ["005930, aapl", "AAPL ???"]}))["trackInstruments"]
    counts = {name: report[name] for name in ("added", "tracked", "repeated", "refused")}
    assert counts == {"added": 1, "tracked": 1, "repeated": 1, "refused": 1}
    assert report["lines"][-1] == {
        "line": 2,
        "text": "???",
        "symbol": None,
        "outcome": "NOT_A_SYMBOL",
    }
    error = await fail(env, query, {"s": []})
    assert error["extensions"] == {"code": "BAD_INPUT", "field": "symbols"}


async def test_shipped_lists_are_listed_and_added(env):
    await choose_source(env)
    lists = "{ symbolLists { key name asOf count tracked } }"
    before = {row["key"]: row for row in (await ask(env, lists))["symbolLists"]}
    assert before["sp500"]["asOf"] == "2026-03-01"
    assert before["kospi200"] == {
        "key": "kospi200",
        "name": "KOSPI 200",
        "asOf": "2025-09-08",
        "count": 200,
        "tracked": 0,
    }
    added = await ask(env, 'mutation { trackList(key: "kospi200") { added refused } }')
    assert added == {"trackList": {"added": 200, "refused": 0}}
    after = {row["key"]: row["tracked"] for row in (await ask(env, lists))["symbolLists"]}
    assert after == {"kospi200": 200, "sp500": 0}
    error = await fail(env, 'mutation { trackList(key: "x") { added } }')
    assert error["extensions"] == {"code": "NOT_FOUND"}


async def test_an_instrument_says_when_it_was_seen_and_is_removed_once_confirmed(env):
    await make_instrument(env, "AAPL")
    days = await make_bars(env, "AAPL", [1.0, 2.0])
    query = """{ instrument(symbol: "AAPL") { firstSeen lastSeen delistedAt }
        dependents(symbol: "AAPL") { kind count firstDay lastDay } }"""
    found = await ask(env, query)
    span = {"firstSeen": str(days[0]), "lastSeen": str(days[1])}
    assert found["instrument"] == span | {"delistedAt": None}
    dated = {"firstDay": str(days[0]), "lastDay": str(days[1])}
    assert found["dependents"] == [{"kind": "BARS", "count": 2} | dated]
    error = await fail(env, 'mutation { removeInstrument(symbol: "AAPL") }')
    assert error["extensions"] == {"code": "CONFLICT"}
    gone = await ask(env, 'mutation { removeInstrument(symbol: "aapl", confirm: true) }')
    assert gone == {"removeInstrument": "AAPL"}
    assert (await ask(env, "{ instruments { totalCount } }"))["instruments"]["totalCount"] == 0
