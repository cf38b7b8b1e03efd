"""The ledger against an independent oracle, and ten seeded mutants that must not pass for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import text

from app.db.engine import Database
from app.domain import postings, transactions
from app.domain.transactions import TransactionKind
from app.env import open_env
from app.services.portfolio import booking
from tests.conftest import empty
from tests.faults.ledger_machine import LedgerMachine
from tests.people import make_user

pytestmark = pytest.mark.faults


@pytest.fixture
def machine(settings) -> Iterator[type[LedgerMachine]]:
    """The machine with an environment and a loop of its own; the tables are emptied after it."""
    with asyncio.Runner() as loop:
        opened = open_env(settings, application="machine")
        env = loop.run(opened.__aenter__())
        LedgerMachine.env, LedgerMachine.loop = env, loop
        LedgerMachine.user = loop.run(make_user(env))
        yield LedgerMachine
        loop.run(opened.__aexit__(None, None, None))


@pytest.fixture
def superuser_of(servers) -> Iterator[object]:
    """Runs a statement as the superuser; an empty one empties the tables."""
    with asyncio.Runner() as loop:
        database = Database(servers.superuser_url, pool_size=1)

        async def scalar(statement):
            if not statement:
                return await empty(database)
            async with database.write() as db:
                found = await db.execute(text(statement.replace(":", "\\:")))
                return found.scalar() if found.returns_rows else None

        yield lambda statement: loop.run(scalar(statement))
        loop.run(database.close())


ROUND = 9
"""Examples of a run. Hypothesis begins with short ones, a tenth of them, and lengthens those that
it has had: of 300 it needed up to 160 until one had bought and sold. Below ten none is short."""


def run_machine(machine, examples, steps):
    """Runs it in rounds, without shrinking: that took minutes once."""
    for number in range(-(-examples // ROUND)):
        run_state_machine_as_test(
            seed(number)(machine),
            settings=settings(
                max_examples=ROUND,
                stateful_step_count=steps,
                deadline=None,
                database=None,
                report_multiple_bugs=False,
                phases=[Phase.explicit, Phase.generate],
                suppress_health_check=list(HealthCheck),
            ),
        )


def test_every_balance_is_the_oracle_s(superuser_of, machine, full):
    run_machine(machine, *((500, 50) if full else (ROUND, 15)))


@contextmanager
def replaced(module, name, wrong):
    """A function of ours in whose place another one stands."""
    right = getattr(module, name)
    setattr(module, name, wrong(right))
    try:
        yield
    finally:
        setattr(module, name, right)


@contextmanager
def rewritten(run, function, right, wrong):
    """A function of the database with other words in it."""
    whole = run(f"SELECT pg_get_functiondef('{function}'::regproc)")
    assert right in whole
    run(whole.replace(right, wrong))
    try:
        yield
    finally:
        run(whole)


@contextmanager
def without(run, table, constraint):
    """A table without one of its constraints; rows that it would refuse go at the end."""
    select = f"SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = '{constraint}'"
    whole = run(select)
    run(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}")
    try:
        yield
    finally:
        run("")  # the rows that break it are gone
        run(f"ALTER TABLE {table} ADD CONSTRAINT {constraint} {whole}")


def half_even(_right):
    def compute(quantity, price, _currency):
        made = (quantity * price).quantize(Decimal("0.01"), ROUND_HALF_EVEN)
        return made or Decimal("0.01")

    return compute


def crumbs(right):
    def shares(entry):
        for line in right(entry):
            sold = entry.kind is TransactionKind.SELL
            amount = line.amount.quantize(Decimal("0.000001")) if sold else line.amount
            yield replace(line, amount=amount)

    return shares


def in_one_currency(right):
    def made(entry, *, settled):
        return right(replace(entry, currency_to=entry.currency), settled=settled)

    return made


def recomputed(right):
    def cash(entry):
        if entry.quantity is None or entry.price is None:
            return right(entry)
        again = (entry.quantity * entry.price).quantize(Decimal("0.01"), "ROUND_DOWN")
        return right(replace(entry, amount=again))

    return cash


MUTANTS = {
    "fee sign": lambda _run: replaced(
        postings, "net_cash", lambda right: lambda e: right(e) + 2 * e.fee
    ),
    "no check": lambda run: without(run, "account", "ck_account_covered"),
    "rounding": lambda _run: replaced(transactions, "compute_notional", half_even),
    "key not compared": lambda run: rewritten(
        run, "post_entries", "stored.req_hash <> decode(item->>'hash', 'hex')", "false"
    ),
    "crumb after selling all": lambda _run: replaced(postings, "_shares", crumbs),
    "amount computed again": lambda _run: replaced(postings, "net_cash", recomputed),
    "reversed twice": lambda run: without(run, "txn", "uq_txn_reverses"),
    "settlement day ignored": lambda _run: replaced(
        booking, "make_postings", lambda right: lambda e, **_: right(e, settled=True)
    ),
    "account of the wrong currency": lambda _run: replaced(
        booking, "make_postings", in_one_currency
    ),
}
"""Nine of ten; the tenth, the order of locks, is the race's (`test_ledger_race`)."""


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_mutant_is_noticed(superuser_of, machine, mutant):
    with MUTANTS[mutant](superuser_of), pytest.raises(AssertionError):
        run_machine(machine, 180, 25)  # it ends with the first that notices


def test_after_the_mutants_the_ledger_is_whole_again(superuser_of):
    select = "SELECT count(*) FROM pg_constraint WHERE conname IN ('uq_txn_reverses', 'ck_account_covered')"
    assert superuser_of(select) == 2
