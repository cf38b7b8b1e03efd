"""The pages: what they show, in which language, and with which state."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import event, text

from tests.factories import make_bars, make_fundamentals, make_instrument
from tests.serving import asgi_client
from tests.web.pages import START, browsing, cell, choose_source, make_market, read, text_of

PAGES = (
    "/",
    "/instruments/AAPL",
    "/instruments/AAPL/remove",
    "/search?q=a",
    "/search",
    "/markets",
    "/universe",
    "/jobs",
    "/about",
    "/settings",
)

FOREIGN_TO_NOBODY = re.compile(
    r"(?<![A-Za-z])(RSI|MACD|MA|KST|ET|YTD|KRW|USD|GraphQL|bokeh-sampledata|currencyconverter|Sise|AAPL|MSFT|"
    r"IBM|KS|KS11|NAVER|KODEX|Enter|Esc|Yahoo|Finance)(?![A-Za-z])"
)


@pytest.mark.parametrize("source", ["yahoo", "sample"])
@pytest.mark.parametrize("locale", ["ko", "en"])
async def test_every_page_is_whole_in_both_languages(env, settings, locale, source):
    await make_market(env, source)
    async with browsing(settings, locale) as http:
        for path in PAGES:
            answer = await http.get(path)
            assert answer.status_code == 200, path
            reader = read(answer.text)
            assert reader.tags[0][1]["lang"] == locale
            seen = text_of(answer.text)
            assert not re.search(r"\b(None|NaN|undefined|null)\b", seen), path
            if locale == "ko":
                korean = FOREIGN_TO_NOBODY.sub("", " ".join(reader.words.get("ko", [])))
                assert not re.findall(r"[A-Za-z]{3,}", korean), path


@pytest.mark.parametrize("path", PAGES)
async def test_a_historic_source_is_marked_on_every_page(env, settings, path):
    await make_market(env, "sample")
    async with browsing(settings) as http:
        page = (await http.get(path)).text
    assert "HISTORIC" in page
    assert page.count('action="/source"') == 1
    assert 'data-live="Replay"' in page


async def test_prices_have_the_decimals_of_their_kind_and_their_names_the_language(env, settings):
    await make_market(env)
    async with browsing(settings, "ko") as http:
        korean = (await http.get("/")).text
    async with browsing(settings, "en") as http:
        english = (await http.get("/")).text
    for page in (korean, english):
        assert cell(page, "005930.KS", "price") == "77,900"
        assert cell(page, "005930.KS", "change") == "+100"
        assert cell(page, "005930.KS", "changePercent") == "+0.13%"
        assert cell(page, "AAPL", "price") == "199.75"
        assert cell(page, "^KS11", "price") == "2,739.50"
    assert "삼성전자" in korean
    assert "애플" in korean
    assert "Samsung Electronics" in english
    assert "Co., Ltd." not in english


async def test_every_price_on_the_page_is_the_one_of_the_schema(env, settings):
    await make_market(env)
    async with asgi_client(settings) as client:
        page = (await client.http.get("/")).text
        query = "{ instruments { edges { node { symbol quote { price } } } } }"
        edges = (await client.ask(query))["data"]["instruments"]["edges"]
    for edge in edges:
        shown = cell(page, edge["node"]["symbol"], "price").replace(",", "")
        assert float(shown) == float(edge["node"]["quote"]["price"])


async def test_the_first_instrument_is_drawn_until_the_address_names_another(env, settings):
    await make_market(env)
    async with browsing(settings) as http:
        first = (await http.get("/")).text
        other = (await http.get("/?symbol=aapl&range=5Y&mas=5&scale=log")).text
        unknown = await http.get("/?symbol=NOPE")
    assert 'symbol="005930.KS"' in first
    chart = next(attrs for tag, attrs in read(other).tags if tag == "stock-chart")
    assert chart["symbol"] == "AAPL"
    assert chart["range"] == "5Y"
    assert chart["interval"] == "WEEK"
    assert chart["scale"] == "log"
    assert chart["mas"] == "5"
    assert chart["src"].startswith("/api/candles/AAPL?")
    assert unknown.status_code == 404


async def test_the_buttons_say_what_is_chosen_and_carry_the_rest_of_the_view(env, settings):
    await make_market(env)
    async with browsing(settings) as http:
        page = (await http.get("/?symbol=AAPL&range=5Y&scale=log")).text
    pressed = re.findall(r'value="([^"]*)"\s+aria-pressed="true"', page)
    panes = ["rsi,macd", "volume,macd", "volume,rsi"]
    assert pressed == ["5Y", "WEEK", *panes, "60", "20", "linear"]
    form = re.search(
        r'<form class="segment-form"[^>]*data-chart-control="mas".*?</form>', page, re.DOTALL
    )
    assert form is not None
    carried = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form[0]))
    assert carried == {"symbol": "AAPL", "range": "5Y", "scale": "log"}


async def test_a_range_within_days_is_off_with_its_reason_where_there_are_no_minutes(env, settings):
    await make_market(env, "sample")
    async with browsing(settings) as http:
        page = (await http.get("/instruments/AAPL")).text
    buttons = [attrs for tag, attrs in read(page).tags if tag == "button"]
    off = {b["value"]: b["title"] for b in buttons if "disabled" in b}
    assert off == dict.fromkeys(("1D", "1W"), "The sample has daily prices only.")


@pytest.mark.parametrize("locale", ["en", "ko"])
async def test_sources_without_live_prices_are_told_with_the_quote(env, settings, locale):
    await make_market(env)
    own = replace(settings, source_order={"XKRX": ("folder",), "*": ("yahoo",)})
    async with browsing(own, locale) as http:
        korean = text_of((await http.get("/instruments/005930.KS")).text)
        data = text_of((await http.get("/instruments/005930.KS/data")).text)
        american = text_of((await http.get("/instruments/AAPL")).text)
    words = {"en": "have no live prices", "ko": "실시간 시세가 없습니다"}[locale]
    assert (words in korean, words in data, words in american) == (True, True, False)


@pytest.mark.parametrize("locale", ["en", "ko"])
async def test_fundamentals_stand_with_their_day_and_source(env, settings, locale):
    await make_market(env)
    figures = {"market_cap": 480_123_456_789_012, "trailing_pe": 14.2, "net_margin": -0.1025}
    await make_fundamentals(
        env, "005930.KS", date(2025, 5, 2), refused=["dividend_yield"], **figures
    )
    async with browsing(settings, locale) as http:
        page = text_of((await http.get("/instruments/005930.KS")).text)
        other = text_of((await http.get("/instruments/AAPL")).text)
    for words in {
        "en": ("₩480T", "P/E", "not believed"),
        "ko": ("₩480조", "PER", "믿을 수 없는 값"),
    }[locale]:
        assert words in page
    for words in ("2025-05-02", "yfinance", "14.20", "-10.25%"):
        assert words in page
    assert {"en": "Fundamentals", "ko": "재무 지표"}[locale] not in other


async def test_without_javascript_the_last_closes_stand_in_a_drawing_and_a_table(env, settings):
    await make_market(env)
    async with browsing(settings) as http:
        page = (await http.get("/instruments/AAPL")).text
    still = re.search(r"<noscript>\s*<div class=\"still\">.*?</noscript>", page, re.DOTALL)
    assert still is not None
    assert "<polyline" in still[0]
    assert still[0].count('<th scope="row">') == 60
    assert "199.75" in still[0]


async def test_an_empty_installation_says_what_to_do_first(env, settings):
    await choose_source(env, "yahoo")
    async with browsing(settings) as http:
        page = (await http.get("/")).text
    assert "No instruments yet" in page
    assert 'action="/track"' in page
    assert "<stock-chart" not in page


async def test_an_instrument_without_any_price_has_a_page(env, settings):
    await choose_source(env, "yahoo")
    await make_instrument(env, "NEW", name="New Inc.")
    async with browsing(settings) as http:
        page = (await http.get("/instruments/NEW")).text
        home = (await http.get("/")).text
    assert cell(page, "NEW", "price") == cell(home, "NEW", "price") == "\N{EN DASH}"
    assert "No sessions yet." in page
    assert "No splits or dividends are known." in page
    assert "No prices yet" in page
    assert "Stale" not in text_of(page), "what has no price is not old"


async def test_a_currency_pair_has_a_page_with_closes_alone(env, settings):
    await choose_source(env, "yahoo")
    await make_instrument(env, "USDKRW=X", name="US dollar / Korean won", kind="FX")
    rates = [{"day": date(2025, 1, 6 + i), "rate": 1460 + i} for i in range(3)]
    async with env.db.write() as db:
        await db.execute(
            text(
                "INSERT INTO fx_rate (base, quote, day, rate, source, fetched_at)"
                " VALUES ('USD', 'KRW', :day, :rate, 'yahoo', now())"
            ),
            rates,
        )
    async with browsing(settings) as http:
        page = (await http.get("/instruments/USDKRW=X")).text
        columns = (await http.get("/api/candles/USDKRW=X?range=MAX&interval=DAY")).json()["series"]
    assert cell(page, "USDKRW=X", "price") == "1,462.00"
    assert "2025-01-08" in text_of(page)
    chart = next(attrs for tag, attrs in read(page).tags if tag == "stock-chart")
    assert chart["panes"] == ""
    off = {a["title"] for tag, a in read(page).tags if tag == "button" and "disabled" in a}
    assert off == {"A currency pair has closes only"}
    assert columns["close"] == [1460, 1461, 1462]


async def test_the_page_of_an_instrument_has_its_sessions_events_and_names(env, settings):
    await make_market(env)
    async with browsing(settings) as http:
        page = (await http.get("/instruments/AAPL")).text
    seen = text_of(page)
    for words in ("Apple", "애플", "as traded, USD", "4 : 1", "$0.25", "2025-02-03"):
        assert words in seen, words


async def test_a_symbol_in_small_letters_leads_to_its_page(env, settings):
    await make_market(env)
    async with browsing(settings) as http:
        answer = await http.get("/instruments/aapl?range=5Y")
    assert answer.status_code == 303
    assert answer.headers["location"].endswith("/instruments/AAPL?range=5Y")


async def test_the_search_box_gets_hits_and_the_page_gets_rows(env, settings):
    await make_market(env)
    box = {"HX-Request": "true", "HX-Target": "div#hits", "HX-Request-Type": "partial"}
    async with browsing(settings, "ko") as http:
        hits = (await http.get("/search?q=삼성", headers=box)).text
        none = (await http.get("/search?q=<b>", headers=box)).text
        empty = (await http.get("/search?q=", headers=box)).text
        page = (await http.get("/search?q=삼성")).text
        long = await http.get("/search?q=" + "x" * 61)
    assert hits.count('role="option"') == 1
    assert 'id="hit-1"' in hits
    assert "삼성전자" in hits
    assert "&lt;b&gt;" in none
    assert 'href="/search?q=%3Cb%3E"' in none
    assert empty.strip() == ""
    assert "77,900" in page
    assert long.status_code == 400


async def test_collections_show_how_far_they_are(env, settings):
    await make_market(env)
    async with env.db.write() as db:
        for symbol, state, bars in (("AAPL", "DONE", 80), ("005930.KS", "RUNNING", None)):
            done = "timestamptz '2025-05-01T07:01Z'" if state == "DONE" else "NULL"
            await db.execute(
                text(
                    "INSERT INTO job (key, kind, symbol, state, due_at, done_at, attempts, bars)"
                    " VALUES (:symbol, 'collect', :symbol, :state,"
                    f" '2025-05-01T07:00Z', {done}, 1, :bars)"
                ),
                {"symbol": symbol, "state": state, "bars": bars},
            )
    async with browsing(settings) as http:
        page = (await http.get("/jobs")).text
    assert "1 of 2 done" in text_of(page)
    progress = next(attrs for tag, attrs in read(page).tags if tag == "progress")
    assert (progress["max"], progress["value"]) == ("2", "1")
    assert 'hx-trigger="every 2s"' in page
    assert "05-01 16:01" in page


async def test_nothing_is_asked_again_and_again_while_nothing_runs(env, settings):
    await make_market(env)
    async with browsing(settings) as http:
        page = (await http.get("/jobs")).text
    assert "every 2s" not in page
    assert "none is running" in page
    assert "No collection has been asked for yet" in page


async def test_about_has_the_notice_of_the_charts_to_the_letter(env, settings):
    await make_market(env)
    async with browsing(settings, "ko") as http:
        page = (await http.get("/about")).text
    notice = "TradingView Lightweight Charts\nCopyright (с) 2023 TradingView, Inc. https://www.tradingview.com/"  # noqa: RUF001
    assert notice in page


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_names_the_charts_in_its_footer(env, settings, path):
    await make_market(env)
    async with browsing(settings) as http:
        page = (await http.get(path)).text
    assert "TradingView Lightweight Charts™ © 2023 TradingView, Inc." in page
    assert 'href="https://www.tradingview.com/"' in page


async def test_a_dashboard_that_does_not_show_all_says_so(env, settings):
    await make_market(env)
    async with browsing(settings) as http:
        assert "all of them" not in text_of((await http.get("/")).text)
        async with env.db.write() as db:
            await db.execute(text(MANY))
        assert "the first 200; all of them" in text_of((await http.get("/")).text)


MANY = """
    INSERT INTO instrument (symbol, name, mic, currency, kind, added_at)
    SELECT 'B' || n || 'Q', 'Share ' || n, 'XNAS', 'USD', 'EQUITY', now()
    FROM generate_series(1, 200) AS n
"""


async def test_more_instruments_take_no_more_questions(env, settings):
    await make_market(env)

    async def count() -> int:
        statements: list[str] = []
        async with asgi_client(settings) as client:
            engine = client.app.state.env.db.engine.sync_engine
            event.listen(
                engine, "before_cursor_execute", lambda *args: statements.append(str(args[2]))
            )
            assert (await client.http.get("/")).status_code == 200
        return len([s for s in statements if "SET TRANSACTION" not in s])

    few = await count()
    for number in range(10):
        await make_instrument(env, f"MORE{number}", name="More Inc.")
        await make_bars(env, f"MORE{number}", [5, 6, 7], start=START)
    assert await count() == few
    assert few <= 25
