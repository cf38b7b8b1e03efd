"""Books: kept until the ledger or a rate changes, and only for their owner."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from threading import Event

import pytest
from sqlalchemy import text

from app.domain.portfolio.booking import keep_book
from app.env import Env
from app.errors import NotFound
from app.services.portfolio import portfolio_books
from app.services.portfolio.ledger import reverse_transaction
from app.services.portfolio.portfolio_books import MOST_KEPT, BookShelf, load_rates
from tests.domain.portfolio.notation import book_facts
from tests.holdings import START, make_holdings, make_prices
from tests.ledgers import keep, read
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


@pytest.mark.parametrize("early", [False, True])
async def test_what_comes_after_all_the_rest_is_added_and_what_does_not_folded_anew(
    env: Env, monkeypatch: pytest.MonkeyPatch, *, early: bool
):
    await make_prices(env)
    alice, shelf = await make_user(env), BookShelf()
    row = await make_holdings(env, alice)
    first = await shelf.open(env, alice.id, str(row.id))
    before = book_facts(first.book)
    folded: list[int] = []

    def fold(entries, **facts):
        folded.append(len(entries))
        return keep_book(entries, **facts)

    monkeypatch.setattr(portfolio_books, "keep_book", fold)
    day = START if early else date(2026, 3, 4)
    bought = replace(read("BUY 2 005930.KS @ 70000", day), day=day)
    await keep(env, alice, row, bought)
    await keep(env, alice, row, replace(read("DEPOSIT 9", day), day=day))
    later = await shelf.open(env, alice.id, str(row.id))
    assert folded == ([7] if early else [])
    assert book_facts(first.book) == before
    anew = await BookShelf().open(env, alice.id, str(row.id))
    assert later.entries == anew.entries
    assert book_facts(later.book) == book_facts(anew.book)
    stored = later.entries[-1]
    await reverse_transaction(env, alice.id, str(stored.id), "undo")
    assert len((await shelf.open(env, alice.id, str(row.id))).book.flows) == 1 + early


async def test_an_entry_with_a_lower_number_that_is_stored_later_is_not_missed(env: Env):
    await make_prices(env)
    alice, shelf = await make_user(env), BookShelf()
    row = await make_holdings(env, alice)
    opened = await shelf.open(env, alice.id, str(row.id))
    early = opened.version._replace(rows=opened.version.rows - 1)  # as if one had been away
    shelf._kept[row.id] = replace(opened, entries=opened.entries[:-1], version=early)
    assert (await shelf.open(env, alice.id, str(row.id))).entries == opened.entries


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


async def test_a_book_whose_first_reader_has_given_up_is_made_once(
    env: Env, monkeypatch: pytest.MonkeyPatch
):
    await make_prices(env)
    alice, shelf = await make_user(env), BookShelf()
    row = await make_holdings(env, alice)
    begun, go_on, folded = asyncio.Event(), Event(), []
    loop = asyncio.get_running_loop()

    def fold(entries, **facts):
        folded.append(len(entries))
        loop.call_soon_threadsafe(begun.set)
        go_on.wait(300)
        return keep_book(entries, **facts)

    monkeypatch.setattr(portfolio_books, "keep_book", fold)
    first = asyncio.create_task(shelf.open(env, alice.id, str(row.id)))
    await begun.wait()
    first.cancel()
    second = asyncio.create_task(shelf.open(env, alice.id, str(row.id)))
    go_on.set()
    opened = await second
    assert len(folded) == 1
    assert await shelf.open(env, alice.id, str(row.id)) is opened


async def test_a_shelf_has_room_for_so_many(env: Env):
    alice, shelf = await make_user(env), BookShelf()
    row = await make_holdings(env, alice)
    opened = await shelf.open(env, alice.id, str(row.id))
    for number in range(-MOST_KEPT, 0):
        shelf._kept[number] = opened
    assert await shelf.open(env, alice.id, str(row.id)) is opened
    other = await make_holdings(env, alice)
    await shelf.open(env, alice.id, str(other.id))
    assert len(shelf._kept) == MOST_KEPT
    assert row.id in shelf._kept


async def test_rates_are_in_the_currency_of_the_portfolio(env: Env):
    await make_prices(env)
    day = START + timedelta(days=1)
    assert (await load_rates(env, "KRW"))("USD", day) == 1410
    assert (await load_rates(env, "USD"))("KRW", day) == Decimal("0.0007092198581560284")
    assert (await load_rates(env, "KRW"))("USD", date(2020, 1, 1)) is None
