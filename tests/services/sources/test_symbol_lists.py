"""Lists that ship: their date, their number, and how much of them is watched."""

from __future__ import annotations

from datetime import date

import pytest

from app.domain.symbol_list import read_symbol
from app.errors import NotFound
from app.services.sources.symbol_lists import get_list, list_symbol_lists, load_lists
from tests.factories import make_instrument


def test_every_list_has_its_date_and_symbols_as_the_source_spells_them():
    lists = load_lists()
    assert {key: (known.name, len(known.symbols)) for key, known in lists.items()} == {
        "kospi200": ("KOSPI 200", 200),
        "sp500": ("S&P 500", 503),
    }
    for known in lists.values():
        assert date(2025, 1, 1) < known.as_of < date(2026, 12, 31)
        assert list(known.symbols) == sorted(set(known.symbols))
        assert [read_symbol(symbol) for symbol in known.symbols] == list(known.symbols)


async def test_a_list_knows_how_much_of_it_is_watched(env):
    await make_instrument(env, "AAPL")
    await make_instrument(env, "MSFT", tracked=False)
    await make_instrument(env, "005930.KS")
    await make_instrument(env, "069500.KS")  # a fund, in no index
    found = {known.key: known for known in await list_symbol_lists(env)}
    assert (found["sp500"].count, found["sp500"].tracked) == (503, 1)
    assert (found["kospi200"].count, found["kospi200"].tracked) == (200, 1)


def test_a_list_that_there_is_not_is_named():
    with pytest.raises(NotFound, match="no list 'dow'"):
        get_list("dow")
