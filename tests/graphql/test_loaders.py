"""Loaders: the number of statements does not grow with the rows of a page."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import insert

from app.db.models import FxRate, IndicatorDaily
from app.env import Env
from tests.factories import AT, make_bars, make_instrument, make_split
from tests.graphql.asking import ask, choose_source, counting_statements

EVERYTHING = """{ instruments(first: 40) { totalCount edges { node {
    symbol exchange { name } quote { price } freshness { state } sparkline(points: 20)
    long: sparkline(points: 30) indicators { rsi14 } signal { strength } intradayReason
    splits { day } dividends { day } sessions(first: 2) { day } } } } }"""


async def make_watchlist(env: Env, count: int, *, begin: int = 0) -> None:
    """Instruments of three markets, each with bars, an event and indicators."""
    for i in range(begin, begin + count):
        symbol = f"{i:06}.KS" if i % 3 == 0 else f"S{i}"
        await make_instrument(env, symbol, position=i)
        days = await make_bars(env, symbol, [100.0 + i, 101.0 + i], start=date(2025, 1, 6))
        await make_split(env, symbol, days[1], 2)
        async with env.db.write() as db:
            row = {"symbol": symbol, "day": days[1], "rsi_14": 50.0, "stochastic_k": 50.0}
            await db.execute(insert(IndicatorDaily).values(**row))


@pytest.mark.parametrize("source", ["yahoo", "sample"])
async def test_forty_instruments_take_no_more_statements_than_four(env, source):
    await choose_source(env, source)
    counts = []
    for begin, count in ((0, 4), (4, 36)):
        await make_watchlist(env, count, begin=begin)
        with counting_statements(env) as statements:
            data = await ask(env, EVERYTHING)
        assert data["instruments"]["totalCount"] == begin + count
        assert all(edge["node"]["quote"] for edge in data["instruments"]["edges"])
        counts.append(len(statements))
    assert counts[0] == counts[1]
    assert counts[1] <= 60


async def test_fields_of_one_kind_share_one_question(env):
    await choose_source(env)
    await make_watchlist(env, 2)
    with counting_statements(env) as statements:
        await ask(env, "{ instruments { edges { node { splits { day } } } } }")
    assert sum("FROM split" in statement for statement in statements) == 1


async def test_an_operation_does_not_see_what_another_has_loaded(env):
    await choose_source(env)
    await make_instrument(env, "USDKRW=X", kind="FX")
    query = '{ instrument(symbol: "USDKRW=X") { quote { price } } }'
    assert (await ask(env, query))["instrument"]["quote"] is None
    rate = {"base": "USD", "quote": "KRW", "day": date(2025, 1, 6), "rate": Decimal("1433.25")}
    async with env.db.write() as db:
        await db.execute(insert(FxRate).values(**rate, source="yahoo", fetched_at=AT))
    assert (await ask(env, query))["instrument"]["quote"] == {"price": "1433.25"}
