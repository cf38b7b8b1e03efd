"""The chart API read strictly: days, names, events, and every rule that an answer can break."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import orjson
import pytest

from app.adapters.prices import History, Intraday, NoData, Tick
from app.adapters.yahoo_parse import (
    Malformed,
    parse_history,
    parse_intraday,
    parse_tick,
    read_chart,
    read_error,
    read_result,
)

Result = dict[str, Any]


def seconds(text: str) -> int:
    """`2024-01-02T00:00Z` as a time stamp."""
    return int(datetime.fromisoformat(text).timestamp())


def answer(*rows: tuple[Any, ...], symbol: str = "AAPL", **meta: Any) -> Result:
    """A result; a row is (instant, open, high, low, close, volume)."""
    known = {
        "symbol": symbol,
        "currency": "USD",
        "exchangeName": "NMS",
        "instrumentType": "EQUITY",
        "exchangeTimezoneName": "America/New_York",
        "longName": "Apple Inc.",
    }
    columns = ("open", "high", "low", "close", "volume")
    quote = {name: [row[i] for row in rows] for i, name in enumerate(columns, 1)}
    return {
        "meta": known | meta,
        "timestamp": [seconds(row[0]) for row in rows],
        "indicators": {"quote": [quote], "adjclose": [{"adjclose": [row[4] for row in rows]}]},
    }


MONDAY = ("2024-01-08T14:30Z", 10.0, 12.0, 9.0, 11.0, 100)
TUESDAY = ("2024-01-09T14:30Z", 11.0, 13.0, 10.0, 12.0, 200)
SAMSUNG = {
    "symbol": "005930.KS",
    "currency": "KRW",
    "exchangeName": "KSC",
    "exchangeTimezoneName": "Asia/Seoul",
}


def history(result: Result, symbol: str = "AAPL") -> History:
    """The parsed history, which must be there."""
    found = parse_history(result, symbol)
    assert isinstance(found, History)
    return found


def test_a_bar_stamped_at_midnight_in_seoul_belongs_to_the_korean_day() -> None:
    """G09: 2024-01-08 00:00 in Seoul is still 7 January in UTC."""
    row = ("2024-01-08T00:00+09:00", 70_000, 71_000, 69_900, 70_500, 5)
    assert history(answer(row, **SAMSUNG), "005930.KS").bars["day"].to_list() == [date(2024, 1, 8)]


def test_a_rate_stamped_at_midnight_in_london_belongs_to_the_day_in_summer_too() -> None:
    meta = {"currency": "KRW", "exchangeName": "CCY", "instrumentType": "CURRENCY"}
    meta |= {"exchangeTimezoneName": "Europe/London", "symbol": "USDKRW=X"}
    row = ("2024-07-08T23:00Z", 1380.0, 1385.0, 1379.0, 1382.0999755859375, 0)
    found = history(answer(row, **meta), "USDKRW=X")
    assert found.bars["day"].to_list() == [date(2024, 7, 9)]
    assert found.bars["close"].to_list() == [1382.1]


def test_names_are_tidied_and_the_korean_one_is_added() -> None:
    found = history(
        answer(MONDAY, longName=None, shortName="  Samsung \n Elec ", **SAMSUNG), "005930.KS"
    )
    assert (found.info.name, found.info.name_local) == ("Samsung Elec", "삼성전자")
    assert history(answer(MONDAY, longName=None)).info.name == "AAPL"
    assert len(history(answer(MONDAY, longName="x" * 999)).info.name) == 120


def test_two_rows_of_one_day_are_the_last_one() -> None:
    later = ("2024-01-09T20:59:58Z", 11.0, 14.0, 10.0, 13.5, 300)
    found = history(answer(MONDAY, TUESDAY, later))
    assert found.bars["close"].to_list() == [11, 13.5]


def test_an_empty_live_row_does_not_hide_the_one_before_it() -> None:
    empty = ("2024-01-09T20:59:58Z", None, None, None, None, None)
    assert history(answer(MONDAY, TUESDAY, empty)).bars["close"].to_list() == [11, 12]


def test_an_answer_without_rows_is_no_data() -> None:
    bare = answer()
    del bare["timestamp"]
    bare["indicators"] = {"quote": [{}], "adjclose": [{}]}
    empty = ("2024-01-09T14:30Z", None, None, None, None, None)
    assert parse_history(bare, "AAPL") == NoData("no daily prices of AAPL")
    assert parse_history(answer(empty), "AAPL") == NoData("no daily prices of AAPL")
    assert parse_intraday(bare, "AAPL", minutes=5, days=1) == NoData(
        "no prices of AAPL within the day"
    )
    assert parse_tick(bare, "AAPL") == NoData("no price of AAPL")


def test_an_adjusted_close_may_be_missing() -> None:
    bare = answer(MONDAY)
    del bare["indicators"]["adjclose"]
    assert history(bare).bars["adj_close"].to_list() == [None]


def test_events_of_one_day_are_one_event_and_nothing_is_none() -> None:
    result = answer(MONDAY, TUESDAY)
    at = seconds(TUESDAY[0])
    result["events"] = {
        "dividends": {"1": {"date": at, "amount": 0.25}, "2": {"date": at, "amount": 0}},
        "capitalGains": {"1": {"date": at, "amount": 0.5}},
        "splits": {
            "1": {"date": at, "numerator": 3, "denominator": 2},
            "2": {"date": at, "numerator": 2, "denominator": 1},
            "3": {"date": seconds(MONDAY[0]), "numerator": 1, "denominator": 1},
        },
    }
    found = history(result)
    assert found.splits.rows() == [(date(2024, 1, 9), 6, 2)]
    assert found.dividends.rows() == [(date(2024, 1, 9), 0.75)]
    assert found.bars["close"].to_list() == [33, 12]


def test_a_dividend_before_a_split_is_paid_on_old_shares() -> None:
    """Samsung, 2018: 354 won shown on the new share, 17,700 won paid on the old one."""
    split, paid = "2018-05-04T00:00Z", "2018-03-29T00:00Z"
    result = answer((split, 53_000, 53_900, 51_800, 51_900, 10), **SAMSUNG)
    result["events"] = {
        "dividends": {"1": {"date": seconds(paid), "amount": 354.00001}},
        "splits": {"1": {"date": seconds(split), "numerator": 50, "denominator": 1}},
    }
    assert history(result, "005930.KS").dividends.rows() == [(date(2018, 3, 29), 17_700)]


def test_bars_within_the_day_are_whole_and_of_the_last_days() -> None:
    rows = [
        ("2024-01-08T14:30Z", 10.0, 12.0, 9.0, 11.0, 1),
        ("2024-01-09T14:30Z", 10.0, 12.0, 9.0, 11.5, 2),
        ("2024-01-09T14:35Z", 10.0, 9.0, 11.0, 11.5, 3),
        ("2024-01-09T14:40Z", None, None, None, None, None),
        ("2024-01-09T14:41:07Z", 10.0, 10.0, 10.0, 10.0, 0),
    ]
    found = parse_intraday(answer(*rows, dataGranularity="5m"), "AAPL", minutes=5, days=1)
    assert isinstance(found, Intraday)
    assert found.bars["at"].to_list() == [
        datetime(2024, 1, 9, 14, 30, tzinfo=UTC),
        datetime(2024, 1, 9, 14, 41, 7, tzinfo=UTC),
    ]


def test_a_price_comes_from_the_regular_session() -> None:
    meta = {"regularMarketPrice": 185.56, "regularMarketTime": seconds("2024-01-08T21:00:01Z")}
    at = datetime(2024, 1, 8, 21, 0, 1, tzinfo=UTC)
    assert parse_tick(answer(**meta), "AAPL") == Tick("AAPL", 185.56, at)
    meta |= {"chartPreviousClose": 181.17999267578125, "regularMarketVolume": 59144470}
    full = Tick("AAPL", 185.56, at, previous_close=181.18, volume=59144470)
    assert parse_tick(answer(**meta), "AAPL") == full


def _meta(**changes: Any) -> Callable[[Result], object]:
    return lambda result: result["meta"].update(changes)


def _quote(name: str, value: Any) -> Callable[[Result], object]:
    return lambda result: result["indicators"]["quote"][0].update({name: value})


def _events(**events: Any) -> Callable[[Result], object]:
    return lambda result: result.update(events=events)


BROKEN: list[tuple[Callable[[Result], object], str]] = [
    (_meta(symbol="MSFT"), "asked for AAPL, got MSFT"),
    (_meta(symbol=None), "meta.symbol is None"),
    (_meta(currency=""), "meta.currency is ''"),
    (_meta(currency="EUR"), "AAPL is in EUR; USD was expected"),
    (_meta(instrumentType="FUTURE"), "of the kind FUTURE: stocks, ETFs, indices and rates only"),
    (_meta(exchangeName="LSE"), "exchange LSE is not supported: Korean and US exchanges only"),
    (_meta(exchangeTimezoneName="Mars/Olympus"), "the time zone 'Mars/Olympus' is unknown"),
    (_meta(exchangeTimezoneName="../etc/passwd"), "is unknown"),
    (_meta(dataGranularity="1mo"), "asked for bars of 1d, got 1mo"),
    (_meta(exchangeName="CCY", instrumentType="CURRENCY"), "AAPL is no currency pair"),
    (lambda result: result.update(meta=[]), "the result has no meta"),
    (lambda result: result.update(timestamp=["x", "y"]), "a timestamp is no whole number"),
    (lambda result: result.update(timestamp=[True, True]), "a timestamp is no whole number"),
    (lambda result: result.update(timestamp={"a": 1}), "a timestamp is no whole number"),
    (lambda result: result.update(timestamp=[5, 4]), "the timestamps are not in order"),
    (lambda result: result.update(timestamp=[5, 10**15]), "a timestamp is out of range"),
    (lambda result: result.update(timestamp=[5]), "open has not one value for each of 1"),
    (lambda result: result.update(indicators=None), "indicators.quote is not a list of one"),
    (lambda result: result["indicators"].update(quote=[]), "indicators.quote is not a list of one"),
    (lambda result: result["indicators"].update(adjclose=[1]), "indicators.adjclose is not"),
    (_quote("close", [1.0]), "close has not one value for each of 2 timestamps"),
    (_quote("close", None), "close has not one value"),
    (_quote("open", ["10", 11.0]), "open holds '10'"),
    (_quote("open", [True, 11.0]), "open holds 'True'"),
    (_quote("high", [1e13, 11.0]), "high holds '10000000000000.0'"),
    (_quote("volume", [1e17, 1]), "volume holds '1e\\+17'"),
    (_events(splits=[]), "events.splits is no object"),
    (_events(splits={"1": 5}), "events.splits holds something that is no object"),
    (_events(splits={"1": {"date": 5, "numerator": 4}}), "events.splits holds"),
    (_events(splits={"1": {"date": None}}), "a timestamp is no whole number"),
    (_events(splits={"1": {"date": 5, "numerator": 4, "denominator": 0}}), "is 4 for 0"),
    (_events(splits={"1": {"date": 5, "numerator": 0, "denominator": 1}}), "is 0 for 1"),
    (_events(splits={"1": {"date": 5, "numerator": 10**6, "denominator": 1}}), "is 1e\\+06 for 1"),
    (_events(dividends={"1": {"date": 5, "amount": -1}}), "events.dividends holds \\[-1\\]"),
    (_events(dividends={"1": {"date": 5, "amount": "1"}}), "events.dividends holds '1'"),
    (lambda result: result.update(events=3), "events.splits is no object"),
]


@pytest.mark.parametrize(("change", "message"), BROKEN)
def test_a_broken_rule_is_named(change: Callable[[Result], object], message: str) -> None:
    result = copy.deepcopy(answer(MONDAY, TUESDAY))
    change(result)
    with pytest.raises(Malformed, match=message):
        parse_history(result, "AAPL")


def test_a_pair_in_another_currency_is_refused() -> None:
    meta = {"exchangeName": "CCY", "instrumentType": "CURRENCY", "currency": "JPY"}
    with pytest.raises(Malformed, match="only KRW and USD are supported"):
        parse_history(answer(MONDAY, symbol="USDJPY=X", **meta), "USDJPY=X")


@pytest.mark.parametrize(
    ("meta", "message"),
    [
        ({"regularMarketPrice": 0}, "the price of AAPL is 0"),
        ({"regularMarketPrice": "1"}, "regularMarketPrice holds '1'"),
        ({"regularMarketTime": 1.5}, "a timestamp is no whole number"),
        ({"previousClose": -1}, "the price of AAPL is -1"),
    ],
)
def test_a_broken_price_is_named(meta: dict[str, Any], message: str) -> None:
    known = {"regularMarketPrice": 1.0, "regularMarketTime": 5} | meta
    with pytest.raises(Malformed, match=message):
        parse_tick(answer(**known), "AAPL")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "no JSON"),
        (b"<html>", "no JSON"),
        (b'{"chart":', "no JSON"),
        (b'{"chart": {"result": NaN}}', "no JSON"),
        (b"[]", "the answer has no chart"),
        (b'{"chart": 5}', "the answer has no chart"),
        (b'{"finance": {}}', "the answer has no chart"),
    ],
)
def test_what_is_no_chart_is_named(body: bytes, message: str) -> None:
    with pytest.raises(Malformed, match=message):
        read_chart(body)


@pytest.mark.parametrize("result", [None, [], [1], [{}, {}], {}, "x"])
def test_a_chart_has_one_result(result: object) -> None:
    with pytest.raises(Malformed, match="not a list of one result"):
        read_result({"result": result})


def test_an_error_has_a_code_and_a_text() -> None:
    body = {"chart": {"error": {"code": "Not Found", "description": "No data found"}}}
    assert read_error(read_chart(orjson.dumps(body))) == ("Not Found", "No data found")
    assert read_error({"error": None}) is None
    with pytest.raises(Malformed, match=r"chart\.error has no code"):
        read_error({"error": "x"})
