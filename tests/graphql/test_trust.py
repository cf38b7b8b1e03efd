"""Trust: held rows and decisions on them, revisions, comparisons, the state of all data."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import text

from tests.clocks import at
from tests.factories import (
    AT,
    make_bars,
    make_dividend,
    make_instrument,
    make_sessions,
    make_split,
    with_order,
)
from tests.graphql.asking import ask, choose_source, counting_statements, fail
from tests.showcase import HELD, NOW, make_showcase
from tests.trust_rows import make_cross_check, make_held, make_job, make_revision

DAY = date(2025, 1, 15)
ROW = {"open": "150", "high": "152", "low": "149", "close": "151", "volume": "9", "adj_close": None}
QUARANTINE = """query($state: QuarantineState, $symbol: String, $first: Int, $after: String) {
    quarantine(state: $state, symbol: $symbol, first: $first, after: $after) {
        totalCount pageInfo { hasNextPage endCursor }
        edges { node { id symbol kind day reason sentence detail source foundAt state decidedAt
            releasable row { open close volume amount numerator } previous { day close } } } } }"""


async def test_a_held_row_tells_why_and_what_stood_before_it(env):
    await make_instrument(env, "AAPL")
    days = await make_bars(env, "AAPL", [100.0, 104.0], start=date(2025, 1, 6))
    held = await make_held(env, "AAPL", DAY, row=ROW)
    (edge,) = (await ask(env, QUARANTINE, {"state": "HELD"}))["quarantine"]["edges"]
    assert edge["node"] == {
        "id": str(held),
        "symbol": "AAPL",
        "kind": "BAR",
        "day": "2025-01-15",
        "reason": "BEYOND_LIMIT",
        "sentence": "The move is larger than the exchange allows in a session, and no split or "
        "dividend explains it.",
        "detail": "+45.2% in a session; the limit is 30%",
        "source": "yahoo",
        "foundAt": AT.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "state": "HELD",
        "decidedAt": None,
        "releasable": True,
        "row": {"open": "150", "close": "151", "volume": "9", "amount": None, "numerator": None},
        "previous": {"day": days[-1].isoformat(), "close": "104"},
    }


async def test_held_rows_come_in_pages_of_a_state_or_of_all(env):
    await make_instrument(env, "AAPL")
    for number in range(3):
        await make_held(env, "AAPL", DAY + timedelta(days=number))
    await make_held(env, "AAPL", DAY - timedelta(days=1), state="DROPPED")
    first = (await ask(env, QUARANTINE, {"state": "HELD", "first": 2}))["quarantine"]
    assert (first["totalCount"], len(first["edges"])) == (3, 2)
    after = first["pageInfo"]["endCursor"]
    rest = (await ask(env, QUARANTINE, {"state": "HELD", "after": after}))["quarantine"]
    assert (len(rest["edges"]), rest["pageInfo"]["hasNextPage"]) == (1, False)
    assert (await ask(env, QUARANTINE, {"state": None, "symbol": "aapl"}))["quarantine"][
        "totalCount"
    ] == 4
    assert (await ask(env, "{ quarantine { totalCount } }"))["quarantine"]["totalCount"] == 3


async def test_odd_values_of_a_row_are_null_and_none_of_them_breaks_the_answer(env):
    await make_instrument(env, "AAPL")
    odd = {"open": None, "high": "NaN", "low": "x", "close": 151.25, "volume": True}
    await make_held(env, "AAPL", DAY, "INCOMPLETE", row=odd)
    query = "{ quarantine { edges { node { releasable row { open high low close volume } } } } }"
    (edge,) = (await ask(env, query))["quarantine"]["edges"]
    assert edge["node"] == {
        "releasable": False,
        "row": {"open": None, "high": None, "low": None, "close": "151.25", "volume": None},
    }


async def test_a_released_row_is_stored_and_a_dropped_one_is_not(env):
    await choose_source(env)
    await make_instrument(env, "AAPL")
    await make_bars(env, "AAPL", [100.0, 104.0], start=date(2025, 1, 6), source="yahoo")
    one, other = [await make_held(env, "AAPL", DAY + timedelta(days=n), row=ROW) for n in range(2)]
    dropped = await ask(env, f"mutation {{ dropQuarantined(id: {other}) {{ state decidedAt }} }}")
    assert dropped["dropQuarantined"]["state"] == "DROPPED"
    assert dropped["dropQuarantined"]["decidedAt"] is not None
    released = await ask(env, f"mutation {{ releaseQuarantined(id: {one}) {{ id state }} }}")
    assert released["releaseQuarantined"] == {"id": str(one), "state": "RELEASED"}
    bars = '{ instrument(symbol: "AAPL") { bars { edges { node { day close } } } } }'
    edges = (await ask(env, bars))["instrument"]["bars"]["edges"]
    assert len(edges) == 3
    assert edges[-1]["node"] == {"day": "2025-01-15", "close": "151"}


@pytest.mark.parametrize("verb", ["releaseQuarantined", "dropQuarantined"])
async def test_a_decision_needs_a_row_that_is_held(env, verb):
    await make_instrument(env, "AAPL")
    gone = await make_held(env, "AAPL", DAY, state="DROPPED")
    for given, code in ((gone, "CONFLICT"), (999_999, "NOT_FOUND"), ('"x"', "BAD_INPUT")):
        error = await fail(env, f"mutation {{ {verb}(id: {given}) {{ id }} }}")
        assert error["extensions"]["code"] == code


@pytest.mark.parametrize("verb", ["releaseQuarantined", "dropQuarantined"])
async def test_nobody_but_the_operator_decides(env, verb):
    await make_instrument(env, "AAPL")
    held = await make_held(env, "AAPL", DAY, row=ROW)
    error = await fail(env, f"mutation {{ {verb}(id: {held}) {{ id }} }}", operator=False)
    assert error["extensions"]["code"] == "UNAUTHENTICATED"
    async with env.db.read() as db:
        assert await db.scalar(text("SELECT state FROM quarantine")) == "HELD"
        assert await db.scalar(text("SELECT count(*) FROM bar")) == 0


async def test_revisions_have_old_and_new_values_and_the_version_that_made_them(env):
    for symbol in ("AAPL", "MSFT"):
        await make_instrument(env, symbol)
    assert (await ask(env, "{ dataVersion }"))["dataVersion"] == "0"
    await make_revision(env, "AAPL", DAY, {"close": "100.0"}, {"close": "100.5"}, at=NOW)
    split = {"numerator": "4", "denominator": "1"}
    number = await make_revision(env, "MSFT", DAY, split, None, kind="SPLIT")
    query = """{ dataVersion revisions { totalCount edges { node {
        symbol kind day number source old { close numerator } new { close } } } } }"""
    found = await ask(env, query)
    assert found["dataVersion"] == str(number)
    nodes = [edge["node"] for edge in found["revisions"]["edges"]]
    assert nodes[0]["new"] is None
    assert nodes[0]["old"] == {"close": None, "numerator": "4"}
    assert (nodes[1]["old"]["close"], nodes[1]["new"]["close"]) == ("100", "100.5")
    query = """{ instrument(symbol: "AAPL") { revisions(first: 1) { totalCount }
        recentRevision { at rows firstDay } } }"""
    one = (await ask(at(env, NOW), query))["instrument"]
    assert one["revisions"]["totalCount"] == 1
    assert one["recentRevision"] == {
        "at": "2025-01-17T22:30:00Z",
        "rows": 1,
        "firstDay": "2025-01-15",
    }


async def test_comparisons_tell_the_days_that_differ(env):
    await make_instrument(env, "005930.KS")
    await make_cross_check(env, "005930.KS", {DAY: ("100", "103"), date(2025, 1, 14): ("1", "2")})
    query = """{ crossChecks { edges { node { symbol source other days differing
        differences(first: 1) { day close other difference } } } } }"""
    (edge,) = (await ask(env, query))["crossChecks"]["edges"]
    assert edge["node"]["differing"] == 2
    assert edge["node"]["differences"] == [
        {"day": "2025-01-15", "close": "100", "other": "103", "difference": pytest.approx(0.03)}
    ]


async def test_the_state_of_all_data_has_the_worst_first(env):
    await make_showcase(env, more=3)
    query = """query($state: FreshnessState, $first: Int, $after: String) { dataHealth {
        quarantined revised states { state count }
        instruments(state: $state, first: $first, after: $after) { totalCount
            pageInfo { hasNextPage endCursor }
            edges { node { symbol freshness { state lastDay expectedDay reason checkedAt } } } } } }"""
    now = at(env, NOW)
    health = (await ask(now, query, {"first": 3}))["dataHealth"]
    assert (health["quarantined"], health["revised"]) == (len(HELD), 27)
    assert health["states"] == [
        {"state": state, "count": count}
        for state, count in (
            ("QUARANTINED", 1),
            ("LATE", 1),
            ("RATE_LIMITED", 1),
            ("PARTIAL", 1),
            ("UNKNOWN", 1),
            ("HALTED", 1),
            ("HOLIDAY", 1),
            ("ON_TIME", 5),
        )
    ]
    page = health["instruments"]
    nodes = [edge["node"] for edge in page["edges"]]
    assert [node["symbol"] for node in nodes] == ["NVDA", "AAPL", "MSFT"]
    assert nodes[0]["freshness"]["reason"].startswith("The price moved as it does in a split")
    assert nodes[1]["freshness"]["reason"].startswith("No network or DNS")
    assert page["totalCount"] == 12
    after = page["pageInfo"]["endCursor"]
    rest = (await ask(now, query, {"after": after}))["dataHealth"]["instruments"]
    assert len(rest["edges"]) == 9
    late = (await ask(now, query, {"state": "LATE"}))["dataHealth"]["instruments"]
    assert late["totalCount"] == 1
    assert late["edges"][0]["node"]["freshness"]["checkedAt"] == "2025-01-17T21:40:00Z"


async def test_freshness_of_all_is_asked_for_once(env):
    await make_showcase(env, more=20)
    query = """{ dataHealth { states { count }
        instruments { edges { node { symbol freshness { state } } } } } }"""
    with counting_statements(env) as statements:
        await ask(at(env, NOW), query)
    assert len([s for s in statements if "LATERAL" in s]) == 1


async def test_what_is_stored_of_an_instrument_and_its_events(env):
    await make_instrument(env, "AAPL")
    days = await make_bars(env, "AAPL", [100.0, 100.0, 25.0], source="yahoo")
    await make_split(env, "AAPL", days[2], 4)
    await make_dividend(env, "AAPL", days[1], 0.5)
    query = """{ instrument(symbol: "AAPL") {
        stored { rows firstDay lastDay source version fetchedAt }
        events(first: 5) { totalCount edges { node {
            day kind numerator denominator amount previousClose factor } } } } }"""
    found = (await ask(env, query))["instrument"]
    assert found["stored"] == {
        "rows": 3,
        "firstDay": days[0].isoformat(),
        "lastDay": days[2].isoformat(),
        "source": "yahoo",
        "version": "0",
        "fetchedAt": "2026-01-01T00:00:00Z",
    }
    split, dividend = (edge["node"] for edge in found["events"]["edges"])
    assert (split["kind"], split["factor"], split["previousClose"]) == ("SPLIT", 0.25, "100")
    assert (dividend["amount"], dividend["factor"]) == ("0.5", pytest.approx(0.995))


async def test_collections_tell_how_far_they_are_and_why_they_fail(env):
    await make_instrument(env, "AAPL")
    now = env.clock.now()
    why = {"outcome": "SOURCE_DOWN", "last_error": "curl: (6) Could not resolve host"}
    await make_job(env, "AAPL", "PENDING", due_at=now, started_at=now, attempts=2, **why)
    await make_job(env, "MSFT", "DONE", due_at=now, done_at=now, attempts=1)
    query = """{ collectionProgress { total done retrying nextTryAt }
        collections(failing: true) { symbol reason error nextTryAt } }"""
    found = await ask(env, query)
    assert found["collectionProgress"]["retrying"] == 1
    (failing,) = found["collections"]
    assert failing["symbol"] == "AAPL"
    assert failing["reason"].startswith("No network or DNS")
    assert failing["error"] == why["last_error"]
    assert failing["nextTryAt"] == found["collectionProgress"]["nextTryAt"]


async def test_all_prices_of_an_instrument_can_be_taken_from_another_provider(env, yahoo, naver):
    await choose_source(env)
    live = at(with_order(env, "XKRX=yahoo,krx"), "2013-02-28T12:00")
    days = naver.listings["005930.KS"].bars["day"].to_list()
    await make_sessions(env, "XKRX", days, opens=0, closes=7)
    await make_instrument(env, "005930.KS")
    query = """mutation ($to: String!) { useSource(symbol: "005930.KS", provider: $to) {
        symbol outcome bars detail } }"""
    for provider in ("yahoo", "krx"):
        found = (await ask(live, query, {"to": provider}))["useSource"]
        told = {"symbol": "005930.KS", "outcome": "STORED", "bars": len(days), "detail": None}
        assert found == told
        stored = '{ instrument(symbol: "005930.KS") { providers stored { rows source } } }'
        instrument = (await ask(live, stored))["instrument"]
        assert instrument["providers"] == ["yahoo", "krx"]
        assert instrument["stored"] == {"rows": len(days), "source": provider}
    error = await fail(live, query, {"to": "folder"})
    assert error["extensions"] == {"code": "BAD_INPUT", "field": "provider"}
