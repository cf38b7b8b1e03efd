"""Pasted lists: what a word is taken for, and that no word is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.symbol_list import Listing, guess_listing, read_symbol, read_words


@pytest.mark.parametrize(
    ("word", "symbol"),
    [
        ("005930", "005930.KS"),
        ("005930.ks", "005930.KS"),
        ("A005930", "005930.KS"),
        ("KRX:005930", "005930.KS"),
        ("00104K", "00104K.KS"),
        ("247540", "247540.KQ"),  # known to be one of KOSDAQ
        ("KOSDAQ:091990", "091990.KQ"),
        ("091990.KQ", "091990.KQ"),
        ("aapl", "AAPL"),
        ("NASDAQ:AAPL", "AAPL"),
        ("BRK.B", "BRK-B"),
        ("BRK-B", "BRK-B"),
        ("^GSPC", "^GSPC"),
        ("usdkrw=x", "USDKRW=X"),
        ("EURUSD=X", "EURUSD=X"),
    ],
)
def test_a_word_becomes_the_symbol_that_the_source_knows(word, symbol):
    assert read_symbol(word) == symbol


@pytest.mark.parametrize(
    "word",
    [
        "삼성전자",
        "7203.T",
        "59300",
        "0059300",
        "TOOLONG",
        "<b>",
        "USDJPY=X",
        "=X",
        "A.",
        "BTC-USD",
        "",
    ],
)
def test_a_word_of_no_supported_shape_is_none(word):
    assert read_symbol(word) is None


def test_every_separator_parts_words_and_repetitions_are_known():
    words = read_words(["AAPL, MSFT;005930\tNVDA | aapl", "", "삼성전자 005930.KS"])
    assert [(w.line, w.text, w.symbol, w.repeated) for w in words] == [
        (1, "AAPL", "AAPL", False),
        (1, "MSFT", "MSFT", False),
        (1, "005930", "005930.KS", False),
        (1, "NVDA", "NVDA", False),
        (1, "aapl", "AAPL", True),
        (3, "삼성전자", None, False),
        (3, "005930.KS", "005930.KS", True),
    ]


@given(st.lists(st.text(st.characters(exclude_characters=" ,;|"), max_size=60), max_size=30))
def test_no_word_is_lost_whatever_it_is(texts):
    wanted = [part for text in texts for part in text.split()]
    words = read_words([" , ".join(texts).replace("\n", " ")])
    assert [word.text for word in words] == [text[:40] for text in wanted]
    counted = [w.symbol for w in words if w.symbol and not w.repeated]
    assert len(set(counted)) == len(counted)


@pytest.mark.parametrize(
    ("symbol", "listing"),
    [
        ("005930.KS", Listing("XKRX", "KRW", "EQUITY")),
        ("247540.KQ", Listing("XKRX", "KRW", "EQUITY")),
        ("^KS11", Listing("XKRX", "KRW", "INDEX")),
        ("^GSPC", Listing("XNYS", "USD", "INDEX")),
        ("USDKRW=X", Listing("CCY", "KRW", "FX")),
        ("EURUSD=X", Listing("CCY", "USD", "FX")),
        ("AAPL", Listing("XNAS", "USD", "EQUITY")),
    ],
)
def test_the_market_is_guessed_from_the_shape(symbol, listing):
    assert guess_listing(symbol) == listing
