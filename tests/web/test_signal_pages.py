"""The page of signals: votes, who dissents, what they were worth; and the dashboard's strongest."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import insert, text

from app.db.models import SignalWorth
from app.services.signals.analysis import analyse
from tests.web.pages import browsing, make_market, text_of

WORTH = {
    "currency": "USD", "strength": -2, "count": 900, "days": 200, "windows": 40, "instruments": 30,
    "hit_rate": 0.487, "hit_low": 0.46, "hit_high": 0.51, "excess": 0.0027, "excess_low": -0.001,
    "excess_high": 0.006, "base_rate": 0.479, "first_day": date(2016, 3, 14),
    "last_day": date(2026, 3, 13),
}  # fmt: skip


@pytest.fixture
async def market(env):
    await make_market(env)
    await analyse(env, "AAPL")
    async with env.db.write() as db:
        await db.execute(insert(SignalWorth), [WORTH | {"horizon": h} for h in (5, 20)])
        await db.execute(text("UPDATE signal SET strength = 0"))
        strong = "strength = -2, rsi_vote = -1, stochastic_vote = -1, macd_vote = 1"
        await db.execute(
            text(f"UPDATE signal SET {strong} WHERE day = (SELECT max(day) FROM signal)")
        )
        await db.execute(text("UPDATE screen_row SET strength = -2"))
    return env


async def test_a_strong_signal_stands_with_its_votes_and_the_base_rate(market, settings):
    async with browsing(settings) as http:
        page = text_of((await http.get("/signals")).text)
        for words in ("Apple", "Strong sell", "2 of 3 vote to sell, one votes to buy.", "48.7%",
                      "47.9%", "46.0 \N{EN DASH} 51.0", "n 900", "2016-03-14 \N{EN DASH} 2026-03-13"):  # fmt: skip
            assert words in page
        assert "No instrument has such a signal now" in text_of(
            (await http.get("/signals?strength=BUY")).text
        )
        assert (await http.get("/signals?strength=NONSENSE")).status_code == 200


async def test_the_dashboard_shows_the_strongest_with_the_base_rate(market, settings):
    async with browsing(settings) as http:
        page = text_of((await http.get("/")).text)
        assert "Strongest signals" in page
        assert "beat the market 48.7%, all days 47.9%" in page


async def test_the_chart_has_the_days_on_which_a_signal_became_strong(market, settings):
    async with browsing(settings) as http:
        found = (await http.get("/api/candles/AAPL?range=MAX&interval=DAY&panes=signals")).json()
        assert found["signals"]["level"][-1] == -2
        assert found["signals"]["time"][-1] == found["series"]["time"][-1]
        assert (await http.get("/api/candles/AAPL?range=MAX&interval=DAY&panes=rsi")).json()[
            "signals"
        ] is None
