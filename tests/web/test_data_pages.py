"""The pages on data: what is late, what is held, what has changed, and decisions on held rows."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from sqlalchemy import text

from tests.clocks import StillClock
from tests.factories import make_instrument
from tests.graphql.asking import counting_statements
from tests.serving import asgi_client
from tests.showcase import DOWN, HELD, NOW, make_showcase
from tests.trust_rows import make_held
from tests.web.pages import browsing, calling_from, choose_source, make_market, read, text_of

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}
PATHS = ("/data", "/data?state=LATE", "/data?rows=MENDED", "/instruments/AAPL/data", "/jobs")
KNOWN = re.compile(
    r"(?<![A-Za-z])(Enter|Esc|KST|ET|KRW|USD|Sise|Yahoo|Finance|Naver|krx|yahoo|fdr|SPDR|SK|DNS|"
    r"FILL\d+|AAPL|MSFT|NVDA|TSLA|SPY|NEW|KS|D|W|M|Y)(?![A-Za-z])"
)


@pytest.fixture
def still(settings):
    """The settings of an installation at the instant of the showcase."""
    return replace(settings, clock=StillClock(start=NOW))


def symbols_of(page: str, panel: str) -> list[str]:
    """The symbols of a panel's rows, in order."""
    part = page[page.index(f'id="{panel}"') :].partition("</section>")[0]
    return re.findall(r'data-symbol="([^"]+)"', part)


@pytest.mark.parametrize("locale", ["ko", "en"])
async def test_the_pages_are_whole_in_both_languages(env, still, locale):
    await make_showcase(env)
    async with browsing(still, locale) as http:
        for path in PATHS:
            answer = await http.get(path)
            assert answer.status_code == 200, path
            reader = read(answer.text)
            seen = text_of(answer.text)
            assert not re.search(r"\b(None|NaN|undefined|null)\b", seen), path
            if locale == "ko":
                korean = KNOWN.sub("", " ".join(reader.words.get("ko", [])))
                assert not re.findall(r"[A-Za-z]{3,}", korean), path


async def test_instruments_stand_with_their_state_the_worst_first(env, still):
    await make_showcase(env, more=60)
    async with browsing(still) as http:
        page = (await http.get("/data")).text
        late = (await http.get("/data?state=LATE")).text
        more = re.search(r'href="/data\?(after=[^"]+)"', page)
        assert more is not None
        rest = (await http.get(f"/data?{more[1]}")).text
    first = symbols_of(page, "freshness")
    assert len(first) == 30
    assert first[:7] == ["NVDA", "AAPL", "MSFT", "TSLA", "NEW", "035720.KS", "SPY"]
    assert symbols_of(late, "freshness") == ["AAPL"]
    assert len(symbols_of(rest, "freshness")) == 30
    states = re.findall(r'data-freshness="(\w+)"(?: aria-current="true")?>([^<]*)', late)
    assert ("LATE", "Late ") in states
    seen = text_of(late)
    assert "No network or DNS" in seen
    assert "2025-01-14" in seen  # the last bar
    assert "2025-01-17" in seen  # the one expected
    assert "01-18 06:40" in seen  # when it was asked for, in Seoul


async def test_a_held_row_has_its_reason_its_figures_and_the_close_before(env, still):
    await make_showcase(env, more=0)
    async with browsing(still) as http:
        english = (await http.get("/data")).text
    async with browsing(still, "ko") as http:
        korean = (await http.get("/data")).text
    assert len(symbols_of(english, "quarantine")) == len(HELD)
    seen = text_of(english)
    for words in (
        "Looks like a split",
        "The price moved as it does in a split",
        "as after a split of 10:1",
        "Close before 124.90 2025-01-16",
        "Change -90.00%",
        "Share of the price 25.0%",
    ):
        assert words in seen, words
    assert "분할로 보임" in text_of(korean)
    assert "가격제한폭 초과" in text_of(korean)


