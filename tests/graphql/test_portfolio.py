"""Portfolios in the schema: exact values, whoever may see them, and prices that move."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from decimal import Decimal

import pytest
from sqlalchemy import text, update

from app.db.engine import EVERYONE
from app.db.models import EquityState
from app.domain.access import Scope
from app.env import Env
from app.graphql.schema import schema
from app.services.feed.live import QuoteHub
from app.services.people.identity import Identity
from app.services.portfolio.equity import refresh_equity
from app.services.portfolio.ledger import record_transactions
from app.services.portfolio.portfolios import PortfolioRow
from tests.factories import make_sessions, weekdays
from tests.graphql.asking import ask, counting_statements, fail, make_context
from tests.holdings import START, make_holdings, make_prices, publish, tick
from tests.ledgers import read
from tests.people import by_api_token, by_session, make_user

VALUE = """query ($id: ID!) { portfolio(id: $id) { name kind baseCurrency value {
    currency total cashValue marketValue cost unrealisedPnl realisedPnl income flows dayPnl cashFx
    pricePart fxPart crossPart complete missing fxRate { value source day before }
    cash { currency deposit orderable withdrawable unsettled reserved receivable }
    positions { symbol quantity cost averageCost value baseValue baseCost baseUnrealisedPnl
        pricePart fxPart crossPart dayPnl weight price { value source day } instrument { name } } } } }"""


@pytest.fixture
async def alice(env: Env) -> Identity:
    return await by_session(env, await make_user(env))


@pytest.fixture
async def held(env: Env, alice: Identity) -> PortfolioRow:
    await make_prices(env)
    return await make_holdings(env, alice.user)


async def test_every_figure_is_exact(env: Env, alice: Identity, held: PortfolioRow):
    found = await ask(env, VALUE, {"id": str(held.id)}, identity=alice)
    value = found["portfolio"]["value"]
    apple, samsung = value["positions"][1], value["positions"][0]
    # 9 * 101 * 1420 and 15 * 70,200; bought for 9 * 100 * 1400 and 15 * 70,000
    assert (apple["symbol"], apple["baseValue"], apple["baseCost"]) == (
        "AAPL",
        "1290780",
        "1260000",
    )
    assert (samsung["baseValue"], samsung["baseCost"]) == ("1053000", "1050000")
    assert [apple[f"{part}Part"] for part in ("price", "fx", "cross")] == ["12600", "18000", "180"]
    # by the close before: 102 at 1410, and 70,100
    assert (apple["dayPnl"], samsung["dayPnl"]) == ("-3600", "1500")
    cash = {row["currency"]: row["deposit"] for row in value["cash"]}
    assert cash == {"KRW": "7549749", "USD": "99"}
    assert value["cashValue"] == str(7_549_749 + 99 * 1420)
    assert value["total"] == str(1_290_780 + 1_053_000 + 7_549_749 + 99 * 1420)
    assert value["realisedPnl"] == str(5 * 100 - 50 - 701 - 1400)
    assert (value["flows"], value["complete"], value["missing"]) == ("10000000", True, [])
    told = [
        Decimal(value[name])
        for name in ("flows", "unrealisedPnl", "realisedPnl", "income", "cashFx")
    ]
    assert sum(told) == Decimal(value["total"])
    assert value["dayPnl"] == str(-3600 + 1500 + 99 * 10)
    assert apple["weight"] == pytest.approx(1_290_780 / float(value["total"]))


WHY = """query ($id: ID!, $figure: Figure!, $symbol: String) { portfolio(id: $id) {
    why(figure: $figure, symbol: $symbol) { figure currency formula result terms { name value }
        prices { name mark { value source day } } rates { name mark { value source } } lineCount
        lines { name amount currency base rate { value source day } transaction { kind symbol } }
        transactionCount transactions { kind } } } }"""


@pytest.mark.parametrize(
    ("figure", "symbol", "result", "rows"),
    [
        ("VALUE", "AAPL", 9 * 101 * 1420, []),
        ("QUANTITY", "005930.KS", 15, [-5, 20]),
        ("COST", "AAPL", 9 * 100 * 1400, [900 * 1400]),
        ("REALISED", None, 5 * 100 - 50 - 701 - 1400, [-751, -1400, 500]),
        ("TOTAL", None, None, [99 * 1420, 7_549_749, 1_290_780, 1_053_000]),
    ],
)
async def test_why_a_figure_is_what_it_is(
    env: Env, alice: Identity, held: PortfolioRow, figure: str, symbol: str, result: int, rows: list
):
    given = {"id": str(held.id), "figure": figure, "symbol": symbol}
    why = (await ask(env, WHY, given, identity=alice))["portfolio"]["why"]
    assert [Decimal(line["base"]) for line in why["lines"]] == rows
    assert Decimal(why["result"]) == (sum(rows) if result is None else result)
    assert why["formula"]
    if figure == "VALUE":
        assert why["prices"] == [
            {"name": "AAPL", "mark": {"value": "101", "source": "YAHOO", "day": "2026-03-04"}}
        ]
        assert why["transactions"] == [{"kind": "BUY"}]
    if figure == "COST":
        (line,) = why["lines"]
        assert line["rate"] == {"value": "1400", "source": "yahoo", "day": str(START)}
        assert line["transaction"] == {"kind": "BUY", "symbol": "AAPL"}


async def test_why_says_which_position_has_no_such_figure(
    env: Env, alice: Identity, held: PortfolioRow
):
    given = {"id": str(held.id), "figure": "VALUE", "symbol": "MSFT"}
    error = await fail(env, WHY, given, identity=alice)
    assert error["extensions"] == {"code": "BAD_INPUT", "field": "symbol"}


async def test_a_missing_rate_is_named_and_never_one(env: Env, alice: Identity, held: PortfolioRow):
    async with env.db.write() as db:
        await db.execute(text("DELETE FROM fx_rate"))
    value = (await ask(env, VALUE, {"id": str(held.id)}, identity=alice))["portfolio"]["value"]
    assert not value["complete"]
    assert "USD" in value["missing"]
    apple = next(p for p in value["positions"] if p["symbol"] == "AAPL")
    assert (apple["value"], apple["baseValue"], apple["dayPnl"]) == ("909", None, None)
    assert value["marketValue"] == "1053000"


async def test_the_parts_of_a_page_cost_the_same_statements_however_many_rows(
    env: Env, alice: Identity, held: PortfolioRow
):
    query = """query ($id: ID!) { portfolio(id: $id) { value { total } positions { value }
        allocation { name value part } cash { deposit } sales { edges { node { gain } } }
        income { amount } transactions { totalCount edges { node { kind } } } } }"""
    with counting_statements(env) as statements:
        found = (await ask(env, query, {"id": str(held.id)}, identity=alice))["portfolio"]
    assert len(statements) < 60
    assert [row["name"] for row in found["allocation"]] == [None, "AAPL", "005930.KS"]
    assert found["sales"]["edges"] == [{"node": {"gain": "500"}}]
    assert found["transactions"]["totalCount"] == 5


@pytest.mark.parametrize(
    ("sort", "locale", "up", "symbol"),
    [
        ("VALUE", "en", False, "AAPL"),
        ("VALUE", "en", True, "005930.KS"),
        ("PRICE", "en", False, "005930.KS"),
        ("NAME", "en", True, "AAPL"),  # Apple, Samsung
        ("NAME", "ko", True, "005930.KS"),  # 삼성전자, 애플
    ],
)
async def test_the_first_of_the_positions_and_how_many_there_are(
    env: Env, alice: Identity, held: PortfolioRow, sort: str, locale: str, up: bool, symbol: str
):
    query = """query ($id: ID!, $sort: PositionSort!, $up: Boolean!) { portfolio(id: $id) {
        positionCount positions(first: 1, sort: $sort, ascending: $up) { symbol }
        all: positions { symbol } allocation(first: 1) { name others } } }"""
    given = {"id": str(held.id), "sort": sort, "up": up}
    found = (await ask(env, query, given, identity=alice, locale=locale))["portfolio"]
    assert (found["positionCount"], len(found["all"])) == (2, 2)
    assert found["positions"] == [{"symbol": symbol}]
    assert found["allocation"] == [{"name": None, "others": 0}, {"name": "", "others": 2}]


async def test_a_page_of_sales_tells_what_all_of_an_instrument_have_brought(
    env: Env, alice: Identity, held: PortfolioRow
):
    sold = {f"s{n}": read(f"SELL 5 005930.KS @ {70_000 + n}") for n in range(1, 4)}
    interest = {"i": read("INTEREST 7")}
    await record_transactions(env, alice.user.id, str(held.id), sold | interest)
    query = """query ($id: ID!, $after: String) { portfolio(id: $id) {
        sales(first: 3, after: $after) { totalCount pageInfo { hasNextPage endCursor } edges {
            node { gain ofInstrument { count baseGain held } } } }
        incomeByMonth { month count baseAmount } } }"""
    gains, after = [], None
    for _ in range(2):
        given = {"id": str(held.id), "after": after}
        found = (await ask(env, query, given, identity=alice))["portfolio"]
        page = [edge["node"] for edge in found["sales"]["edges"]]
        gains += [row["gain"] for row in page]
        all_ = {"count": 4, "baseGain": str(5 * (100 + 1 + 2 + 3)), "held": False}
        assert [row["ofInstrument"] for row in page] == [all_] * len(page)
        after = found["sales"]["pageInfo"]["endCursor"]
    assert sorted(gains, key=int) == ["5", "10", "15", "500"]
    assert found["sales"]["totalCount"] == 4
    assert found["incomeByMonth"] == [{"month": "2026-03", "count": 1, "baseAmount": "7"}]


async def test_a_transaction_is_recorded_once_by_its_key_and_reversed_once(
    env: Env, alice: Identity, held: PortfolioRow
):
    record = """mutation ($input: TransactionInput!, $key: ID!) {
        recordTransaction(input: $input, key: $key) { id kind amount } }"""
    given = {
        "portfolio": str(held.id),
        "kind": "BUY",
        "day": "2026-03-04",
        "symbol": "005930.ks",
        "quantity": "2",
        "price": "70200",
        "currency": "KRW",
    }
    first = await ask(env, record, {"input": given, "key": "a"}, identity=alice)
    again = await ask(env, record, {"input": given, "key": "a"}, identity=alice)
    assert first == again
    assert first["recordTransaction"]["amount"] == "140400"
    other = await fail(
        env, record, {"input": given | {"quantity": "3"}, "key": "a"}, identity=alice
    )
    assert other["extensions"]["code"] == "CONFLICT"
    reverse = (
        "mutation ($id: ID!, $key: ID!) { reverseTransaction(id: $id, key: $key) { reverses } }"
    )
    number = first["recordTransaction"]["id"]
    undone = await ask(env, reverse, {"id": number, "key": "b"}, identity=alice)
    assert undone["reverseTransaction"]["reverses"] == number
    twice = await fail(env, reverse, {"id": number, "key": "c"}, identity=alice)
    assert twice["extensions"]["code"] == "CONFLICT"


async def test_what_is_not_covered_is_refused_with_both_figures(
    env: Env, alice: Identity, held: PortfolioRow
):
    record = """mutation ($input: TransactionInput!) {
        recordTransaction(input: $input, key: "k") { id } }"""
    given = {"portfolio": str(held.id), "kind": "BUY", "day": "2026-03-04", "symbol": "005930.KS"}
    given |= {"quantity": "1000", "price": "70200", "currency": "KRW"}
    error = await fail(env, record, {"input": given}, identity=alice)
    assert error["extensions"]["code"] == "BAD_INPUT"
    assert "7,549,749" in error["message"]
    assert "70,200,000" in error["message"]


async def test_a_token_that_only_reads_changes_nothing(env: Env, alice: Identity):
    create = 'mutation { createPortfolio(input: {name: "P", kind: SIMULATED}) { id } }'
    reader = await by_api_token(env, alice.user, Scope.READ)
    assert (await fail(env, create, identity=reader))["extensions"]["code"] == "FORBIDDEN"
    trader = await by_api_token(env, alice.user, Scope.TRADE)
    assert (await ask(env, create, identity=trader))["createPortfolio"]["id"]


async def test_the_value_follows_ticks_exactly_and_the_ledger_too(
    env: Env, alice: Identity, held: PortfolioRow
):
    query = """subscription ($id: ID!) { portfolio(id: $id) { total
        positions { symbol quantity baseValue baseCost baseUnrealisedPnl } } }"""
    hub = QuoteHub(env)
    async with hub.running():
        context = make_context(env, identity=alice, hub=hub)
        stream = await schema.subscribe(query, {"id": str(held.id)}, context_value=context)
        async with aclosing(stream) as answers, asyncio.timeout(60):
            await anext(answers)
            for price in (103, 99, 101, 105):
                await publish(env.bus, tick("AAPL", str(price), "102"))
                value = (await anext(answers)).data["portfolio"]
                while value["positions"][1]["baseValue"] != str(9 * price * 1420):
                    value = (await anext(answers)).data["portfolio"]
                gain = 9 * price * 1420 - 9 * 100 * 1400
                assert value["positions"][1]["baseUnrealisedPnl"] == str(gain)
            record = """mutation ($id: ID!) { recordTransaction(key: "more", input: {portfolio: $id,
                kind: DEPOSIT, day: "2026-03-04", currency: "KRW", amount: "1000000"}) { id } }"""
            await ask(env, record, {"id": str(held.id)}, identity=alice)
            richer = str(int(value["total"]) + 1_000_000)
            while value["total"] != richer:
                value = (await anext(answers)).data["portfolio"]


async def test_names_archives_and_deletion(env: Env, alice: Identity, held: PortfolioRow):
    own = {"id": str(held.id)}
    rename = 'mutation ($id: ID!) { renamePortfolio(id: $id, name: " New ") { name } }'
    assert (await ask(env, rename, own, identity=alice))["renamePortfolio"]["name"] == "New"
    archive = "mutation ($id: ID!) { archivePortfolio(id: $id) { archivedAt } }"
    assert (await ask(env, archive, own, identity=alice))["archivePortfolio"]["archivedAt"]
    assert (await ask(env, "{ portfolios { id } }", identity=alice))["portfolios"] == []
    all_ = await ask(env, "{ portfolios(archived: true) { id } }", identity=alice)
    assert all_["portfolios"] == [own]
    delete = "mutation ($id: ID!) { deletePortfolio(id: $id) }"
    assert (await fail(env, delete, own, identity=alice))["extensions"]["code"] == "CONFLICT"


async def test_performance_equity_and_audit(
    env: Env, alice: Identity, held: PortfolioRow, monkeypatch
):
    """What is asked for is read: an edit has no day worked out by who asks (or edits)."""
    await make_sessions(env, "XKRX", weekdays(START, 3))
    await refresh_equity(env)
    monkeypatch.setattr("app.services.portfolio.equity.compute_equity", pytest.fail)
    query = """query ($id: ID!) { portfolio(id: $id) { performance { simpleReturn twr xirr xirrNote
        periodReturn maxDrawdown } equity(from: "2026-03-03") value { total } audit { finding } } }"""
    found = (await ask(env, query, {"id": str(held.id)}, identity=alice))["portfolio"]
    await ask(
        env,
        """mutation ($id: ID!) { recordTransaction(key: "k", input: { portfolio: $id, kind: DEPOSIT,
        day: "2026-03-02", amount: "500", currency: "KRW" }) { id } }""",
        {"id": str(held.id)},
        identity=alice,
    )
    later = (await ask(env, query, {"id": str(held.id)}, identity=alice))["portfolio"]
    assert later["equity"] == found["equity"]
    async with env.db.write(uid=EVERYONE) as db:
        wrong = {"finding": "TOTAL_DIFFERS", "name": "KRW", "difference": "2", "day": "2026-03-04"}
        await db.execute(update(EquityState).values(findings=[wrong]))
    told = (await ask(env, query, {"id": str(held.id)}, identity=alice))["portfolio"]["audit"]
    assert told == [{"finding": "TOTAL_DIFFERS"}]
    assert found["audit"] == []
    assert found["performance"]["xirrNote"] == "UNDER_A_YEAR"
    assert found["performance"]["twr"] == pytest.approx(found["performance"]["simpleReturn"])
    assert found["equity"]["time"] == ["2026-03-03", "2026-03-04"]
