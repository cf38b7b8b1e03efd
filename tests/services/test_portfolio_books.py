"""Books: kept until the ledger or a rate changes, and only for their owner."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from app.env import Env
from app.errors import NotFound
from app.services.portfolio_books import MOST_KEPT, BookShelf, load_rates
from tests.holdings import START, make_holdings, make_prices
from tests.ledgers import keep
from tests.people import make_user


async def test_a_book_is_kept_until_its_ledger_changes(env: Env):
    await make_prices(env)
    alice, shelf = await make_user(env), BookShelf()
    row = await make_holdings(env, alice)
    first = await shelf.open(env, alice.id, str(row.id))
    assert await shelf.open(env, alice.id, str(row.id)) is first
    await keep(env, alice, row, "DEPOSIT 500")
    later = await shelf.open(env, alice.id, str(row.id))
    assert len(later.entries) == len(first.entries) + 1


async def test_a_rate_that_was_fetched_again_makes_the_book_anew(env: Env):
    await make_prices(env)
    alice, shelf = await make_user(env), BookShelf()
    row = await make_holdings(env, alice)
    first = await shelf.open(env, alice.id, str(row.id))
    assert first.book.holdings["AAPL"].lots[0].base_cost == 9 * 100 * 1400
    corrected = "UPDATE fx_rate SET rate = 1401, fetched_at = fetched_at + interval '1 s'"
    async with env.db.write() as db:
        await db.execute(text(f"{corrected} WHERE day = :day"), {"day": START})
    later = await shelf.open(env, alice.id, str(row.id))
    assert later.book.holdings["AAPL"].lots[0].base_cost == 9 * 100 * 1401


async def test_a_kept_book_opens_for_its_owner_alone(env: Env):
    alice, charlie, shelf = await make_user(env), await make_user(env, "charlie"), BookShelf()
    row = await make_holdings(env, alice)
    await shelf.open(env, alice.id, str(row.id))
    with pytest.raises(NotFound):
        await shelf.open(env, charlie.id, str(row.id))


async def test_a_shelf_has_room_for_so_many(env: Env):
    alice, shelf = await make_user(env), BookShelf()
    row = await make_holdings(env, alice)
    opened = await shelf.open(env, alice.id, str(row.id))
    for number in range(-MOST_KEPT, 0):
        shelf._kept[number] = opened
    assert await shelf.open(env, alice.id, str(row.id)) is opened
    await shelf.open(env, alice.id, str(row.id))
    assert len(shelf._kept) == MOST_KEPT


async def test_rates_are_in_the_currency_of_the_portfolio(env: Env):
    await make_prices(env)
    day = START + timedelta(days=1)
    assert (await load_rates(env, "KRW"))("USD", day) == 1410
    assert (await load_rates(env, "USD"))("KRW", day) == Decimal("0.0007092198581560284")
    assert (await load_rates(env, "KRW"))("USD", date(2020, 1, 1)) is None
