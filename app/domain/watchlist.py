"""A watchlist as its symbols in order: putting some in, taking one out, moving one.

A list has at most 200 symbols: as many as a page shows and one subscription follows.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from app.domain.symbol_list import Word
from app.errors import BadInput, NotFound

MOST_SYMBOLS: Final = 200

ADDED, LISTED, REPEATED = "ADDED", "LISTED", "REPEATED"
NOT_A_SYMBOL, UNKNOWN = "NOT_A_SYMBOL", "UNKNOWN"


@dataclass(frozen=True)
class PastedWord:
    """What became of a word: see the constants above; `line` counts from 1.

    LISTED is on the list already, UNKNOWN has the shape of a symbol and is not followed here.
    """

    line: int
    text: str
    symbol: str | None
    outcome: str


def judge_words(
    words: Sequence[Word], listed: Collection[str], known: Collection[str]
) -> list[PastedWord]:
    """What becomes of each word, when these symbols are on the list and those can be."""
    return [PastedWord(w.line, w.text, w.symbol, _judge(w, listed, known)) for w in words]


def check_size(symbols: Sequence[str]) -> list[str]:
    """The symbols, each once, in order.

    Raises:
        BadInput: more than 200.
    """
    once = list(dict.fromkeys(symbols))
    if len(once) > MOST_SYMBOLS:
        message = "symbols has %(value)d entries; a watchlist has at most %(bound)d"
        raise BadInput(message, field="symbols", value=len(once), bound=MOST_SYMBOLS)
    return once


def take_out(symbols: Sequence[str], symbol: str) -> list[str]:
    """The list without one.

    Raises:
        NotFound: it is not on the list.
    """
    _require(symbols, symbol)
    return [other for other in symbols if other != symbol]


def move(symbols: Sequence[str], symbol: str, position: int) -> list[str]:
    """The list with one of its symbols at a position, counted from 0; the others keep their order.

    Raises:
        NotFound: the symbol is not on the list.
        BadInput: there is no such position.
    """
    _require(symbols, symbol)
    last = len(symbols) - 1
    if not 0 <= position <= last:
        message = "position is %(value)d; it must be from 0 to %(bound)d"
        raise BadInput(message, field="position", value=position, bound=last)
    moved = take_out(symbols, symbol)
    moved.insert(position, symbol)
    return moved


def _require(symbols: Collection[str], symbol: str) -> None:
    if symbol not in symbols:
        raise NotFound("%(symbol).40r is not on this watchlist.", symbol=symbol)


def _judge(word: Word, listed: Collection[str], known: Collection[str]) -> str:
    if word.symbol is None:
        return NOT_A_SYMBOL
    if word.repeated:
        return REPEATED
    if word.symbol in listed:
        return LISTED
    return ADDED if word.symbol in known else UNKNOWN
