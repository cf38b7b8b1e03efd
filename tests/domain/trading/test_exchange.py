"""What an automatic exchange costs, against figures worked out by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from app.domain.entry_checks import check_entry
from app.domain.trading.exchange import make_exchange


@pytest.mark.parametrize(
    ("needed", "currency", "paid"),
    [
        ("1000.00", "USD", "1414000"),  # 1,000 * 1,400 * 1.01
        ("0.01", "USD", "15"),  # 14.14
        ("1386000", "KRW", "1000.00"),  # / (1,400 * 0.99)
        ("1386001", "KRW", "1000.01"),
    ],
)
def test_what_is_missing_is_bought_and_rounded_up(needed, currency, paid):
    made = make_exchange(
        Decimal(needed),
        currency,
        rate=Decimal(1400),
        spread=Decimal("0.01"),
        day=date(2026, 3, 4),
        source="YAHOO",
    )
    assert (made.amount, made.amount_to) == (Decimal(paid), Decimal(needed))
    assert (made.rate, made.spread, made.source) == (1400, Decimal("0.01"), "YAHOO")
    assert check_entry(made) is made
