"""What a trade costs: commission by profile, Korean sell taxes, US sell fees, tax on dividends.

The Korean taxes go by the day of settlement and the US fees by the day of the trade. Roundings, one
each: a commission is cut to the minor unit in won and rounded half up in dollars; each Korean tax
is cut by itself to the profile's unit (a won, or ten); each US fee is rounded up to the cent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_HALF_UP, Decimal
from types import MappingProxyType
from typing import Final, NamedTuple

from app.domain.market import currency_digits
from app.domain.trading.listings import Listing
from app.domain.trading.tables import (
    SEC_FEES,
    SELL_TAXES,
    TRADING_ACTIVITY_FEES,
    WITHHOLDING,
    Market,
    SellTax,
    in_force,
)
from app.domain.trading.ticks import Side
from app.errors import BadInput

_ZERO: Final = Decimal(0)
_NO_TAX: Final = SellTax(_ZERO, _ZERO)


class Commission(NamedTuple):
    """A broker's part of a trade's value, and the least it takes, in the trade's currency."""

    rate: Decimal
    least: Decimal = _ZERO


@dataclass(frozen=True)
class CostProfile:
    """What a portfolio's broker takes, by currency; `tax_unit` is what Korean taxes are cut to."""

    key: str
    commissions: Mapping[str, Commission]
    tax_unit: Decimal = Decimal(1)


def _profile(key: str, krw: str, usd: str, *, krw_least: str = "0", unit: int = 1) -> CostProfile:
    rates = {
        "KRW": Commission(Decimal(krw) / 100, Decimal(krw_least)),
        "USD": Commission(Decimal(usd) / 100),
    }
    return CostProfile(key, MappingProxyType(rates), Decimal(unit))


PROFILES: Final = MappingProxyType(
    {
        profile.key: profile
        for profile in (
            _profile("online", "0.015", "0.25"),
            _profile("promotion", "0.0036396", "0.07"),
            _profile("branch", "0.50", "0.50", krw_least="1000", unit=10),
            _profile("none", "0", "0"),
        )
    }
)
"""Commissions in percent as brokers of Korea ask them, as examples (unverified); taxes and fees of
the exchanges and states are the same in each, `none` included."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What a trade costs beside its value, part by part, in its currency."""

    commission: Decimal = _ZERO
    transaction_tax: Decimal = _ZERO
    rural_tax: Decimal = _ZERO
    sec_fee: Decimal = _ZERO
    activity_fee: Decimal = _ZERO

    @property
    def fee(self) -> Decimal:
        """Commission and fees of exchanges and authorities."""
        return self.commission + self.sec_fee + self.activity_fee

    @property
    def tax(self) -> Decimal:
        """Taxes on the sale."""
        return self.transaction_tax + self.rural_tax

    @property
    def total(self) -> Decimal:
        """All of it."""
        return self.fee + self.tax


def find_profile(key: str) -> CostProfile:
    """The profile of that name.

    Raises:
        BadInput: there is none.
    """
    try:
        return PROFILES[key]
    except KeyError:
        message = "There is no cost profile %(key)r; there are: %(known)s"
        raise BadInput(message, field="costs", key=key, known=", ".join(PROFILES)) from None


def compute_costs(  # noqa: PLR0913 - the facts of one trade
    listing: Listing,
    side: Side,
    quantity: Decimal,
    notional: Decimal,
    profile: CostProfile,
    *,
    trade_day: date,
    settles: date,
) -> Costs:
    """The costs of a trade of `quantity` shares worth `notional`, both above zero."""
    commission = compute_commission(notional, listing.currency, profile)
    if side is Side.BUY:
        return Costs(commission)
    if listing.market is Market.US:
        sec, activity = us_sell_fees(quantity, notional, trade_day)
        return Costs(commission, sec_fee=sec, activity_fee=activity)
    rates = sell_tax(listing, settles)
    return Costs(
        commission,
        transaction_tax=_cut(notional * rates.transaction, profile.tax_unit),
        rural_tax=_cut(notional * rates.rural, profile.tax_unit),
    )


def compute_commission(notional: Decimal, currency: str, profile: CostProfile) -> Decimal:
    """The broker's part: the rate of the value, at least the minimum."""
    rate, least = profile.commissions[currency]
    digits = currency_digits(currency)
    exact = max(notional * rate, least)
    return exact.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP if digits else ROUND_DOWN)


def sell_tax(listing: Listing, settles: date) -> SellTax:
    """The Korean taxes on a sale that settles on that day, as parts of its value; none on funds."""
    if listing.market is Market.US or listing.is_fund:
        return _NO_TAX
    return in_force(SELL_TAXES[listing.market], settles)


def us_sell_fees(quantity: Decimal, notional: Decimal, day: date) -> tuple[Decimal, Decimal]:
    """The SEC's fee and FINRA's trading activity fee of a sale, in dollars."""
    per_share, most = in_force(TRADING_ACTIVITY_FEES, day)
    activity = min(_up_to_cent(quantity * per_share), most)
    return _up_to_cent(notional * in_force(SEC_FEES, day)), activity


def dividend_tax(gross: Decimal, currency: str) -> Decimal:
    """What is kept back of a dividend, cut to the minor unit (Korea: the two taxes as one)."""
    return _cut(gross * WITHHOLDING[currency], Decimal(1).scaleb(-currency_digits(currency)))


def _cut(amount: Decimal, unit: Decimal) -> Decimal:
    return (amount / unit).to_integral_value(ROUND_DOWN) * unit


def _up_to_cent(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_CEILING)
