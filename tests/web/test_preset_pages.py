"""Mappings of brokers' columns by a form: saved, chosen, forgotten."""

from __future__ import annotations

import re

import pytest

from app.domain.transactions import PortfolioKind
from app.errors import BadInput
from app.web.preset_pages import read_mapping
from tests.ledgers import make_portfolio
from tests.people import PASSWORD, make_user
from tests.web.pages import browsing, choose_source, text_of

FILE = "When,What,Ticker,Shares,Each\n2026-03-02,Bagged,AAPL,3,100\n"
FORM = {
    "name": "My broker",
    "column-DAY": "When",
    "column-KIND": "What",
    "column-SYMBOL": "Ticker",
    "column-QUANTITY": "Shares",
    "column-PRICE": "Each",
    "words": "Bagged = buy\n",
}


async def test_a_mapping_is_saved_chosen_and_forgotten(env, settings):
    await choose_source(env, "yahoo")
    kind = PortfolioKind.TRACKED
    book = await make_portfolio(env, await make_user(env), 0, kind=kind, currency="USD")
    address = f"/portfolios/{book.id}/transactions"
    async with browsing(settings) as http:
        await http.post("/login", data={"username": "alice", "password": PASSWORD})
        bad = await http.post(f"{address}/presets", data=FORM | {"words": "Bagged"})
        assert bad.status_code == 422
        assert "must be a word" in text_of(bad.text)
        assert 'value="When"' in bad.text
        twice = await http.post(f"{address}/presets", data=FORM | {"column-DAY": "When, Then"})
        assert "day is given 2 columns; it may have 1 to 1" in text_of(twice.text)
        assert (await http.post(f"{address}/presets", data=FORM)).status_code == 303
        page = (await http.get(address)).text
        number = re.search(r'<option value="(\d+)"[^>]*>My broker<', page)[1]
        upload = {"file": ("b.csv", FILE.encode(), "text/csv")}
        fields = {"dryRun": "true", "preset": number}
        report = await http.post(f"{address}/import", data=fields, files=upload)
        assert "AAPL" in text_of(report.text)
        assert "Checked: nothing was recorded yet" in text_of(report.text)
        assert "My broker" in text_of(report.text)
        gone = await http.post(f"{address}/presets/delete", data={"id": number})
        assert gone.status_code == 303
        assert "My broker" not in (await http.get(address)).text
        again = await http.post(f"{address}/presets/delete", data={"id": number})
        assert again.status_code == 422


def test_a_form_says_a_mapping():
    typed = {"column-FEE": "Fee, Levy ,", "column-TAX": "", "words": "a=b = SELL"}
    said = read_mapping(typed | {"decimalComma": "yes", "dayOrder": "DMY", "currency": ""})
    assert said == {
        "columns": [{"field": "FEE", "names": ["Fee", "Levy"]}],
        "kinds": [{"word": "a=b", "kind": "SELL"}],
        "decimalComma": True,
        "dayOrder": "DMY",
    }
    for words in ("Bagged", "= BUY", "Bagged ="):
        with pytest.raises(BadInput) as caught:
            read_mapping({"words": words})
        assert caught.value.field == "kinds"
