"""The daily audit of stored equity: silent on what is right, and what differs is told and mended."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import polars as pl
import pytest
from sqlalchemy import text

from app.db.engine import EVERYONE
from app.domain.portfolio.equity import compute_equity
from app.domain.transactions import PortfolioKind
from app.env import Env
from app.services.portfolio.audit import AuditRow, Finding
from app.services.portfolio.equity import refresh_equity
from app.services.portfolio.equity_audit import EVERY, audit_due, read_findings
from tests.clocks import at
from tests.factories import make_split
from tests.holdings import START, make_holdings
from tests.ledgers import keep
from tests.people import make_user
from tests.services.portfolio.test_equity import expected, start, values

LAST = START + timedelta(days=2)


async def change(env: Env, statement: str) -> None:
    async with env.db.write(uid=EVERYONE) as db:
        await db.execute(text(statement))


async def next_day(env: Env, days: int = 1) -> int:
    """The audit of a day after now."""
    return await audit_due(at(env, env.clock.now() + days * (EVERY + timedelta(minutes=5))))


async def test_what_is_right_has_no_finding_and_is_looked_at_once_a_day(env: Env):
    alice, row = await start(env)
    assert await audit_due(env) == 0  # nothing is stored yet
    await refresh_equity(env)
    assert await audit_due(env) == 1
    assert await read_findings(env, alice.id, row.id) == []
    assert await audit_due(env) == 0
    assert await next_day(env) == 1
    assert await refresh_equity(env) == 0


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        (
            "UPDATE equity_daily SET value = value + 3 WHERE day = '2026-03-03'",
            {Finding.EQUITY_DIFFERS: (START + timedelta(days=1), 3), Finding.RETURN_DIFFERS: None},
        ),
        (
            "UPDATE equity_daily SET unit = unit * 1.5 WHERE day = '2026-03-04'",
            {Finding.EQUITY_DIFFERS: (LAST, 0), Finding.RETURN_DIFFERS: None},
        ),
        (
            "DELETE FROM equity_daily WHERE day = '2026-03-02'",
            {Finding.EQUITY_DIFFERS: (START, None)},
        ),
    ],
)
async def test_a_day_that_is_not_what_it_was_is_told_and_mended(env: Env, statement, found):
    alice, row = await start(env)
    await refresh_equity(env)
    await change(env, statement)
    assert await next_day(env) == 1
    told = {f.finding: f for f in await read_findings(env, alice.id, row.id)}
    assert set(told) == set(found)
    first = told[Finding.EQUITY_DIFFERS]
    assert (first.day, first.difference) == found[Finding.EQUITY_DIFFERS]
    assert await refresh_equity(env) == 1
    assert await values(env, alice, row) == [expected(day) for day in range(3)]
    assert await read_findings(env, alice.id, row.id)  # seen until the next look
    assert await next_day(env, 2) == 1
    assert await read_findings(env, alice.id, row.id) == []


async def test_a_value_that_is_not_the_book_s_is_told(env: Env, monkeypatch):
    """Two implementations: what one gets wrong in both looks, the other does not."""
    alice, row = await start(env)
    await refresh_equity(env)
    await change(env, "UPDATE equity_daily SET value = value + 2 WHERE day = '2026-03-04'")
    monkeypatch.setattr("app.services.portfolio.equity_audit.find_changed", lambda *_: None)
    await next_day(env)
    told = {f.finding: f for f in await read_findings(env, alice.id, row.id)}
    assert told[Finding.TOTAL_DIFFERS] == AuditRow(Finding.TOTAL_DIFFERS, "KRW", Decimal(2), LAST)


async def test_a_split_of_the_source_that_the_ledger_lacks_is_told_unless_it_was_dismissed(
    env: Env,
):
    alice, row = await start(env, PortfolioKind.TRACKED)
    await refresh_equity(env)
    await make_split(env, "AAPL", LAST, 4)
    await audit_due(env)
    assert await read_findings(env, alice.id, row.id) == [
        AuditRow(Finding.SPLITS_DIFFER, "AAPL", None, LAST)
    ]
    dismissed = f"INSERT INTO dismissed_action VALUES ({row.id}, 'SPLIT', 'AAPL', '{LAST}', now())"
    await change(env, dismissed)
    await next_day(env)
    assert await read_findings(env, alice.id, row.id) == []


async def test_days_whose_prices_are_gone_keep_what_they_were_worth(env: Env):
    alice, row = await start(env)
    await refresh_equity(env)
    await change(env, "DELETE FROM bar WHERE symbol = 'AAPL'")
    assert await next_day(env) == 1
    told = [f.finding for f in await read_findings(env, alice.id, row.id)]
    assert told == [Finding.EQUITY_DIFFERS]
    assert await refresh_equity(env) == 0
    assert await values(env, alice, row) == [expected(day) for day in range(3)]


async def test_what_is_about_to_be_worked_out_is_left_alone(env: Env):
    alice, row = await start(env)
    await refresh_equity(env)
    await keep(env, alice, row, "DEPOSIT 500")
    assert await audit_due(env) == 0
    await refresh_equity(env)
    assert await audit_due(env) == 1
    assert await read_findings(env, alice.id, row.id) == []


async def test_one_portfolio_that_fails_stops_no_other(env: Env, monkeypatch, caplog):
    alice, first = await start(env)
    second = await make_holdings(env, alice)
    await refresh_equity(env)
    await change(env, "UPDATE equity_daily SET value = 7")
    turns = iter(["fails", "", "too much", ""])

    def compute(*args, **options):
        turn = next(turns)
        if turn == "fails":
            raise KeyError("MSFT")
        frame = compute_equity(*args, **options)
        return frame.with_columns(value=pl.lit(1e300)) if turn else frame

    for module in ("equity", "equity_audit"):
        monkeypatch.setattr(f"app.services.portfolio.{module}.compute_equity", compute)
    assert await audit_due(env) == 1
    await change(env, "UPDATE equity_state SET txns = 0")
    assert await refresh_equity(env) == 1
    assert await values(env, alice, first) == [7, 7, 7]
    assert await values(env, alice, second) == [expected(day) for day in range(3)]
    failed = [r.portfolio for r in caplog.records if r.message == "equity not worked out"]
    assert failed == [first.id, first.id]


async def test_findings_are_the_owner_s(env: Env):
    _, row = await start(env)
    await refresh_equity(env)
    await change(env, "UPDATE equity_daily SET value = 7")
    await audit_due(env)
    charlie = await make_user(env, "charlie")
    assert await read_findings(env, charlie.id, row.id) == []
