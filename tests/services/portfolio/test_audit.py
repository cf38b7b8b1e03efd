"""The self-audit: silent on a portfolio that is right, and told what is not."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from app.domain.transactions import PortfolioKind
from app.env import Env
from app.services.portfolio.audit import Finding, audit
from app.services.portfolio.portfolio_books import BookShelf
from app.services.portfolio.portfolio_value import RATE_SYMBOL, value_at
from tests.holdings import make_holdings, make_prices, tick
from tests.ledgers import keep
from tests.people import make_user

QUOTES = {
    "AAPL": tick("AAPL", "103", "102"),
    "005930.KS": tick("005930.KS", "70300", "70200"),
    RATE_SYMBOL: tick(RATE_SYMBOL, "1433.7", "1420"),
}


async def findings(env: Env, alice, row, opened=None):
    opened = opened or await BookShelf().open(env, alice.id, str(row.id))
    valued = value_at(opened, QUOTES, env.clock.now())
    return {
        (f.finding, f.name): f.difference for f in await audit(env, alice.id, opened, valued.value)
    }


async def test_a_portfolio_that_is_right_has_no_finding(env: Env):
    await make_prices(env)
    alice = await make_user(env)
    row = await make_holdings(env, alice)
    await keep(env, alice, row, "DIVIDEND 900 005930.KS tax 139")
    assert await findings(env, alice, row) == {}


async def test_a_real_account_may_be_overdrawn_and_oversold_and_is_told(env: Env):
    await make_prices(env)
    alice = await make_user(env)
    row = await make_holdings(env, alice, PortfolioKind.TRACKED)
    await keep(env, alice, row, "SELL 100 005930.KS @ 70000")
    await keep(env, alice, row, "WITHDRAWAL 90000000")
    found = await findings(env, alice, row)
    assert found[(Finding.OVERSOLD, "005930.KS")] == 5  # the sale after the one that left none
    assert found[(Finding.NEGATIVE_CASH, "KRW")] < 0
    assert (Finding.SHARES_DIFFER, "005930.KS") not in found


async def test_a_book_that_is_not_the_ledgers_is_found(env: Env):
    await make_prices(env)
    alice = await make_user(env)
    row = await make_holdings(env, alice)
    opened = await BookShelf().open(env, alice.id, str(row.id))
    await keep(env, alice, row, "BUY 1 005930.KS @ 70000")
    found = await findings(env, alice, row, opened)
    assert found == {
        (Finding.SHARES_DIFFER, "005930.KS"): Decimal(1),
        (Finding.CASH_DIFFERS, "KRW"): Decimal(-70000),
    }


async def test_an_identity_that_is_broken_is_found(env: Env):
    await make_prices(env)
    alice = await make_user(env)
    row = await make_holdings(env, alice)
    opened = await BookShelf().open(env, alice.id, str(row.id))
    value = value_at(opened, QUOTES, env.clock.now()).value
    broken = replace(value, income=Decimal(5))
    (finding,) = await audit(env, alice.id, opened, broken)
    assert (finding.finding, finding.difference) == (Finding.IDENTITY_BROKEN, -5)
