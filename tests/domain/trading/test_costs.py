"""Costs of G14, G15, G16 and G19, by profile, kind and date."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from app.domain.market import Kind
from app.domain.trading.costs import (
    PROFILES,
    compute_commission,
    compute_costs,
    dividend_tax,
    find_profile,
    sell_tax,
    us_sell_fees,
)
from app.domain.trading.listings import Listing
from app.domain.trading.tables import Market
from app.domain.trading.ticks import Side
from app.errors import BadInput

KOSPI, KOSDAQ, US = Listing(Market.KOSPI), Listing(Market.KOSDAQ), Listing(Market.US)
ONLINE = PROFILES["online"]


def costs(listing, side, notional, settles, *, quantity=1, profile=ONLINE, trade_day=None):
    settles = date.fromisoformat(settles)
    return compute_costs(
        listing, side, Decimal(quantity), Decimal(notional), profile,
        trade_day=trade_day or settles, settles=settles,
    )  # fmt: skip


def test_g14_the_tax_goes_by_the_settlement_day_2025():
    sale = costs(KOSPI, Side.SELL, 1_000_000, "2025-01-02", trade_day=date(2024, 12, 27))
    assert sale.tax == 1_500
    assert costs(KOSPI, Side.SELL, 1_000_000, "2024-12-30").tax == 1_800


def test_g15_the_tax_goes_by_the_settlement_day_2026():
    sale = costs(KOSPI, Side.SELL, 1_000_000, "2026-01-02", trade_day=date(2025, 12, 29))
    assert (sale.transaction_tax, sale.rural_tax, sale.tax) == (500, 1_500, 2_000)


@pytest.mark.parametrize(("year", "total"), [("2025", 18_000), ("2026", 23_000)])
@pytest.mark.parametrize("listing", [KOSPI, KOSDAQ])
def test_g16_a_round_trip_of_ten_million(listing, year, total):
    bought = costs(listing, Side.BUY, 10_000_000, f"{year}-03-02")
    sold = costs(listing, Side.SELL, 10_000_000, f"{year}-06-01")
    assert bought.tax == 0
    assert bought.total + sold.total == total


@pytest.mark.parametrize(
    ("settles", "kospi", "kosdaq", "konex"),
    [
        ("2019-05-31", "0.30", "0.30", "0.30"), ("2019-06-03", "0.25", "0.25", "0.10"),
        ("2021-01-04", "0.23", "0.23", "0.10"), ("2023-01-02", "0.20", "0.20", "0.10"),
        ("2024-01-02", "0.18", "0.18", "0.10"), ("2025-01-02", "0.15", "0.15", "0.10"),
        ("2026-01-02", "0.20", "0.20", "0.10"),
    ],
)  # fmt: skip
def test_the_tax_of_each_year_and_board(settles, kospi, kosdaq, konex):
    boards = {Market.KOSPI: kospi, Market.KOSDAQ: kosdaq, Market.KONEX: konex}
    for market, percent in boards.items():
        tax = sell_tax(Listing(market), date.fromisoformat(settles))
        assert (tax.transaction + tax.rural) * 100 == Decimal(percent)
        assert tax.rural == (Decimal("0.0015") if market is Market.KOSPI else 0)


def test_a_fund_pays_no_tax():
    sale = costs(Listing(Market.KOSPI, Kind.ETF), Side.SELL, 10_000_000, "2026-03-02")
    assert (sale.tax, sale.fee) == (0, 1_500)


def test_each_tax_is_cut_by_itself_to_the_won_or_to_ten():
    sale = costs(KOSPI, Side.SELL, 55_333, "2026-03-02")
    assert (sale.transaction_tax, sale.rural_tax) == (27, 82)  # 27.67 and 83.00 less a fraction
    sale = costs(KOSPI, Side.SELL, 55_333, "2026-03-02", profile=PROFILES["branch"])
    assert (sale.transaction_tax, sale.rural_tax) == (20, 80)


@pytest.mark.parametrize(("day", "fee"), [("2021-02-24", "22.10"), ("2021-02-25", "5.10")])
def test_g19_the_sec_fee_of_a_million(day, fee):
    sec, _ = us_sell_fees(Decimal(1), Decimal(1_000_000), date.fromisoformat(day))
    assert sec == Decimal(fee)


def test_us_fees_are_rounded_up_and_the_activity_fee_has_a_most():
    day = date(2024, 6, 3)
    assert us_sell_fees(Decimal(1), Decimal(100), day) == (Decimal("0.01"), Decimal("0.01"))
    assert us_sell_fees(Decimal(1_000_000), Decimal(100), day)[1] == Decimal("8.30")
    sale = costs(US, Side.SELL, 1_000, "2024-06-04", quantity=1_000, trade_day=day)
    assert (sale.commission, sale.sec_fee, sale.activity_fee) == (
        Decimal("2.50"), Decimal("0.03"), Decimal("0.17"),
    )  # fmt: skip
    assert (sale.fee, sale.tax, sale.total) == (Decimal("2.70"), 0, Decimal("2.70"))
    assert costs(US, Side.BUY, 1_000, "2024-06-04").total == Decimal("2.50")


def test_a_commission_is_cut_to_the_won_rounded_to_the_cent_and_has_a_least():
    assert compute_commission(Decimal(19_999), "KRW", ONLINE) == 2  # 2.99985
    assert compute_commission(Decimal(202), "USD", ONLINE) == Decimal("0.51")  # 0.505
    assert compute_commission(Decimal(1_000), "KRW", PROFILES["branch"]) == 1_000
    assert compute_commission(Decimal(1_000_000), "KRW", PROFILES["none"]) == 0


def test_an_unknown_profile_is_refused_with_the_known_ones():
    assert find_profile("online") is ONLINE
    with pytest.raises(BadInput, match="'cheap'; there are: online, promotion, branch, none"):
        find_profile("cheap")


def test_what_is_kept_back_of_a_dividend():
    assert dividend_tax(Decimal(36_100), "KRW") == 5_559  # 5559.4
    assert dividend_tax(Decimal("8.20"), "USD") == Decimal("1.23")
