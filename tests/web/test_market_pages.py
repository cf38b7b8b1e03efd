"""`/markets`: clocks, trading days, and corrections without JavaScript."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from tests.clocks import StillClock
from tests.factories import make_sessions, weekdays
from tests.web.pages import browsing, calling_from, make_market, read, text_of

FORM = {
    "mics": "XKRX",
    "day": "2026-11-19",
    "closed": "no",
    "opens": "10:00",
    "closes": "16:30",
    "reason": "Exam",
}


async def test_the_page_has_clocks_days_and_corrections_in_both_languages(env, settings):
    await make_market(env)
    days = weekdays(env.clock.now().date() + timedelta(days=1), 20)
    await make_sessions(env, "XKRX", days, opens=0, closes=6)
    await make_sessions(env, "XNYS", days)
    for locale, words in (("en", "Corrections of the calendar"), ("ko", "거래일 달력 정정")):
        async with browsing(settings, locale) as http:
            page = (await http.get("/markets")).text
        assert words in text_of(page)
        tags = read(page).tags
        zones = [known["data-clock"] for _, known in tags if "data-clock" in known]
        both = ["Asia/Seoul", "America/New_York"]
        assert zones == [*both, *both, "Europe/London"]
        assert days[0].isoformat() in page
    assert "대학수학능력시험일" in page


async def test_every_page_has_the_clocks_and_the_time_of_the_site(env, settings):
    await make_market(env)
    still = replace(settings, clock=StillClock(start=datetime(2026, 3, 2, 12, tzinfo=UTC)))
    async with browsing(still) as http:
        page = (await http.get("/about")).text
    assert page.count("data-clock=") == 2
    assert 'data-now="2026-03-02T12:00' in page


async def test_without_a_calendar_the_page_says_so(env, settings):
    await make_market(env)
    async with browsing(settings) as http:
        page = await http.get("/markets")
    assert page.status_code == 200
    assert "The calendar has not been loaded yet." in page.text


async def test_a_correction_is_saved_withdrawn_and_restored_by_forms(env, settings):
    await make_market(env)
    async with browsing(settings) as http:
        saved = await http.post("/markets/overrides", data=FORM | {"mics": "US"})
        page = (await http.get("/markets")).text
        row = {"mics": "XNYS,XNAS,ARCX", "day": FORM["day"]}
        removed = await http.post("/markets/overrides/remove", data=row)
        async with env.db.read() as db:
            active = set(await db.scalars(text("SELECT active FROM session_override")))
        await http.post("/markets/overrides/restore", data=row)
    assert (saved.status_code, saved.headers["location"]) == (303, "/markets#overrides")
    assert page.count('data-override="OWN"') == 1  # one row for the three of them
    assert removed.status_code == 303
    assert active == {False}
    async with env.db.read() as db:
        assert await db.scalar(text("SELECT count(*) FROM session_override WHERE active")) == 3


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"closes": "09:00"}, "closes"),
        ({"opens": "soon"}, "opens"),
        ({"day": "2026-13-01"}, "day"),
        ({"day": ""}, "day"),
        ({"reason": " "}, "reason"),
        ({"mics": "XLON"}, "mics"),
    ],
)
async def test_an_error_stands_at_its_field_and_what_was_typed_stays(env, settings, changes, field):
    await make_market(env)
    async with browsing(settings, "ko") as http:
        answer = await http.post("/markets/overrides", data=FORM | changes)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert answer.text.count('class="field-error"') == 1
    if field != "reason":
        assert 'value="Exam"' in answer.text
    read(answer.text)


async def test_the_form_is_filled_from_the_address(env, settings):
    await make_market(env)
    async with browsing(settings) as http:
        await http.post("/markets/overrides", data=FORM | {"mics": "US", "day": "2026-10-15"})
        exam = (await http.get("/markets?edit=XKRX.2026-11-19")).text
        storm = (await http.get("/markets?edit=US.2026-10-15")).text
        nothing = (await http.get("/markets?edit=nonsense")).text
    assert 'value="10:00"' in exam
    assert 'value="College entrance exam (CSAT)"' in exam
    assert '<option value="US" selected>' in storm
    assert '<option value="XKRX" selected>' in nothing


async def test_what_is_not_there_cannot_be_withdrawn_and_strangers_change_nothing(env, settings):
    await make_market(env)
    row = {"mics": "XNYS", "day": "2026-10-15"}
    async with browsing(settings) as http:
        assert (await http.post("/markets/overrides/remove", data=row)).status_code == 422
    async with calling_from(settings, "10.0.0.9") as client:
        answer = await client.http.post("/markets/overrides", data=FORM)
    assert answer.status_code == 401
    async with env.db.read() as db:
        assert await db.scalar(text("SELECT count(*) FROM session_override")) == 0
