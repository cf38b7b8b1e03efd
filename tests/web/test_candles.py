"""Columns for charts as JSON."""

from __future__ import annotations

import pytest

from app.web.candles import indicator_variables
from app.web.chart_view import read_view
from tests.web.pages import browsing, make_market


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


def test_indicators_are_asked_for_with_days_alone_and_averages_with_any_bars():
    daily = read_view("/", "AAPL", {"panes": "rsi,macd,volume", "mas": "5"}, named=False)
    weekly = read_view("/", "AAPL", {"interval": "WEEK", "mas": "5"}, named=False)
    assert indicator_variables(daily) == {"indicators": ["RSI", "MACD"], "studies": [5]}
    assert indicator_variables(weekly) == {"indicators": [], "studies": [5]}
