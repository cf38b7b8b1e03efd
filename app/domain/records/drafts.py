"""What a line of another program's or a broker's file says, and the entry that it means.

Files leave out what they think can be computed: an amount, a price, one side of an exchange. What
is stated is taken as it is, never computed again; a stated amount that is far from quantity times
price is refused, since the columns are then not what they were taken for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

from app.domain.entry_checks import check_entry
from app.domain.money import (
    AMOUNT_BOUND,
    EXACT,
    PLACES,
    ZERO,
    check_places,
    compute_notional,
    minor_unit,
    round_money,
)
from app.domain.records.kinds import RecordKind
from app.domain.symbol_list import guess_listing
from app.domain.transactions import CorporateAction, Entry, TransactionKind
from app.errors import BadInput, argument

TOLERANCE: Final = Decimal("0.01")
"""The share by which an amount may differ from quantity times price: rounding, average prices."""

_PLACES: Final = Decimal(1).scaleb(-PLACES)


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What a line says. `amount` is before fee and tax, `net` what moved in the account.

    Figures may have either sign: the kind says the direction.
    """

    kind: RecordKind
    day: date
    settles_on: date | None = None
    symbol: str | None = None
    quantity: Decimal | None = None
    price: Decimal | None = None
    amount: Decimal | None = None
    net: Decimal | None = None
    fee: Decimal = ZERO
    tax: Decimal = ZERO
    currency: str | None = None
    currency_to: str | None = None
    amount_to: Decimal | None = None
    rate: Decimal | None = None
    note: str = ""


def finish(draft: Draft, currency: str) -> Entry:
    """The entry that a line means; `currency` is that of lines which neither name nor imply one.

    Raises:
        BadInput: something is missing, out of its bounds, or does not fit together.
    """
    plain = _without_signs(draft)
    if plain.currency is None:
        implied = guess_listing(plain.symbol).currency if plain.symbol else currency
        plain = replace(plain, currency=implied)
    return check_entry(_MAKERS[plain.kind](plain))


def _without_signs(draft: Draft) -> Draft:
    """Zeros say nothing, and the kind says the sign."""
    figures: dict[str, Any] = {}
    for name in ("quantity", "price", "amount", "net", "amount_to", "rate"):
        value = getattr(draft, name)
        figures[name] = _check_size(abs(value), argument(name)) if value else None
    fee, tax = _check_size(abs(draft.fee), "fee"), _check_size(abs(draft.tax), "tax")
    return replace(draft, **figures, fee=fee, tax=tax)


def _check_size(value: Decimal, name: str) -> Decimal:
    """Bounds a figure before anything is computed of it."""
    check_places(value, name, PLACES)
    if value >= AMOUNT_BOUND:
        message = "%(name)s is %(value)s; it must be below %(bound)s"
        bound = f"{AMOUNT_BOUND:f}"
        raise BadInput(message, field=name, name=name, value=str(value), bound=bound)
    return value


def _trade(draft: Draft, kind: TransactionKind, sign: int) -> Entry:
    """`sign`: whether fee and tax were added to the amount (1) or taken from it (-1)."""
    currency = draft.currency or ""
    amount = draft.amount
    if amount is None and draft.net is not None:
        amount = draft.net - sign * (draft.fee + draft.tax)
    price = draft.price
    if draft.quantity is not None and price is not None:
        product = compute_notional(draft.quantity, price, currency)
        amount = product if amount is None else _agreeing(amount, product, currency)
    elif draft.quantity is not None and amount is not None and price is None:
        price = _divide(amount, draft.quantity)
    action = CorporateAction.RIGHTS if kind is TransactionKind.CORPORATE_ACTION else None
    return _entry(draft, kind, amount, price=price, quantity=draft.quantity, action=action)


def _agreeing(amount: Decimal, product: Decimal, currency: str) -> Decimal:
    if abs(amount - product) > max(TOLERANCE * product, minor_unit(currency)):
        message = "amount is %(value)s, but quantity times price is %(product)s; check the columns"
        raise BadInput(message, field="amount", value=str(amount), product=str(product))
    return amount


def _cash(draft: Draft, kind: TransactionKind, sign: int = 1) -> Entry:
    """Money alone; a fee or a tax may stand in the column of fees or taxes."""
    own = {TransactionKind.FEE: draft.fee, TransactionKind.TAX: draft.tax}.get(kind, ZERO)
    amount = draft.amount or draft.net or own or _product(draft)
    keeps_symbol = kind in {TransactionKind.FEE, TransactionKind.TAX}
    bare = replace(
        draft,
        symbol=draft.symbol if keeps_symbol else None,
        fee=ZERO if kind is TransactionKind.FEE else draft.fee,
        tax=ZERO if kind is TransactionKind.TAX else draft.tax,
    )
    return _entry(bare, kind, sign * amount if amount else None)


