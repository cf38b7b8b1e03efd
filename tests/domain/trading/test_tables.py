"""Dated tables: in order, and read by their day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from app.domain.trading import tables
from app.domain.trading.tables import Market, in_force
from app.errors import BadInput

ALL = {
    "funds": tables.KOREAN_FUND_TICKS,
    "sec": tables.SEC_FEES,
    "taf": tables.TRADING_ACTIVITY_FEES,
    **{f"ticks {m}": t for m, t in tables.SHARE_TICKS.items()},
    **{f"limits {m}": t for m, t in tables.PRICE_LIMITS.items()},
    **{f"cycles {m}": t for m, t in tables.SETTLEMENT_CYCLES.items()},
    **{f"taxes {m}": t for m, t in tables.SELL_TAXES.items()},
}


@pytest.mark.parametrize("name", ALL)
def test_a_table_is_in_order_and_a_rule_holds_from_its_day_on(name):
    table = ALL[name]
    days = [day for day, _ in table]
    assert days == sorted(set(days))
    for (day, rule), before in zip(table, [None, *(rule for _, rule in table)], strict=False):
        assert in_force(table, day) == rule
        if before is not None:
            assert in_force(table, day - timedelta(days=1)) == before
            assert before != rule


def test_a_day_before_a_table_is_refused_with_its_first_day():
    with pytest.raises(BadInput, match="2010-10-03 lies before 2010-10-04") as caught:
        in_force(tables.SHARE_TICKS[Market.KOSPI], date(2010, 10, 3))
    assert caught.value.field == "day"


def test_every_market_has_every_rule_of_its_country():
    korean = set(Market) - {Market.US}
    assert set(tables.SHARE_TICKS) == set(tables.SETTLEMENT_CYCLES) == set(Market)
    assert set(tables.PRICE_LIMITS) == set(tables.SELL_TAXES) == korean


def test_ticks_stand_between_their_bounds():
    for table in (tables.KOREAN_FUND_TICKS, *tables.SHARE_TICKS.values()):
        for _, steps in table:
            assert len(steps.ticks) == len(steps.bounds) + 1
            assert list(steps.bounds) == sorted(steps.bounds)
            assert all(
                bound % tick == 0 for bound, tick in zip(steps.bounds, steps.ticks, strict=False)
            )
