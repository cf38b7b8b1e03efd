"""`/universe` and the removal of an instrument, without JavaScript."""

from __future__ import annotations

from sqlalchemy import text

from tests.factories import make_instrument
from tests.web.pages import browsing, calling_from, make_market, read, text_of


async def test_the_page_lists_what_is_watched_with_its_stored_days(env, settings):
    await make_market(env)
    async with env.db.write() as db:
        await db.execute(
            text("UPDATE instrument SET delisted_at = '2025-04-25' WHERE symbol = 'AAPL'")
        )
    async with browsing(settings) as http:
        page = (await http.get("/universe")).text
    words = text_of(page)
    assert "KOSPI 200" in words
    assert "as of 2026-03-01 · 503 symbols · 1 watched" in words
    assert "2025-01-06" in words
    assert words.count("Delisted") == 1
    assert 'href="/instruments/005930.KS/remove"' in page


async def test_more_than_fifty_come_in_pages(env, settings):
    await make_market(env)
    for number in range(60):
        await make_instrument(env, f"S{number:03}")
    async with browsing(settings) as http:
        first = (await http.get("/universe")).text
        after = first.partition('href="/universe?after=')[2].partition('"')[0]
        second = (await http.get(f"/universe?after={after}")).text
    assert first.count("data-symbol=") == 50
    assert second.count("data-symbol=") == 13
    assert 'href="/universe?after=' not in second


async def test_a_pasted_list_is_added_and_what_was_not_is_told_line_by_line(env, settings):
    await make_market(env)
    async with browsing(settings, "ko") as http:
        pasted = "000660 MSFT\r\nAAPL; 삼성전자 ???"
        answer = await http.post("/universe", data={"symbols": pasted})
    assert answer.status_code == 200
    words = text_of(answer.text)
    assert "2개 추가" in words
    assert "1개 이미 등록됨" in words
    assert "2개 인식 불가" in words
    assert ">삼성전자 ???</textarea>" in answer.text  # what was not understood stays to be mended
    assert answer.text.count("data-outcome=") == 3
    read(answer.text)
    async with env.db.read() as db:
        jobs = set(await db.scalars(text("SELECT symbol FROM job")))
    assert jobs == {"000660.KS", "MSFT"}


async def test_too_many_or_none_is_said_and_what_was_typed_stays(env, settings):
    await make_market(env)
    async with browsing(settings) as http:
        many = await http.post("/universe", data={"symbols": "A " * 601})
        none = await http.post("/universe", data={"symbols": " "})
    for answer in (many, none):
        assert answer.status_code == 422
        assert 'id="symbols-error"' in answer.text
    assert "601 entries" in many.text
    assert "A A A" in many.text


async def test_a_shipped_list_is_added_by_its_button(env, settings):
    await make_market(env)
    async with browsing(settings) as http:
        answer = await http.post("/universe/lists", data={"key": "kospi200"})
        wrong = await http.post("/universe/lists", data={"key": "dow"})
    assert "199 added" in text_of(answer.text)
    assert wrong.status_code == 422


async def test_an_instrument_is_removed_after_what_hangs_on_it_was_shown(env, settings):
    await make_market(env)
    async with browsing(settings) as http:
        asked = (await http.get("/instruments/AAPL/remove")).text
        unsure = await http.post("/instruments/AAPL/remove", data={"confirm": "no"})
        still = await http.get("/instruments/AAPL")
        gone = await http.post("/instruments/AAPL/remove", data={"confirm": "yes"})
        after = await http.get("/instruments/AAPL")
        again = await http.get("/instruments/AAPL/remove")
    assert "Sessions 80 2025-01-06" in text_of(asked)
    assert unsure.headers["location"] == "/instruments/AAPL/remove"
    assert still.status_code == 200
    assert (gone.status_code, gone.headers["location"]) == (303, "/universe")
    assert (after.status_code, again.status_code) == (404, 404)


async def test_every_instrument_may_go_and_the_pages_still_stand(env, settings):
    await make_market(env)
    async with browsing(settings) as http:
        for symbol in ("AAPL", "005930.KS", "%5EKS11"):
            await http.post(f"/instruments/{symbol}/remove", data={"confirm": "yes"})
        pages = [await http.get(path) for path in ("/", "/universe", "/jobs", "/data")]
    assert [page.status_code for page in pages] == [200] * 4
    assert "No instruments yet" in pages[0].text


async def test_a_stranger_adds_and_removes_nothing(env, settings):
    await make_market(env)
    async with calling_from(settings, "10.0.0.9") as client:
        answers = [
            await client.http.post("/universe", data={"symbols": "MSFT"}),
            await client.http.post("/universe/lists", data={"key": "sp500"}),
            await client.http.post("/instruments/AAPL/remove", data={"confirm": "yes"}),
        ]
    assert [answer.status_code for answer in answers] == [401] * 3
    async with env.db.read() as db:
        assert await db.scalar(text("SELECT count(*) FROM instrument")) == 3
