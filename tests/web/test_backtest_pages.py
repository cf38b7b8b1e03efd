"""The pages of backtests without a line of JavaScript: asked for, seen, compared, exported, gone."""

from __future__ import annotations

import csv
import io
import re
from datetime import date
from decimal import Decimal
from html.parser import HTMLParser

import numpy as np
import pytest
from sqlalchemy import text

from app.db.engine import EVERYONE
from app.domain.backtest.parameters import check_values
from app.domain.backtest.strategies import STRATEGIES
from app.domain.transactions import PortfolioKind
from app.env import Env
from app.services.backtest.backtest_repeats import open_repeats
from app.services.backtest.backtest_tape import load_tape
from app.services.backtest.backtests import get_backtest
from app.services.people.users import list_users
from app.services.portfolio.portfolios import NewPortfolio, create_portfolio
from tests.backtests import make_market, work
from tests.domain.backtest.oracle import Oracle
from tests.factories import make_bars
from tests.people import make_user
from tests.web.pages import browsing, text_of
from tests.web.test_portfolio_pages import sign_in

FORM = {"strategy": "sma_cross", "symbols": "AAPL", "cash": "100,000", "p.fast": "3", "p.slow": "9"}


_FIFTY_MORE = """
    INSERT INTO backtest (user_id, mode, strategy, symbols, first_day, last_day, input, data_version,
        source, state, trials, parts, created_at, done_at)
    SELECT user_id, mode, strategy, symbols, first_day, last_day, input, data_version,
        source, 'CANCELLED', trials, parts, created_at, done_at
    FROM backtest, generate_series(1, 50)
"""


class Inputs(HTMLParser):
    """What a browser would send of a page's forms: of a repeated name the last."""

    def __init__(self, html):
        super().__init__()
        self.values, self.select = {}, ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "select":
            self.select = given["name"]
        elif tag == "option" and "selected" in given:
            self.values[self.select] = given["value"]
        elif tag == "input" and "name" in given:
            if given.get("type") != "checkbox":
                self.values[given["name"]] = given.get("value", "")
            elif "checked" in given:
                self.values[given["name"]] = given.get("value", "on")


@pytest.fixture
async def market(env: Env) -> Env:
    await make_market(env, "AAPL", "MSFT")
    await make_user(env)
    return env


async def run(http, env, **more):
    made = await http.post("/backtests/new", data=FORM | more)
    assert made.status_code == 303, text_of(made.text)
    await work(env)
    return made.headers["location"]


async def test_who_has_not_signed_in_is_led_to_it(market, settings):
    async with browsing(settings) as http:
        for path in ("/backtests", "/backtests/1", "/backtests/1/export.csv"):
            assert (await http.get(path)).status_code == 401


async def test_one_is_asked_for_followed_and_read(market, settings):
    async with browsing(settings) as http:
        await sign_in(http)
        assert "No backtest yet" in text_of((await http.get("/backtests")).text)
        form = (await http.get("/backtests/new")).text
        assert 'name="p.fast"' in form
        assert 'name="p.buy_below"' in (await http.get("/backtests/new?strategy=stochastic")).text
        made = await http.post(
            "/backtests/new",
            data=FORM | {"symbols": "AAPL MSFT", "stop": "20", "benchmark": "MSFT"},
        )
        waiting = (await http.get(made.headers["location"])).text
        assert "Waiting" in text_of(waiting)
        assert "<progress" in waiting
        await work(market)
        page = (await http.get(made.headers["location"])).text
        told = text_of(page)
        for words in ("No look-ahead: 0 of", "Sharpe", "Monthly returns, %", "Trades on the price",
                      "A signal at the close is filled at the next open.", "with hindsight",
                      "Buy and hold", "Equal weights", "Each by itself", "of 2 made money"):  # fmt: skip
            assert words in told, words
        assert 'data-mark="buy"' in page
        assert "SMA cross" in text_of((await http.get("/backtests")).text)


