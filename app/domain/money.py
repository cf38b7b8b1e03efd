"""Money: amounts at the minor unit of their currency, rounded once, half up, never a float.

The bounds of every figure that enters the ledger stand here. NaN and Infinity are refused by name:
PostgreSQL holds `'NaN' >= 0` to be true, so that no CHECK would stop them.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Final

from app.domain.market import currency_digits
from app.errors import BadInput

PLACES: Final = 8
"""Decimals that a quantity, a price or a rate may have."""

BOUND: Final = Decimal(10**9)
"""Quantities, prices, rates and fees lie below it."""

AMOUNT_BOUND: Final = Decimal(10**15)
"""Amounts lie below it: a hundred thousand of them still fit into numeric(28,8)."""

ZERO: Final = Decimal(0)
EXACT: Final = Context(prec=60, rounding=ROUND_HALF_UP)
"""Room for every product of two figures within the bounds (34 digits): nothing is rounded twice."""


def minor_unit(currency: str) -> Decimal:
    """The smallest amount of a currency: 1 won, 0.01 dollars.

    Raises:
        BadInput: a currency that is not traded here.
    """
    return Decimal(1).scaleb(-currency_digits(currency))


def round_money(amount: Decimal, currency: str) -> Decimal:
    """The amount at the minor unit, half away from zero as PostgreSQL's `round(numeric)`.

    Raises:
        BadInput: a currency that is not traded here.
    """
    return amount.quantize(minor_unit(currency), rounding=ROUND_HALF_UP, context=EXACT) + ZERO


def compute_notional(quantity: Decimal, price: Decimal, currency: str) -> Decimal:
    """Quantity times price, rounded once; what is stored and never computed again.

    Raises:
        BadInput: quantity or price out of bounds, or so small that the amount rounds to 0.
    """
    product = EXACT.multiply(check_quantity(quantity), check_price(price))
    notional = round_money(product, currency)
    if notional == 0:
        raise BadInput(
            "quantity times price is %(value)s %(currency)s, which rounds to 0; "
            "the least amount is %(unit)s",
            field="quantity",
            value=f"{product.normalize():f}",
            currency=currency,
            unit=str(minor_unit(currency)),
        )
    return check_money(notional, currency, field="amount")


def check_quantity(value: Decimal, field: str = "quantity") -> Decimal:
    """A number of shares: above 0, below 10⁹, at most 8 decimals.

    Raises:
        BadInput: it is not.
    """
    return check_price(value, field)


def check_price(value: Decimal, field: str = "price") -> Decimal:
    """A price or a rate: above 0, below 10⁹, at most 8 decimals.

    Raises:
        BadInput: it is not.
    """
    check_places(value, field, PLACES)
    if not 0 < value < BOUND:
        message = "%(name)s is %(value)s; it must be above 0 and below %(bound)s"
        raise BadInput(message, field=field, name=field, value=_short(value), bound=f"{BOUND:f}")
    return value


def check_money(value: Decimal, currency: str, field: str = "amount") -> Decimal:
    """An amount of either sign, not 0, at the minor unit, below 10¹⁵.

    Raises:
        BadInput: it is not, or the currency is not traded here.
    """
    check_places(value, field, currency_digits(currency))
    if value == 0 or abs(value) >= AMOUNT_BOUND:
        message = "%(name)s is %(value)s; it must not be 0 and must be below %(bound)s"
        bound = f"{AMOUNT_BOUND:f}"
        raise BadInput(message, field=field, name=field, value=_short(value), bound=bound)
    return value


def check_charge(value: Decimal, currency: str, field: str = "fee") -> Decimal:
    """A fee or a tax: from 0 to below 10⁹ at the minor unit.

    Raises:
        BadInput: it is not, or the currency is not traded here.
    """
    check_places(value, field, currency_digits(currency))
    if not 0 <= value < BOUND:
        message = "%(name)s is %(value)s; it must be from 0 to below %(bound)s"
        raise BadInput(message, field=field, name=field, value=_short(value), bound=f"{BOUND:f}")
    return value


def check_places(value: Decimal, field: str, places: int) -> Decimal:
    """A finite number with at most so many decimals.

    Raises:
        BadInput: NaN, Infinity, or more decimals.
    """
    if not value.is_finite():
        message = "%(name)s is %(value)s; it must be a finite number"
        raise BadInput(message, field=field, name=field, value=_short(value))
    if count_places(value) > places:
        message = "%(name)s is %(value)s; it may have at most %(places)d decimals"
        raise BadInput(message, field=field, name=field, value=_short(value), places=places)
    return value


def count_places(value: Decimal) -> int:
    """Decimals of a finite number without the zeros at its end; 1E+999999 is never written out."""
    _, digits, exponent = value.as_tuple()
    zeros = len(digits) - len(bytes(digits).rstrip(b"\0"))
    return max(0, -int(exponent) - zeros) if any(digits) else 0


def _short(value: Decimal) -> str:
    return str(value)[:40]
