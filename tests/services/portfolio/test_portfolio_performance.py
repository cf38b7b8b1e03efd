"""Returns and equity of a span, beside a benchmark."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.env import Env
from app.errors import BadInput
from app.services.portfolio.equity import read_equity, refresh_equity
from app.services.portfolio.portfolio_performance import check_span, get_equity, get_performance
from tests.holdings import START
from tests.services.portfolio.test_equity import expected, start

TUESDAY = START + timedelta(days=1)


async def test_over_all_time_the_three_returns_agree_where_money_came_once(env: Env):
    alice, row = await start(env)
    await refresh_equity(env)
    told = get_performance(await read_equity(env, alice.id, row.id, None, None), None)
    assert told.simple == pytest.approx(expected(2) / 10_000_000 - 1)
    assert told.twr == pytest.approx(told.simple)
    assert told.xirr.period == pytest.approx(told.simple, abs=1e-9)
    assert told.xirr.rate is None  # three days are not annualised


async def test_a_part_of_the_time_begins_with_what_was_there(env: Env):
    alice, row = await start(env)
    await refresh_equity(env)
    told = get_performance(await read_equity(env, alice.id, row.id, TUESDAY, None), TUESDAY)
    assert told.twr == pytest.approx(expected(2) / expected(0) - 1)
    assert told.simple == pytest.approx(told.twr)


async def test_the_columns_begin_at_a_hundred_beside_a_benchmark(env: Env):
    alice, row = await start(env)
    await refresh_equity(env)
    stored = await read_equity(env, alice.id, row.id, TUESDAY, None)
    series = await get_equity(env, stored, TUESDAY, "AAPL")
    assert series["time"] == ["2026-03-03", "2026-03-04"]
    assert series["value"] == [expected(1), expected(2)]
    assert series["unit"][0] == pytest.approx(100 * expected(1) / expected(0))
    assert series["benchmark"] == pytest.approx([100, 100 * 101 / 102])
    assert {len(column) for column in series.values()} == {2}


async def test_before_anything_was_worked_out_the_columns_are_empty(env: Env):
    alice, row = await start(env)
    stored = await read_equity(env, alice.id, row.id, None, None)
    series = await get_equity(env, stored, None, "AAPL")
    assert {tuple(column) for column in series.values()} == {()}
    assert get_performance(stored, None).twr is None


def test_a_span_that_is_turned_round_is_refused():
    check_span(START, START)
    with pytest.raises(BadInput, match="from must not be after to"):
        check_span(TUESDAY, START)
