"""Each market has a currency of its own and somebody to compare with."""

from __future__ import annotations

from app.domain.recommend.markets import HOMES, MarketKey


def test_each_market_has_its_currency_and_benchmarks():
    assert set(HOMES) == set(MarketKey)
    assert len({home.currency for home in HOMES.values()}) == len(HOMES)
    assert all(home.benchmarks for home in HOMES.values())
