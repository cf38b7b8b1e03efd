"""The instruments of a new installation, as they were ordered."""

from __future__ import annotations

from app.domain.market import Kind
from app.services.market.defaults import DEFAULTS, default_symbols, find_seed

YAHOO = """005930.KS 000660.KS 035420.KS AAPL NVDA TSLA MSFT SPY 069500.KS
    ^KS11 ^KQ11 ^GSPC ^IXIC USDKRW=X"""


def test_yahoo_begins_with_stocks_benchmarks_indices_and_the_won():
    assert default_symbols("yahoo") == YAHOO.split()


def test_the_sample_begins_with_its_five_stocks_and_the_won():
    assert default_symbols("sample") == ["AAPL", "FB", "GOOG", "IBM", "MSFT", "USDKRW=X"]


def test_every_default_has_a_korean_name_and_a_known_kind():
    for seed in [seed for seeds in DEFAULTS.values() for seed in seeds]:
        assert seed.name_local
        assert Kind(seed.kind)
        assert (seed.currency == "KRW") == (seed.mic in {"XKRX", "CCY"})


def test_a_symbol_is_a_default_of_one_source_or_the_other():
    assert find_seed("sample", "FB") is not None
    assert find_seed("yahoo", "FB") is None
