"""The screener without a line of JavaScript: conditions added, hits, mistakes, kept, exported."""

from __future__ import annotations

import csv
import io

import pytest

from app.services.signals.analysis import analyse
from tests.people import make_user
from tests.web.pages import browsing, make_market, text_of
from tests.web.test_portfolio_pages import sign_in

ROW = {"field": "close", "join": "and", "min": "150", "max": "", "word": ""}


@pytest.fixture
async def market(env):
    await make_market(env)
    for symbol in ("AAPL", "005930.KS", "^KS11"):
        await analyse(env, symbol)
    return env


async def test_a_condition_is_added_filled_in_and_removed(market, settings):
    async with browsing(settings) as http:
        page = text_of((await http.get("/screener")).text)
        assert "3 hits" in page
        assert "every instrument is a hit" in page
        answer = await http.get("/screener", params={"form": "1", "add": "close"})
        assert answer.headers["location"] == "/screener?where=close:.."
        assert 'name="max"' in (await http.get("/screener?where=close:..")).text
        answer = await http.get("/screener", params={"form": "1", **ROW})
        assert answer.headers["location"] == "/screener?where=close:150.."
        answer = await http.get("/screener", params={"form": "1", **ROW, "remove": "0"})
        assert answer.headers["location"] == "/screener"


async def test_hits_have_their_names_their_mark_and_the_columns_asked_for(market, settings):
    async with browsing(settings) as http:
        answer = await http.get("/screener?where=currency:USD&where=sma_50:1..&sort=-rsi_14")
        page = text_of(answer.text)
        assert "1 hit" in page
        assert "Apple" in page
        assert "Average of 50" in page  # a column, for it is asked for
        assert 'data-freshness="' in answer.text  # no calendar: it is not known to be up to date
        assert 'aria-sort="descending"' in answer.text
        korean = await http.get("/screener?preset=OVERSOLD", headers={"Accept-Language": "ko"})
        assert "종목 찾기" in korean.text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("where=rsi_14:140..", "RSI (14) is asked for at 140; it must be from 0 to 100"),
        ("where=close:abc..", "Close is asked for at 'abc'; it must be a number"),
        ("where=beauty:1..", "There is no figure 'beauty'"),
        ("where=" + "|".join(["close:1.."] * 60), "filter has 60 terms; 50 are allowed"),
        ("sort=beauty", "There is no figure 'beauty'"),
        ("preset=NICE", "NICE"),
    ],
)
async def test_a_mistake_stands_above_the_rows(market, settings, query, said):
    async with browsing(settings) as http:
        answer = await http.get(f"/screener?{query}")
        assert answer.status_code == 422
        assert said in text_of(answer.text)
        assert "Conditions" in text_of(answer.text)


async def test_a_screen_is_kept_and_forgotten(market, settings):
    await make_user(market)
    async with browsing(settings) as http:
        assert "Sign in to keep screens" in text_of((await http.get("/screener")).text)
        await sign_in(http)
        query = "preset=VALUE&where=close:..200&sort=-close"
        answer = await http.post("/screener/save", data={"name": "Cheap", "query": query})
        assert answer.headers["location"] == f"/screener?{query}"
        page = (await http.get("/screener")).text
        assert f'href="/screener?{query.replace("&", "&amp;")}"' in page
        answer = await http.post("/screener/save", data={"name": " ", "query": query})
        assert answer.status_code == 422
        assert "name is" in text_of(answer.text)
        number = page.split('name="id"')[1].split('value="')[1].split('"')[0]
        await http.post("/screener/delete", data={"id": number, "query": ""})
        assert "Cheap" not in (await http.get("/screener")).text


async def test_all_hits_come_as_csv(market, settings):
    async with browsing(settings) as http:
        answer = await http.get("/screener.csv?where=currency:USD,KRW&sort=-close")
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert 'filename="sise-screen.csv"' in answer.headers["content-disposition"]
        lines = list(csv.DictReader(io.StringIO(answer.text)))
        assert len(lines) == 3
        closes = [float(line["close"]) for line in lines]
        assert closes == sorted(closes, reverse=True)
        assert {"symbol", "name", "day", "current", "rsi14", "trailingPe"} <= set(lines[0])
        assert (await http.get("/screener.csv?where=rsi_14:140..")).status_code == 400
