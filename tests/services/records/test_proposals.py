"""Proposals for the record of a real account: listed, accepted, dismissed, and never again."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from app.domain.transactions import PortfolioKind, TransactionKind
from app.errors import Conflict, NotFound
from app.services.portfolio.ledger import reverse_transaction
from app.services.portfolio.portfolio_books import BookShelf
from app.services.records.proposals import accept_proposal, dismiss_proposal, list_proposals
from app.services.trading.archiving import archive_portfolio
from app.services.trading.corporate_actions import book_actions
from tests.factories import make_dividend, make_instrument, make_split
from tests.ledgers import DAY, balances, keep, make_portfolio, read
from tests.people import make_user

LATER = DAY + timedelta(days=3)
SPLIT = (TransactionKind.SPLIT, "AAPL", LATER)
DIVIDEND = (TransactionKind.DIVIDEND, "AAPL", LATER)


@pytest.fixture
async def alice(env):
    return await make_user(env)


@pytest.fixture
async def book(env, alice):
    await make_instrument(env, "AAPL")
    await make_split(env, "AAPL", LATER, 4)
    await make_dividend(env, "AAPL", LATER, 0.25)
    made = await make_portfolio(env, alice, 0, PortfolioKind.TRACKED, "USD")
    await keep(env, alice, made, read("OPENING 10 AAPL @ 50", currency="USD"))
    return made


@pytest.fixture
def shelf():
    """Books stay open from one look to the next, as in the web process."""
    return BookShelf()


async def proposed(env, alice, book, shelf):
    """Kind, quantity and amount of each."""
    opened = await shelf.open(env, alice.id, str(book.id))
    found = await list_proposals(env, alice.id, opened)
    return [(e.kind.value, e.quantity, e.amount) for e in found]


async def test_nothing_is_booked_before_the_owner_says_so(env, alice, book, shelf):
    split, paid = ("SPLIT", 30, 0), ("DIVIDEND", 40, 10)
    assert await book_actions(env) == 0
    assert await proposed(env, alice, book, shelf) == [split, paid]
    stored = await accept_proposal(env, alice.id, str(book.id), SPLIT)
    assert await proposed(env, alice, book, shelf) == [paid]
    assert (await balances(env, book))["POSITION share:AAPL"] == 40
    await accept_proposal(env, alice.id, str(book.id), DIVIDEND)
    assert (await balances(env, book))["CASH USD"] == Decimal("8.5")
    with pytest.raises(Conflict, match="No DIVIDEND of AAPL"):
        await accept_proposal(env, alice.id, str(book.id), DIVIDEND)
    await reverse_transaction(env, alice.id, str(stored.id), "mine")
    assert await proposed(env, alice, book, shelf) == []


async def test_what_was_dismissed_is_not_proposed_again(env, alice, book, shelf):
    await dismiss_proposal(env, alice.id, str(book.id), SPLIT)
    assert await proposed(env, alice, book, shelf) == [("DIVIDEND", 10, Decimal("2.5"))]
    with pytest.raises(Conflict):
        await dismiss_proposal(env, alice.id, str(book.id), SPLIT)
    await archive_portfolio(env, alice.id, str(book.id))
    assert await proposed(env, alice, book, shelf) == []


async def test_it_is_the_owner_s_and_of_a_real_account(env, alice, book, shelf):
    charlie = await make_user(env, "charlie")
    for decide in (accept_proposal, dismiss_proposal):
        with pytest.raises(NotFound):
            await decide(env, charlie.id, str(book.id), SPLIT)
    paper = await make_portfolio(env, alice, 10_000, currency="USD")
    await keep(env, alice, paper, read("BUY 10 AAPL @ 50", currency="USD"))
    assert await proposed(env, alice, paper, shelf) == []
    with pytest.raises(Conflict):
        await accept_proposal(env, alice.id, str(paper.id), SPLIT)