def _income(draft: Draft, kind: TransactionKind, sign: int = 1) -> Entry:
    """A dividend or interest: the amount before what was withheld."""
    amount = draft.amount or _product(draft)
    if amount is None and draft.net is not None:
        amount = draft.net + draft.fee + draft.tax
    figures = {}
    if kind is TransactionKind.DIVIDEND and draft.quantity and draft.price:
        figures = {"quantity": draft.quantity, "price": draft.price}
    return _entry(draft, kind, sign * amount if amount else None, **figures)


def _product(draft: Draft) -> Decimal | None:
    if draft.quantity is None or draft.price is None:
        return None
    return compute_notional(draft.quantity, draft.price, draft.currency or "")


def _transfer(draft: Draft, sign: int) -> Entry:
    """Shares, when there is a symbol and a quantity, else money."""
    if draft.symbol is None or draft.quantity is None:
        return _cash(draft, TransactionKind.TRANSFER, sign)
    cost = draft.amount or draft.net or _product(draft) if sign > 0 else ZERO
    quantity = sign * draft.quantity
    return _entry(draft, TransactionKind.TRANSFER, cost or ZERO, quantity=quantity)


def _exchange(draft: Draft, *, inwards: bool) -> Entry:
    """Won against dollars; the other side stands in `amount_to` or follows by the rate."""
    foreign = next((c for c in (draft.currency, draft.currency_to) if c and c != "KRW"), "USD")
    amount, other, rate = draft.amount or draft.net, draft.amount_to, draft.rate
    in_won = draft.currency == "KRW"
    if amount is not None and other is None and rate is not None:
        other = _divide(amount, rate) if in_won else EXACT.multiply(amount, rate)
        other = round_money(other, foreign if in_won else "KRW")
    won, dollars = (amount, other) if in_won else (other, amount)
    if rate is None and won and dollars:
        rate = _divide(won, dollars)
    paid, got = (won, dollars) if inwards else (dollars, won)
    codes = ("KRW", foreign) if inwards else (foreign, "KRW")
    bare = replace(draft, symbol=None, currency=codes[0])
    facts = {"amount_to": got, "currency_to": codes[1], "rate": rate}
    return _entry(bare, TransactionKind.EXCHANGE, paid, **facts)


def _bonus(draft: Draft) -> Entry:
    bare = replace(draft, currency=None)
    facts = {"quantity": draft.quantity, "action": CorporateAction.BONUS}
    return _entry(bare, TransactionKind.CORPORATE_ACTION, ZERO, **facts)


def _entry(draft: Draft, kind: TransactionKind, amount: Decimal | None, **facts: object) -> Entry:
    known: dict[str, object] = {
        "symbol": draft.symbol,
        "currency": draft.currency,
        "fee": draft.fee,
        "tax": draft.tax,
        "note": draft.note,
    }
    return Entry(
        kind=kind,
        day=draft.day,
        settles_on=draft.settles_on or draft.day,
        amount=amount or ZERO,
        **(known | facts),  # type: ignore[arg-type]
    )


def _divide(amount: Decimal, by: Decimal) -> Decimal:
    return EXACT.divide(amount, by).quantize(_PLACES, context=EXACT)


_T: Final = TransactionKind
_MAKERS: Final[Mapping[RecordKind, Callable[[Draft], Entry]]] = {
    RecordKind.OPENING: lambda draft: _trade(draft, _T.OPENING, 0),
    RecordKind.BUY: lambda draft: _trade(draft, _T.BUY, 1),
    RecordKind.SELL: lambda draft: _trade(draft, _T.SELL, -1),
    RecordKind.RIGHTS: lambda draft: _trade(draft, _T.CORPORATE_ACTION, 1),
    RecordKind.BONUS: _bonus,
    RecordKind.DEPOSIT: lambda draft: _cash(draft, _T.DEPOSIT),
    RecordKind.WITHDRAWAL: lambda draft: _cash(draft, _T.WITHDRAWAL),
    RecordKind.TRANSFER_IN: lambda draft: _transfer(draft, 1),
    RecordKind.TRANSFER_OUT: lambda draft: _transfer(draft, -1),
    RecordKind.EXCHANGE_IN: lambda draft: _exchange(draft, inwards=True),
    RecordKind.EXCHANGE_OUT: lambda draft: _exchange(draft, inwards=False),
    RecordKind.DIVIDEND: lambda draft: _income(draft, _T.DIVIDEND),
    RecordKind.INTEREST: lambda draft: _income(draft, _T.INTEREST),
    RecordKind.INTEREST_CHARGE: lambda draft: _income(draft, _T.INTEREST, -1),
    RecordKind.FEE: lambda draft: _cash(draft, _T.FEE),
    RecordKind.FEE_REFUND: lambda draft: _cash(draft, _T.FEE, -1),
    RecordKind.TAX: lambda draft: _cash(draft, _T.TAX),
    RecordKind.TAX_REFUND: lambda draft: _cash(draft, _T.TAX, -1),
}
