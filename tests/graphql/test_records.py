"""Files of transactions in the schema: told before, recorded once, in the reader's language."""

from __future__ import annotations

import pytest

from app.domain.access import Scope
from app.domain.transactions import PortfolioKind
from app.services.portfolio.ledger import list_entries
from tests.graphql.asking import ask, fail
from tests.ledgers import make_portfolio
from tests.people import by_api_token, by_session, make_user

IMPORT = """mutation ($id: ID!, $csv: String!, $dry: Boolean, $preset: ID, $mapping: ColumnMappingInput) {
    importTransactions(portfolio: $id, csv: $csv, dryRun: $dry, preset: $preset, mapping: $mapping) {
        dryRun format recorded understood fresh known repeated skipped faultCount
        columns { field names } unusedColumns unknownSymbols unknownCount
        balances { name quantity } positions { name quantity } positionCount problems problemCount
        rows(first: 2) { line state kind action day symbol quantity price currency amount fee tax reversal }
        faults { line column value message } } }"""
FILE = (
    "거래일자,거래구분,종목코드,수량,단가,거래금액,수수료,잔고\n"
    "2024.01.02,입금,,,,1000000,,1\n"
    "2024.01.03,매수,005930,10,71200,712000,100,2\n"
)


@pytest.fixture
async def alice(env):
    return await by_session(env, await make_user(env))


@pytest.fixture
async def book(env, alice):
    return await make_portfolio(env, alice.user, 0, PortfolioKind.TRACKED)


async def test_a_file_is_told_then_recorded_then_known(env, alice, book):
    variables = {"id": str(book.id), "csv": FILE}
    told = (await ask(env, IMPORT, variables, identity=alice))["importTransactions"]
    assert told["dryRun"] is True
    assert (told["format"], told["recorded"], told["fresh"]) == ("BROKER", 0, 2)
    assert told["rows"][1] == {
        "line": 3,
        "state": "NEW",
        "kind": "BUY",
        "action": None,
        "day": "2024-01-03",
        "symbol": "005930.KS",
        "quantity": "10",
        "price": "71200",
        "currency": "KRW",
        "amount": "712000",
        "fee": "100",
        "tax": "0",
        "reversal": False,
    }
    assert told["unusedColumns"] == ["잔고"]
    assert (told["unknownSymbols"], told["unknownCount"]) == (["005930.KS"], 1)
    assert (told["positionCount"], told["problemCount"]) == (1, 0)
    assert told["balances"] == [{"name": "KRW", "quantity": "287900"}]
    assert told["positions"] == [{"name": "005930.KS", "quantity": "10"}]
    assert await list_entries(env, alice.user.id, str(book.id)) == []
    done = await ask(env, IMPORT, variables | {"dry": False}, identity=alice)
    assert done["importTransactions"]["recorded"] == 2
    again = await ask(env, IMPORT, variables | {"dry": False}, identity=alice)
    assert (again["importTransactions"]["recorded"], again["importTransactions"]["known"]) == (0, 2)
    assert len(await list_entries(env, alice.user.id, str(book.id))) == 2


async def test_a_fault_and_a_problem_are_told_in_the_readers_language(env, alice, book):
    text = FILE + "2024.02.30,입금,,,,1,,\n2024.01.04,매도,000660,1,10,10,,\n"
    variables = {"id": str(book.id), "csv": text, "dry": False}
    found = (await ask(env, IMPORT, variables, identity=alice, locale="ko"))["importTransactions"]
    [fault] = found["faults"]
    assert (fault["line"], fault["column"], fault["value"]) == (4, "거래일자", "2024.02.30")
    assert "날짜가 아닙니다" in fault["message"]
    assert "000660.KS" in found["problems"][0]
    assert "초과" in found["problems"][0]
    assert found["recorded"] == 0


SAVE = """mutation ($name: String!, $mapping: ColumnMappingInput!) {
    saveRecordPreset(name: $name, mapping: $mapping) {
        id name columns { field names } kinds { word kind } currency decimalComma dayOrder } }"""
