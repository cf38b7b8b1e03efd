"""The pages of watchlists: making, pasting, ordering without a script, and the ways to them."""

from __future__ import annotations

import re
from html import unescape

import pytest

from app.services.people.users import get_by_name
from app.services.screening.watchlists import get_watchlist, list_watchlists, save_watchlist
from tests.web.pages import browsing, cell, make_market, read, signed_in, text_of

SYMBOLS = ("AAPL", "005930.KS", "^KS11")


async def make_list(env, name: str = "기술주", symbols: tuple[str, ...] = SYMBOLS) -> str:
    """The id of a list of alice's."""
    alice = await get_by_name(env, "alice")
    return str((await save_watchlist(env, alice.id, None, name, symbols)).id)


async def symbols_of(env, id_: str) -> tuple[str, ...]:
    alice = await get_by_name(env, "alice")
    return (await get_watchlist(env, alice.id, id_)).symbols


def rows(page: str) -> list[str]:
    """The symbols of the rows of a list's page, in order."""
    return [a["data-symbol"] for tag, a in read(page).tags if tag == "tr" and "data-symbol" in a]


async def test_a_list_is_made_and_shows_its_prices_in_order(env, settings):
    async with signed_in(env, settings, market=True) as http:
        assert "No watchlist yet" in text_of((await http.get("/watchlists")).text)
        made = await http.post("/watchlists", data={"name": "기술주"})
        assert made.status_code == 303
        page = made.headers["location"]
        assert "Nothing is on this list yet" in text_of((await http.get(page)).text)
        added = await http.post(page, data={"act": "add", "symbols": "^ks11\n005930, AAPL"})
        assert (added.status_code, added.headers["location"]) == (303, page)
        shown = (await http.get(page)).text
        assert rows(shown) == ["^KS11", "005930.KS", "AAPL"]
        assert cell(shown, "AAPL", "price") == "199.75"
        assert len(re.findall(r"<polyline", shown)) == 3
        assert "3 instruments" in text_of((await http.get("/watchlists")).text)


async def test_words_that_name_nothing_are_told_and_kept(env, settings):
    async with signed_in(env, settings, market=True) as http:
        page = f"/watchlists/{await make_list(env, symbols=('AAPL',))}"
        told = await http.post(page, data={"act": "add", "symbols": "^KS11 NOPE\n?! AAPL"})
        assert told.status_code == 200
        assert "1 added" in text_of(told.text)
        assert "NOPE not followed here · line 1" in text_of(told.text)
        assert "?! not a symbol · line 2" in text_of(told.text)
        assert re.search(r"<textarea[^>]*>NOPE \?!</textarea>", told.text)
        assert rows(told.text) == ["AAPL", "^KS11"]


@pytest.mark.parametrize(
    ("act", "given", "field", "said"),
    [
        ("add", {"symbols": "A " * 2_000}, "symbols", "2000 entries; it must be from 1 to 600"),
        ("add", {"symbols": " "}, "symbols", "0 entries"),
        ("rename", {"name": " "}, "name", "1 to 60 printable characters"),
        ("rename", {"name": "Other"}, "name", "There is a watchlist Other already."),
        ("move", {"symbol": "AAPL", "position": "9"}, "", "it must be from 0 to 2"),
        ("move", {"symbol": "AAPL", "position": "x"}, "", "a whole number"),
        ("take NOPE", {}, "", "is not on this watchlist"),
        ("burn", {}, "", "it must be one of rename, delete"),
    ],
)
async def test_what_is_refused_stands_on_the_page_and_changes_nothing(
    env, settings, act, given, field, said
):
    async with signed_in(env, settings, market=True) as http:
        page = f"/watchlists/{await make_list(env)}"
        await make_list(env, "Other")
        answer = await http.post(page, data={"act": act, **given})
        assert answer.status_code == 422
        assert said in unescape(text_of(answer.text))
        if field:
            assert f'id="{field}-error"' in answer.text
        assert rows(answer.text) == list(SYMBOLS)


async def test_ten_thousand_symbols_are_refused_with_the_bound(env, settings):
    async with signed_in(env, settings, market=True) as http:
        page = f"/watchlists/{await make_list(env)}"
        answer = await http.post(page, data={"act": "add", "symbols": "AAPL " * 10_000})
        assert answer.status_code == 400
        assert "larger than 16384 bytes" in text_of(answer.text)


