"""Transactions: what an entry is, and which entries count."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from app.domain.transactions import (
    CorporateAction,
    Entry,
    PortfolioKind,
    TransactionKind,
    make_trade,
    net_cash,
    standing,
)
from app.errors import BadInput

DAY = date(2026, 3, 2)
BUY = make_trade(
    TransactionKind.BUY,
    "AAPL",
    Decimal("1.5"),
    Decimal("100.11"),
    "USD",
    day=DAY,
    settles_on=date(2026, 3, 3),
    fee=Decimal("0.07"),
)


def test_the_amount_of_a_trade_is_rounded_when_it_is_made():
    assert BUY.amount == Decimal("150.17")  # 150.165
    with pytest.raises(BadInput, match="rounds to 0"):
        make_trade(
            TransactionKind.SELL,
            "AAPL",
            Decimal("1E-8"),
            Decimal("0.01"),
            "USD",
            day=DAY,
            settles_on=DAY,
        )


def test_a_trade_has_all_that_it_is_made_of():
    assert replace(BUY, tax=Decimal("0.02")) == make_trade(
        TransactionKind.BUY,
        BUY.symbol,
        BUY.quantity,
        BUY.price,
        BUY.currency,
        day=BUY.day,
        settles_on=BUY.settles_on,
        fee=BUY.fee,
        tax=Decimal("0.02"),
    )
    assert (
        Entry(
            kind=TransactionKind.BUY,
            day=DAY,
            settles_on=date(2026, 3, 3),
            symbol="AAPL",
            quantity=Decimal("1.5"),
            price=Decimal("100.11"),
            currency="USD",
            amount=Decimal("150.17"),
            fee=Decimal("0.07"),
        )
        == BUY
    )


def test_a_fee_lowers_cash_on_both_sides_of_a_trade():
    # ghostfolio#6862: a sale credited quantity times price plus the fee
    sell = replace(BUY, kind=TransactionKind.SELL, tax=Decimal("0.01"))
    assert net_cash(BUY) == Decimal("-150.24")
    assert net_cash(sell) == Decimal("150.09")


@pytest.mark.parametrize(
    ("kind", "facts", "moved"),
    [
        (TransactionKind.DEPOSIT, {}, 100),
        (TransactionKind.WITHDRAWAL, {}, -100),
        (TransactionKind.EXCHANGE, {"fee": Decimal(1)}, -101),
        (TransactionKind.TRANSFER, {}, 100),
        (TransactionKind.TRANSFER, {"symbol": "AAPL", "quantity": Decimal(1)}, 0),
        (TransactionKind.DIVIDEND, {"tax": Decimal(15)}, 85),
        (TransactionKind.INTEREST, {"tax": Decimal(15)}, 85),
        (TransactionKind.FEE, {}, -100),
        (TransactionKind.TAX, {}, -100),
        (TransactionKind.OPENING, {}, 0),
        (TransactionKind.SPLIT, {}, 100),
        (TransactionKind.CORPORATE_ACTION, {"action": CorporateAction.RIGHTS}, -100),
        (TransactionKind.CORPORATE_ACTION, {"action": CorporateAction.MERGER}, 100),
    ],
)
def test_every_kind_says_what_it_moves(kind, facts, moved):
    entry = Entry(kind=kind, day=DAY, settles_on=DAY, currency="KRW", amount=Decimal(100), **facts)
    assert net_cash(entry) == moved


def test_a_reversed_entry_and_its_reversal_do_not_count():
    first, second, third = (replace(BUY, id=number) for number in (1, 2, 3))
    undone = replace(BUY, id=4, reverses=2)
    early = replace(BUY, id=9, day=date(2026, 1, 5))
    assert standing([third, undone, second, first, early]) == [early, first, third]
    assert standing([BUY]) == [BUY]


def test_only_a_record_of_a_real_account_may_be_overdrawn():
    assert [k for k in PortfolioKind if not k.strict] == [PortfolioKind.TRACKED]
