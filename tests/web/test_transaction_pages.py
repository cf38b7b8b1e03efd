"""The ledger's page: writing into it, filtering, paging, and reversing."""

from __future__ import annotations

import re
from dataclasses import replace

from app.domain.transactions import PortfolioKind
from tests.factories import make_dividend, make_split
from tests.holdings import BOUGHT, make_holdings, make_prices
from tests.ledgers import keep, read
from tests.people import PASSWORD, make_user
from tests.web.pages import browsing, choose_source, text_of


async def start(env, http):
    await choose_source(env, "yahoo")
    await make_prices(env)
    alice = await make_user(env)
    row = await make_holdings(env, alice)
    await http.post("/login", data={"username": "alice", "password": PASSWORD})
    return alice, row, f"/portfolios/{row.id}/transactions"


async def test_a_purchase_is_written_once_however_often_it_is_sent(env, settings):
    async with browsing(settings) as http:
        _, _, address = await start(env, http)
        page = (await http.get(address)).text
        key = re.search(r'name="key"\s+value="([^"]+)"', page)[1]
        form = {"key": key, "kind": "BUY", "day": "2026-03-04", "symbol": "005930.KS", "fee": "15"}
        form |= {"currency": "KRW", "quantity": "3", "price": "70,200"}
        for _ in range(2):
            assert (await http.post(address, data=form)).status_code == 303
        text = text_of((await http.get(address)).text)
        assert "6 transactions" in text
        assert text.count("₩210,600") == 1


async def test_what_is_not_covered_stands_at_the_amount_and_nothing_is_lost(env, settings):
    async with browsing(settings) as http:
        _, _, address = await start(env, http)
        form = {"key": "k", "kind": "BUY", "day": "2026-03-04", "symbol": "005930.KS"}
        form |= {"currency": "KRW", "quantity": "3000", "price": "70200"}
        answer = await http.post(address, data=form)
        assert answer.status_code == 422
        assert 'id="amount-error"' in answer.text
        assert 'value="3000"' in answer.text
        http.headers["accept-language"] = "ko"
        for wrong, field, words in (
            ({"settlesOn": "2026-03-03"}, "settlesOn", "결제일 값이 2026-03-03입니다."),
            ({"quantity": "abc"}, "quantity", "수량 값이 'abc'입니다. 숫자여야 합니다"),
            ({"day": "soon"}, "day", "날짜 값 'soon'은(는) 날짜가 아닙니다."),
            (
                {"quantity": "", "amount": "100"},
                "quantity",
                "수량 값이 없습니다. 매수에 필요합니다.",
            ),
        ):
            said = (await http.post(address, data=form | wrong)).text
            assert f'id="{field}-error"' in said
            assert words in text_of(said)


async def test_a_transaction_is_reversed_and_says_so(env, settings):
    async with browsing(settings) as http:
        alice, row, address = await start(env, http)
        stored = await keep(env, alice, row, "DEPOSIT 777")
        assert "₩777" in (await http.get(address)).text
        for _ in range(2):
            answer = await http.post(f"{address}/reverse", data={"id": str(stored.id)})
            assert answer.status_code == 303
        text = text_of((await http.get(address)).text)
        assert text.count("Reversed") == 1
        assert text.count("Reversal") == 1
        assert (await http.post(f"{address}/reverse", data={"id": "1e9"})).status_code == 422


async def test_a_reversal_is_undone_by_recording_again_once(env, settings):
    async with browsing(settings) as http:
        alice, row, address = await start(env, http)
        tags = ("savings, 2026", "C:\\new", "end\\", "plain")
        stored = await keep(env, alice, row, replace(read("DEPOSIT 777"), tags=tags))
        sent = {"id": str(stored.id), "query": "kind=DEPOSIT"}
        answer = await http.post(f"{address}/reverse", data=sent)
        onwards = answer.headers["location"]
        assert onwards == f"{address}?kind=DEPOSIT&undone={stored.id}"
        page = (await http.get(onwards)).text
        form = page[page.index('<form class="undo"') :].partition("</form>")[0]
        fields = dict(re.findall(r'name="(\w+)"\s+value="([^"]*)"', form))
        assert (fields["key"], fields["amount"]) == (f"again-{stored.id}", "777")
        for _ in range(2):
            assert (await http.post(address, data=fields)).status_code == 303
        page = (await http.get(address)).text
        assert text_of(page).count("₩777") == 3
        assert page.count("#savings, 2026 #C:\\new #end\\ #plain") == 2  # a reversal has no tags
        other = (await http.get(f"{address}?undone=1")).text
        assert 'class="undo"' not in other


