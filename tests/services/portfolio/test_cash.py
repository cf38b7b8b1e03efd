"""Money by currency: what is told apart, and on which days the rest comes free."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.domain.transactions import PortfolioKind
from app.services.market.replay import replay_day
from app.services.portfolio.booking import now_of
from app.services.portfolio.cash import CashDay, list_cash
from app.services.portfolio.ledger import record_transaction
from tests.ledgers import LATER, keep, make_portfolio, read
from tests.paper import make_recorded
from tests.people import make_user


@pytest.fixture
async def alice(env):
    return await make_user(env)


async def test_money_is_told_apart(env, alice):
    book = await make_portfolio(env, alice, 1000)
    await keep(env, alice, book, "BUY 5 A @ 100")
    await keep(env, alice, book, "SELL 2 A @ 100", settles_on=LATER)
    await keep(env, alice, book, "DIVIDEND 50 A", settles_on=LATER)
    await keep(env, alice, book, "EXCHANGE 140 USD 0.10")
    won, dollars = await list_cash(env, alice.id, str(book.id))
    assert (won.deposit, won.orderable, won.withdrawable, won.receivable) == (560, 560, 360, 50)
    assert (won.settling, won.paying) == ((CashDay(LATER, 200),), (CashDay(LATER, 50),))
    assert (str(dollars.cash), dollars.settling) == ("0.10", ())


async def test_each_sale_settles_on_its_day_and_purchases_draw_on_it(env, alice):
    book = await make_portfolio(env, alice, 500)
    today = now_of(env).today["KRW"]
    await keep(env, alice, book, "BUY 5 A @ 100")
    for after, words in ((1, "SELL 3 A @ 100"), (2, "SELL 2 A @ 100"), (2, "BUY 1 B @ 350")):
        await keep(env, alice, book, words, settles_on=today + timedelta(days=after))
    (won,) = await list_cash(env, alice.id, str(book.id))
    assert (won.orderable, won.withdrawable) == (150, 0)
    assert won.settling == (CashDay(today + timedelta(days=1), 150),)


async def test_practice_counts_from_the_replayed_day(env, alice):
    await make_recorded(env)
    book = await make_portfolio(env, alice, 1000, PortfolioKind.PRACTICE, "USD")
    playing = await replay_day(env)
    sooner, later = (playing + timedelta(days=after) for after in (0, 1))
    for day in (sooner, later):
        income = read("DIVIDEND 50 A", day, "USD")
        before = dict.fromkeys(("KRW", "USD"), playing - timedelta(days=1))
        await record_transaction(env, alice.id, str(book.id), income, str(day), today=before)
    (dollars,) = await list_cash(env, alice.id, str(book.id))
    assert dollars.paying == (CashDay(sooner, 50), CashDay(later, 50))
