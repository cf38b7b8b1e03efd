"""The pages of portfolios: opening one, its figures, and errors beside their fields."""

from __future__ import annotations

import html
import re

from sqlalchemy import text

from app.domain.transactions import PortfolioKind
from app.services.portfolio.equity import refresh_equity
from app.services.portfolio.ledger import record_transactions
from app.web.portfolio_view import PortfolioView
from tests.factories import make_sessions, weekdays
from tests.holdings import START, make_holdings, make_prices
from tests.ledgers import read
from tests.people import PASSWORD, make_user
from tests.web.pages import browsing, choose_source, text_of


async def sign_in(http, name="alice"):
    return await http.post("/login", data={"username": name, "password": PASSWORD})


async def test_who_has_not_signed_in_is_led_to_it(env, settings):
    await choose_source(env, "yahoo")
    await make_user(env)
    async with browsing(settings) as http:
        for path in ("/portfolios", "/portfolios/1", "/portfolios/1/transactions"):
            answer = await http.get(path)
            assert answer.status_code == 401
            assert "/login?next=" + path in answer.text


async def test_one_opens_a_portfolio_and_sees_it(env, settings):
    await choose_source(env, "yahoo")
    await make_user(env)
    async with browsing(settings) as http:
        await sign_in(http)
        assert "No portfolio yet" in text_of((await http.get("/portfolios")).text)
        form = {
            "name": "Core",
            "kind": "SIMULATED",
            "baseCurrency": "KRW",
            "initialCapital": "1,500,000",
        }
        made = await http.post("/portfolios", data=form | {"lotMethod": "AVERAGE"})
        assert made.status_code == 303
        page = await http.get(made.headers["location"])
        assert page.headers["cache-control"] == "no-store"
        assert "₩1,500,000" in text_of(page.text)
        assert "Nothing is held yet." in text_of(page.text)
        assert "Core" in text_of((await http.get("/portfolios")).text)


async def test_what_was_wrong_stands_at_its_field_and_the_rest_is_kept(env, settings):
    await choose_source(env, "yahoo")
    await make_user(env)
    async with browsing(settings) as http:
        await sign_in(http)
        form = {
            "name": "Core",
            "kind": "SIMULATED",
            "baseCurrency": "KRW",
            "initialCapital": "10.5",
        }
        answer = await http.post("/portfolios", data=form)
        assert answer.status_code == 422
        assert 'id="initialCapital-error"' in answer.text
        assert 'value="Core"' in answer.text
        odd = await http.post("/portfolios", data=form | {"kind": "GOLD", "initialCapital": "1"})
        assert odd.status_code == 422


async def test_every_figure_of_the_page_in_both_languages(env, settings):
    await choose_source(env, "yahoo")
    await make_prices(env)
    alice = await make_user(env)
    row = await make_holdings(env, alice)
    total = 1_290_780 + 1_053_000 + 7_549_749 + 99 * 1420
    for locale, words in (
        ("en", ("Apple", "Total value", "Cash balance", "Orderable", "Realised result")),
        ("ko", ("애플", "총 평가금액", "예수금", "주문가능", "출금가능", "실현손익", "평가손익")),
    ):
        async with browsing(settings, locale) as http:
            await sign_in(http)
            text = text_of((await http.get(f"/portfolios/{row.id}")).text)
        assert f"₩{total:,}" in text
        assert "₩1,290,780" in text
        assert "+30,780" in text
        assert [word for word in words if word not in text] == []
        assert "None" not in text


async def test_behind_a_figure_stand_its_formula_and_its_rows(env, settings):
    await choose_source(env, "yahoo")
    await make_prices(env)
    row = await make_holdings(env, await make_user(env))
    async with browsing(settings) as http:
        await sign_in(http)
        page = (await http.get(f"/portfolios/{row.id}")).text.replace("&amp;", "&")
        addresses = set(re.findall(r'href="(/portfolios/\d+/why/[^"]+)"', page))
        assert len(addresses) == 6 + 5 * 2 + 3 + 1
        for address in addresses:
            assert (await http.get(address)).status_code == 200, address
        text = text_of((await http.get(f"/portfolios/{row.id}/why/VALUE?symbol=AAPL")).text)
        for said in ("₩1,290,780", "1,420", "101", "Buy AAPL"):
            assert said in text
        odd = await http.get(f"/portfolios/{row.id}/why/COLOUR")
        assert odd.status_code == 400
        assert (await http.get(f"/portfolios/{row.id}/why/VALUE?symbol=X")).status_code == 400