MAPPING = {
    "columns": [
        {"field": "DAY", "names": ["When"]},
        {"field": "KIND", "names": ["What"]},
        {"field": "AMOUNT", "names": ["Much"]},
    ],
    "kinds": [{"word": "Gift", "kind": "DEPOSIT"}],
    "currency": "USD",
    "decimalComma": True,
    "dayOrder": "DMY",
}
OTHER = "When;What;Much\n01/02/2024;gift;1.000,50\n"


async def test_a_preset_reads_what_is_not_recognised(env, alice, book):
    saved = (await ask(env, SAVE, {"name": "mine", "mapping": MAPPING}, identity=alice))[
        "saveRecordPreset"
    ]
    assert saved["kinds"] == [{"word": "gift", "kind": "DEPOSIT"}]
    assert (saved["currency"], saved["decimalComma"], saved["dayOrder"]) == ("USD", True, "DMY")
    listed = await ask(env, "{ recordPresets { id name columns { field names } } }", identity=alice)
    assert [row["name"] for row in listed["recordPresets"]] == ["mine"]
    variables = {"id": str(book.id), "csv": OTHER, "preset": saved["id"]}
    by_preset = (await ask(env, IMPORT, variables, identity=alice))["importTransactions"]
    variables = {"id": str(book.id), "csv": OTHER, "mapping": MAPPING}
    by_mapping = (await ask(env, IMPORT, variables, identity=alice))["importTransactions"]
    assert by_preset == by_mapping
    assert by_preset["rows"][0]["amount"] == "1000.5"
    assert by_preset["rows"][0]["day"] == "2024-02-01"
    gone = "mutation ($id: ID!) { deleteRecordPreset(id: $id) }"
    assert (await ask(env, gone, {"id": saved["id"]}, identity=alice))["deleteRecordPreset"]
    assert (await ask(env, "{ recordPresets { id } }", identity=alice))["recordPresets"] == []


async def test_what_cannot_be_is_refused_by_its_field(env, alice, book):
    unknown = await fail(env, IMPORT, {"id": str(book.id), "csv": OTHER}, identity=alice)
    assert unknown["extensions"] == {"code": "BAD_INPUT", "field": "columns"}
    twice = {"columns": [{"field": "FEE", "names": ["a"]}, {"field": "FEE", "names": ["b"]}]}
    variables = {"id": str(book.id), "csv": OTHER, "mapping": twice}
    refused = await fail(env, IMPORT, variables, identity=alice)
    assert "stands twice" in refused["message"]


async def test_a_token_that_only_reads_changes_nothing(env, alice, book):
    reader = await by_api_token(env, alice.user, Scope.READ)
    variables = {"id": str(book.id), "csv": FILE, "dry": False}
    assert (await fail(env, IMPORT, variables, identity=reader))["extensions"][
        "code"
    ] == "FORBIDDEN"
    saving = {"name": "x", "mapping": {}}
    assert (await fail(env, SAVE, saving, identity=reader))["extensions"]["code"] == "FORBIDDEN"
    stranger = await fail(env, IMPORT, variables)
    assert stranger["extensions"]["code"] == "UNAUTHENTICATED"


async def test_a_portfolio_is_exported(env, alice, book):
    variables = {"id": str(book.id), "csv": FILE, "dry": False}
    await ask(env, IMPORT, variables, identity=alice)
    query = "query ($id: ID!) { portfolio(id: $id) { export json: export(format: JSON) } }"
    found = (await ask(env, query, {"id": str(book.id)}, identity=alice))["portfolio"]
    assert found["export"].startswith("\ufeffsise 1,reverses,day")
    other = await make_portfolio(env, alice.user, 0, PortfolioKind.TRACKED)
    for text in (found["export"], found["json"]):
        variables = {"id": str(other.id), "csv": text}
        told = (await ask(env, IMPORT, variables, identity=alice))["importTransactions"]
        assert (told["format"], told["fresh"]) == ("SISE", 2)
