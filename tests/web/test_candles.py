"""Columns for charts as JSON."""

from __future__ import annotations

import pytest

from app.web.candles import indicator_variables
from app.web.chart_view import read_view
from tests.factories import make_bars, make_instrument
from tests.web.pages import START, browsing, choose_source, make_market


async def test_the_columns_of_a_range_come_as_json_that_a_browser_may_keep(env, settings):
    await make_market(env)
    async with browsing(settings) as http:
        answer = await http.get("/api/candles/AAPL?range=MAX&interval=DAY&mas=5,20&panes=rsi")
    body = answer.json()
    assert answer.headers["cache-control"] == "private, max-age=30"
    assert (body["symbol"], body["currency"], body["interval"]) == ("AAPL", "USD", "DAY")
    assert body["reason"] is None
    series = body["series"]
    assert {len(column) for column in series.values()} == {80}
    assert {"time", "open", "high", "low", "close", "volume", "rsi_14", "sma_5", "sma_20"} == set(
        series
    )
    assert series["time"][0] == "2025-01-06"
    assert series["close"][0] == 45.0  # before the split of 4 to 1


async def test_prices_come_on_the_basis_that_is_asked_for(env, settings):
    await make_market(env)
    address = "/api/candles/AAPL?range=MAX&interval=DAY&mas=none&panes=none&basis="
    async with browsing(settings) as http:
        traded = (await http.get(address + "AS_TRADED")).json()["series"]["close"]
        total = (await http.get(address + "TOTAL_RETURN")).json()["series"]["close"]
    assert traded[0] == 180.0
    assert total[0] < 45.0
    assert traded[-1] == total[-1]


async def test_a_span_may_be_named_by_its_days(env, settings):
    await make_market(env)
    async with browsing(settings) as http:
        answer = await http.get("/api/candles/AAPL?from=2025-01-07&to=2025-01-09&mas=none")
    assert answer.json()["series"]["time"] == ["2025-01-07", "2025-01-08", "2025-01-09"]


async def test_a_range_is_counted_back_from_the_replayed_day(env, settings):
    await make_market(env, "sample")
    async with browsing(settings) as http:
        month = (await http.get("/api/candles/AAPL?range=1M")).json()["series"]["time"]
    assert month
    assert month[0] >= "2024-12-01"


async def test_where_there_are_no_minutes_the_reason_is_given(env, settings):
    await make_market(env, "sample")
    async with browsing(settings, "ko") as http:
        body = (await http.get("/api/candles/AAPL?range=1D")).json()
    assert body["reason"] == "표본에는 일별 가격만 있습니다."
    assert body["series"]["time"] == []


@pytest.mark.parametrize(
    ("address", "status", "code"),
    [
        ("/api/candles/NOPE", 404, "NOT_FOUND"),
        ("/api/candles/AAPL?range=2Y", 400, "BAD_INPUT"),
        ("/api/candles/AAPL?from=yesterday", 400, "BAD_INPUT"),
        ("/api/candles/AAPL?from=2025-02-01&to=2025-01-01", 400, "BAD_INPUT"),
    ],
)
async def test_an_error_is_json_in_the_language_of_the_reader(env, settings, address, status, code):
    await make_market(env)
    async with browsing(settings, "ko") as http:
        answer = await http.get(address)
    assert answer.status_code == status
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert set(body) == {"code", "message"}
    assert body["code"] == code
    assert any("가" <= letter <= "힣" for letter in body["message"])


def test_minutes_have_averages_and_no_indicators():
    weekly = read_view("/", "AAPL", {"interval": "WEEK", "mas": "5"}, named=False)
    minutes = read_view("/", "AAPL", {"range": "1D", "mas": "5"}, named=False)
    assert indicator_variables(weekly) == {"indicators": ["RSI", "MACD"], "studies": [5]}
    assert indicator_variables(minutes) == {"indicators": [], "studies": [5]}


async def test_older_bars_are_the_300_before_a_day(env, settings):
    await make_instrument(env, "OLD", name="Old Inc.")
    await make_bars(env, "OLD", [100 + i for i in range(400)], start=START)
    await choose_source(env, "yahoo")
    async with browsing(settings) as http:
        every = (await http.get("/api/candles/OLD?range=MAX&interval=DAY")).json()["series"]
        day = every["time"][350]
        answer = await http.get(f"/api/candles/OLD?before={day}&panes=none&mas=5")
    older = answer.json()["series"]
    assert older["time"] == every["time"][50:350]
    assert older["sma_5"][0] == pytest.approx(sum(range(146, 151)) / 5)


@pytest.mark.parametrize(
    ("interval", "before", "last"),
    [
        ("DAY", "2025-02-05", "2025-02-04"),
        ("WEEK", "2025-02-05", "2025-01-31"),
        ("WEEK", "2025-02-03", "2025-01-31"),
        ("MONTH", "2025-02-05", "2025-01-31"),
    ],
)
async def test_older_bars_end_before_the_period_of_the_day(env, settings, interval, before, last):
    await make_market(env)
    address = f"/api/candles/AAPL?interval={interval}&before={before}"
    async with browsing(settings) as http:
        assert (await http.get(address)).json()["series"]["time"][-1] == last


@pytest.mark.parametrize("interval", ["DAY", "WEEK", "MONTH"])
async def test_before_the_first_day_of_all_there_is_nothing(env, settings, interval):
    await make_market(env)
    address = f"/api/candles/AAPL?interval={interval}&before=0001-01-01"
    async with browsing(settings) as http:
        answer = await http.get(address)
    assert answer.status_code == 200
    assert answer.json()["series"]["time"] == []


async def test_replayed_candles_are_asked_for_anew_each_time(env, settings):
    await make_market(env, "sample")
    async with browsing(settings) as http:
        answer = await http.get("/api/candles/AAPL")
    assert answer.headers["cache-control"] == "private, no-cache"
