"""Naver's charts, hits and pages, and every rule that they can break."""

from __future__ import annotations

from datetime import date

import orjson
import pytest

from app.adapters.krx_parse import parse_chart, parse_hits, parse_page
from app.adapters.prices import History, NoData, NotListed
from app.adapters.yahoo_parse import Malformed

SAMSUNG = ("005930.KS", "005930")


def chart(*items: str, name: str = "삼성전자", code: str = "005930") -> bytes:
    head = f'<chartdata symbol="{code}" name="{name}" count="3" timeframe="day" precision="0">'
    rows = "".join(f'<item data="{item}" />\n' for item in items)
    text = f'<?xml version="1.0" encoding="EUC-KR" ?>\n<protocol>\n{head}\n{rows}</chartdata>\n'
    return (text + "</protocol>").encode("cp949")


def test_a_chart_is_bars_and_the_korean_name() -> None:
    body = chart("20240102|78200|79800|78200|79600|17142847", "20240103|0|0|0|79600|0")
    found = parse_chart(body, *SAMSUNG)
    assert isinstance(found, History)
    assert (found.info.name, found.info.name_local, found.info.currency) == (
        "삼성전자",
        "삼성전자",
        "KRW",
    )
    assert found.bars.drop("adj_close").rows() == [
        (date(2024, 1, 2), 78_200, 79_800, 78_200, 79_600, 17_142_847),
        (date(2024, 1, 3), None, None, None, 79_600, 0),
    ]


def test_a_name_may_hold_marks() -> None:
    found = parse_chart(chart("20240102|1|1|1|1|1", name="S&amp;K 뷁"), *SAMSUNG)
    assert isinstance(found, History)
    assert found.info.name == "S&K 뷁"


def test_an_index_has_decimals() -> None:
    body = chart("20240102|2655.28|2675.8|2641.1|2669.81|411000", code="KOSPI", name="코스피")
    found = parse_chart(body, "^KS11", "KOSPI")
    assert isinstance(found, History)
    assert (found.info.kind, found.bars["close"].item()) == ("INDEX", 2669.81)


def test_no_rows_are_no_data_and_no_name_is_nobody() -> None:
    assert parse_chart(chart(), *SAMSUNG) == NoData("no daily prices of 005930.KS")
    assert parse_chart(chart(name=""), *SAMSUNG) == NotListed("005930.KS")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "no whole chart"),
        (b"<html></html>", "no whole chart"),
        (chart("20240102|1|1|1|1|1")[:-5], "no whole chart"),
        (b"\xff\xfe\xff", "no EUC-KR"),
        (chart(code="000660"), "asked for 005930, got 000660"),
        (chart("20240102|1|1|1|1|1").replace(b" />", b" "), "an item of the chart is broken"),
        (chart("20240102|1|1|1|1"), "a row of the chart"),
        (chart("20240102|1|1|1|1|1|1"), "a row of the chart"),
        (chart("2024-01-02|1|1|1|1|1"), "a row of the chart"),
        (chart("20240102|x|1|1|1|1"), "a row of the chart"),
        (chart("20240102|-1|1|1|1|1"), "a row of the chart"),
        (chart("20240102|1e9|1|1|1|1"), "a row of the chart"),
        (chart("20240132|1|1|1|1|1"), "a day of the chart is '20240132'"),
        (chart("20240103|1|1|1|1|1", "20240102|1|1|1|1|1"), "not in order"),
        (chart("20240102|1|1|1|1|1", "20240102|1|1|1|1|1"), "not in order"),
    ],
)
def test_a_broken_chart_is_named(body: bytes, message: str) -> None:
    with pytest.raises(Malformed, match=message):
        parse_chart(body, *SAMSUNG)


def test_hits_are_those_of_the_two_korean_markets() -> None:
    items = [
        {"code": "005930", "name": "삼성전자", "typeCode": "KOSPI", "nationCode": "KOR"},
        {"code": "247540", "name": "에코프로비엠", "typeCode": "KOSDAQ", "nationCode": "KOR"},
        {"code": "SSNLF", "name": "X", "typeCode": "OTC", "nationCode": "USA"},
        {"code": "KOSPI", "name": "코스피", "typeCode": "INDEX", "nationCode": "KOR"},
    ]
    found = parse_hits(orjson.dumps({"items": items}))
    assert [(i.symbol, i.name_local) for i in found] == [
        ("005930.KS", "삼성전자"),
        ("247540.KQ", "에코프로비엠"),
    ]


def test_a_page_of_the_listing_has_shares_and_funds() -> None:
    stocks = [
        {"itemCode": "005930", "stockName": "삼성전자", "stockEndType": "stock"},
        {"itemCode": "069500", "stockName": "KODEX 200", "stockEndType": "etf"},
    ]
    body = orjson.dumps({"stocks": stocks, "totalCount": 950})
    total, infos = parse_page(body, "KOSPI")
    assert total == 950
    assert [(i.symbol, i.kind) for i in infos] == [("005930.KS", "EQUITY"), ("069500.KS", "ETF")]


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"stocks": 5}', b'{"stocks": [5]}', b'{"stocks": [], "totalCount": "5"}'],
)
def test_a_broken_page_is_named(body: bytes) -> None:
    with pytest.raises(Malformed):
        parse_page(body, "KOSPI")


@pytest.mark.parametrize("code", [5, None, "../x", "한글"])
def test_an_entry_with_an_impossible_code_is_named(code: object) -> None:
    item = {"itemCode": code, "stockName": "x"}
    with pytest.raises(Malformed, match="an entry is"):
        parse_page(orjson.dumps({"stocks": [item], "totalCount": 1}), "KOSPI")