ACTIONS = (
    ({"kind": "TRANSFER", "quantity": "4", "amount": "400", "currency": "USD"}, "Transfer"),
    ({"kind": "SPLIT", "numerator": "4", "denominator": "1", "quantity": "39"}, "4 : 1"),
    ({"action": "BONUS", "quantity": "2"}, "Bonus issue"),
    ({"action": "RIGHTS", "quantity": "2", "price": "5", "currency": "USD"}, "Rights issue"),
    ({"action": "SPIN_OFF", "symbolTo": "NEWC", "quantityTo": "3", "costShare": "0.2"}, "→ NEWC"),
    ({"action": "MERGER", "quantity": "-5", "symbolTo": "BIGC", "quantityTo": "1"}, "Merger"),
    ({"action": "SYMBOL_CHANGE", "quantity": "-5", "symbolTo": "B", "quantityTo": "5"}, "→ B"),
    ({"action": "DELISTING", "quantity": "-5", "amount": "9", "currency": "USD"}, "Delisting"),
)


async def test_the_form_takes_every_kind_of_a_real_account_and_undoes_it(env, settings):
    async with browsing(settings) as http:
        alice, _, _ = await start(env, http)
        row = await make_holdings(env, alice, PortfolioKind.TRACKED)
        address = f"/portfolios/{row.id}/transactions"
        for number, (facts, words) in enumerate(ACTIONS):
            form = {"kind": "CORPORATE_ACTION", "key": f"k{number}", "day": "2026-03-04"} | facts
            form |= {"symbol": "AAPL", "note": f"note {number}", "tags": f"one{number}, two"}
            answer = await http.post(address, data={"currency": "KRW", "amount": ""} | form)
            assert answer.status_code == 303, text_of(answer.text)
            text = text_of((await http.get(address)).text)
            assert words in text
            assert f"#one{number} #two" in text
        newest = re.search(r'name="id"\s+value="(\d+)"', (await http.get(address)).text)[1]
        sent = await http.post(f"{address}/reverse", data={"id": newest})
        page = (await http.get(sent.headers["location"])).text
        undo = page[page.index('<form class="undo"') :].partition("</form>")[0]
        fields = dict(re.findall(r'name="(\w+)"\s+value="([^"]*)"', undo))
        assert (fields["action"], fields["tags"]) == ("DELISTING", "one7, two")
        assert (await http.post(address, data=fields)).status_code == 303


async def test_filters_and_pages_are_in_the_address(env, settings):
    async with browsing(settings) as http:
        alice, row, address = await start(env, http)
        for number in range(51):
            await keep(env, alice, row, f"DEPOSIT {1000 + number}")
        only = text_of((await http.get(f"{address}?kind=SELL&symbol=005930.ks")).text)
        assert "1 transaction" in only
        first = (await http.get(f"{address}?kind=DEPOSIT")).text
        following = re.search(r'href="([^"]+after=[^"]+)"', first)[1].replace("&amp;", "&")
        assert "kind=DEPOSIT" in following
        assert "₩10,000,000" in text_of((await http.get(following)).text)
        assert (await http.get(f"{address}?kind=NOPE")).status_code == 200
        assert (await http.get(f"{address}?after=x")).status_code == 400


async def test_a_head_of_the_table_sorts_all_pages(env, settings):
    async with browsing(settings) as http:
        alice, row, address = await start(env, http)
        for number in range(51):
            await keep(env, alice, row, f"DEPOSIT {3000 - number}")
        page = (await http.get(f"{address}?kind=DEPOSIT")).text
        assert page.count('aria-sort="descending"') == 1
        amount = re.search(r'href="(\?[^"]*sort=AMOUNT[^"]*)"', page)[1].replace("&amp;", "&")
        largest = text_of((await http.get(address + amount)).text)
        assert largest.index("₩10,000,000") < largest.index("₩3,000") < largest.index("₩2,999")
        up = await http.get(f"{address}?kind=DEPOSIT&sort=AMOUNT&order=up")
        assert text_of(up.text).index("₩2,950") < text_of(up.text).index("₩2,951")
        onwards = re.search(r'href="([^"]+after=[^"]+)"', up.text)[1].replace("&amp;", "&")
        assert "₩10,000,000" in text_of((await http.get(onwards)).text)


async def test_a_proposal_is_recorded_or_dismissed(env, settings):
    async with browsing(settings) as http:
        alice, _, _ = await start(env, http)
        await make_split(env, "AAPL", BOUGHT, 2)
        await make_dividend(env, "AAPL", BOUGHT, 1)
        real = await make_holdings(env, alice, PortfolioKind.TRACKED)
        address = f"/portfolios/{real.id}/transactions"
        page = text_of((await http.get(address)).text)
        for said in ("2 proposals", "2 : 1", "$18.00", "tax $2.70"):
            assert said in page
        chosen = {"symbol": "AAPL", "day": str(BOUGHT)}
        sent = chosen | {"kind": "DIVIDEND", "act": "dismiss"}
        assert (await http.post(f"{address}/proposals", data=sent)).status_code == 303
        assert "1 proposal" in text_of((await http.get(address)).text)
        assert (await http.post(f"{address}/proposals", data=sent)).status_code == 422
        taken = chosen | {"kind": "SPLIT", "act": "accept"}
        assert (await http.post(f"{address}/proposals", data=taken)).status_code == 303
        page = text_of((await http.get(address)).text)
        assert "Not recorded yet" not in page
        assert "6 transactions" in page
