"""Screening: which figures of an instrument may be asked for, in which ranges, combined by and/or.

A filter is groups of terms: a term is a field with a range or with chosen words, any term of a
group is enough, and every group is asked for. Ends of a range belong to it. An unknown figure
fulfils no term. Fractions are of one: a change of 0.05 is 5 %.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from app.domain.fundamentals import AMOUNTS, RATIOS
from app.domain.indicator_columns import INDICATOR_COLUMNS
from app.domain.market import Kind
from app.domain.signals import RSI_HIGH, RSI_LOW, SignalStrength
from app.errors import BadInput

MOST_TERMS: Final = 50
MOST_WORDS: Final = 50
CROSS_SESSIONS: Final = 5
"""The averages of 50 and 200 sessions have crossed if they did so within so many."""

YEAR: Final = 252
"""Sessions of a new high or low, the newest one among them."""

VOLUME_SESSIONS: Final = 20
"""Sessions before the newest one that its volume is compared with, by their mean."""


@dataclass(frozen=True)
class NumberField:
    """A figure: its bounds, both allowed."""

    key: str
    low: float
    high: float


@dataclass(frozen=True)
class WordField:
    """A word of an instrument; `words` are all there are, None where the data have them."""

    key: str
    words: tuple[str, ...] | None = None


_PRICE: Final = (0.0, 1e12)
_MOVE: Final = (-1.0, 1e6)
_PLACE: Final = (0.0, 100.0)
_ANY: Final = (-1e12, 1e12)
_INDICATORS: Final[Mapping[str, tuple[float, float]]] = dict.fromkeys(INDICATOR_COLUMNS, _PRICE) | {
    "rsi_14": _PLACE,
    "stochastic_k": _PLACE,
    "stochastic_d": _PLACE,
    "macd": _ANY,
    "macd_signal": _ANY,
    "macd_histogram": _ANY,
    "bollinger_lower": _ANY,
}
_NUMBERS: Final[Mapping[str, tuple[float, float]]] = {
    "close": _PRICE,
    "change": _MOVE,
    "return_5": _MOVE,
    "return_20": _MOVE,
    "volume": (0.0, 1e15),
    "volume_ratio": (0.0, 1e9),
    "from_high": (-1.0, 0.0),
    "from_low": (0.0, 1e9),
    **_INDICATORS,
    "to_sma_20": _MOVE,
    "to_sma_50": _MOVE,
    "to_sma_200": _MOVE,
    "band_position": (-1e6, 1e6),
    **{name: (0.0, float(high)) for name, (_, high) in AMOUNTS.items()},
    **RATIOS,
}


class SmaCross(StrEnum):
    """Whether the averages of 50 and 200 sessions have crossed within the last five sessions."""

    GOLDEN = "GOLDEN"
    DEATH = "DEATH"
    NONE = "NONE"


CROSSES: Final = {1: SmaCross.GOLDEN, -1: SmaCross.DEATH, 0: SmaCross.NONE}
"""Crosses as they are stored."""

FIELDS: Final[Mapping[str, NumberField | WordField]] = {
    **{key: NumberField(key, low, high) for key, (low, high) in _NUMBERS.items()},
    "signal": WordField("signal", tuple(SignalStrength)),
    "sma_cross": WordField("sma_cross", tuple(SmaCross)),
    "sector": WordField("sector"),
    "exchange": WordField("exchange"),
    "currency": WordField("currency"),
    "kind": WordField("kind", tuple(kind.value for kind in Kind if kind is not Kind.FX)),
    "current": WordField("current", ("YES", "NO")),
}
"""What may be asked for, by key.

