"""What forms do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import text

from app.services.collect.collections import collect_symbol
from tests.clocks import at
from tests.factories import make_bars, make_instrument, make_sessions, with_order
from tests.web.pages import START, browsing, calling_from, choose_source, make_market

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


async def test_an_added_symbol_leads_to_its_page(env, settings):
    await make_market(env)
    async with browsing(settings) as http:
        answer = await http.post("/track", data={"symbol": " msft "})
        again = await http.post("/track", data={"symbol": "IBM"}, headers=HTMX)
        page = await http.get("/instruments/MSFT")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/instruments/MSFT"
    assert again.status_code == 204
    assert '"path":"/instruments/IBM"' in again.headers["hx-location"]
    assert page.status_code == 200


async def test_an_unknown_symbol_stays_in_its_field_with_what_was_wrong(env, settings):
    await make_market(env)
    async with browsing(settings, "ko") as http:
        plain = await http.post("/track", data={"symbol": "NOPE1"})
        part = await http.post("/track", data={"symbol": "NOPE1"}, headers=HTMX)
        bad = await http.post("/track", data={"symbol": "<script>"}, headers=HTMX)
    for answer in (plain, part):
        assert answer.status_code == 422
        assert 'value="NOPE1"' in answer.text
        assert 'aria-invalid="true"' in answer.text
        assert 'id="track-error"' in answer.text
    assert "<html" in plain.text
    assert part.text.startswith('<form id="track"')
    assert bad.status_code == 422
    assert "&lt;script&gt;" in bad.text
    async with env.db.read() as db:
        rows = await db.scalar(text("SELECT count(*) FROM instrument WHERE symbol = 'NOPE1'"))
    assert rows == 0


async def test_collect_now_makes_jobs_and_shows_them(env, settings):
    await make_market(env)
    async with browsing(settings) as http:
        answer = await http.post("/collect", data={"symbol": "AAPL"})
        page = await http.get("/jobs")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/jobs"
    assert "Waiting" in page.text


async def test_collecting_everything_twice_in_a_moment_is_too_often(env, settings):
    await make_market(env)
    async with browsing(settings) as http:
        await http.post("/collect", data={"symbol": ""})
        again = await http.post("/collect", data={"symbol": ""})
    assert again.status_code == 429
    assert int(again.headers["retry-after"]) >= 1
    assert "Too often" in again.text


async def test_the_source_is_switched_by_one_button(env, settings):
    await make_market(env, "sample")
    async with browsing(settings) as http:
        answer = await http.post("/source", data={"source": "yahoo"})
        page = (await http.get("/about")).text
    assert answer.status_code == 303
    assert answer.headers["location"] == "/"
    assert "HISTORIC" not in page
    assert "Yahoo Finance" in page


async def test_a_source_that_there_is_not_is_refused(env, settings):
    await make_market(env)
    async with browsing(settings) as http:
        answer = await http.post("/source", data={"source": "bloomberg"})
    assert answer.status_code == 400


@pytest.mark.parametrize("path", ["/track", "/collect", "/source"])
async def test_nobody_elsewhere_may_change_anything(env, settings, path):
    await make_market(env)
    async with calling_from(settings, "203.0.113.7") as client:
        answer = await client.http.post(path, data={"symbol": "MSFT", "source": "sample"})
    assert answer.status_code == 401
    async with env.db.read() as db:
        assert await db.scalar(text("SELECT count(*) FROM job")) == 0


@pytest.mark.parametrize("path", ["/track", "/collect", "/source"])
async def test_a_form_is_never_sent_by_get(env, settings, path):
    await choose_source(env, "yahoo")
    async with browsing(settings) as http:
        answer = await http.get(path)
    assert answer.status_code == 405


@pytest.fixture
async def korean(env, settings, yahoo, naver):
    """Samsung from Yahoo, on the evening of its last session, with Naver behind."""
    await choose_source(env, "yahoo")
    days = naver.listings["005930.KS"].bars["day"].to_list()
    await make_sessions(env, "XKRX", days, opens=0, closes=7)
    await make_instrument(env, "005930.KS")
    live = at(with_order(env, "XKRX=yahoo,krx"), "2013-02-28T12:00")
    await collect_symbol(live, "005930.KS")
    return replace(live.settings, clock=live.clock)


async def test_the_source_of_an_instrument_is_changed_by_a_plain_form(korean):
    async with browsing(korean) as http:
        page = await http.get("/instruments/005930.KS/data")
        assert '<option value="krx">Naver Finance</option>' in page.text
        assert '<option value="yahoo">' not in page.text
        form = {"symbol": "005930.KS", "provider": "krx"}
        answer = await http.post("/data/source", data=form)
        assert (answer.status_code, answer.headers["location"]) == (
            303,
            "/instruments/005930.KS/data",
        )
        page = await http.get("/instruments/005930.KS/data")
    assert '<option value="yahoo">Yahoo Finance</option>' in page.text
    assert '<option value="krx">' not in page.text


async def test_a_source_that_cannot_be_taken_says_why_beside_the_choice(korean, naver):
    async with browsing(korean) as http:
        naver.fault("005930.KS", "truncated")
        form = {"symbol": "005930.KS", "provider": "krx"}
        silent = await http.post("/data/source", data=form)
        unknown = await http.post("/data/source", data=form | {"provider": "folder"})
        nobody = await http.post("/data/source", data=form | {"symbol": "NONE"})
    assert (silent.status_code, unknown.status_code, nobody.status_code) == (503, 400, 404)
    for answer in (silent, unknown):
        assert 'role="alert"' in answer.text
        assert "Source of the prices" in answer.text


async def test_nobody_elsewhere_may_change_the_source(korean):
    async with calling_from(korean, "203.0.113.7") as client:
        form = {"symbol": "005930.KS", "provider": "krx"}
        assert (await client.http.post("/data/source", data=form)).status_code == 401


async def test_with_one_provider_there_is_nothing_to_choose(env, settings):
    await choose_source(env, "yahoo")
    await make_instrument(env, "AAPL")
    await make_bars(env, "AAPL", [10, 11], start=START, source="yahoo")
    async with browsing(settings) as http:
        assert 'id="source"' not in (await http.get("/instruments/AAPL/data")).text
