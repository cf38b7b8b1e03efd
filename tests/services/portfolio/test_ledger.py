"""The ledger: recording once, refusing what is not covered, reversing once, reading in pages."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import text

from app.domain.transactions import CorporateAction, Entry, PortfolioKind, TransactionKind, net_cash
from app.errors import BadInput, Conflict, NotFound
from app.services.portfolio.ledger import (
    list_entries,
    list_transactions,
    record_transaction,
    record_transactions,
    reverse_transaction,
)
from app.services.trading.archiving import archive_portfolio
from tests.domain.test_entry_checks import GOOD
from tests.ledgers import DAY, LATER, balances, drift, keep, make_portfolio, read
from tests.people import make_user


@pytest.fixture
async def alice(env):
    return await make_user(env)


@pytest.fixture
async def book(env, alice):
    return await make_portfolio(env, alice, 1000)


async def test_a_purchase_and_a_sale_move_what_they_say(env, alice, book):
    await keep(env, alice, book, "BUY 4 A @ 100 fee 3")
    await keep(env, alice, book, "SELL 1 A @ 120 fee 2 tax 1", settles_on=LATER)
    assert await balances(env, book) == {
        "CASH KRW": 597,
        "UNSETTLED KRW": 117,
        "POSITION share:A": 3,
        "TRADING KRW": 280,
        "TRADING share:A": -3,
        "FEE KRW": 5,
        "TAX KRW": 1,
        "EQUITY KRW": -1000,
    }
    assert await drift(env) == []


async def test_a_key_records_once_and_answers_the_same(env, alice, book):
    first = await keep(env, alice, book, "BUY 1 A @ 100", key="k")
    again = await keep(env, alice, book, "BUY 1.0 A @ 100.00", key="k")
    assert again.id == first.id
    assert (await balances(env, book))["CASH KRW"] == 900
    with pytest.raises(Conflict, match="'k' was used for another request"):
        await keep(env, alice, book, "BUY 2 A @ 100", key="k")
    assert (await balances(env, book))["CASH KRW"] == 900


async def test_a_refused_order_leaves_nothing_and_its_key_is_free(env, alice, book):
    with pytest.raises(BadInput, match="cash is ₩1,000, and ₩1,101 are needed") as refused:
        await keep(env, alice, book, "BUY 11 A @ 100 fee 1", key="k")
    assert refused.value.field == "amount"
    assert await balances(env, book) == {"CASH KRW": 1000, "EQUITY KRW": -1000}
    await keep(env, alice, book, "BUY 1 A @ 100", key="k")
    with pytest.raises(BadInput, match="A: there are 1 shares free, and 2 are needed"):
        await keep(env, alice, book, "SELL 2 A @ 100")
    with pytest.raises(BadInput, match="B: there are 0 shares free"):
        await keep(env, alice, book, "SELL 2 B @ 100")


@pytest.mark.parametrize("key", ["", ":opening", "x" * 256, "a\nb"])
async def test_a_key_that_cannot_be_is_refused(env, alice, book, key):
    with pytest.raises(BadInput, match="key is"):
        await record_transaction(env, alice.id, str(book.id), read("DEPOSIT 1"), key)


async def test_money_of_a_sale_buys_at_once_and_leaves_later(env, alice, book):
    await keep(env, alice, book, "BUY 10 A @ 100")
    await keep(env, alice, book, "SELL 10 A @ 110", settles_on=LATER)
    with pytest.raises(BadInput, match="cash is ₩0, and ₩100 are needed"):
        await keep(env, alice, book, "WITHDRAWAL 100")
    with pytest.raises(BadInput, match="cash is ₩0, and ₩100 are needed"):
        await keep(env, alice, book, "EXCHANGE 100 USD 0.07")
    await keep(env, alice, book, "BUY 4 A @ 100", settles_on=LATER)
    assert (await balances(env, book))["UNSETTLED KRW"] == 700
    with pytest.raises(BadInput, match="cash is ₩700, and ₩800 are needed"):
        await keep(env, alice, book, "BUY 8 A @ 100", settles_on=LATER)


async def test_a_transaction_is_reversed_once(env, alice, book):
    bought = await keep(env, alice, book, "BUY 4 A @ 100 fee 3")
    undone = await reverse_transaction(env, alice.id, str(bought.id), "undo")
    assert (undone.kind, undone.reverses) == (TransactionKind.BUY, bought.id)
    assert await balances(env, book) == {"CASH KRW": 1000, "EQUITY KRW": -1000}
    replayed = await reverse_transaction(env, alice.id, str(bought.id), "undo")
    assert replayed == undone
    with pytest.raises(Conflict, match="reversed already"):
        await reverse_transaction(env, alice.id, str(bought.id), "undo again")
    with pytest.raises(NotFound):
        await reverse_transaction(env, alice.id, str(undone.id), "undo the undoing")
    assert await drift(env) == []


async def test_what_has_been_spent_since_cannot_be_taken_back(env, alice, book):
    more = await keep(env, alice, book, "DEPOSIT 500")
    await keep(env, alice, book, "BUY 12 A @ 100")
    with pytest.raises(BadInput, match="cash is ₩300, and ₩500 are needed"):
        await reverse_transaction(env, alice.id, str(more.id), "undo")


async def test_a_sale_is_reversed_from_what_waits_and_then_from_cash(env, alice, book):
    await keep(env, alice, book, "BUY 5 A @ 100")
    sold = await keep(env, alice, book, "SELL 5 A @ 100", settles_on=LATER)
    await keep(env, alice, book, "BUY 3 B @ 100", settles_on=LATER)
    assert (await balances(env, book))["UNSETTLED KRW"] == 200
    await reverse_transaction(env, alice.id, str(sold.id), "undo")
    found = await balances(env, book)
    assert (found["CASH KRW"], found.get("UNSETTLED KRW"), found["POSITION share:A"]) == (
        200,
        None,
        5,
    )


async def test_somebody_else_sees_and_moves_nothing(env, alice, book):
    charlie = await make_user(env, "charlie")
    bought = await keep(env, alice, book, "BUY 1 A @ 100")
    for attempt in (
        record_transaction(env, charlie.id, str(book.id), read("DEPOSIT 1"), "k"),
        reverse_transaction(env, charlie.id, str(bought.id), "k"),
        list_transactions(env, charlie.id, str(book.id)),
        list_entries(env, charlie.id, str(book.id)),
        record_transaction(env, charlie.id, "999999", read("DEPOSIT 1"), "k"),
    ):
        with pytest.raises(NotFound, match="nothing of that id"):
            await attempt


async def test_an_archived_portfolio_takes_nothing_but_replays(env, alice, book):
    await keep(env, alice, book, "BUY 1 A @ 100", key="k")
    await archive_portfolio(env, alice.id, str(book.id))
    with pytest.raises(Conflict, match="archived"):
        await keep(env, alice, book, "BUY 1 A @ 100")
    await keep(env, alice, book, "BUY 1 A @ 100", key="k")
    assert (await balances(env, book))["CASH KRW"] == 900


async def test_many_are_recorded_all_or_none(env, alice, book):
    entries = {f"row-{n}": read(f"BUY 1 A @ {100 + n}") for n in range(5)}
    stored = await record_transactions(env, alice.id, str(book.id), entries)
    assert [e.amount for e in stored] == [100, 101, 102, 103, 104]
    entries["row-9"] = read("BUY 99 B @ 100")
    entries = {key: entries[key] for key in ("row-0", "row-9", "row-4")}
    with pytest.raises(BadInput, match=r"cash is ₩490, and ₩9,900 are needed"):
        await record_transactions(env, alice.id, str(book.id), entries)
    assert (await balances(env, book))["CASH KRW"] == 490


IN_TURN = (
    "BUY 10 A @ 100",
    "SELL 10 A @ 110",
    "BUY 4 A @ 100",
    "DEPOSIT 50",
    "BUY 7 B @ 100",
    "WITHDRAWAL 50",
)
"""The third purchase takes the last of the unsettled money and some cash."""


async def test_what_is_recorded_at_once_ends_as_if_recorded_in_turn(env, alice, book):
    in_turn = await make_portfolio(env, alice, 1000)
    entries = {f"row-{n}": read(words, LATER) for n, words in enumerate(IN_TURN)}
    for key, entry in entries.items():
        await keep(env, alice, in_turn, entry, key=key)
    await record_transactions(env, alice.id, str(book.id), entries)
    lines = """SELECT array_agg((a.kind, p.commodity, p.amount)::text
            ORDER BY t.day, t.id, a.kind, p.commodity, p.amount)
        FROM posting p JOIN txn t ON t.id = p.txn_id JOIN account a ON a.id = p.account_id
        WHERE p.portfolio_id = :id"""
    async with env.db.read(uid=alice.id) as db:
        found = [await db.scalar(text(lines), {"id": own.id}) for own in (book, in_turn)]
    assert found[0] == found[1]
    assert await balances(env, book) == await balances(env, in_turn)
    assert await drift(env) == []


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["SELL 1 A @ 100", "BUY 1 A @ 100"], "there are 0 shares free, and 1 are needed"),
        (["BUY 3 A @ 100", "BUY 9 B @ 100", "DEPOSIT 900"], "is ₩700, and ₩900 are needed"),
        (["BUY 10 A @ 100", "SELL 10 A @ 100", "WITHDRAWAL 1"], "cash is ₩0, and ₩1 are needed"),
    ],
)
async def test_what_comes_later_covers_nothing_before_it(env, alice, book, rows, said):
    entries = {f"row-{n}": read(words, LATER) for n, words in enumerate(rows)}
    with pytest.raises(BadInput, match=said):
        await record_transactions(env, alice.id, str(book.id), entries)
    assert await balances(env, book) == {"CASH KRW": 1000, "EQUITY KRW": -1000}


async def test_many_at_once_write_each_balance_once(env, alice, book):
    """PostgreSQL steps over all that a transaction has left of a row: once each makes n squared."""
    written = text("SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = 'account'")
    counts = []
    for batch in range(2):
        entries = {f"{batch}-{n}": read("BUY 1 A @ 1") for n in range(20)}
        await record_transactions(env, alice.id, str(book.id), entries)
        await env.db.call(text("SELECT pg_stat_force_next_flush()"), {})
        counts.append(await env.db.call(written, {}))
    assert counts[1] - counts[0] == 4


async def test_every_kind_is_read_back_as_it_was_recorded(env, alice):
    book = await make_portfolio(env, alice, 0, PortfolioKind.TRACKED)
    for number, good in enumerate(GOOD):
        noted = replace(good, note="a note,\nin two lines", tags=("one", "둘"))
        stored = await keep(env, alice, book, noted, key=f"k{number}")
        assert stored == replace(noted, id=stored.id)
    found = await list_entries(env, alice.id, str(book.id))
    assert [replace(e, id=None, note="", tags=()) for e in found] == GOOD
    assert {(e.note, e.tags) for e in found} == {("a note,\nin two lines", ("one", "둘"))}
    assert {e.kind for e in found} == set(TransactionKind)
    assert {e.action for e in found} == {None, *CorporateAction}
    cash = sum(net_cash(e) for e in found if e.currency == "KRW")
    own = await balances(env, book)
    waiting = sum(own.get(f"{kind} KRW", 0) for kind in ("CASH", "UNSETTLED", "RECEIVABLE"))
    assert waiting == cash
    assert await drift(env) == []


async def test_pages_go_from_the_newest_day_and_filter(env, alice):
    book = await make_portfolio(env, alice, 0, PortfolioKind.TRACKED)
    for number in range(7):
        entry = replace(read("BUY 1 A @ 100"), day=date(2026, 1, 1 + number % 3))
        await keep(env, alice, book, entry if number % 2 else replace(entry, symbol="B"))
    seen: list[Entry] = []
    after = None
    while True:
        page = await list_transactions(env, alice.id, str(book.id), first=3, after=after)
        seen += page.rows
        if not page.has_next:
            break
        after = page.cursors[-1]
    assert len({e.id for e in seen}) == 7
    assert seen == sorted(seen, key=lambda e: (e.day, e.id), reverse=True)
    only = await list_transactions(env, alice.id, str(book.id), symbol="B")
    assert [e.symbol for e in only.rows] == ["B"] * 4
    none = await list_transactions(env, alice.id, str(book.id), kind=TransactionKind.SELL)
    assert none.rows == []
    with pytest.raises(BadInput, match="first is 0"):
        await list_transactions(env, alice.id, str(book.id), first=0)


async def test_only_a_record_of_a_real_account_may_lack_cash(env, alice):
    book = await make_portfolio(env, alice, 0, PortfolioKind.TRACKED)
    await keep(env, alice, book, "SELL 2 A @ 100")
    await keep(env, alice, book, "BUY 5 A @ 100")
    found = await balances(env, book)
    assert (found["CASH KRW"], found["POSITION share:A"]) == (-300, 3)


async def test_an_entry_reads_no_table_as_a_whole(env, alice, book):
    """Whatever the tables held when the session first called: its plans last as long as it does."""
    whole = text("""SELECT sum(seq_scan) FROM pg_stat_user_tables
        WHERE relname IN ('txn', 'posting', 'account')""")
    counts = []
    for _ in range(2):
        for _ in range(10):
            await keep(env, alice, book, "BUY 1 A @ 1")
        await env.db.call(text("SELECT pg_stat_force_next_flush()"), {})
        counts.append(await env.db.call(whole, {}))
    assert counts[0] == counts[1]


# What went wrong in ledgers elsewhere.


async def test_a_second_movement_of_cash_does_not_overwrite_the_first(env, alice, book):
    # ghostfolio#6030
    await keep(env, alice, book, "DEPOSIT 10")
    await keep(env, alice, book, "DEPOSIT 10")
    assert (await balances(env, book))["CASH KRW"] == 1020


async def test_selling_all_leaves_no_crumb(env, alice):
    # ghostfolio#5491 (-1e-20 left), wealthfolio#1519 (0.000000000000001 shares left)
    book = await make_portfolio(env, alice, "1000", currency="USD")
    for quantity in ("0.33333333", "0.33333333", "0.33333334"):
        await keep(env, alice, book, read(f"BUY {quantity} A @ 7.77", currency="USD"))
    await keep(env, alice, book, read("SELL 1 A @ 7.77", currency="USD"))
    assert "POSITION share:A" not in await balances(env, book)


async def test_cash_is_the_sum_of_stored_amounts_and_never_computed_again(env, alice):
    # wealthfolio#889: cash drifted by cents, recomputed from shares times price
    book = await make_portfolio(env, alice, "100", currency="USD")
    amounts = []
    for _ in range(20):
        made = await keep(env, alice, book, read("BUY 0.1 A @ 10.05", currency="USD"))
        amounts.append(made.amount)
    assert set(amounts) == {Decimal("1.01")}  # 1.005
    assert (await balances(env, book))["CASH USD"] == Decimal("79.8")


async def test_a_price_below_zero_is_refused(env, alice, book):
    # freqtrade#5396: a sale at -4.58
    await keep(env, alice, book, "BUY 1 A @ 100")
    bad = replace(read("SELL 1 A @ 4.58"), price=Decimal("-4.58"))
    with pytest.raises(BadInput, match=r"price is -4\.58; it must be above 0"):
        await keep(env, alice, book, bad)


def test_the_notation_of_these_tests():
    assert read("SELL 2 A @ 50 fee 3 tax 1").amount == 100
    assert read("DEPOSIT 5").day == DAY
