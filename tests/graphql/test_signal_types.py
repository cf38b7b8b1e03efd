"""A signal of the schema: its votes in words, and what earlier ones like it were worth."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import insert

from app.db.models import IndicatorDaily, Signal, SignalWorth
from tests.factories import make_instrument
from tests.graphql.asking import ask

DAY = date(2025, 3, 3)
QUERY = """{ instrument(symbol: "AAPL") { signal { day strength agreeing summary
    votes { indicator direction value threshold dissents sentence }
    worth { horizon count days instruments hitRate hitLow baseRate sentence } } } }"""


@pytest.fixture
async def signalled(env):
    await make_instrument(env, "AAPL")
    own = {"symbol": "AAPL", "day": DAY}
    values = {"rsi_14": 28.4, "stochastic_k": 85.0, "macd_histogram": 0.25}
    votes = {"strength": 2, "rsi_vote": 1, "stochastic_vote": -1, "macd_vote": 1}
    worth = {
        "strength": 2, "count": 900, "days": 200, "windows": 40, "instruments": 30,
        "hit_rate": 0.484, "hit_low": 0.46, "hit_high": 0.51, "excess": 0.0027,
        "excess_low": -0.001, "excess_high": 0.006, "base_rate": 0.479,
        "first_day": DAY, "last_day": DAY,
    }  # fmt: skip
    rows = [
        worth | {"currency": "USD", "horizon": 20},
        worth | {"currency": "USD", "horizon": 5, "hit_low": 0.48},
        worth | {"currency": "KRW", "horizon": 5},
        worth | {"currency": "USD", "horizon": 5, "strength": 1},
    ]
    async with env.db.write() as db:
        await db.execute(insert(IndicatorDaily).values(**own, **values))
        await db.execute(insert(Signal).values(**own, **votes))
        await db.execute(insert(SignalWorth), rows)
    return env


async def test_the_votes_stand_with_their_values_and_the_one_that_dissents(signalled):
    signal = (await ask(signalled, QUERY))["instrument"]["signal"]
    assert (signal["day"], signal["strength"]) == (DAY.isoformat(), "STRONG_BUY")
    assert signal["agreeing"] == 2
    assert signal["summary"] == "2 of 3 vote to buy, one votes to sell."
    assert [
        (v["indicator"], v["direction"], v["threshold"], v["dissents"]) for v in signal["votes"]
    ] == [
        ("RSI", "BUY", 30.0, False),
        ("STOCHASTIC", "SELL", 80.0, True),
        ("MACD_CROSS", "BUY", 0.0, False),
    ]
    assert signal["votes"][0]["sentence"] == "RSI(14) is 28.4, below 30: a vote to buy."


async def test_the_worth_is_that_of_its_strength_and_market_with_the_base_rate_beside_it(signalled):
    five, twenty = (await ask(signalled, QUERY))["instrument"]["signal"]["worth"]
    assert (five["horizon"], twenty["horizon"]) == (5, 20)
    assert (twenty["count"], twenty["hitRate"], twenty["baseRate"]) == (900, 0.484, 0.479)
    assert twenty["sentence"] == (
        "900 times before: 48.4 % beat their market over 20 sessions; of all days 47.9 % did. "
        "That is no difference that could be told from chance."
    )
    assert five["sentence"].endswith("That is more than chance.")