async def test_what_the_page_says_is_what_an_event_loop_says(market, settings):
    user = (await list_users(market))[0]
    async with browsing(settings) as http:
        await sign_in(http)
        where = await run(http, market, stop="4", slippage="0.1", interest="2")
        told = text_of((await http.get(where)).text)
    row = await get_backtest(market, user.id, where.rpartition("/")[2])
    request, tape = row.request, await load_tape(market, row.request, row.data_version)
    cross = STRATEGIES["sma_cross"]
    decision = cross.decide(tape.history, check_values(cross, request.values))
    oracle = Oracle(tape, request.setup, decision.side, np.ones(tape.history.shape))
    fees, wins = sum(fill[4] for fill in oracle.fills), sum(trip[4] > 0 for trip in oracle.trips)
    assert len(oracle.trips) > 5
    for words in (
        f"Final equity ${oracle.equity[-1]:,.2f}",
        f"Return {100 * (oracle.equity[-1] / 100_000 - 1):+.2f}%",
        f"Trades {len(oracle.trips)} ",
        f"Win rate {100 * wins / len(oracle.trips):.1f}%",
        f"closed with a position. {100 * oracle.exposed / len(tape.days):.1f}%",
        f"Fees ${fees:,.2f}",
    ):
        assert words in told, (words, told)


async def test_a_sweep_is_seen_as_a_map_and_its_best_cell_run(market, settings):
    async with browsing(settings) as http:
        await sign_in(http)
        where = await run(http, market, **{"p.fast": "2:4", "p.slow": "6, 9, 12", "stop": "10,20"})
        page = (await http.get(where)).text
        told = text_of(page)
        assert "18 cells" in told
        assert "data-best" in page
        assert "Over-fitting" in told
        other = text_of((await http.get(f"{where}?x=stop&y=slow")).text)
        assert "Stop →" in other
        assert "Slow window (sessions) 10% 20%" in other  # as the form takes them
        assert re.search(r"Size of a position Equal parts Stop [12]0%", other)
        query = page.partition('id="open-best" href="')[2].partition('"')[0].replace("&amp;", "&")
        form = (await http.get(query)).text
        assert 'value="AAPL"' in form
        assert (await http.get(f"{where}?x=none")).status_code == 400


async def test_a_sweep_of_one_axis_is_one_row_and_what_ran_before_on_another_page(market, settings):
    async with browsing(settings) as http:
        await sign_in(http)
        where = await run(http, market, **{"p.fast": "2:5"})
        page = (await http.get(where)).text
        assert page.count("data-best") == 1
        assert "Across" not in text_of(page)
        async with market.db.write(uid=EVERYONE) as db:
            await db.execute(text(_FIFTY_MORE))
        pages = [(await http.get("/backtests")).text]
        further = re.search(r'href="(/backtests\?after=[^"]+)"', pages[0])
        pages.append((await http.get(further[1])).text)
        assert [page.count("row-link") for page in pages] == [50, 1]
        assert f'href="{where}"' in pages[1]
        assert "First page" in text_of(pages[1])


async def test_a_walk_forward_shows_its_folds(market, settings):
    async with browsing(settings) as http:
        await sign_in(http)
        plan = {"walk": "on", "train": "100", "test": "40", "embargo": "2", "p.fast": "2,4"}
        told = text_of((await http.get(await run(http, market, **plan))).text)
        assert "Chosen on the past" in told
        assert "Fast window (sessions) " in told
        assert "Short on the other side No" in told
        assert "Short on the other side false" not in told


async def test_what_was_wrong_stands_at_its_field(market, settings):
    async with browsing(settings) as http:
        await sign_in(http)
        for wrong, words in (
            ({"p.fast": "x"}, "fast is x"),
            ({"p.fast": "1:x"}, "it must be a number"),
            ({"stop": "many"}, "it must be a number"),
            ({"slots": "1.5"}, "it must be a whole number"),
            ({"p.fast": "1:2:3:4"}, "it must be a number"),
            ({"stop": "1:99:0.0001"}, "The axis stop has 980001 values; it must be from 1 to 1000"),
            ({"p.fast": "0"}, "fast is 0; it must be a whole number from 1 to 2000"),
            ({"cash": "-5"}, "cash is -5; it must be above 0 and at most 1000000000000000"),
            ({"volumeCap": "0"}, "volume cap is 0%; it must be above 0% and at most 100%"),
            ({"fraction": "150"}, "fraction is 150%"),
            ({"to": "1990-01-01"}, "AAPL has prices from 2020-01-06 to 2021-01-01"),
            ({"symbols": "NONE"}, "which is no share or fund"),
            ({"strategy": "none"}, "There is no strategy"),
            ({"walk": "on"}, "a fold of this plan needs"),
        ):
            answer = await http.post("/backtests/new", data=FORM | wrong)
            assert answer.status_code == 422, wrong
            assert words in text_of(answer.text), (wrong, words)


