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


@pytest.mark.parametrize(
    ("bad", "field", "words"),
    [
        (replace(BUY, price=None), "price", "price is missing; BUY needs it"),
        (replace(BUY, amount=Decimal(0)), "amount", "amount is missing"),
        (replace(BUY, currency=None), "currency", "currency is missing"),
        (replace(BUY, currency="EUR"), "currency", "EUR is not supported"),
        (replace(BUY, rate=Decimal(1)), "rate", "rate is '1'; BUY has none"),
        (replace(BUY, action=CorporateAction.BONUS), "action", "action is 'BONUS'; BUY has none"),
        (replace(BUY, price=Decimal("-4.58")), "price", r"price is -4\.58"),  # freqtrade#5396
        (replace(BUY, quantity=Decimal(-1)), "quantity", "above 0"),
        (replace(BUY, quantity=Decimal("NaN")), "quantity", "NaN; it must be a finite"),
        (replace(BUY, price=Decimal("Infinity")), "price", "Infinity; it must be a finite"),
        (replace(BUY, amount=Decimal("NaN")), "amount", "NaN; it must be a finite"),
        (replace(BUY, fee=Decimal("NaN")), "fee", "NaN; it must be a finite"),
        (replace(BUY, fee=Decimal("0.5")), "fee", "at most 0 decimals"),
        (replace(BUY, fee=Decimal(-1)), "fee", "from 0 to below"),
        (replace(BUY, amount=Decimal(-5)), "amount", "must be above 0"),
        (replace(BUY, settles_on=date(2026, 3, 1)), "settlesOn", "not be before 2026-03-02"),
        (replace(BUY, symbol="a\nb"), "symbol", "printable"),
        (replace(BUY, note="x" * 1001), "note", "1 to 1000"),
        (replace(BUY, tags=("",)), "tags", "1 to 40"),
        (replace(BUY, tags=("x",) * 21), "tags", "21 entries; at most 20"),
        (entry("DEPOSIT", **WON, symbol="A"), "symbol", "DEPOSIT has none"),
        (entry("DEPOSIT", currency="KRW", amount="-1"), "amount", "above 0"),
        (entry("DEPOSIT", currency="KRW", amount="NaN"), "amount", "finite"),
        (entry("DIVIDEND", symbol="A", **WON, tax="1001"), "tax", "more than the dividend"),
        (
            entry("EXCHANGE", **EXCHANGE | {"currency_to": "KRW", "amount_to": "1"}),
            "currencyTo",
            "must differ",
        ),
        (entry("EXCHANGE", **EXCHANGE | {"amount_to": "-1"}), "amountTo", "above 0"),
        (entry("EXCHANGE", **EXCHANGE, spread="1.1"), "spread", "from 0 to 1"),
        (entry("TRANSFER", **SHARES), "amount", "need what they have cost"),
        (
            entry("SPLIT", symbol="A", quantity="1", numerator="2", denominator="2"),
            "numerator",
            "changes nothing",
        ),
        (
            entry("SPLIT", symbol="A", quantity="1", numerator="2", denominator="1", amount="5"),
            "currency",
            "currency is missing",
        ),
        (entry("CORPORATE_ACTION", **SHARES), "action", "action is missing"),
        (
            entry("CORPORATE_ACTION", action="DELISTING", **SHARES),
            "quantity",
            "it must be below 0",
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
            "as many shares as before",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_field_value_and_bound(bad, field, words):
    with pytest.raises(BadInput, match=words) as refused:
        check_entry(bad)
    assert refused.value.field == field
