"""What an entry must, may and must not hold, by its kind, and the bounds of each figure."""

from __future__ import annotations

from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Final, NoReturn

from app.domain.market import currency_digits
from app.domain.money import (
    PLACES,
    check_charge,
    check_money,
    check_places,
    check_price,
    check_quantity,
)
from app.domain.transactions import CorporateAction, Entry, TransactionKind
from app.errors import BadInput, argument

LONGEST_NOTE: Final = 1000
LONGEST_TAG: Final = 40
MOST_TAGS: Final = 20
LONGEST_SYMBOL: Final = 24
LONGEST_SOURCE: Final = 60


@dataclass(frozen=True)
class _Shape:
    """Fields by name: `must` and `may` be there; all others must not. `signed` may be negative."""

    must: frozenset[str]
    may: frozenset[str] = frozenset()
    signed: frozenset[str] = frozenset()


def _shape(must: str, may: str = "", signed: str = "") -> _Shape:
    return _Shape(frozenset(must.split()), frozenset(may.split()), frozenset(signed.split()))


_TRADE: Final = _shape("symbol quantity price currency amount", "fee tax")
_SHAPES: Final = {
    TransactionKind.OPENING: _shape("symbol quantity currency amount", "price"),
    TransactionKind.BUY: _TRADE,
    TransactionKind.SELL: _TRADE,
    TransactionKind.DEPOSIT: _shape("currency amount"),
    TransactionKind.WITHDRAWAL: _shape("currency amount"),
    TransactionKind.EXCHANGE: _shape(
        "currency amount currency_to amount_to rate", "spread source fee"
    ),
    TransactionKind.TRANSFER: _shape("currency amount", "fee", signed="amount"),
    TransactionKind.DIVIDEND: _shape("symbol currency amount", "quantity price fee tax"),
    TransactionKind.INTEREST: _shape("currency amount", "symbol fee tax", signed="amount"),
    TransactionKind.FEE: _shape("currency amount", "symbol", signed="amount"),
    TransactionKind.TAX: _shape("currency amount", "symbol", signed="amount"),
    TransactionKind.SPLIT: _shape(
        "symbol quantity numerator denominator", "currency amount", signed="quantity"
    ),
}
_SHARE_TRANSFER: Final = _shape("symbol quantity", "currency amount fee", signed="amount quantity")
_ACTIONS: Final = {
    CorporateAction.BONUS: _shape("symbol quantity", "currency amount"),
    CorporateAction.RIGHTS: _shape("symbol quantity price currency amount", "fee tax"),
    CorporateAction.SPIN_OFF: _shape(
        "symbol symbol_to quantity_to cost_share", "currency amount tax"
    ),
    CorporateAction.MERGER: _shape(
        "symbol quantity symbol_to quantity_to", "currency amount fee tax", signed="quantity"
    ),
    CorporateAction.SYMBOL_CHANGE: _shape(
        "symbol quantity symbol_to quantity_to", signed="quantity"
    ),
    CorporateAction.DELISTING: _shape("symbol quantity", "currency amount fee tax", "quantity"),
}
_GOES_AWAY: Final = frozenset(
    {CorporateAction.MERGER, CorporateAction.SYMBOL_CHANGE, CorporateAction.DELISTING}
)
_ALWAYS: Final = frozenset(
    {"kind", "day", "settles_on", "reverses", "note", "tags", "id", "action"}
)
_NAMES: Final = tuple(field.name for field in fields(Entry) if field.name not in _ALWAYS)


def check_entry(entry: Entry) -> Entry:
    """The entry as it is.

    Raises:
        BadInput: a field that its kind needs is missing, one that it cannot have is there, or a
            figure is out of its bounds; named with its value and the bound.
    """
    shape = _shape_of(entry)
    for name in _NAMES:
        _check_presence(entry, name, shape)
    _check_figures(entry, shape)
    _check_relations(entry)
    _check_texts(entry)
    return entry


def _shape_of(entry: Entry) -> _Shape:
    if entry.kind is not TransactionKind.CORPORATE_ACTION:
        if entry.action is not None:
            _refuse_presence(entry, "action")
        moves_shares = entry.kind is TransactionKind.TRANSFER and entry.symbol is not None
        return _SHARE_TRANSFER if moves_shares else _SHAPES[entry.kind]
    if entry.action is None:
        _refuse_absence(entry, "action")
    return _ACTIONS[entry.action]


def _check_presence(entry: Entry, name: str, shape: _Shape) -> None:
    value = getattr(entry, name)
    absent = value is None or (isinstance(value, Decimal) and value.is_finite() and value == 0)
    if name in shape.must and (value is None or (absent and name == "amount")):
        _refuse_absence(entry, name)
    if not absent and name not in shape.must | shape.may:
        _refuse_presence(entry, name)


def _refuse_absence(entry: Entry, name: str) -> NoReturn:
    message = "%(name)s is missing; %(kind)s needs it"
    field = argument(name)
    raise BadInput(message, field=field, name=field, kind=_named(entry))


def _refuse_presence(entry: Entry, name: str) -> NoReturn:
    message = "%(name)s is %(value).40r; %(kind)s has none"
    field, value = argument(name), str(getattr(entry, name))
    raise BadInput(message, field=field, name=field, value=value, kind=_named(entry))


