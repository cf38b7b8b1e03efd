"""What a recommendation rests on, in the reader's language: reasons, evidence, comparison.

A reason says what the rule reads and which way it pushes the rank, never why a price will move.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from app.domain.recommend.features import Feature
from app.translations import N_, Locale, load_translations

_REASONS: Final = {
    Feature.SIGNAL: N_("The votes of RSI, Stochastic and MACD come to %(value)s."),
    Feature.MOMENTUM_5: N_("The last 5 sessions brought %(value)s."),
    Feature.MOMENTUM_12_1: N_("The year up to a month ago brought %(value)s."),
    Feature.RELATIVE: N_("Against its market, three months brought %(value)s."),
    Feature.EARNINGS_YIELD: N_("A year's earnings are %(value)s of its price."),
    Feature.BOOK_YIELD: N_("Its book value is %(value)s of its price."),
    Feature.RETURN_ON_EQUITY: N_("It earned %(value)s on its equity."),
    Feature.DIVIDEND_YIELD: N_("It paid %(value)s of its price as dividends."),
}
_SIGNALS: Final = {
    2: N_("strong buy"),
    1: N_("buy"),
    0: N_("hold"),
    -1: N_("sell"),
    -2: N_("strong sell"),
}
_SIGNED: Final = frozenset({Feature.MOMENTUM_5, Feature.MOMENTUM_12_1, Feature.RELATIVE})

_TOO_EARLY: Final = N_(
    "Only %(windows)d windows of 20 sessions have ended; nothing can be said before there are 12."
)
_EVIDENCE: Final = {
    "NONE": N_(
        "In %(windows)d windows of 20 sessions this rule could not be told from chance: the action "
        "is what the rule says, not what its record supports."
    ),
    "WEAK": N_(
        "In %(windows)d windows of 20 sessions this rule did better than chance, but not clearly "
        "better than simple alternatives and its costs."
    ),
    "PROVEN": N_(
        "In %(windows)d windows of 20 sessions this rule did better than chance, than simple "
        "alternatives and than its costs. That is no promise."
    ),
}
_COMPARED: Final = {
    "universe": N_("Compared with the mean of %(count)d instruments."),
    "benchmark": N_(
        "There are fewer than 30 instruments to rank: each is compared with %(name)s instead."
    ),
    "few": N_(
        "There are fewer than 30 instruments to rank and no benchmark is watched, so each is "
        "compared with the mean of the %(count)d that there are."
    ),
}


def reason_sentence(feature: Feature, value: float, locale: Locale) -> str:
    """What the rule read, in one sentence."""
    translations = load_translations(locale)
    if feature is Feature.SIGNAL:
        shown = translations.gettext(_SIGNALS[round(value)])
    else:
        shown = f"{value:+.1%}" if feature in _SIGNED else f"{value:.1%}"
    return translations.gettext(_REASONS[feature]) % {"value": shown}


def evidence_sentence(evidence: str, standing: Mapping[str, Any], locale: Locale) -> str:
    """Why the evidence is what it is, for somebody who begins."""
    text = _TOO_EARLY if standing["ic"] is None else _EVIDENCE[evidence]
    return load_translations(locale).gettext(text) % {"windows": standing["windows"]}


def comparison_sentence(compared_with: str | None, count: int, locale: Locale, *, few: bool) -> str:
    """What stood for the market."""
    kind = "universe" if not few else "few" if compared_with is None else "benchmark"
    values = {"name": compared_with, "count": count}
    return load_translations(locale).gettext(_COMPARED[kind]) % values
