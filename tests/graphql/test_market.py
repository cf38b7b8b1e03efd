"""The market part: what is asked is what is stored, to the last digit."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import insert, text

from app.db.models import FxRate
from tests.factories import (
    AT,
    make_bars,
    make_dividend,
    make_fundamentals,
    make_instrument,
    make_sessions,
    make_split,
    weekdays,
    with_order,
)
from tests.graphql.asking import ask, choose_source, counting_statements, fail

START = date(2025, 1, 6)


async def test_an_unknown_instrument_is_null(env):
    assert await ask(env, '{ instrument(symbol: "NONE") { symbol } }') == {"instrument": None}


async def test_an_instrument_tells_what_it_is(env):
    await make_instrument(env, "005930.KS", name="Samsung Electronics", name_local="삼성전자")
    query = """{ instrument(symbol: "005930.ks") {
        symbol name nameLocal currency kind sector industry tracked
        exchange { mic name nameLocal timeZone currency } } }"""
    assert (await ask(env, query))["instrument"] == {
        "symbol": "005930.KS",
        "name": "Samsung Electronics",
        "nameLocal": "삼성전자",
        "currency": "KRW",
        "kind": "EQUITY",
        "sector": None,
        "industry": None,
        "tracked": True,
        "exchange": {
            "mic": "XKRX",
            "name": "Korea Exchange",
            "nameLocal": "한국거래소",
            "timeZone": "Asia/Seoul",
            "currency": "KRW",
        },
    }


async def test_instruments_come_in_pages_in_the_order_of_the_watchlist(env):
    for position, symbol in enumerate(["MSFT", "AAPL", "IBM"], 1):
        await make_instrument(env, symbol, position=position)
    query = """query($after: String) { instruments(first: 2, after: $after) {
        totalCount pageInfo { hasNextPage endCursor } edges { cursor node { symbol } } } }"""
    first = (await ask(env, query))["instruments"]
    assert [edge["node"]["symbol"] for edge in first["edges"]] == ["MSFT", "AAPL"]
    assert first["totalCount"] == 3
    assert first["pageInfo"] == {"hasNextPage": True, "endCursor": first["edges"][1]["cursor"]}
    rest = (await ask(env, query, {"after": first["pageInfo"]["endCursor"]}))["instruments"]
    assert [edge["node"]["symbol"] for edge in rest["edges"]] == ["IBM"]
    assert rest["pageInfo"]["hasNextPage"] is False


async def test_a_page_holds_at_most_200_rows_whatever_the_variable_says(env):
    await make_instrument(env, "AAPL")
    await make_bars(env, "AAPL", [100.0] * 250, start=START)
    query = """query($n: Int) { instrument(symbol: "AAPL") {
        bars(first: $n) { totalCount edges { node { day } } pageInfo { hasNextPage } } } }"""
    bars = (await ask(env, query, {"n": 300_000}))["instrument"]["bars"]
    assert (len(bars["edges"]), bars["totalCount"]) == (200, 250)
    assert bars["pageInfo"]["hasNextPage"] is True
    default = (await ask(env, query, {"n": None}))["instrument"]["bars"]
    assert len(default["edges"]) == 100


@pytest.mark.parametrize("n", [0, -1])
async def test_a_page_of_no_rows_is_refused(env, n):
    error = await fail(env, f"{{ instruments(first: {n}) {{ edges {{ cursor }} }} }}")
    assert error["extensions"] == {"code": "BAD_INPUT", "field": "first"}
    assert error["message"] == f"first is {n}; it must be from 1 to 200"


async def test_search_finds_a_symbol_or_a_name_in_either_language(env):
    await make_instrument(env, "005930.KS", name="Samsung Electronics", name_local="삼성전자")
    await make_instrument(env, "AAPL", name="Apple Inc.")
    query = "query($s: String) { instruments(search: $s) { edges { node { symbol } } } }"

    async def search(words: str) -> list[str]:
        found = (await ask(env, query, {"s": words}))["instruments"]["edges"]
        return [edge["node"]["symbol"] for edge in found]

    assert await search("삼성") == ["005930.KS"]
    assert await search("apple") == ["AAPL"]
    assert await search("0059") == ["005930.KS"]
    assert await search("%") == []


async def test_bars_are_as_traded_and_exact(env):
    await make_instrument(env, "AAPL")
    days = await make_bars(env, "AAPL", [100.25, None, 187.4325], start=START, volume=4_300_000_000)
    await make_split(env, "AAPL", days[2], 2)
    query = """query($from: Date, $to: Date) { instrument(symbol: "AAPL") {
        bars(from: $from, to: $to) { edges { node { day open high low close volume } } } } }"""
    bars = (await ask(env, query))["instrument"]["bars"]["edges"]
    assert [bar["node"]["close"] for bar in bars] == ["100.25", None, "187.4325"]
    assert bars[0]["node"]["volume"] == "4300000000"
    assert bars[2]["node"]["day"] == days[2].isoformat()
    only = await ask(env, query, {"from": days[1].isoformat(), "to": days[1].isoformat()})
    assert len(only["instrument"]["bars"]["edges"]) == 1


async def test_a_span_turned_round_names_the_argument(env):
    await make_instrument(env, "AAPL")
    error = await fail(
        env,
        '{ instrument(symbol: "AAPL") { bars(from: "2025-02-01", to: "2025-01-01") { totalCount } } }',
    )
    assert error["extensions"] == {"code": "BAD_INPUT", "field": "from"}
    assert "2025-02-01" in error["message"]


async def test_a_series_has_columns_of_equal_length(env):
    await make_instrument(env, "AAPL")
    days = await make_bars(env, "AAPL", [100.0, 102.0, 51.0, 52.0], start=START)
    await make_split(env, "AAPL", days[2], 2)
    query = """{ instrument(symbol: "AAPL") {
        adjusted: series(studies: [2], indicators: [RSI, MACD])
        traded: series(basis: AS_TRADED, last: 2)  weekly: series(interval: WEEK)
        sparkline(points: 3) } }"""
    found = (await ask(env, query))["instrument"]
    adjusted = found["adjusted"]
    assert adjusted["time"] == [day.isoformat() for day in days]
    assert adjusted["close"] == [50.0, 51.0, 51.0, 52.0]
    assert adjusted["sma_2"] == [None, 50.5, 51.0, 51.5]
    assert {"rsi_14", "macd", "macd_signal", "macd_histogram"} <= set(adjusted)
    assert {len(column) for column in adjusted.values()} == {4}
    assert found["traded"]["close"] == [51.0, 52.0]
    assert len(found["weekly"]["time"]) == 1
    assert found["sparkline"] == {"close": [51.0, 51.0, 52.0]}


@pytest.mark.parametrize("points", [0, 261])
async def test_a_sparkline_of_too_few_or_many_points_is_refused(env, points):
    await make_instrument(env, "AAPL")
    error = await fail(env, f'{{ instrument(symbol: "AAPL") {{ sparkline(points: {points}) }} }}')
    assert error["extensions"] == {"code": "BAD_INPUT", "field": "points"}


async def test_splits_and_dividends_are_exact(env):
    await make_instrument(env, "AAPL")
    await make_split(env, "AAPL", START, 3, 2)
    await make_dividend(env, "AAPL", START, 0.135)
    query = """{ instrument(symbol: "AAPL") {
        splits { day numerator denominator } dividends { day amount } } }"""
    assert (await ask(env, query))["instrument"] == {
        "splits": [{"day": "2025-01-06", "numerator": "3", "denominator": "2"}],
        "dividends": [{"day": "2025-01-06", "amount": "0.135"}],
    }


async def test_sessions_are_the_coming_ones_of_its_market(env):
    await make_instrument(env, "AAPL")
    today = env.clock.now().date()
    days = weekdays(date.fromordinal(today.toordinal() + 2), 3)
    await make_sessions(env, "XNAS", days)
    query = '{ instrument(symbol: "AAPL") { sessions(first: 2) { day openAt closeAt } } }'
    sessions = (await ask(env, query))["instrument"]["sessions"]
    assert sessions[0] == {
        "day": days[0].isoformat(),
        "openAt": f"{days[0]}T14:00:00Z",
        "closeAt": f"{days[0]}T21:00:00Z",
    }
    assert len(sessions) == 2


async def test_a_quote_is_the_last_close_while_nothing_is_live(env):
    await make_instrument(env, "AAPL")
    await make_instrument(env, "IBM")
    days = await make_bars(env, "AAPL", [100.0, 110.25], start=START)
    query = """{ instrument(symbol: "AAPL") { quote { price previousClose change changePercent day
        source } } bare: instrument(symbol: "IBM") { quote { price } }
        quotes(symbols: ["aapl", "IBM", "NONE", "AAPL"]) { symbol price at } }"""
    found = await ask(env, query)
    assert found["instrument"]["quote"] == {
        "price": "110.25",
        "previousClose": "100",
        "change": "10.25",
        "changePercent": pytest.approx(10.25),
        "day": days[1].isoformat(),
        "source": "SAMPLE",
    }
    assert found["bare"] == {"quote": None}
    assert [(q["symbol"], q["price"]) for q in found["quotes"]] == [("AAPL", "110.25")]
    assert found["quotes"][0]["at"].endswith("Z")


async def test_markets_tell_their_hours_with_korea_first(env):
    now = env.clock.now()
    async with env.db.write() as db:
        await db.execute(
            text("INSERT INTO exchange_session VALUES ('XKRX', :day, :begin, :end)"),
            {
                "day": now.date(),
                "begin": datetime(2020, 1, 1, tzinfo=UTC),
                "end": datetime(2099, 1, 1, 6, 30, tzinfo=UTC),
            },
        )
    query = "{ markets { mic open openAt closeAt nextChange sessionDay timeZone } }"
    markets = (await ask(env, query))["markets"]
    assert [market["mic"] for market in markets] == ["XKRX", "XNYS", "XNAS", "ARCX", "CCY"]
    assert markets[1]["openAt"] is None
    assert markets[1]["open"] is False


async def test_a_rate_is_exact_both_ways_and_null_when_there_is_none(env):
    row = {"base": "USD", "quote": "KRW", "day": START, "rate": Decimal("1433.25")}
    async with env.db.write() as db:
        await db.execute(insert(FxRate).values(**row, source="sample", fetched_at=AT))
    query = """query($on: Date) { fxRate(base: "USD", quote: "KRW", on: $on) { base quote day rate }
        eur: fxRate(base: "EUR", quote: "KRW") { rate } }"""
    found = await ask(env, query)
    expected = {"base": "USD", "quote": "KRW", "day": "2025-01-06", "rate": "1433.25"}
    assert found == {"fxRate": expected, "eur": None}
    assert (await ask(env, query, {"on": "2025-01-01"}))["fxRate"] is None
    error = await fail(env, '{ fxRate(base: "usd", quote: "KRW") { rate } }')
    assert error["extensions"] == {"code": "BAD_INPUT", "field": "base"}


async def test_the_source_says_which_days_it_has(sample_env):
    await make_instrument(sample_env, "AAPL")
    days = await make_bars(sample_env, "AAPL", [100.0] * 5, start=date(2013, 2, 11))
    query = '{ source { name historic replayDay firstDay lastDay } instrument(symbol: "AAPL") { intradayReason freshness { state lastDay } } }'
    found = await ask(sample_env, query)
    assert found["source"]["name"] == "SAMPLE"
    assert found["source"]["historic"] is True
    assert found["source"]["firstDay"] == days[0].isoformat()
    assert found["instrument"]["freshness"]["state"] == "HISTORIC"
    assert found["instrument"]["intradayReason"] == "The sample has daily prices only."


async def test_an_exchange_whose_sources_have_days_only_says_why(env, yahoo):
    await choose_source(env)
    ordered = with_order(env, "XKRX=krx,folder;*=yahoo")
    for symbol in ("005930.KS", "AAPL"):
        await make_instrument(env, symbol)
        await make_bars(env, symbol, [100.0] * 3, source="krx" if symbol[0] == "0" else "yahoo")
    query = """{ instruments(symbols: ["005930.KS", "AAPL"]) { edges { node {
        symbol intradayReason liveReason quote { source state } series(interval: MINUTE_5) } } } }"""
    found = await ask(ordered, query)
    nodes = {edge["node"]["symbol"]: edge["node"] for edge in found["instruments"]["edges"]}
    samsung = nodes["005930.KS"]
    sources = "The sources of this exchange (Naver, folder)"
    assert samsung["intradayReason"] == f"{sources} have daily prices only."
    assert samsung["liveReason"].startswith(f"{sources} have no live prices")
    assert (samsung["quote"]["source"], samsung["series"]["time"]) == ("KRX", [])
    assert (nodes["AAPL"]["intradayReason"], nodes["AAPL"]["liveReason"]) == (None, None)
    assert {entry["symbol"] for entry in yahoo.log()} == {"AAPL"}
    korean = await ask(ordered, query, locale="ko")
    assert "실시간 시세가 없습니다" in str(korean)


async def test_fundamentals_are_those_of_a_day_and_one_question_for_all(env):
    await choose_source(env)
    for symbol in ("AAPL", "IBM", "MSFT"):
        await make_instrument(env, symbol)
    for day, pe in ((date(2026, 1, 5), 31.25), (date(2026, 1, 7), 28.0)):
        figures = {"market_cap": Decimal(3012345678912), "trailing_pe": pe}
        await make_fundamentals(env, "AAPL", day, refused=["price_to_book"], **figures)
    query = """query ($on: Date) { instruments { edges { node {
        symbol fundamentals(on: $on) { day source currency marketCap trailingPe refused } } } } }"""
    with counting_statements(env) as statements:
        found = await ask(env, query, {"on": "2026-01-06"})
    assert len([s for s in statements if "fundamental" in s]) == 1
    nodes = {edge["node"]["symbol"]: edge["node"] for edge in found["instruments"]["edges"]}
    assert nodes["AAPL"]["fundamentals"] == {
        "day": "2026-01-05",
        "source": "yfinance",
        "currency": "USD",
        "marketCap": "3012345678912",
        "trailingPe": 31.25,
        "refused": ["priceToBook"],
    }
    assert nodes["IBM"]["fundamentals"] is None
    newest = await ask(env, '{ instrument(symbol: "AAPL") { fundamentals { day trailingPe } } }')
    assert newest["instrument"]["fundamentals"] == {"day": "2026-01-07", "trailingPe": 28.0}
    before = await ask(env, query, {"on": "2026-01-04"})
    assert {e["node"]["fundamentals"] for e in before["instruments"]["edges"]} == {None}


async def test_tracking_asks_the_source_and_opens_a_collection(env, yahoo):
    await choose_source(env)
    query = """mutation { trackInstrument(symbol: " ibm ") { symbol currency tracked
        exchange { mic } } }"""
    found = (await ask(env, query))["trackInstrument"]
    assert found["symbol"] == "IBM"
    assert found["tracked"] is True
    jobs = await ask(env, "{ collections { symbol state attempts instrument { symbol } } }")
    assert jobs["collections"] == [
        {"symbol": "IBM", "state": "PENDING", "attempts": 0, "instrument": {"symbol": "IBM"}}
    ]


async def test_a_symbol_that_the_source_does_not_know_leaves_nothing_behind(env, yahoo):
    await choose_source(env)
    error = await fail(env, 'mutation { trackInstrument(symbol: "NOSUCH") { symbol } }')
    assert error["extensions"] == {"code": "BAD_INPUT", "field": "symbol"}
    assert "NOSUCH" in error["message"]
    found = await ask(env, "{ instruments { totalCount } collections { id } }")
    assert found == {"instruments": {"totalCount": 0}, "collections": []}


async def test_collecting_all_twice_at_once_is_told_to_wait(env):
    await choose_source(env)
    await make_instrument(env, "AAPL")
    query = "mutation { collect { symbol state requestedAt } }"
    assert [job["symbol"] for job in (await ask(env, query))["collect"]] == ["AAPL"]
    error = await fail(env, query)
    assert error["extensions"]["code"] == "RATE_LIMITED"
    assert 0 < error["extensions"]["retryAfter"] <= 10


async def test_a_source_is_switched_by_name(env, yahoo):
    await choose_source(env)
    found = await ask(env, "mutation { switchSource(name: SAMPLE) { name historic } }")
    assert found == {"switchSource": {"name": "SAMPLE", "historic": True}}
    error = await fail(env, "mutation { switchSource(name: OTHER) { name } }")
    assert error["extensions"]["code"] == "BAD_INPUT"


async def test_more_than_200_symbols_or_one_that_is_none_is_refused(env):
    query = "query($s: [String!]!) { quotes(symbols: $s) { symbol } }"
    error = await fail(env, query, {"s": [f"S{i}" for i in range(201)]})
    assert error["extensions"] == {"code": "BAD_INPUT", "field": "symbols"}
    assert error["message"] == "symbols has 201 entries; 200 are allowed"
    for bad in ("AAPL\x00", "'; DROP TABLE bar; --", "%", "", "A" * 21):
        error = await fail(env, query, {"s": [bad]})
        assert error["extensions"] == {"code": "BAD_INPUT", "field": "symbol"}
