"""Pasted lists of symbols: what each word is taken for, and in which market it is likely traded.

Words are separated by blanks, line ends, commas, semicolons or bars. Six characters of a Korean
code become a symbol of the KOSPI market unless it is known to be one of KOSDAQ; `NASDAQ:AAPL`,
`KRX:005930`, `A005930` and `BRK.B` are read as AAPL, 005930.KS, 005930.KS and BRK-B. Only what has
the shape of a symbol of a supported market is taken; whether it exists is the source's to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from app.domain.korean_names import find_korean_name
from app.domain.market import CURRENCY_DIGITS
from app.domain.sessions import CURRENCY_MIC
from app.errors import BadInput

LONGEST_WORD: Final = 40
MOST_WORDS: Final = 600  # of one list

_SEPARATORS: Final = re.compile(r"[\s,;|]+")
_PREFIX: Final = re.compile(r"(?:(KRX|KOSPI|KOSDAQ)|NASDAQ|NYSE|NYSEARCA|AMEX):(.+)")
_CODE: Final = re.compile(r"A?([0-9][0-9A-Z]{5})")
_KOREAN: Final = re.compile(r"[0-9][0-9A-Z]{5}\.K[SQ]")
_CLASS: Final = re.compile(r"([A-Z]{1,4})\.([A-C])")
_AMERICAN: Final = re.compile(r"[A-Z]{1,5}(?:-[A-Z]{1,2})?")
_INDEX: Final = re.compile(r"\^[A-Z0-9]{1,10}")
_PAIR: Final = re.compile(r"[A-Z]{3}([A-Z]{3})=X")


@dataclass(frozen=True)
class Word:
    """A word of a list: the line it stands in (from 1), and the symbol it means, if it means one.

    `repeated`: the symbol has stood before in the same list.
    """

    line: int
    text: str
    symbol: str | None
    repeated: bool = False


@dataclass(frozen=True)
class Listing:
    """Where a symbol is likely traded, and as what: the first collection knows it better."""

    mic: str
    currency: str
    kind: str


def read_words(lines: Iterable[str]) -> list[Word]:
    """Every word of the lines, in order; blank lines count, and none is lost."""
    words: list[Word] = []
    seen: set[str] = set()
    for number, line in enumerate(lines, 1):
        for text in filter(None, _SEPARATORS.split(line)):
            symbol = read_symbol(text)
            words.append(Word(number, text[:LONGEST_WORD], symbol, symbol in seen))
            if symbol is not None:
                seen.add(symbol)
    return words


def read_list(lines: Iterable[str]) -> list[Word]:
    """`read_words` of a list that somebody has sent.

    Raises:
        BadInput: more than 600 words, or none.
    """
    words = read_words(lines)
    if not 1 <= len(words) <= MOST_WORDS:
        message = "symbols has %(value)d entries; it must be from 1 to %(bound)d"
        raise BadInput(message, field="symbols", value=len(words), bound=MOST_WORDS)
    return words


def read_symbol(text: str) -> str | None:
    """The symbol that a word means, None when it has the shape of none."""
    word = text.strip().upper()
    market = ".KS"
    if prefix := _PREFIX.fullmatch(word):
        word = prefix[2]
        market = ".KQ" if prefix[1] == "KOSDAQ" else ".KS"
    if code := _CODE.fullmatch(word):
        listed = ".KQ" if find_korean_name(f"{code[1]}.KQ") else market
        return code[1] + listed
    if share := _CLASS.fullmatch(word):
        return f"{share[1]}-{share[2]}"
    if pair := _PAIR.fullmatch(word):
        return word if pair[1] in CURRENCY_DIGITS else None
    shapes = (_KOREAN, _AMERICAN, _INDEX)
    return word if any(shape.fullmatch(word) for shape in shapes) else None


def guess_listing(symbol: str) -> Listing:
    """The market of a symbol by its shape: Korean, index, currency pair, else of the US."""
    if symbol.endswith("=X"):
        return Listing(CURRENCY_MIC, symbol[3:6], "FX")
    if symbol.startswith(("^KS", "^KQ")):
        return Listing("XKRX", "KRW", "INDEX")
    if symbol.startswith("^"):
        return Listing("XNYS", "USD", "INDEX")
    if _KOREAN.fullmatch(symbol):
        return Listing("XKRX", "KRW", "EQUITY")
    return Listing("XNAS", "USD", "EQUITY")
