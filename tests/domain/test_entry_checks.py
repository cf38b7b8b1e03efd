"""Checks of entries: each kind has its fields, each figure its bounds, and a refusal names them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from app.domain.entry_checks import check_entry
from app.domain.transactions import CorporateAction, Entry, TransactionKind
from app.errors import BadInput

DAY = date(2026, 3, 2)


def entry(kind: str, **facts: object) -> Entry:
    """An entry in a small notation: numbers as text, `action` by its name."""
    action = facts.pop("action", None)
    texts = {"symbol", "symbol_to", "currency", "currency_to", "source", "note", "tags", "day"}
    values = {
        name: Decimal(value) if isinstance(value, str) and name not in texts else value
        for name, value in facts.items()
    }
    values.setdefault("settles_on", DAY)
    known = None if action is None else CorporateAction(action)
    return Entry(kind=TransactionKind(kind), day=DAY, action=known, **values)


WON = {"currency": "KRW", "amount": "1000"}
SHARES = {"symbol": "005930.KS", "quantity": "10"}
TRADE = WON | SHARES | {"price": "100"}
EXCHANGE = WON | {"currency_to": "USD", "amount_to": "0.70", "rate": "1428.57"}
GOOD = [
    entry("OPENING", **WON, **SHARES),
    entry("BUY", **TRADE, fee="1"),
    entry("SELL", **TRADE, fee="1", tax="2"),
    entry("DEPOSIT", **WON),
    entry("WITHDRAWAL", **WON),
    entry("EXCHANGE", **EXCHANGE, spread="0.01", source="yahoo"),
    entry("TRANSFER", currency="KRW", amount="-1000"),
    entry("TRANSFER", **WON, **SHARES),
    entry("TRANSFER", symbol="AAPL", quantity="-3"),
    entry("DIVIDEND", **WON, symbol="005930.KS", tax="154"),
    entry("INTEREST", currency="USD", amount="-0.01"),
    entry("FEE", **WON),
    entry("TAX", currency="KRW", amount="-5", symbol="AAPL"),
    entry("SPLIT", symbol="AAPL", quantity="30", numerator="4", denominator="1"),
    entry("SPLIT", symbol="A", quantity="-3", numerator="1", denominator="4", **WON),
    entry("CORPORATE_ACTION", action="BONUS", **SHARES),
    entry("CORPORATE_ACTION", action="RIGHTS", **TRADE),
    entry(
        "CORPORATE_ACTION",
        action="SPIN_OFF",
        symbol="T",
        symbol_to="WBD",
        quantity_to="2",
        cost_share="0.25",
    ),
    entry(
        "CORPORATE_ACTION",
        action="MERGER",
        symbol="A",
        quantity="-10",
        symbol_to="B",
        quantity_to="5",
        **WON,
    ),
    entry(
        "CORPORATE_ACTION",
        action="SYMBOL_CHANGE",
        symbol="FB",
        quantity="-5",
        symbol_to="META",
        quantity_to="5",
    ),
    entry("CORPORATE_ACTION", action="DELISTING", symbol="A", quantity="-10"),
]


@pytest.mark.parametrize("good", GOOD, ids=lambda e: str(e.action or e.kind))
def test_what_each_kind_needs_is_enough(good):
    assert check_entry(good) is good


def test_every_kind_and_every_action_has_an_example():
    assert {e.kind for e in GOOD} == set(TransactionKind)
    assert {e.action for e in GOOD} == {None, *CorporateAction}


BUY = entry("BUY", **TRADE)
SPIN_OFF = next(e for e in GOOD if e.action is CorporateAction.SPIN_OFF)


@pytest.mark.parametrize(
    "edge",
    [
        replace(BUY, amount=Decimal(1), quantity=Decimal(1), price=Decimal(1)),
        replace(BUY, symbol="S" * 24, note="n" * 999 + "\n", tags=("t" * 40,) * 20),
        replace(BUY, note="first\tline\nand another"),
        entry("DIVIDEND", **WON, symbol="A", fee="1", tax="999"),
        entry("EXCHANGE", **EXCHANGE, spread="0"),
        entry("EXCHANGE", **EXCHANGE, spread="1", source="s" * 60),
        entry("SPLIT", symbol="A", quantity="0", numerator="11", denominator="10", **WON),
        entry("TRANSFER", symbol="A", quantity="0.5", currency="KRW", amount="1"),
        entry("CORPORATE_ACTION", action="DELISTING", symbol="A", quantity="-0.5"),
    ],
)
def test_what_lies_on_a_bound_can_be(edge):
    assert check_entry(edge) is edge


@pytest.mark.parametrize(
    ("bad", "field", "told"),
    [
        (replace(BUY, price=None), "price", "price is missing; BUY needs it"),
        (replace(BUY, amount=Decimal(0)), "amount", "amount is missing; BUY needs it"),
        (replace(BUY, currency=None), "currency", "currency is missing; BUY needs it"),
        (replace(BUY, currency="EUR"), "currency", "EUR is not supported: KRW and USD are"),
        (replace(BUY, rate=Decimal(1)), "rate", "rate is '1'; BUY has none"),
        (replace(BUY, action=CorporateAction.BONUS), "action", "action is 'BONUS'; BUY has none"),
        (
            replace(BUY, price=Decimal("-4.58")),  # freqtrade#5396
            "price",
            "price is -4.58; it must be above 0 and below 1000000000",
        ),
        (
            replace(BUY, quantity=Decimal(-1)),
            "quantity",
            "quantity is -1; it must be above 0 and below 1000000000",
        ),
        (
            replace(BUY, quantity=Decimal(0)),
            "quantity",
            "quantity is 0; it must be above 0 and below 1000000000",
        ),
        (
            replace(SPIN_OFF, quantity_to=Decimal(-2)),
            "quantityTo",
            "quantityTo is -2; it must be above 0 and below 1000000000",
        ),
        (
            replace(BUY, quantity=Decimal("NaN")),
            "quantity",
            "quantity is NaN; it must be a finite number",
        ),
        (
            replace(BUY, price=Decimal("Infinity")),
            "price",
            "price is Infinity; it must be a finite number",
        ),
        (
            replace(BUY, amount=Decimal("NaN")),
            "amount",
            "amount is NaN; it must be a finite number",
        ),
        (replace(BUY, fee=Decimal("NaN")), "fee", "fee is NaN; it must be a finite number"),
        (replace(BUY, fee=Decimal("0.5")), "fee", "fee is 0.5; it may have at most 0 decimals"),
        (
            replace(BUY, fee=Decimal(-1)),
            "fee",
            "fee is -1; it must be from 0 to below 1000000000",
        ),
        (
            replace(BUY, tax=Decimal(-1)),
            "tax",
            "tax is -1; it must be from 0 to below 1000000000",
        ),
        (replace(BUY, amount=Decimal(-5)), "amount", "amount is -5; it must be above 0"),
        (
            replace(BUY, amount=Decimal("1.5")),
            "amount",
            "amount is 1.5; it may have at most 0 decimals",
        ),
        (
            replace(BUY, settles_on=date(2026, 3, 1)),
            "settlesOn",
            "The settlement day is 2026-03-01; it must not be before 2026-03-02, the day of the trade",
        ),
        (
            replace(BUY, symbol="a\nb"),
            "symbol",
            "symbol is 'a\\nb'; it may have 1 to 24 printable characters",
        ),
        (
            replace(BUY, symbol="S" * 25),
            "symbol",
            f"symbol is '{'S' * 25}'; it may have 1 to 24 printable characters",
        ),
        (
            replace(BUY, note="x" * 1001),
            "note",
            f"note is '{'x' * 39}; it may have 1 to 1000 printable characters",
        ),
        (replace(BUY, tags=("",)), "tags", "tags is ''; it may have 1 to 40 printable characters"),
        (replace(BUY, tags=("x",) * 21), "tags", "tags has 21 entries; at most 20 are allowed"),
        (entry("DEPOSIT", **WON, symbol="A"), "symbol", "symbol is 'A'; DEPOSIT has none"),
        (
            entry("DEPOSIT", currency="KRW", amount="-1"),
            "amount",
            "amount is -1; it must be above 0",
        ),
        (
            entry("DEPOSIT", currency="KRW", amount="NaN"),
            "amount",
            "amount is NaN; it must be a finite number",
        ),
        (
            entry("DIVIDEND", symbol="A", **WON, fee="2", tax="999"),
            "tax",
            "tax and fee are 1001; they cannot be more than the dividend of 1000",
        ),
        (
            entry("EXCHANGE", **EXCHANGE | {"currency_to": "KRW", "amount_to": "1"}),
            "currencyTo",
            "currencyTo is 'KRW'; it must differ from what is given for it",
        ),
        (
            entry("EXCHANGE", **EXCHANGE | {"amount_to": "-1"}),
            "amountTo",
            "amountTo is -1; it must be above 0",
        ),
        (
            entry("EXCHANGE", **EXCHANGE | {"amount_to": "0.001"}),
            "amountTo",
            "amountTo is 0.001; it may have at most 2 decimals",
        ),
        (
            entry("EXCHANGE", **EXCHANGE, spread="1.1"),
            "spread",
            "spread is 1.1; it must be from 0 to 1",
        ),
        (
            replace(SPIN_OFF, cost_share=Decimal("-1" + "0" * 60)),
            "costShare",
            f"costShare is -1{'0' * 38}; it must be from 0 to 1",
        ),
        (
            replace(SPIN_OFF, cost_share=Decimal("0.123456789")),
            "costShare",
            "costShare is 0.123456789; it may have at most 8 decimals",
        ),
        (
            entry("TRANSFER", **SHARES),
            "amount",
            "amount is 0; shares that come in (10) need what they have cost",
        ),
        (
            entry("TRANSFER", symbol="A", quantity="0.5"),
            "amount",
            "amount is 0; shares that come in (0.5) need what they have cost",
        ),
        (
            entry("TRANSFER", symbol="A", quantity="0.5", currency="KRW", amount="-3"),
            "amount",
            "amount is -3; shares that come in (0.5) need what they have cost",
        ),
        (
            entry("SPLIT", symbol="A", quantity="1", numerator="2", denominator="2"),
            "numerator",
            "numerator is 2, as the denominator; such a split changes nothing",
        ),
        (
            entry("SPLIT", symbol="A", quantity="1", numerator="2", denominator="1", amount="5"),
            "currency",
            "currency is missing; SPLIT needs it",
        ),
        (
            entry("CORPORATE_ACTION", **SHARES),
            "action",
            "action is missing; CORPORATE_ACTION needs it",
        ),
        (
            entry("CORPORATE_ACTION", action="BONUS", symbol="A"),
            "quantity",
            "quantity is missing; BONUS needs it",
        ),
        (
            entry("CORPORATE_ACTION", action="DELISTING", symbol="A", quantity="0.5"),
            "quantity",
            "quantity is 0.5; DELISTING takes shares away: it must be below 0",
        ),
        (
            entry(
                "CORPORATE_ACTION",
                action="SYMBOL_CHANGE",
                symbol="A",
                quantity="-5",
                symbol_to="B",
                quantity_to="6",
            ),
            "quantityTo",
            "The new quantity is 6; it must be 5, as many shares as before",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_field_value_and_bound(bad, field, told):
    with pytest.raises(BadInput) as refused:
        check_entry(bad)
    assert (refused.value.field, str(refused.value)) == (field, told)
