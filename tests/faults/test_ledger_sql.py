"""Direct SQL under the role of the app: whatever would break the ledger is refused by the database."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.db.engine import Database
from tests.ledgers import balances, drift, keep, make_portfolio
from tests.people import make_user

pytestmark = pytest.mark.faults

TXN = (
    "INSERT INTO txn (portfolio_id, idem_key, req_hash, kind, day, settles_on, currency, amount,"
    " symbol, quantity, price, created_at) VALUES (:mine, 'direct', sha256('x'), 'BUY',"
    " '2026-03-02', '2026-03-04', 'KRW', {amount}, 'A', {quantity}, {price}, now()) RETURNING id"
)
LINE = (
    "INSERT INTO posting (txn_id, portfolio_id, account_id, commodity, amount)"
    " SELECT {txn}, {portfolio}, id, commodity, {amount} FROM account"
    " WHERE portfolio_id = {owner} AND kind = '{kind}' AND commodity = '{commodity}'"
)


def txn(amount="100", quantity="1", price="100"):
    return TXN.format(amount=amount, quantity=quantity, price=price)


def line(kind, commodity, amount, *, txn=":txn", portfolio=":mine", owner=":mine"):
    return LINE.format(
        kind=kind, commodity=commodity, amount=amount, txn=txn, portfolio=portfolio, owner=owner
    )


REFUSED = {
    "update of a posting": ["UPDATE posting SET amount = amount * 2"],
    "delete of a posting": ["DELETE FROM posting"],
    "truncation of postings": ["TRUNCATE posting"],
    "transaction that does not balance": [
        txn(),
        line("CASH", "KRW", -100),
        line("TRADING", "KRW", 90),
    ],
    "transaction without postings": [txn()],
    "posting into a foreign portfolio": [
        txn(),
        line("CASH", "KRW", -100, owner=":theirs"),
        line("TRADING", "KRW", 100),
    ],
    "short sale": [
        txn(),
        line("POSITION", "share:A", -2),
        line("TRADING", "share:A", 2),
    ],
    "quantity that is no number": [txn(quantity="'NaN'")],
    "price without an end": [txn(price="'Infinity'")],
    "quantity below zero": [txn(quantity="-1")],
    "posting that is no number": [
        txn(),
        line("CASH", "KRW", "'NaN'"),
        line("TRADING", "KRW", "'NaN'"),
    ],
    "update of a balance": ["UPDATE account SET balance = 1000000"],
}
MORE = {
    "overdraft": [txn(), line("CASH", "KRW", -901), line("TRADING", "KRW", 901)],
    "balance from the start": [
        (
            "INSERT INTO account (portfolio_id, kind, commodity, balance)"
            " VALUES (:mine, 'CASH', 'USD', 500)"
        )
    ],
    "account that is not strict": [
        (
            "INSERT INTO account (portfolio_id, kind, commodity, strict)"
            " VALUES (:mine, 'CASH', 'USD', false)"
        )
    ],
    "posting added to a stored transaction": [
        line("CASH", "KRW", 5, txn="(SELECT max(id) FROM txn)"),
        line("EQUITY", "KRW", -5, txn="(SELECT max(id) FROM txn)"),
    ],
    "posting after the check was brought forward": [
        txn(),
        line("CASH", "KRW", -5),
        line("TRADING", "KRW", 5),
        "SET CONSTRAINTS ALL IMMEDIATE",
        line("CASH", "KRW", -5),
    ],
    "part of a won": [txn(), line("CASH", "KRW", -0.5), line("TRADING", "KRW", 0.5)],
    "second reversal": [
        (
            "INSERT INTO txn (portfolio_id, idem_key, req_hash, kind, day, settles_on, reverses,"
            " created_at) SELECT :mine, n::text, sha256('x'), 'BUY', '2026-03-02', '2026-03-04',"
            " (SELECT max(id) FROM txn WHERE portfolio_id = :mine), now() FROM generate_series(1, 2) n"
        )
    ],
    "update of a transaction": ["UPDATE txn SET amount = 1"],
    "truncation of transactions": ["TRUNCATE txn CASCADE"],
    "portfolio that becomes another kind": ["UPDATE portfolio SET kind = 'TRACKED'"],
    "portfolio that is deleted": ["DELETE FROM portfolio"],
    "triggers turned off": ["SET session_replication_role = replica"],
    "helper of the functions": ["SELECT store_postings(:mine, '{}', '{}')"],
}


@pytest.fixture
async def books(env):
    """A portfolio of alice with 900 won and a share of A, and one of charlie."""
    alice, charlie = await make_user(env), await make_user(env, "charlie")
    mine, theirs = await make_portfolio(env, alice, 1000), await make_portfolio(env, charlie, 1000)
    await keep(env, alice, mine, "BUY 1 A @ 100")
    return alice, mine, theirs


async def run(env, uid, statements, **values):
    async with env.db.write(uid=uid) as db:
        for statement in statements:
            used = {n: v for n, v in values.items() if f":{n}" in statement}
            found = await db.execute(text(statement), used)
            if found.returns_rows:
                values["txn"] = found.scalar()


@pytest.mark.parametrize("attempt", [*REFUSED, *MORE])
@pytest.mark.parametrize("seen", ["own", "everything"])
async def test_what_would_break_the_ledger_is_refused(env, books, attempt, seen):
    alice, mine, theirs = books
    before = await balances(env, mine), await balances(env, theirs)
    uid = alice.id if seen == "own" else "everyone"
    statements = (REFUSED | MORE)[attempt]
    with pytest.raises(DBAPIError):
        await run(env, uid, statements, mine=mine.id, theirs=theirs.id)
    assert (await balances(env, mine), await balances(env, theirs)) == before
    assert await drift(env) == []


async def test_what_the_ledger_allows_is_taken(env, books):
    alice, mine, _ = books
    lines = [line("CASH", "KRW", -5), line("TRADING", "KRW", 5)]
    await run(env, alice.id, [txn(), *lines], mine=mine.id)
    assert (await balances(env, mine))["CASH KRW"] == 895
    assert len(REFUSED) == 12


async def test_the_owner_of_the_tables_cannot_edit_what_was_posted(servers, env, books):
    owner = Database(servers.migration_url, pool_size=1)
    try:
        for statement in ("UPDATE posting SET amount = 1", "DELETE FROM txn", "TRUNCATE posting"):
            with pytest.raises(DBAPIError, match="append-only"):
                async with owner.write() as db:
                    await db.execute(text(statement))
    finally:
        await owner.close()


async def test_an_order_goes_only_where_it_may(env, books):
    alice, mine, _ = books
    new = (
        'INSERT INTO "order" (portfolio_id, client_key, req_hash, symbol, side, type,'
        " time_in_force, quantity, state, placed_at) VALUES (:mine, '{key}', sha256('x'), 'A',"
        " 'BUY', 'MARKET', 'DAY', 10, '{state}', now())"
    )
    await run(env, alice.id, [new.format(key="a", state="NEW")], mine=mine.id)
    steps = (
        "state = 'PARTIALLY_FILLED', filled = 4",
        "state = 'PARTIALLY_FILLED', filled = 7",
        "state = 'CANCELED', ended_at = now(), reason = 'by the owner'",
    )
    for step in steps:
        await run(env, alice.id, [f'UPDATE "order" SET {step}'])
    wrong = (
        "UPDATE \"order\" SET state = 'NEW', ended_at = NULL",
        "UPDATE \"order\" SET state = 'FILLED'",
        'UPDATE "order" SET filled = 10',
        'DELETE FROM "order"',
        "INSERT INTO order_transition VALUES ('CANCELED', 'NEW')",
        "UPDATE order_event SET state = 'NEW'",
        new.format(key="a", state="NEW"),
        new.format(key="b", state="FILLED"),
    )
    for statement in wrong:
        with pytest.raises(DBAPIError):
            await run(env, alice.id, [statement], mine=mine.id)
    async with env.db.read(uid=alice.id) as db:
        events = await db.execute(text("SELECT state, filled FROM order_event ORDER BY id"))
        assert [(state, int(filled)) for state, filled in events] == [
            ("NEW", 0),
            ("PARTIALLY_FILLED", 4),
            ("PARTIALLY_FILLED", 7),
            ("CANCELED", 7),
        ]
