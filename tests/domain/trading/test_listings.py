"""Listings: a symbol tells the market."""

from __future__ import annotations

import pytest

from app.domain.market import Kind
from app.domain.trading.listings import find_listing
from app.domain.trading.tables import Market
from app.errors import BadInput


@pytest.mark.parametrize(
    ("symbol", "market", "currency"),
    [
        ("005930.KS", Market.KOSPI, "KRW"),
        ("035720.KQ", Market.KOSDAQ, "KRW"),
        ("112190.KN", Market.KONEX, "KRW"),
        ("AAPL", Market.US, "USD"),
        ("BRK-B", Market.US, "USD"),
    ],
)
def test_a_symbol_tells_the_market_and_its_currency(symbol, market, currency):
    listing = find_listing(symbol)
    assert (listing.market, listing.currency, listing.is_fund) == (market, currency, False)


def test_a_fund_is_known_by_its_kind():
    assert find_listing("069500.KS", Kind.ETF).is_fund


@pytest.mark.parametrize(("symbol", "kind"), [("^KS11", Kind.INDEX), ("USDKRW=X", Kind.FX)])
def test_what_nobody_can_order_has_no_listing(symbol, kind):
    with pytest.raises(BadInput, match="cannot be traded"):
        find_listing(symbol, kind)
