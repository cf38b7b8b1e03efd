"""Moves: what entries change in shares and cash agrees with the book."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

import pytest
from hypothesis import given, settings

from app.domain.portfolio.booking import keep_book
from app.domain.portfolio.moves import cash_flow, cash_moves, share_flow, share_moves
from app.domain.postings import AccountKind, make_postings, share_of
from tests.domain.portfolio.notation import EVERYTHING, entries, entry
from tests.domain.portfolio.test_booking import histories, won_per_dollar


def summed(history, moves):
    total = defaultdict(Decimal)
    for one in history:
        for key, amount in moves(one):
            total[key] += amount
    return {key: amount for key, amount in total.items() if amount}


def check(history):
    kept = keep_book(history, base="KRW", rates=won_per_dollar)
    shares = {symbol: held.quantity for symbol, held in kept.holdings.items() if held.quantity}
    assert summed(history, share_moves) == shares
    assert summed(history, cash_moves) == {
        c: p.quantity for c, p in kept.cash.items() if p.quantity
    }


def test_every_kind_moves_what_the_book_holds():
    history = entries(EVERYTHING)
    check(history)
    assert summed(history, share_moves) == {"APPL": 48}


OWN = {AccountKind.CASH, AccountKind.UNSETTLED, AccountKind.RECEIVABLE, AccountKind.POSITION}


@pytest.mark.parametrize("one", entries(EVERYTHING), ids=lambda one: f"{one.id} {one.kind}")
def test_moves_are_what_the_ledger_posts_to_the_owners_accounts(one):
    posted = defaultdict(Decimal)
    for line in make_postings(one, settled=False):
        if line.account in OWN:
            posted[line.commodity] += line.amount
    moved = {share_of(symbol): quantity for symbol, quantity in share_moves(one)}
    assert moved | dict(cash_moves(one)) == dict(posted)


@settings(max_examples=50, deadline=None)
@given(histories())
def test_moves_agree_with_the_book(history):
    check(history)


@pytest.mark.parametrize(
    ("line", "money", "shares"),
    [
        ("DEPOSIT 5 USD", 5, 0), ("WITHDRAWAL 5 USD", -5, 0), ("TRANSFER -5 USD fee=1", -5, 0),
        ("TRANSFER AAPL 3 x 5 USD", 0, 3), ("TRANSFER AAPL -3 x 5 USD", 0, -3),
        ("OPENING AAPL 3 x 5 USD", 0, 3), ("BUY AAPL 3 x 5 USD", 0, 0), ("FEE 5 USD", 0, 0),
    ],
)  # fmt: skip
def test_what_comes_from_outside(line, money, shares):
    one = entry(f"2021-01-04 {line}")
    assert (cash_flow(one), share_flow(one)) == (money, shares)
