"""Postings: the table of accounts line by line, and the balance of every entry there can be."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.postings import (
    AccountKind,
    MovementKind,
    make_postings,
    may_draw,
    reserve,
    share_of,
)
from app.domain.transactions import CorporateAction, TransactionKind, net_cash
from app.errors import BadInput
from tests.domain.test_entry_checks import DAY, GOOD, entry

WON = {"currency": "KRW", "amount": "1000"}
TRADE = WON | {"symbol": "USD", "quantity": "10", "price": "100", "fee": "3", "tax": "2"}
OWN = {AccountKind(k) for k in ("CASH", "UNSETTLED", "RESERVED", "RECEIVABLE", "POSITION")}


def lines(made) -> dict[str, int]:
    return {f"{p.account} {p.commodity}": int(p.amount) for p in made}


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (
            entry("BUY", **TRADE),
            (
                "CASH KRW -1005, FEE KRW 3, TAX KRW 2, TRADING KRW 1000, "
                "POSITION share:USD 10, TRADING share:USD -10"
            ),
        ),
        (
            entry("SELL", **TRADE),
            (
                "UNSETTLED KRW 995, FEE KRW 3, TAX KRW 2, TRADING KRW -1000, "
                "POSITION share:USD -10, TRADING share:USD 10"
            ),
        ),
        (entry("DEPOSIT", **WON), "CASH KRW 1000, EQUITY KRW -1000"),
        (entry("WITHDRAWAL", **WON), "CASH KRW -1000, EQUITY KRW 1000"),
        (
            entry("EXCHANGE", **WON, fee="5", currency_to="USD", amount_to="7", rate="142"),
            "CASH KRW -1005, FEE KRW 5, TRADING KRW 1000, CASH USD 7, TRADING USD -7",
        ),
        (entry("TRANSFER", currency="KRW", amount="-4"), "CASH KRW -4, EQUITY KRW 4"),
        (
            entry("TRANSFER", **WON, symbol="A", quantity="2"),
            "TRADING KRW 1000, EQUITY KRW -1000, POSITION share:A 2, TRADING share:A -2",
        ),
        (
            entry("OPENING", **WON, symbol="A", quantity="2"),
            "TRADING KRW 1000, EQUITY KRW -1000, POSITION share:A 2, TRADING share:A -2",
        ),
        (
            entry("DIVIDEND", **WON, symbol="A", quantity="2", tax="154"),
            "RECEIVABLE KRW 846, TAX KRW 154, INCOME KRW -1000",
        ),
        (entry("INTEREST", currency="KRW", amount="-9"), "CASH KRW -9, INCOME KRW 9"),
        (entry("FEE", **WON), "CASH KRW -1000, FEE KRW 1000"),
        (entry("TAX", currency="KRW", amount="-9"), "CASH KRW 9, TAX KRW -9"),
        (
            entry("SPLIT", symbol="A", quantity="-3", numerator="1", denominator="4", **WON),
            "UNSETTLED KRW 1000, TRADING KRW -1000, POSITION share:A -3, TRADING share:A 3",
        ),
        (
            entry("CORPORATE_ACTION", action="RIGHTS", **TRADE),
            (
                "CASH KRW -1005, FEE KRW 3, TAX KRW 2, TRADING KRW 1000, "
                "POSITION share:USD 10, TRADING share:USD -10"
            ),
        ),
        (
            entry(
                "CORPORATE_ACTION",
                action="MERGER",
                symbol="A",
                quantity="-4",
                symbol_to="B",
                quantity_to="2",
            ),
            "POSITION share:A -4, TRADING share:A 4, POSITION share:B 2, TRADING share:B -2",
        ),
    ],
)
def test_each_kind_adds_what_the_table_says(made, expected):
    pairs = (part.rsplit(" ", 1) for part in expected.split(", "))
    assert lines(make_postings(made, settled=False)) == {k: int(v) for k, v in pairs}


def test_what_has_settled_goes_to_cash_at_once():
    sell = entry("SELL", **TRADE)
    assert lines(make_postings(sell, settled=True))["CASH KRW"] == 995
    dividend = entry("DIVIDEND", **WON, symbol="A")
    assert lines(make_postings(dividend, settled=True)) == {"CASH KRW": 1000, "INCOME KRW": -1000}


def test_the_last_won_of_a_sale_waits_too():
    made = make_postings(entry("SELL", **TRADE | {"fee": "997", "tax": "2"}), settled=False)
    assert lines(made)["UNSETTLED KRW"] == 1


def test_a_sale_that_costs_more_than_it_brings_is_paid_from_cash():
    made = make_postings(entry("SELL", **TRADE | {"fee": "1100"}), settled=False)
    assert lines(made)["CASH KRW"] == -102


def test_a_reservation_sets_money_or_shares_aside():
    assert lines(reserve("KRW", Decimal(5))) == {"CASH KRW": -5, "RESERVED KRW": 5}
    shares = reserve(share_of("USD"), Decimal(5))
    assert lines(shares) == {"POSITION share:USD": -5, "RESERVED share:USD": 5}


def test_money_of_a_sale_may_buy_again_but_not_leave_or_be_exchanged():
    assert may_draw(TransactionKind.BUY)
    assert may_draw(MovementKind.RESERVATION)
    assert may_draw(TransactionKind.CORPORATE_ACTION, CorporateAction.RIGHTS)
    others = set(TransactionKind) - {TransactionKind.BUY}
    assert not any(may_draw(kind) for kind in others)


def test_what_moves_nothing_is_refused():
    nothing = entry("SPLIT", symbol="A", quantity="0", numerator="11", denominator="10")
    with pytest.raises(BadInput) as refused:
        make_postings(nothing, settled=True)
    assert refused.value.field == "quantity"
    assert str(refused.value) == "quantity is 0 and there is no amount: nothing moves"


MONEY = st.integers(1, 10**12).map(Decimal)
CHARGE = st.integers(0, 10**6).map(Decimal)
SHARES = st.decimals("0.00000001", "999999", places=8)


@st.composite
def entries(draw):
    """Any kind with its fields at any size; charges only where the kind has them."""
    example = draw(st.sampled_from(GOOD))
    changes = {"settles_on": DAY + timedelta(days=draw(st.integers(0, 5)))}
    if example.amount:
        changes["amount"] = draw(MONEY).copy_sign(example.amount)
    if example.quantity:
        changes["quantity"] = draw(SHARES).copy_sign(example.quantity)
    if example.quantity_to:
        changes["quantity_to"] = draw(SHARES)
    if example.amount_to:
        changes["amount_to"] = draw(MONEY)
    if example.fee:
        changes["fee"] = draw(CHARGE)
    if example.tax:
        changes["tax"] = draw(CHARGE)
    return replace(example, **changes)


@given(entries(), st.booleans())
def test_every_entry_balances_in_every_commodity(made, settled):
    sums: dict[str, Decimal] = defaultdict(Decimal)
    postings = make_postings(made, settled=settled)
    for line in postings:
        assert line.amount != 0
        sums[line.commodity] += line.amount
    assert len(postings) >= 2
    assert set(sums.values()) == {Decimal(0)}
    assert len({(p.account, p.commodity) for p in postings}) == len(postings)


@given(entries(), st.booleans())
def test_what_an_entry_moves_in_money_is_what_the_owner_gets(made, settled):
    own = sum(
        p.amount
        for p in make_postings(made, settled=settled)
        if p.account in OWN and p.commodity == made.currency
    )
    assert own == net_cash(made)
