"""Portfolios: opened with their first deposit, named, archived; practice is thrown away whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import text

from app.domain.transactions import LotMethod, PortfolioKind, TransactionKind
from app.errors import BadInput, Conflict, NotFound
from app.services.market.replay import replay_day
from app.services.people.account import delete_account
from app.services.people.account_export import export_account
from app.services.portfolio import portfolios
from app.services.portfolio.cash import list_cash
from app.services.portfolio.ledger import list_entries
from app.services.portfolio.portfolios import (
    NewPortfolio,
    create_portfolio,
    delete_portfolio,
    get_portfolio,
    list_portfolios,
    rename_portfolio,
)
from app.services.trading.archiving import archive_portfolio
from tests.ledgers import LATER, balances, drift, keep, make_portfolio, read
from tests.paper import make_recorded
from tests.people import PASSWORD, by_session, make_user

WANTED = NewPortfolio("  연금 ", PortfolioKind.SIMULATED, "KRW", Decimal(10_000_000))


@pytest.fixture
async def alice(env):
    return await make_user(env)


async def test_a_portfolio_opens_with_its_deposit(env, alice):
    made = await create_portfolio(env, alice.id, WANTED)
    assert (made.name, made.kind, made.lot_method) == ("연금", WANTED.kind, LotMethod.FIFO)
    assert str(made.initial_capital) == "10000000"
    [deposit] = await list_entries(env, alice.id, str(made.id))
    assert (deposit.kind, deposit.amount) == (TransactionKind.DEPOSIT, 10_000_000)
    assert deposit.day == made.opened_on
    assert await get_portfolio(env, alice.id, str(made.id)) == made
    empty = await create_portfolio(
        env, alice.id, replace(WANTED, kind=PortfolioKind.TRACKED, initial_capital=Decimal(0))
    )
    assert await list_entries(env, alice.id, str(empty.id)) == []
    assert [p.id for p in await list_portfolios(env, alice.id)] == [made.id, empty.id]


async def test_one_of_practice_opens_on_the_replayed_day(env, alice):
    await make_recorded(env)
    wanted = replace(WANTED, kind=PortfolioKind.PRACTICE)
    made = await create_portfolio(env, alice.id, wanted)
    playing = await replay_day(env)
    assert made.opened_on == playing
    with pytest.raises(BadInput, match="must not be after today"):
        await create_portfolio(env, alice.id, replace(wanted, opened_on=date(2026, 3, 9)))
    assert (await create_portfolio(env, alice.id, WANTED)).opened_on > playing


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 61}, "name"),
        ({"base_currency": "EUR"}, "currency"),
        ({"initial_capital": Decimal("0.5")}, "initialCapital"),
        ({"initial_capital": Decimal("NaN")}, "initialCapital"),
        ({"initial_capital": Decimal(-1)}, "amount"),
        ({"cost_profile": "nothing"}, "costs"),
        ({"fx_spread": Decimal(1)}, "fxSpread"),
        ({"opened_on": LATER}, "openedOn"),
    ],
)
async def test_what_cannot_be_is_refused_and_nothing_is_opened(env, alice, bad, field):
    with pytest.raises(BadInput) as refused:
        await create_portfolio(env, alice.id, replace(WANTED, **bad))
    assert refused.value.field == field
    assert await list_portfolios(env, alice.id) == []


async def test_there_is_a_bound_for_one_person(env, alice, monkeypatch):
    monkeypatch.setattr(portfolios, "MOST_PORTFOLIOS", 1)
    await create_portfolio(env, alice.id, WANTED)
    with pytest.raises(Conflict, match="1 portfolios already"):
        await create_portfolio(env, alice.id, WANTED)


async def test_naming_and_archiving_are_the_owner_s(env, alice):
    charlie = await make_user(env, "charlie")
    made = await create_portfolio(env, alice.id, WANTED)
    whose = str(made.id)
    assert (await rename_portfolio(env, alice.id, whose, " New ")).name == "New"
    assert (await archive_portfolio(env, alice.id, whose)).archived_at is not None
    assert await list_portfolios(env, alice.id) == []
    assert len(await list_portfolios(env, alice.id, archived=True)) == 1
    assert (await archive_portfolio(env, alice.id, whose, archived=False)).archived_at is None
    for attempt in (
        get_portfolio(env, charlie.id, whose),
        rename_portfolio(env, charlie.id, whose, "Mine"),
        archive_portfolio(env, charlie.id, whose),
        delete_portfolio(env, charlie.id, whose),
        list_cash(env, charlie.id, whose),
        get_portfolio(env, alice.id, "x"),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert await list_portfolios(env, charlie.id) == []


async def test_only_practice_can_be_deleted(env, alice):
    real = await make_portfolio(env, alice)
    with pytest.raises(Conflict, match="Archive this one"):
        await delete_portfolio(env, alice.id, str(real.id))
    practice = await make_portfolio(env, alice, kind=PortfolioKind.PRACTICE)
    bought = await keep(env, alice, practice, replace(read("BUY 1 A @ 100"), note="x"))
    assert bought.id
    await delete_portfolio(env, alice.id, str(practice.id))
    assert [p.id for p in await list_portfolios(env, alice.id)] == [real.id]
    assert await balances(env, practice) == {}
    assert (await balances(env, real))["CASH KRW"] == 1_000_000


async def test_who_leaves_leaves_a_ledger_without_words(env, alice):
    real = await make_portfolio(env, alice)
    practice = await make_portfolio(env, alice, kind=PortfolioKind.PRACTICE)
    await rename_portfolio(env, alice.id, str(real.id), "alice's pension")
    await keep(env, alice, real, replace(read("BUY 1 A @ 100"), note="for alice", tags=("me",)))
    before = await balances(env, real)
    exported = await export_account(env, alice.id)
    assert exported
    await delete_account(env, await by_session(env, alice), PASSWORD)
    assert await balances(env, real) == before
    assert await balances(env, practice) == {}
    assert await drift(env) == []
    async with env.db.read(uid="everyone") as db:
        rows = await db.scalars(text("SELECT p::text FROM portfolio p"))
        notes = await db.scalar(text("SELECT count(*) FROM txn_note"))
        assert not [row for row in rows if "alice" in row]
        assert notes == 0