async def test_rows_move_go_and_come_back_without_a_script(env, settings):
    async with signed_in(env, settings, market=True) as http:
        id_ = await make_list(env)
        page = f"/watchlists/{id_}"
        moved = await http.post(page, data={"act": "down AAPL"})
        assert moved.headers["location"] == f"{page}?edit=1#AAPL"
        assert await symbols_of(env, id_) == ("005930.KS", "AAPL", "^KS11")
        for act in ("up 005930.KS", "down ^KS11"):  # at the ends they stay
            assert (await http.post(page, data={"act": act})).status_code == 303
        assert await symbols_of(env, id_) == ("005930.KS", "AAPL", "^KS11")
        taken = await http.post(page, data={"act": "take ^KS11"})
        assert taken.headers["location"] == f"{page}?edit=1&taken=%5EKS11"
        after = (await http.get(taken.headers["location"])).text
        assert "^KS11 is off the list." in text_of(after)
        assert rows(after) == ["005930.KS", "AAPL"]
        await http.post(page, data={"act": "add", "symbols": "^KS11"})
        await http.post(page, data={"act": "move", "symbol": "^KS11", "position": "0"})
        assert await symbols_of(env, id_) == ("^KS11", "005930.KS", "AAPL")
        await http.post(page, data={"act": "rename", "name": "New"})
        assert "New" in text_of((await http.get(page)).text)
        gone = await http.post(page, data={"act": "delete"})
        assert gone.headers["location"] == "/watchlists"
        assert (await http.get(page)).status_code == 404


async def test_the_dashboard_shows_the_chosen_list_in_its_order(env, settings):
    async with signed_in(env, settings, market=True) as http:
        id_ = await make_list(env, symbols=("^KS11", "AAPL"))
        everything = (await http.get("/")).text
        assert sorted(rows(everything)) == sorted(SYMBOLS)
        shown = (await http.get(f"/?watchlist={id_}")).text
        assert rows(shown) == ["^KS11", "AAPL"]
        assert re.search(rf'<option value="{id_}"\s+lang="" selected>기술주</option>', shown)
        assert f'href="/watchlists/{id_}"' in shown
        assert f"/?symbol=AAPL&amp;watchlist={id_}" in shown  # another row keeps the list
        assert f'name="watchlist" value="{id_}"' in shown  # and so does every control of the chart
        other = (await http.get(f"/?watchlist={id_}&symbol=005930.KS")).text
        assert rows(other) == ["^KS11", "AAPL"]  # the chart shows what is not on the list
        assert (await http.get("/?watchlist=987654321")).status_code == 404
        http.cookies.clear()
        assert (await http.get(f"/?watchlist={id_}")).status_code == 401
        assert "/watchlists" not in (await http.get("/")).text


async def test_the_page_of_an_instrument_puts_it_on_a_list_and_takes_it_off(env, settings):
    async with signed_in(env, settings, market=True) as http:
        id_ = await make_list(env, symbols=("^KS11",))
        place = "/instruments/AAPL?range=5Y"
        page = (await http.get(place)).text
        assert re.search(r'value="add"\s+aria-pressed="false"', page)
        back = {"back": place, "symbols": "AAPL"}
        put = await http.post(f"/watchlists/{id_}", data={"act": "add", **back})
        assert (put.status_code, put.headers["location"]) == (303, place)
        page = (await http.get(place)).text
        assert re.search(r'value="take AAPL"\s+aria-pressed="true"', page)
        await http.post(f"/watchlists/{id_}", data={"act": "take AAPL", **back})
        assert await symbols_of(env, id_) == ("^KS11",)
        assert "/watchlists?symbol=AAPL" in page
        form = (await http.get("/watchlists?symbol=AAPL")).text
        assert re.search(r"It begins with <span[^>]*>AAPL</span>", form)
        await http.post("/watchlists", data={"name": "Apple", "symbol": "AAPL"})
        alice = await get_by_name(env, "alice")
        assert [one.symbols for one in await list_watchlists(env, alice.id)][1] == ("AAPL",)


async def test_a_stranger_is_told_to_sign_in(env, settings):
    await make_market(env)
    async with browsing(settings) as http:
        for path in ("/watchlists", "/watchlists/1"):
            assert (await http.get(path)).status_code == 401
            assert (await http.post(path, data={"act": "delete"})).status_code == 401
        page = (await http.get("/instruments/AAPL")).text
        assert "popovertarget" not in page.partition("<main")[2].partition("</main>")[0]