async def test_only_a_whole_row_can_be_released(env, still):
    await make_showcase(env, more=0)
    async with browsing(still) as http:
        page = (await http.get("/data")).text
    cards = page.split('<li class="held"')[1:]
    buttons = {
        re.search(r"<h3>([^<]+)", card)[1]: card.count('action="/data/release"') for card in cards
    }
    assert buttons["Looks like a split"] == 1
    assert buttons["Incomplete"] == 0
    assert all('action="/data/drop"' in card for card in cards)


async def test_rows_that_were_decided_are_shown_without_buttons(env, still):
    await make_showcase(env, more=0)
    async with browsing(still) as http:
        page = (await http.get("/data?rows=MENDED")).text
    assert symbols_of(page, "quarantine") == ["000660.KS"]
    assert "Mended by the source" in text_of(page)
    assert 'action="/data/drop"' not in page


async def test_what_changed_stands_with_old_and_new(env, still):
    await make_showcase(env, more=0)
    async with browsing(still) as http:
        page = (await http.get("/data")).text
        tab = (await http.get("/instruments/AAPL/data")).text
        more = re.search(r'href="/instruments/AAPL/data\?(revisions-after=[^"]+)"', tab)
        assert more is not None
        rest = (await http.get(f"/instruments/AAPL/data?{more[1]}")).text
    seen = text_of(page)
    assert "361.00 → 365.00" not in seen
    assert "361 → 365" in seen  # won have no decimals
    assert "taken back by the source" in seen
    assert "187.00 → 187.0125" in seen
    assert len(symbols_of(tab, "revisions")) == 20
    assert len(symbols_of(rest, "revisions")) == 5


async def test_comparisons_stand_with_the_days_that_differ(env, still):
    await make_showcase(env, more=0)
    async with browsing(still) as http:
        seen = text_of((await http.get("/data")).text)
    assert "Yahoo Finance ↔ Naver Finance" in seen
    assert "70,500 ↔ 35,250 (-50.00%)" in seen


async def test_the_data_of_an_instrument_have_their_days_source_and_events(env, still):
    await make_showcase(env, more=0)
    async with browsing(still) as http:
        seen = text_of((await http.get("/instruments/AAPL/data")).text)
        other = await http.get("/instruments/aapl/data")
        unknown = await http.get("/instruments/NOPE/data")
    for words in (
        "2025-01-06",
        "2025-01-14",
        "expected 2025-01-17",
        "\N{MULTIPLICATION SIGN} 0.25",
        "4 : 1",
    ):
        assert words in seen, words
    assert "Yahoo Finance" in seen
    assert (other.status_code, unknown.status_code) == (303, 404)


async def test_a_revision_of_late_is_told_on_the_page_of_the_instrument(env, still):
    await make_showcase(env, more=0)
    async with browsing(still) as http:
        revised = (await http.get("/instruments/AAPL")).text
        quiet = (await http.get("/instruments/MSFT")).text
    assert "History revised on 2025-01-16 07:30 KST (25 rows)" in text_of(revised)
    assert 'href="/instruments/AAPL/data#revisions"' in revised
    assert "History revised" not in quiet
    assert "No network or DNS" in text_of(revised)


@pytest.mark.parametrize(("verb", "state"), [("release", "RELEASED"), ("drop", "DROPPED")])
async def test_a_decision_goes_back_to_where_it_was_made(env, still, verb, state):
    await make_showcase(env, more=0)
    held = await make_held(env, "SPY", NOW.date(), row=BAR)
    async with browsing(still) as http:
        form = {"id": str(held), "back": "/instruments/SPY/data"}
        answer = await http.post(f"/data/{verb}", data=form)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/instruments/SPY/data"
    async with env.db.read() as db:
        query = text("SELECT state FROM quarantine WHERE id = :id")
        assert await db.scalar(query, {"id": held}) == state


BAR = {
    "open": "150",
    "high": "152",
    "low": "149",
    "close": "151",
    "volume": "10",
    "adj_close": None,
}