def _named(entry: Entry) -> str:
    own = entry.action if entry.kind is TransactionKind.CORPORATE_ACTION else None
    return own or entry.kind


def _check_figures(entry: Entry, shape: _Shape) -> None:
    for name in ("quantity", "quantity_to"):
        number = getattr(entry, name)
        if number is not None and not (entry.kind is TransactionKind.SPLIT and number == 0):
            check_quantity(
                -number if name in shape.signed and number < 0 else number, argument(name)
            )
    for name in ("price", "rate", "numerator", "denominator"):
        if (number := getattr(entry, name)) is not None:
            check_price(number, name)
    for name in ("spread", "cost_share"):
        if (number := getattr(entry, name)) is not None:
            _check_share(number, argument(name))
    _check_amounts(entry, shape)


def _check_amounts(entry: Entry, shape: _Shape) -> None:
    if entry.currency is None:
        for name in ("amount", "fee", "tax"):
            if getattr(entry, name) != 0:
                _refuse_absence(entry, "currency")
        return
    currency_digits(entry.currency)
    for name in ("fee", "tax"):
        check_charge(getattr(entry, name), entry.currency, name)
    if entry.amount != 0:
        check_money(entry.amount, entry.currency)
    if "amount" not in shape.signed:
        _refuse_negative(entry.amount, "amount")
    if entry.amount_to is not None and entry.currency_to is not None:
        check_money(entry.amount_to, entry.currency_to, "amountTo")
        _refuse_negative(entry.amount_to, "amountTo")


def _check_share(value: Decimal, name: str) -> None:
    check_places(value, name, PLACES)
    if not 0 <= value <= 1:
        message = "%(name)s is %(value)s; it must be from 0 to 1"
        raise BadInput(message, field=name, name=name, value=str(value)[:40])


def _refuse_negative(value: Decimal, name: str) -> None:
    if value < 0:
        message = "%(name)s is %(value)s; it must be above 0"
        raise BadInput(message, field=name, name=name, value=str(value))


def _check_relations(entry: Entry) -> None:
    if entry.settles_on < entry.day:
        message = (
            "The settlement day is %(value)s; it must not be before %(day)s, the day of the trade"
        )
        values = {"value": str(entry.settles_on), "day": str(entry.day)}
        raise BadInput(message, field="settlesOn", **values)
    for name, other in (("currency_to", entry.currency), ("symbol_to", entry.symbol)):
        if other is not None and getattr(entry, name) == other:
            message = "%(name)s is %(value).40r; it must differ from what is given for it"
            raise BadInput(message, field=argument(name), name=argument(name), value=other)
    if entry.kind is TransactionKind.DIVIDEND and entry.fee + entry.tax > entry.amount:
        message = "tax and fee are %(value)s; they cannot be more than the dividend of %(bound)s"
        values = {"value": str(entry.fee + entry.tax), "bound": str(entry.amount)}
        raise BadInput(message, field="tax", **values)
    if entry.kind is TransactionKind.SPLIT and entry.numerator == entry.denominator:
        message = "numerator is %(value)s, as the denominator; such a split changes nothing"
        raise BadInput(message, field="numerator", value=str(entry.numerator))
    _check_signs(entry)


def _check_signs(entry: Entry) -> None:
    quantity = entry.quantity
    if quantity is None:
        return
    if entry.action in _GOES_AWAY and quantity > 0:
        message = "quantity is %(value)s; %(action)s takes shares away: it must be below 0"
        raise BadInput(message, field="quantity", value=str(quantity), action=entry.action)
    if entry.action is CorporateAction.SYMBOL_CHANGE and entry.quantity_to != -quantity:
        message = "The new quantity is %(value)s; it must be %(bound)s, as many shares as before"
        values = {"value": str(entry.quantity_to), "bound": str(-quantity)}
        raise BadInput(message, field="quantityTo", **values)
    if entry.kind is TransactionKind.TRANSFER and (
        entry.amount < 0 < quantity or (quantity > 0) > (entry.amount != 0)
    ):
        message = "amount is %(value)s; shares that come in (%(quantity)s) need what they have cost"
        values = {"value": str(entry.amount), "quantity": str(quantity)}
        raise BadInput(message, field="amount", **values)


def _check_texts(entry: Entry) -> None:
    for name, longest in (
        ("symbol", LONGEST_SYMBOL),
        ("symbol_to", LONGEST_SYMBOL),
        ("source", LONGEST_SOURCE),
        ("note", LONGEST_NOTE),
    ):
        _check_text(getattr(entry, name), argument(name), longest, blank=name == "note")
    if len(entry.tags) > MOST_TAGS:
        message = "tags has %(value)d entries; at most %(bound)d are allowed"
        raise BadInput(message, field="tags", value=len(entry.tags), bound=MOST_TAGS)
    for tag in entry.tags:
        _check_text(tag, "tags", LONGEST_TAG)


def _check_text(text: str | None, name: str, longest: int, *, blank: bool = False) -> None:
    if text is None or (blank and not text):
        return
    plain = text.replace("\n", " ").replace("\t", " ") if blank else text
    if not plain.strip() or len(text) > longest or not plain.isprintable():
        message = "%(name)s is %(value).40r; it may have 1 to %(bound)d printable characters"
        raise BadInput(message, field=name, name=name, value=text, bound=longest)