async def test_a_refused_form_keeps_every_value(market, settings):
    typed = FORM | {
        "symbols": "NONE", "name": "Mine", "from": "2020-02-03", "to": "2020-12-01", "cash": "77,777",
        "costs": "branch", "fill": "SAME_CLOSE", "slippage": "0.3", "sizing": "FRACTION",
        "fraction": "35", "slots": "3", "interest": "1.5", "borrowing": "4.5", "volumeCap": "7",
        "stop": "11", "target": "22", "trailing": "13", "benchmark": "MSFT", "walk": "on",
        "train": "111", "test": "44", "embargo": "3",
    }  # fmt: skip
    switches = {"shorts": "on", "taxed": "off", "ticks": "off", "limits": "on", "whole": "off",
                "p.short": "on"}  # fmt: skip
    async with browsing(settings) as http:
        await sign_in(http)
        answer = await http.post("/backtests/new", data=typed | switches)
        assert answer.status_code == 422
        form = Inputs(answer.text)
        kept = {name: form.values.get(name) for name in typed}
        assert kept == typed | {"walk": "on"}
        assert {name: form.values.get(name) for name in switches} == switches


async def test_one_runs_again_and_shadows_a_portfolio(market, settings):
    user = (await list_users(market))[0]
    async with browsing(settings) as http:
        await sign_in(http)
        where = await run(http, market)
        assert "Run again after each collection" in text_of((await http.get(where)).text)
        assert (await http.post(f"{where}/repeat", data={"on": "on"})).status_code == 303
        assert "Run no more" in text_of((await http.get(where)).text)
        assert "Runs again" in text_of((await http.get("/backtests")).text)
        await make_bars(market, "AAPL", [120.0], start=date(2021, 1, 4), volume=10_000_000)
        await open_repeats(market)
        await work(market)
        listed = (await http.get(where)).text
        again = re.search(r'class="row-link" href="(/backtests/[0-9]+)"', listed)[1]
        assert "All of its runs" in text_of((await http.get(again)).text)
        capital, day = Decimal(50_000), date(2020, 6, 1)
        paper = NewPortfolio("Paper", PortfolioKind.SIMULATED, "USD", capital, opened_on=day)
        id_ = (await create_portfolio(market, user.id, paper)).id
        assert "Shadow a portfolio" in text_of((await http.get(where)).text)
        refused = await http.post(f"{where}/shadow", data={"portfolio": "0"})
        assert (refused.status_code, "There is nothing of that id" in refused.text) == (422, True)
        twin = await http.post(f"{where}/shadow", data={"portfolio": id_})
        await work(market)
        told = text_of((await http.get(twin.headers["location"])).text)
        for words in ("trade by trade", "The portfolio did not do it", "Only the backtest"):
            assert words in told, words
        assert "Shadow of a portfolio" in text_of((await http.get("/backtests")).text)


async def test_files_have_every_fill_and_everything(market, settings):
    async with browsing(settings) as http:
        await sign_in(http)
        where = await run(http, market)
        rows = list(csv.DictReader(io.StringIO((await http.get(f"{where}/export.csv")).text)))
        everything = (await http.get(f"{where}/export.json")).json()
        for name, values in everything["result"]["fills"].items():
            if isinstance(values[0], float):
                assert [float(row[name]) for row in rows] == [round(one, 8) for one in values]
                assert not any(row[name].endswith(".0") or len(row[name]) > 16 for row in rows)
        assert len(everything["result"]["equity"]["equity"]) == 260
        assert (await http.get(f"{where}/export.pdf")).status_code == 404


async def test_some_are_compared_ended_and_taken_out_of_sight(market, settings):
    async with browsing(settings, "ko") as http:
        await sign_in(http)
        one = await run(http, market)
        two = await run(http, market, fill="SAME_CLOSE")
        ids = [where.rpartition("/")[2] for where in (one, two)]
        page = await http.get("/backtests/compare", params={"ids": ids})
        assert "최종 평가금액" in text_of(page.text)
        assert "두 개 이상" in text_of((await http.get("/backtests/compare")).text)
        assert (await http.get("/backtests/compare?ids=99999")).status_code == 404
        waiting = (await http.post("/backtests/new", data=FORM)).headers["location"]
        assert (await http.post(f"{waiting}/cancel")).status_code == 303
        assert "취소" in text_of((await http.get(waiting)).text)
        assert (await http.post(f"{one}/delete")).headers["location"] == "/backtests"
        assert (await http.get(one)).status_code == 404
