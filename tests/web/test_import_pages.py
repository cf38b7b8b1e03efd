"""Importing on the page: a check, faults by line, and recording all or nothing."""

from __future__ import annotations

from app.domain.transactions import PortfolioKind
from tests.holdings import make_holdings, make_prices
from tests.people import PASSWORD, make_user
from tests.web.pages import browsing, choose_source, text_of

FILE = "거래일자,거래구분,종목코드,수량,단가,거래금액,수수료,통화\n"
GOOD = FILE + "2026-03-04,매수,005930,3,70200,210600,30,KRW\n"
BAD = GOOD + "2026-13-04,매수,005930,3,70200,210600,30,KRW\n"


async def start(env, http, kind=PortfolioKind.TRACKED):
    await choose_source(env, "yahoo")
    await make_prices(env)
    alice = await make_user(env)
    row = await make_holdings(env, alice, kind)
    await http.post("/login", data={"username": "alice", "password": PASSWORD})
    return f"/portfolios/{row.id}/transactions"


async def send(http, address, text, **fields):
    file = {"file": ("trades.csv", text.encode("cp949"), "text/csv")}
    return await http.post(f"{address}/import", files=file, data=fields)


async def test_a_file_is_checked_then_recorded_and_a_second_time_adds_nothing(env, settings):
    async with browsing(settings) as http:
        address = await start(env, http)
        assert "Import a file" not in text_of((await http.get(address)).text)
        assert 'enctype="multipart/form-data"' in (await http.get(address)).text
        checked = await send(http, address, GOOD)
        assert checked.status_code == 200
        assert "Checked: nothing was recorded yet" in text_of(checked.text)
        assert "5 transactions" in text_of((await http.get(address)).text)
        done = await send(http, address, GOOD, dryRun="false")
        assert "1 row was recorded" in text_of(done.text)
        assert "6 transactions" in text_of((await http.get(address)).text)
        again = await send(http, address, GOOD, dryRun="false")
        assert "Nothing new in this file" in text_of(again.text)


async def test_a_row_that_is_wrong_is_named_and_nothing_is_recorded(env, settings):
    async with browsing(settings, "ko") as http:
        address = await start(env, http)
        answer = await send(http, address, BAD, dryRun="false")
        text = text_of(answer.text)
        assert "아무것도 기록하지 않았습니다" in text
        assert "거래일자" in text
        assert "2026-13-04" in text
        assert "거래 5건" in text_of((await http.get(address)).text)


async def test_of_many_problems_the_first_are_told_and_how_many_there_are(env, settings):
    sold = (f"2026-03-04,매도,005930,1,{70_000 + n},{70_000 + n},0,KRW\n" for n in range(220))
    many = FILE + "".join(sold)  # 15 are held
    async with browsing(settings) as http:
        address = await start(env, http)
        text = text_of((await send(http, address, many)).text)
        assert text.count("more shares are sold than are held") == 20
        assert "and 185 more" in text
        file = {"file": ("trades.csv", many.encode(), "text/csv")}
        told = (await http.post(address.replace("transactions", "import"), files=file)).json()
        assert (len(told["problems"]), told["problemCount"]) == (200, 205)
        assert (told["positionCount"], told["unknownCount"]) == (2, 0)


async def test_what_is_no_upload_or_no_real_account_is_told_on_the_page(env, settings):
    async with browsing(settings) as http:
        address = await start(env, http, PortfolioKind.SIMULATED)
        refused = await send(http, address, GOOD)
        assert refused.status_code == 409
        assert 'role="alert"' in refused.text
        assert 'type="file"' not in (await http.get(address)).text
        none = await http.post(f"{address}/import", data={"x": "1"})
        assert none.status_code == 400