`close` and `volume` are as traded; `change`, `return_5` and `return_20` are returns over 1, 5 and
20 sessions; `volume_ratio` is by the mean of the 20 sessions before; `from_high` and `from_low`
compare the close with the highest and lowest close of a year of sessions, `to_sma_20` with an
average; `band_position` is 0 on the lower Bollinger band and 1 on the upper one; amounts are in the
instrument's own currency. `current`: its newest finished session is stored, and none is held.
"""


@dataclass(frozen=True)
class Term:
    """A range of a number (an end that is None is open), or words; `open`: ends do not count."""

    field: str
    low: float | None = None
    high: float | None = None
    words: tuple[str, ...] = ()
    open: bool = False


Group = tuple[Term, ...]
Filter = tuple[Group, ...]


class ScreenPreset(StrEnum):
    """A screen that is ready to use."""

    OVERSOLD = "OVERSOLD"
    OVERBOUGHT = "OVERBOUGHT"
    GOLDEN_CROSS = "GOLDEN_CROSS"
    DEATH_CROSS = "DEATH_CROSS"
    NEW_HIGH = "NEW_HIGH"
    VOLUME_SURGE = "VOLUME_SURGE"
    BOLLINGER_BREAK = "BOLLINGER_BREAK"
    VALUE = "VALUE"
    DIVIDEND = "DIVIDEND"
    QUALITY = "QUALITY"


PRESETS: Final[Mapping[ScreenPreset, Filter]] = {
    ScreenPreset.OVERSOLD: ((Term("rsi_14", high=RSI_LOW, open=True),),),
    ScreenPreset.OVERBOUGHT: ((Term("rsi_14", low=RSI_HIGH, open=True),),),
    ScreenPreset.GOLDEN_CROSS: ((Term("sma_cross", words=(SmaCross.GOLDEN,)),),),
    ScreenPreset.DEATH_CROSS: ((Term("sma_cross", words=(SmaCross.DEATH,)),),),
    ScreenPreset.NEW_HIGH: ((Term("from_high", low=0.0),),),
    ScreenPreset.VOLUME_SURGE: ((Term("volume_ratio", low=2.0),),),
    ScreenPreset.BOLLINGER_BREAK: (
        (Term("band_position", low=1.0, open=True), Term("band_position", high=0.0, open=True)),
    ),
    ScreenPreset.VALUE: (
        (Term("trailing_pe", high=15.0),),
        (Term("price_to_book", low=0.0, high=1.5),),
        (Term("return_on_equity", low=0.08),),
    ),
    ScreenPreset.DIVIDEND: ((Term("dividend_yield", low=0.04),),),
    ScreenPreset.QUALITY: (
        (Term("return_on_equity", low=0.15),),
        (Term("net_margin", low=0.1),),
        (Term("debt_to_equity", high=0.5),),
    ),
}
"""Oversold and overbought are where RSI(14) votes; the others as their names say, in numbers."""


def check_filter(groups: Sequence[Sequence[Term]]) -> Filter:
    """The filter, if all of it can be asked for; groups without a term are left out.

    Raises:
        BadInput: too many terms, an unknown field or word, an impossible range; it names which.
    """
    count = sum(map(len, groups))
    if count > MOST_TERMS:
        message = "filter has %(value)d terms; %(bound)d are allowed"
        raise BadInput(message, field="filter", value=count, bound=MOST_TERMS)
    return tuple(tuple(map(_check, group)) for group in groups if group)


def check_field(key: str) -> NumberField | WordField:
    """The field of that key.

    Raises:
        BadInput: there is none.
    """
    field = FIELDS.get(key)
    if field is None:
        message = "There is no figure %(key).40r to screen by; there are: %(known)s"
        raise BadInput(message, field="filter", key=key, known=", ".join(FIELDS))
    return field


def dump_filter(groups: Filter) -> list[list[dict[str, Any]]]:
    """As JSON, to be kept."""
    return [
        [
            {"field": t.field, "low": t.low, "high": t.high, "words": list(t.words)}
            for t in group
        ]
        for group in groups
    ]  # fmt: skip


def load_filter(kept: Sequence[Sequence[Mapping[str, Any]]]) -> Filter:
    """What `dump_filter` made."""
    return tuple(
        tuple(Term(t["field"], t["low"], t["high"], tuple(t["words"])) for t in group)
        for group in kept
    )


def _check(term: Term) -> Term:
    field = check_field(term.field)
    if isinstance(field, WordField):
        return _check_words(term, field)
    if term.words:
        message = "%(key)s is a number; it takes a range, not words"
        raise BadInput(message, field="filter", key=term.field)
    if term.low is None and term.high is None:
        message = "%(key)s has no range; say from, to, or both"
        raise BadInput(message, field="filter", key=term.field)
    for end in (term.low, term.high):
        if end is not None and not (math.isfinite(end) and field.low <= end <= field.high):
            message = "%(key)s is asked for at %(value)g; it must be from %(low)g to %(high)g"
            values = {"key": term.field, "value": end, "low": field.low, "high": field.high}
            raise BadInput(message, field="filter", **values)
    if term.low is not None and term.high is not None and term.low > term.high:
        message = "%(key)s is asked for from %(low)g to %(high)g: from must not be above to"
        raise BadInput(message, field="filter", key=term.field, low=term.low, high=term.high)
    return term


def _check_words(term: Term, field: WordField) -> Term:
    if not term.words or term.low is not None or term.high is not None:
        message = "%(key)s takes one or more words, not a range"
        raise BadInput(message, field="filter", key=term.field)
    if len(term.words) > MOST_WORDS:
        message = "%(key)s has %(value)d words; %(bound)d are allowed"
        values = {"value": len(term.words), "bound": MOST_WORDS}
        raise BadInput(message, field="filter", key=term.field, **values)
    for word in term.words:
        if field.words is not None and word not in field.words:
            message = "%(key)s is never %(word).40r; there are: %(known)s"
            known = ", ".join(field.words)
            raise BadInput(message, field="filter", key=term.field, word=word, known=known)
    return term
