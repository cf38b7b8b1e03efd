"""Korean names."""

from __future__ import annotations

import pytest

from app.adapters.sample import SAMPLE_SYMBOLS
from app.domain.korean_names import KOREAN_NAMES, find_korean_name


def test_the_names_are_those_used_in_korea() -> None:
    assert find_korean_name("005930.KS") == "삼성전자"
    assert find_korean_name("AAPL") == "애플"
    assert find_korean_name("NOPE") is None


@pytest.mark.parametrize("symbol", SAMPLE_SYMBOLS)
def test_everything_in_the_sample_has_one(symbol: str) -> None:
    assert find_korean_name(symbol)


def test_symbols_are_upper_case_and_names_are_tidy() -> None:
    for symbol, name in KOREAN_NAMES.items():
        assert symbol == symbol.upper()
        assert name == " ".join(name.split())
