"""The order ticket without JavaScript: preview, placing once, the list, taking back."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import delete

from app.db.models import ExchangeSession
from app.domain.transactions import PortfolioKind
from app.services.feed.live import list_quotes
from tests.factories import make_instrument
from tests.holdings import publish
from tests.ledgers import make_portfolio
from tests.paper import make_recorded
from tests.people import PASSWORD, make_user
from tests.web.pages import browsing, text_of

FORM = {"symbol": "aapl", "side": "BUY", "type": "LIMIT", "quantity": "10", "price": "109.005"}


@pytest.fixture
async def book(env):
    await make_recorded(env)
    alice = await make_user(env)
    return await make_portfolio(env, alice, 10_000, kind=PortfolioKind.PRACTICE, currency="USD")


async def start(http, book):
    await http.post("/login", data={"username": "alice", "password": PASSWORD})
    return f"/portfolios/{book.id}/order"


async def test_an_order_is_previewed_placed_once_and_taken_back(book, settings):
    async with browsing(settings) as http:
        address = await start(http, book)
        empty = (await http.get(f"{address}?symbol=AAPL&side=SELL")).text
        assert 'value="AAPL"' in empty
        assert '<option value="SELL" selected>' in empty
        page = (await http.post(address, data=FORM)).text
        text = text_of(page)
        for said in ("$1,090.00", "$2.73", "The price was rounded to the tick.", "a touch is no"):
            assert said in text
        key = re.search(r'name="key"\s+value="([^"]+)"', page)[1]
        for _ in range(2):
            answer = await http.post(address, data=FORM | {"key": key, "place": "yes"})
            assert (answer.status_code, answer.headers["location"]) == (303, f"{address}#orders")
        listed = (await http.get(address)).text
        assert "1 order" in text_of(listed)
        assert "Waiting" in text_of(listed)
        http.cookies.set("sise_locale", "ko")
        korean = await http.get(address)
        assert (korean.status_code, "대기" in korean.text) == (200, True)
        http.cookies.set("sise_locale", "en")
        number = re.search(r'name="id"\s+value="(\d+)"', listed)[1]
        assert (await http.post(f"{address}/cancel", data={"id": number})).status_code == 303
        assert "Canceled" in text_of((await http.get(address)).text)
        assert (await http.post(f"{address}/cancel", data={"id": "x"})).status_code == 422


ASKED = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "div#dialog-body"}


async def test_a_dialog_says_what_has_failed_and_leads_to_the_sign_in(env, book, settings):
    async with browsing(settings) as http:
        address = await start(http, book)
        async with env.db.write() as db:
            await db.execute(delete(ExchangeSession))
        failed = await http.post(address, data=FORM, headers=ASKED)
        assert failed.status_code == 503
        assert "The hours of the exchange are not known yet." in text_of(failed.text)
        assert "<main" not in failed.text
        http.cookies.clear()
        refused = await http.get(address, headers=ASKED)
        assert refused.status_code == 401
        assert 'id="dialog-title"' in refused.text
        assert re.search(r'href="/login[^"]*"\s+hx-boost="false"', refused.text)


async def test_for_the_dialog_a_page_gives_its_ticket_alone(book, settings):
    async with browsing(settings) as http:
        address = await start(http, book)
        found = await http.get("/order?symbol=AAPL&side=SELL", headers=ASKED)
        page = (await http.get(found.headers["location"], headers=ASKED)).text
        assert 'id="dialog-title"' in page
        assert '<option value="SELL" selected>' in page
        assert "<table" not in page
        preview = (await http.post(address, data=FORM, headers=ASKED)).text
        assert "$1,090.00" in text_of(preview)
        key = re.search(r'name="key"\s+value="([^"]+)"', preview)[1]
        placing = FORM | {"key": key, "place": "yes"}
        placed = await http.post(address, data=placing, headers=ASKED)
        assert placed.status_code == 200
        assert "The order is placed" in text_of(placed.text)
        assert 'id="ticket"' not in placed.text
        assert "1 order" in text_of((await http.get(address)).text)


async def test_a_purchase_exchanges_what_it_lacks_when_it_is_ticked(env, book, settings):
    await make_instrument(env, "USDKRW=X", kind="FX")
    quotes = await list_quotes(env, ["AAPL"])
    await publish(env.bus, replace(quotes["AAPL"], symbol="USDKRW=X", price=Decimal(1400)))
    alice = await make_user(env, "bob")
    won = await make_portfolio(env, alice, 2_000_000, kind=PortfolioKind.PRACTICE)
    async with browsing(settings) as http:
        await http.post("/login", data={"username": "bob", "password": PASSWORD})
        address = f"/portfolios/{won.id}/order"
        assert 'name="autoExchange"' in (await http.get(address)).text
        plain = text_of((await http.post(address, data=FORM)).text)
        assert "The cash is not enough." in plain
        assert "Exchanged with it" not in plain
        page = (await http.post(address, data=FORM | {"autoExchange": "yes"})).text
        assert re.search(r'name="autoExchange"\s+value="yes"\s+checked', page)
        text = text_of(page)
        assert "The cash is not enough." not in text
        for said in ("₩1,545,121", "→ $1,092.73", "at 1,400.00, spread 1.00%"):
            assert said in text
        placing = FORM | {"autoExchange": "yes", "key": "k", "place": "yes"}
        assert (await http.post(address, data=placing)).status_code == 303
        assert "orderable ₩454,879" in text_of((await http.get(address)).text)


async def test_what_cannot_be_ordered_stands_at_its_field(book, settings):
    async with browsing(settings) as http:
        address = await start(http, book)
        answer = await http.post(address, data=FORM | {"price": ""})
        assert answer.status_code == 422
        assert 'id="price-error"' in answer.text
        assert 'value="10"' in answer.text
        short = await http.post(address, data=FORM | {"quantity": "500", "place": "yes"})
        assert short.status_code == 422
        assert 'id="amount-error"' in short.text


async def test_an_instrument_leads_to_the_ticket(env, book, settings):
    async with browsing(settings) as http:
        address = await start(http, book)
        page = (await http.get("/instruments/AAPL")).text
        for side in ("BUY", "SELL"):
            assert f'href="/order?symbol=AAPL&side={side}"' in page.replace("&amp;", "&")
        answer = await http.get("/order?symbol=AAPL")
        assert answer.headers["location"] == f"{address}?symbol=AAPL"
        assert f'href="{address}' in (await http.get(f"/portfolios/{book.id}")).text