async def test_of_many_rows_the_first_are_drawn_and_the_rest_is_counted_and_led_to(
    env, settings, monkeypatch
):
    monkeypatch.setattr(PortfolioView, "MOST", 1)
    await choose_source(env, "yahoo")
    await make_prices(env)
    alice = await make_user(env)
    row = await make_holdings(env, alice)
    sold = {f"s{n}": read("SELL 0.1 005930.KS @ 70100") for n in range(50)}
    await record_transactions(env, alice.id, str(row.id), sold)
    async with browsing(settings) as http:
        await sign_in(http)
        page = (await http.get(f"/portfolios/{row.id}?sort=name&order=up")).text
        assert 'data-positions="2"' in page
        assert page.count("data-quantity") == 1
        assert "1 of 2 positions; the totals count all of them" in text_of(page)
        assert "51 sales" in text_of(page)
        assert f"25 of 51 sales; the result is of all +{50 * 10 + 500:,}" in text_of(page)
        links = [html.unescape(link) for link in re.findall(r'href="([^"]+)"', page)]
        whole = next(link for link in links if "rows=all" in link)
        earlier = next(link for link in links if "sales=" in link)
        assert "order=up" in whole
        assert (await http.get(whole)).text.count("data-quantity") == 2
        second = text_of((await http.get(earlier)).text)
    assert f"25 of 51 sales; the result is of all +{50 * 10 + 500:,}" in second
    assert "The newest Earlier sales" in second


async def test_the_dashboard_has_the_totals_of_who_has_signed_in(env, settings):
    await choose_source(env, "yahoo")
    await make_prices(env)
    row = await make_holdings(env, await make_user(env))
    async with browsing(settings) as http:
        assert "Long term" not in (await http.get("/")).text
        await sign_in(http)
        page = (await http.get("/")).text
    assert f'href="/portfolios/{row.id}"' in page
    assert f"₩{1_290_780 + 1_053_000 + 7_549_749 + 99 * 1420:,}" in text_of(page)


async def test_to_others_it_is_as_if_there_were_none(env, settings):
    await choose_source(env, "yahoo")
    row = await make_holdings(env, await make_user(env))
    await make_user(env, "charlie")
    async with browsing(settings) as http:
        await sign_in(http, "charlie")
        for path in ("", "/transactions"):
            own = await http.get(f"/portfolios/{row.id}{path}")
            none = await http.get(f"/portfolios/987654{path}")
            assert (own.status_code, none.status_code) == (404, 404)


async def test_three_returns_stand_side_by_side_and_findings_in_red(env, settings):
    await choose_source(env, "yahoo")
    await make_prices(env)
    await make_sessions(env, "XKRX", weekdays(START, 3))
    row = await make_holdings(env, await make_user(env), PortfolioKind.TRACKED)
    await refresh_equity(env)
    async with browsing(settings) as http:
        await sign_in(http)
        page = text_of((await http.get(f"/portfolios/{row.id}")).text)
        assert "self-audit" not in page
        for word in ("Simple return", "Time-weighted (TWR)", "Money-weighted (XIRR)"):
            assert word in page
        assert "+0.34%" in page
        form = {"key": "k", "kind": "WITHDRAWAL", "day": "2026-03-04", "currency": "KRW"}
        address = f"/portfolios/{row.id}/transactions"
        sent = await http.post(address, data=form | {"amount": "90000000"})
        assert sent.status_code == 303
        assert "Cash below zero: KRW" in text_of((await http.get(f"/portfolios/{row.id}")).text)


async def test_a_day_without_a_rate_is_named_and_the_rest_is_shown(env, settings):
    await choose_source(env, "yahoo")
    await make_prices(env)
    await make_sessions(env, "XKRX", weekdays(START, 3))
    row = await make_holdings(env, await make_user(env))
    async with env.db.write() as db:
        await db.execute(text("DELETE FROM fx_rate"))
    await refresh_equity(env)
    async with browsing(settings) as http:
        await sign_in(http)
        page = text_of((await http.get(f"/portfolios/{row.id}")).text)
    assert "has no value on 2026-03-02" in page
    assert "₩1,053,000" in page
