"""Importing files: told before, all or none, once; and what is exported comes back equal."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from app.domain.market import present_days
from app.domain.records.duplicates import RowState
from app.domain.records.writing import ExportFormat
from app.domain.transactions import PortfolioKind
from app.errors import BadInput, Conflict, NotFound
from app.services.portfolio.cash import list_cash
from app.services.portfolio.ledger import list_entries, record_transaction, reverse_transaction
from app.services.records import record_import
from app.services.records.record_export import export_text
from app.services.records.record_import import import_records
from app.services.trading.archiving import archive_portfolio
from tests.domain.records.notation import brief
from tests.domain.records.test_foreign import KOREAN
from tests.domain.test_entry_checks import GOOD
from tests.factories import make_sessions
from tests.ledgers import balances, drift, keep, make_portfolio
from tests.people import make_user

HEAD = "date,type,symbol,quantity,price,amount,fee,currency\n"
FILE = (
    "2024-01-04,sell,005930,4,80000,320000,20,KRW\n"
    "2024-01-03,buy,005930,10,71200,712000,100,KRW\n"
    "2024-01-02,deposit,,,,1000000,,KRW\n"
)


@pytest.fixture
async def alice(env):
    return await make_user(env)


@pytest.fixture
async def book(env, alice):
    return await make_portfolio(env, alice, 0, PortfolioKind.TRACKED)


async def take(env, user, book, text, **wishes):
    data = text if isinstance(text, bytes) else text.encode()
    return await import_records(env, user.id, str(book.id), data, **wishes)


async def commit(env, user, book, text, **wishes):
    return await take(env, user, book, text, dry_run=False, **wishes)


async def test_a_dry_run_tells_what_would_be_and_records_nothing(env, alice, book):
    report = await take(env, alice, book, HEAD + FILE)
    assert report.recorded == 0
    assert [brief(match.row.entry) for match in report.rows] == [
        "DEPOSIT = 1000000 KRW",
        "BUY 005930.KS 10 @ 71200 = 712000 KRW fee 100",
        "SELL 005930.KS 4 @ 80000 = 320000 KRW fee 20",
    ]
    assert report.balances == {"KRW": Decimal(607_880)}
    assert report.positions == {"005930.KS": Decimal(6)}
    assert report.unknown == ["005930.KS"]
    assert not report.problems
    assert await list_entries(env, alice.id, str(book.id)) == []


async def test_a_sale_settles_when_its_market_says_unless_the_file_does(env, alice, book):
    today = present_days(env.clock.now())["KRW"]
    await make_sessions(env, "XKRX", [today + timedelta(days=n) for n in range(-1500, 10)])
    line = f"{today},sell,005930,4,100,400,,KRW"
    report = await commit(env, alice, book, HEAD + FILE + line + "\n")
    assert [match.row.entry.settles_on for match in report.rows] == [
        date(2024, 1, 2),
        date(2024, 1, 5),
        date(2024, 1, 6),
        today + timedelta(days=2),
    ]
    (won,) = await list_cash(env, alice.id, str(book.id))
    assert (won.orderable - won.withdrawable, won.settling[0].day) == (
        400,
        report.rows[3].row.entry.settles_on,
    )
    said = HEAD.replace("date,", "date,settle date,") + line.replace(",sell", f",{today},sell", 1)
    (match,) = (await take(env, alice, book, said)).rows
    assert match.row.entry.settles_on == today


async def test_a_commit_makes_what_the_dry_run_told(env, alice, book):
    told = await take(env, alice, book, HEAD + FILE)
    report = await commit(env, alice, book, HEAD + FILE)
    assert report.recorded == 3
    found = await balances(env, book)
    assert found["CASH KRW"] == told.balances["KRW"]
    assert found["POSITION share:005930.KS"] == told.positions["005930.KS"]
    assert await drift(env) == []


async def test_the_same_file_again_adds_nothing(env, alice, book):
    await commit(env, alice, book, HEAD + FILE)
    before = await list_entries(env, alice.id, str(book.id))
    for wish in (False, True):
        again = await commit(env, alice, book, HEAD + FILE, duplicates=wish)
        assert again.count(RowState.RECORDED) == 3
        assert again.recorded == 0
    assert await list_entries(env, alice.id, str(book.id)) == before


async def test_what_was_entered_by_hand_is_a_duplicate_unless_wished(env, alice, book):
    line = "2024-01-02,deposit,,,,500,,KRW\n"
    [entry] = (await take(env, alice, book, HEAD + line)).rows
    await keep(env, alice, book, entry.row.entry)
    report = await commit(env, alice, book, HEAD + line)
    assert (report.count(RowState.RECORDED), report.recorded) == (1, 0)
    assert (await commit(env, alice, book, HEAD + line, duplicates=True)).recorded == 1
    assert (await balances(env, book))["CASH KRW"] == 1000


async def test_a_repeated_line_is_recorded_only_when_wished(env, alice, book):
    text = HEAD + "2024-01-02,deposit,,,,5,,KRW\n" * 2
    assert (await commit(env, alice, book, text)).count(RowState.REPEATED) == 1
    assert (await balances(env, book))["CASH KRW"] == 5
    assert (await commit(env, alice, book, text, duplicates=True)).recorded == 1
    assert (await commit(env, alice, book, text, duplicates=True)).recorded == 0
    assert (await balances(env, book))["CASH KRW"] == 10


async def test_one_bad_row_and_nothing_is_recorded(env, alice, book):
    report = await commit(env, alice, book, HEAD + FILE + "2024-02-30,deposit,,,,1,,KRW\n")
    assert report.recorded == 0
    [fault] = report.records.faults
    assert (fault.line, fault.column, fault.value) == (5, "date", "2024-02-30")
    assert await list_entries(env, alice.id, str(book.id)) == []


async def test_a_failure_at_the_end_leaves_nothing_of_the_beginning(env, alice, book, monkeypatch):
    monkeypatch.setattr(record_import, "BATCH", 2)
    told = await take(env, alice, book, HEAD + FILE)
    last = told.chosen[-1]
    await record_transaction(env, alice.id, str(book.id), GOOD[3], last.key)
    broken = replace(told, chosen=told.chosen)
    with pytest.raises(Conflict, match="was used for another request"):
        await record_import._record(
            env, alice.id, book.id, broken.chosen, record_import.now_of(env)
        )
    assert len(await list_entries(env, alice.id, str(book.id))) == 1


async def test_after_a_reversal_the_file_can_be_imported_again(env, alice, book):
    line = HEAD + "2024-01-02,deposit,,,,500,,KRW\n"
    await commit(env, alice, book, line)
    [stored] = await list_entries(env, alice.id, str(book.id))
    await reverse_transaction(env, alice.id, str(stored.id), "undo")
    assert (await commit(env, alice, book, line)).recorded == 1
    assert (await commit(env, alice, book, line)).recorded == 0
    assert (await balances(env, book))["CASH KRW"] == 500


async def test_a_brokers_file_in_cp949_is_imported(env, alice, book):
    report = await commit(env, alice, book, KOREAN.encode("cp949"))
    assert report.recorded == 10
    assert {"005930.KS", "035720.KS"} <= set(report.unknown)


async def test_problems_are_told_before(env, alice, book):
    report = await take(env, alice, book, HEAD + "2024-01-02,sell,005930,4,10,40,,KRW\n")
    [problem] = report.problems
    assert (problem.trouble, problem.symbol, problem.quantity) == ("OVERSOLD", "005930.KS", 4)


@pytest.mark.parametrize("format_", ExportFormat)
async def test_an_exported_portfolio_comes_back_equal_of_every_kind(env, alice, book, format_):
    for entry in GOOD:
        await keep(env, alice, book, entry)
    wrong = await keep(env, alice, book, replace(GOOD[1], note="=1+1", tags=("a;b", "@c")))
    await reverse_transaction(env, alice.id, str(wrong.id), f"undo {format_}")
    await keep(env, alice, book, GOOD[1])
    text = await export_text(env, alice.id, str(book.id), format_)

    other = await make_portfolio(env, alice, 0, PortfolioKind.TRACKED)
    report = await commit(env, alice, other, text)
    assert report.recorded == len(GOOD) + 3
    assert await balances(env, other) == await balances(env, book)
    assert bare(await list_entries(env, alice.id, str(other.id))) == bare(
        await list_entries(env, alice.id, str(book.id))
    )
    assert await export_text(env, alice.id, str(other.id), format_) == text
    assert (await commit(env, alice, other, text)).recorded == 0
    assert (await commit(env, alice, book, text)).recorded == 0
    assert await drift(env) == []


def bare(entries):
    """Entries without ids; a reversal names the place of what it reverses."""
    places = {entry.id: place for place, entry in enumerate(entries)}
    return [replace(e, id=None, reverses=e.reverses and places[e.reverses]) for e in entries]


async def test_paper_money_takes_no_file(env, alice):
    paper = await make_portfolio(env, alice)
    with pytest.raises(Conflict, match="records a real account"):
        await take(env, alice, paper, HEAD + FILE)


async def test_an_archived_portfolio_and_somebody_elses_take_none(env, alice, book):
    charlie = await make_user(env, "charlie")
    with pytest.raises(NotFound):
        await commit(env, charlie, book, HEAD + FILE)
    await archive_portfolio(env, alice.id, str(book.id))
    with pytest.raises(Conflict, match="archived"):
        await commit(env, alice, book, HEAD + FILE)


async def test_a_file_of_nothing_is_refused(env, alice, book):
    with pytest.raises(BadInput, match="empty"):
        await take(env, alice, book, b"")