async def test_a_decision_that_cannot_be_made_says_why_above_the_rows(env, still):
    await make_showcase(env, more=0)
    held = await make_held(env, "SPY", NOW.date(), "INCOMPLETE", detail="a price is missing")
    async with browsing(still) as http:
        refused = await http.post("/data/release", data={"id": str(held)}, headers=HTMX)
        tab = await http.post("/data/release", data={"id": str(held), "symbol": "SPY"})
        gone = await http.post("/data/drop", data={"id": "999999"})
        wrong = await http.post("/data/drop", data={"id": "x"})
    assert [a.status_code for a in (refused, tab, gone, wrong)] == [400, 400, 404, 400]
    for answer in (refused, tab, gone, wrong):
        assert 'role="alert"' in answer.text
        assert 'id="quarantine"' in answer.text
    assert "<html" not in refused.text
    assert 'aria-current="page">Data</a>' in tab.text


@pytest.mark.parametrize("verb", ["release", "drop"])
async def test_nobody_elsewhere_may_decide(env, settings, verb):
    await make_market(env)
    held = await make_held(env, "AAPL", NOW.date())
    async with calling_from(settings, "203.0.113.7") as client:
        answer = await client.http.post(f"/data/{verb}", data={"id": str(held)})
    assert answer.status_code == 401
    async with env.db.read() as db:
        assert await db.scalar(text("SELECT state FROM quarantine")) == "HELD"


@pytest.mark.parametrize("query", ["state=BAD", "rows=BAD", "after=x", "revisions-after=x"])
async def test_an_address_that_cannot_be_right_is_refused(env, settings, query):
    await make_market(env)
    async with browsing(settings) as http:
        assert (await http.get(f"/data?{query}")).status_code == 400


async def test_an_empty_installation_has_both_pages(env, settings):
    await choose_source(env, "yahoo")
    await make_instrument(env, "NEW")
    async with browsing(settings) as http:
        page = text_of((await http.get("/data")).text)
        tab = text_of((await http.get("/instruments/NEW/data")).text)
        jobs = text_of((await http.get("/jobs")).text)
    assert "No stored row has ever changed." in page
    assert "No second source has been asked yet." in page
    assert "No row of it was ever held back." in tab
    assert "Every instrument was collected without a fault." in jobs


async def test_the_page_takes_as_many_questions_for_500_instruments_as_for_few(env, still):
    await make_showcase(env, more=10)

    async def count() -> int:
        async with asgi_client(still) as client:
            with counting_statements(client.app.state.env) as statements:
                assert (await client.http.get("/data")).status_code == 200
        return len([s for s in statements if "SET TRANSACTION" not in s])

    few = await count()
    for number in range(490):
        await make_instrument(env, f"MANY{number}")
    assert await count() == few
    assert few <= 25


async def test_collections_show_what_fails_and_when_it_is_tried_again(env, still):
    await make_showcase(env, more=0)
    async with browsing(still) as http:
        page = (await http.get("/jobs")).text
        again = await http.post("/collect", data={"symbol": "AAPL"})
    assert symbols_of(page, "failing") == ["NEW", "AAPL", "MSFT"]
    seen = text_of(page)
    for words in (
        "5 of 8 done",
        "Next try at 2025-01-18 07:36 KST",
        "No network or DNS: the source cannot be reached from here.",
        "The source does not know this symbol.",
        "2 tries",
    ):
        assert words in seen, words
    for twice in ("The source has no such symbol.", "The source asks to wait 60 s."):
        assert twice not in seen
    assert DOWN in seen
    assert page.count(">Try again<span") == 2
    assert again.status_code == 303


@pytest.mark.parametrize(
    "path", ["/", "/instruments/AAPL", "/instruments/AAPL/data", "/search?q=a"]
)
async def test_no_price_stands_without_the_day_or_time_that_it_is_of(env, still, path):
    await make_showcase(env, more=3)
    async with browsing(still) as http:
        page = (await http.get(path)).text
    cells = [attrs for _, attrs in read(page).tags if "data-q" in attrs]
    priced = [a["data-q"] for a in cells if a["data-f"] == "price"]
    dated = [a["data-q"] for a in cells if a["data-f"] in {"asOf", "day"}]
    assert priced
    assert sorted(set(priced) - {"NEW"}) == sorted(set(dated))
    assert len(dated) >= len([symbol for symbol in priced if symbol != "NEW"])
