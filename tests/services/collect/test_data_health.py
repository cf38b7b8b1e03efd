"""Lists of what was held, what has changed, and how fresh everything is."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from app.errors import BadInput
from app.services.collect.data_health import (
    WORST_FIRST,
    count_cross_checks,
    count_quarantine,
    count_revisions,
    get_data_health,
    list_cross_checks,
    list_quarantine,
    list_revisions,
    read_id,
)
from app.services.market.prices import FreshnessState
from app.services.paging import make_cursor
from app.services.settings import choose_source
from tests.clocks import at
from tests.factories import make_bars, make_instrument, make_sessions, weekdays
from tests.trust_rows import make_cross_check, make_held, make_revision

DAY = date(2025, 3, 3)


async def test_held_rows_come_in_pages_with_the_newest_finding_first(env):
    await make_instrument(env, "AAPL")
    ids = [await make_held(env, "AAPL", DAY + timedelta(days=n)) for n in range(5)]
    seen, after = [], None
    while True:
        page = await list_quarantine(env, first=2, after=after)
        seen += [row.id for row in page.rows]
        if not page.has_next:
            break
        after = page.cursors[-1]
    assert seen == ids[::-1]
    assert await count_quarantine(env) == 5


async def test_rows_are_asked_for_by_state_and_symbol(env):
    for symbol in ("AAPL", "MSFT"):
        await make_instrument(env, symbol)
        await make_held(env, symbol, DAY)
        await make_held(env, symbol, DAY + timedelta(days=1), state="DROPPED")

    async def found(state, symbol):
        page = await list_quarantine(env, state, symbol)
        assert len(page.rows) == await count_quarantine(env, state, symbol)
        return [(row.symbol, row.state) for row in page.rows]

    assert await found("HELD", "aapl") == [("AAPL", "HELD")]
    assert await found("DROPPED", None) == [("MSFT", "DROPPED"), ("AAPL", "DROPPED")]
    assert len(await found(None, None)) == 4
    assert await found("RELEASED", None) == []


async def test_revisions_have_old_and_new_values_and_their_number(env):
    await make_instrument(env, "AAPL")
    await make_instrument(env, "MSFT")
    first = await make_revision(env, "AAPL", DAY, {"close": "100"}, {"close": "101.5"})
    second = await make_revision(env, "MSFT", DAY, {"numerator": "4"}, None, kind="SPLIT")
    rows = (await list_revisions(env)).rows
    assert [(row.number, row.symbol, row.old, row.new) for row in rows] == [
        (second, "MSFT", {"numerator": "4"}, None),
        (first, "AAPL", {"close": "100"}, {"close": "101.5"}),
    ]
    one = await list_revisions(env, "AAPL", first=1)
    assert [row.number for row in one.rows] == [first]
    assert (await count_revisions(env), await count_revisions(env, "AAPL")) == (2, 1)
    page = await list_revisions(env, first=1)
    rest = await list_revisions(env, first=1, after=page.cursors[-1])
    assert [row.number for row in rest.rows] == [first]


async def test_comparisons_with_the_most_differences_come_first(env):
    for symbol, days in (("A", 0), ("B", 3), ("C", 3), ("D", 1)):
        await make_instrument(env, symbol)
        found = {DAY + timedelta(days=n): ("100", "103") for n in range(days)}
        await make_cross_check(env, symbol, found)
    seen, after = [], None
    while True:
        page = await list_cross_checks(env, first=1, after=after)
        seen += [row.symbol for row in page.rows]
        if not page.has_next:
            break
        after = page.cursors[-1]
    assert seen == ["B", "C", "D", "A"]
    assert await count_cross_checks(env) == 4
    (row,) = (await list_cross_checks(env, "D")).rows
    assert row.differences[0]["difference"] == pytest.approx(0.03)


@pytest.mark.parametrize("ask", [list_quarantine, list_revisions, list_cross_checks])
async def test_a_foreign_cursor_and_a_page_of_none_are_refused(env, ask):
    for bad in (
        {"after": "x"},
        {"after": make_cursor("text")},
        {"first": 0},
        {"symbol": "no such"},
    ):
        with pytest.raises(BadInput):
            await ask(env, **bad)


async def test_instruments_are_ranked_by_state_then_in_the_order_of_the_watchlist(env):
    env = at(env, "2025-01-11T00:00")
    await choose_source(env, "yahoo")
    days = weekdays(date(2025, 1, 6), 5)
    await make_sessions(env, "XNAS", days)
    for position, symbol in enumerate(["FRESH", "EMPTY", "OLD1", "OLD2"], 1):
        await make_instrument(env, symbol, position=position)
    await make_instrument(env, "GONE", tracked=False)
    await make_bars(env, "FRESH", [100.0] * 5, start=days[0])
    for symbol in ("OLD1", "OLD2"):
        await make_bars(env, symbol, [100.0] * 3, start=days[0])
    health = await get_data_health(env)
    assert list(health.freshness)[:3] == ["OLD1", "OLD2", "EMPTY"]
    assert list(health.states.items())[:2] == [
        (FreshnessState.LATE, 2),
        (FreshnessState.UNKNOWN, 1),
    ]
    late = health.list_symbols(FreshnessState.LATE, 1)
    assert (late.rows, late.has_next) == (["OLD1"], True)
    assert health.list_symbols(FreshnessState.LATE, 1, late.cursors[-1]).rows == ["OLD2"]
    assert len(health.list_symbols(None).rows) == 4
    with pytest.raises(BadInput):
        health.list_symbols(None, 0)


async def test_held_rows_and_changes_of_the_last_30_days_are_counted(sample_env):
    env = sample_env
    await make_instrument(env, "AAPL")
    await make_held(env, "AAPL", DAY)
    await make_held(env, "AAPL", DAY + timedelta(days=1), state="RELEASED")
    await make_revision(env, "AAPL", DAY, {"close": "1"}, {"close": "2"}, at=env.clock.now())
    old = datetime(2020, 1, 1, tzinfo=UTC)
    await make_revision(env, "AAPL", DAY, {"close": "2"}, {"close": "3"}, at=old)
    health = await get_data_health(env)
    assert (health.quarantined, health.revised) == (1, 1)
    assert health.states == {FreshnessState.HISTORIC: 1}


def test_every_state_has_a_rank():
    assert {state.value for state in FreshnessState} <= set(WORST_FIRST)


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5", "٣", "9" * 19])
def test_what_is_no_id_is_refused(text):
    with pytest.raises(BadInput, match="id"):
        read_id(text)


def test_an_id_is_a_number():
    assert read_id("42") == 42
