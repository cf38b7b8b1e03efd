"""Watchlists: what is put on, taken off and moved, and what is refused."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.symbol_list import read_words
from app.domain.watchlist import MOST_SYMBOLS, check_size, judge_words, move, take_out
from app.errors import BadInput, NotFound


def test_every_word_of_a_paste_is_told():
    words = read_words(["AAPL 005930, aapl;%%", "MSFT NOPE"])
    told = judge_words(words, listed={"MSFT"}, known={"AAPL", "005930.KS", "MSFT"})
    assert [(w.line, w.text, w.symbol, w.outcome) for w in told] == [
        (1, "AAPL", "AAPL", "ADDED"),
        (1, "005930", "005930.KS", "ADDED"),
        (1, "aapl", "AAPL", "REPEATED"),
        (1, "%%", None, "NOT_A_SYMBOL"),
        (2, "MSFT", "MSFT", "LISTED"),
        (2, "NOPE", "NOPE", "UNKNOWN"),
    ]


def test_a_list_has_at_most_200_symbols_each_once():
    symbols = [f"S{n}" for n in range(MOST_SYMBOLS)]
    assert check_size([*symbols, "S0"]) == symbols
    with pytest.raises(BadInput, match="symbols has 10000 entries; a watchlist has at most 200"):
        check_size([f"S{n}" for n in range(10_000)])


@pytest.mark.parametrize(
    ("position", "expected"), [(0, "cabd"), (1, "acbd"), (2, "abcd"), (3, "abdc")]
)
def test_a_symbol_moves_to_a_position_and_the_others_keep_their_order(position, expected):
    assert move("abcd", "c", position) == list(expected)


@given(st.lists(st.text("abcdefgh", min_size=1), unique=True, min_size=1), st.data())
def test_nothing_is_lost_or_turned_round_by_a_move(symbols, data):
    symbol = data.draw(st.sampled_from(symbols))
    position = data.draw(st.integers(0, len(symbols) - 1))
    moved = move(symbols, symbol, position)
    assert moved[position] == symbol
    others = [s for s in moved if s != symbol]
    assert others == [s for s in symbols if s != symbol]
    assert all(symbols.index(a) < symbols.index(b) for a, b in pairwise(others))


@pytest.mark.parametrize("position", [-1, 3, 10**9])
def test_there_is_no_position_outside_of_the_list(position):
    with pytest.raises(BadInput, match=f"position is {position}; it must be from 0 to 2"):
        move("abc", "a", position)


def test_what_is_not_on_the_list_is_neither_moved_nor_taken():
    assert take_out("abc", "b") == ["a", "c"]
    for change in (lambda: take_out("abc", "x"), lambda: move("abc", "x", 0)):
        with pytest.raises(NotFound, match="'x' is not on this watchlist"):
            change()
