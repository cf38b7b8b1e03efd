"""Backtests in words, in the reader's language: strategies, their parameters, rules and warnings.

A strategy of the operator's own is called as its file calls it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from app.domain.backtest.setup import Fill
from app.errors import BadInput
from app.translations import N_, Locale, load_translations, translate_error

_STRATEGIES: Final = {
    "sma_cross": (
        N_("SMA cross"),
        N_("Long while the fast simple moving average lies above the slow one."),
    ),
    "ema_cross": (
        N_("EMA cross"),
        N_("Long while the fast exponential moving average lies above the slow one."),
    ),
    "rsi_reversion": (
        N_("RSI reversion"),
        N_("Buys when the RSI falls below a level, and sells when it has risen above another."),
    ),
    "macd": (N_("MACD"), N_("Long while the MACD lies above its signal line.")),
    "bollinger_breakout": (
        N_("Bollinger breakout"),
        N_("Buys when the close lies above the upper band, sells when it falls below the middle."),
    ),
    "bollinger_reversion": (
        N_("Bollinger reversion"),
        N_("Buys when the close lies below the lower band, sells when it is back at the middle."),
    ),
    "stochastic": (
        N_("Stochastic"),
        N_("Buys when the slow %K falls below a level, sells when it has risen above another."),
    ),
    "fused_signal": (
        N_("Fused signal"),
        N_("Long from a buy signal (strong ones only, if wanted) until a sell signal."),
    ),
    "momentum": (
        N_("Momentum ranking"),
        N_("Holds the instruments with the highest return, and ranks them again every so often."),
    ),
    "value_filter": (
        N_("Value filter"),
        N_(
            "Holds the instruments that are cheapest by a figure of their companies as it was "
            "known on that day; before the first one it holds nothing."
        ),
    ),
    "buy_and_hold": (N_("Buy and hold"), N_("Buys every instrument once and keeps it.")),
}

_PARAMETERS: Final = {
    "fast": N_("Fast window (sessions)"),
    "slow": N_("Slow window (sessions)"),
    "signal": N_("Signal window (sessions)"),
    "window": N_("Window (sessions)"),
    "smoothing": N_("Smoothing (sessions)"),
    "buy_below": N_("Buy below"),
    "sell_above": N_("Sell above"),
    "width": N_("Width (standard deviations)"),
    "short": N_("Short on the other side"),
    "strong_only": N_("Strong signals only"),
    "skip": N_("Sessions left out at the end"),
    "every": N_("Rank again every (sessions)"),
    "top": N_("Instruments held"),
    "figure": N_("Figure"),
    "stop": N_("Stop"),
    "target": N_("Target"),
    "trailing": N_("Trailing stop"),
}

_FILL_RULES: Final = {
    Fill.NEXT_OPEN: N_("A signal at the close is filled at the next open."),
    Fill.SAME_CLOSE: N_(
        "A signal at the close is filled at that same close, which nobody can do for certain: the "
        "close is known when trading is over."
    ),
}

_STAGES: Final = {
    "CELLS": N_("Running the cells of the sweep"),
    "RESULT": N_("Running the backtest"),
    "CERTIFICATE": N_("Looking for look-ahead"),
}

_SURVIVORS: Final = N_(
    "The instruments were chosen with hindsight: those that were delisted since are missing, which "
    "flatters every figure."
)
_SHORTS: Final = N_(
    "A short was wanted %(count)d times where there is none: Korean shares cannot be sold short "
    "here, and elsewhere only if it is switched on."
)
_ENDED: Final = N_(
    "Prices have ended of what is still held: %(ended)s. It counts with its last close, which "
    "nobody may pay for it."
)
_IDLE: Final = N_("Nothing was traded: the rules wanted nothing that could be had.")
_LEAKS: Final = N_("The strategy looks ahead: its results could not have been had.")
_MANY: Final = N_(
    "%(trials)d sets of values were tried here: chance alone finds a good one among so many."
)
_LIKELY_CHANCE: Final = N_(
    "The probability that the Sharpe ratio is above what chance finds is %(dsr).0f%%; 95%% is "
    "the usual bar."
)


def strategy_words(key: str, name: str, description: str, locale: Locale) -> tuple[str, str]:
    """A strategy's name and description."""
    gettext = load_translations(locale).gettext
    known = _STRATEGIES.get(key)
    return (name, description) if known is None else (gettext(known[0]), gettext(known[1]))


def parameter_word(name: str, locale: Locale) -> str:
    """What a parameter is called in a form."""
    return load_translations(locale).gettext(_PARAMETERS[name]) if name in _PARAMETERS else name


def flag_word(*, on: bool, locale: Locale) -> str:
    """What a flag's value is called."""
    return load_translations(locale).gettext("Yes" if on else "No")


def fill_sentence(fill: Fill, locale: Locale) -> str:
    """The rule by which orders were filled."""
    return load_translations(locale).gettext(_FILL_RULES[fill])


def stage_word(stage: str | None, locale: Locale) -> str | None:
    """What is being done now."""
    return load_translations(locale).gettext(_STAGES[stage]) if stage in _STAGES else None


def error_sentence(error: Mapping[str, Any], locale: Locale) -> str:
    """Why a backtest has failed."""
    return translate_error(BadInput(error["message"], field="", **error["values"]), locale)


def list_warnings(report: Mapping[str, Any], locale: Locale) -> list[str]:
    """What has to be known before a result is believed, the gravest first."""
    gettext = load_translations(locale).gettext
    told: list[str] = []
    if report.get("certificate", {}).get("changed"):
        told.append(gettext(_LEAKS))
    judged, shorts = report["overfitting"], report["figures"]["refused_shorts"]
    if judged["trials"] > 1:
        told.append(gettext(_MANY) % {"trials": judged["trials"]})
    if judged["dsr"] is not None and judged["dsr"] < 0.95:
        told.append(gettext(_LIKELY_CHANCE) % {"dsr": judged["dsr"] * 100})
    if ended := report.get("ended"):
        listed = ", ".join(f"{symbol} ({day})" for symbol, day in ended.items())
        told.append(gettext(_ENDED) % {"ended": listed})
    if not report["figures"]["fills"]:
        told.append(gettext(_IDLE))
    told.append(gettext(_SURVIVORS))
    if shorts:
        told.append(gettext(_SHORTS) % {"count": shorts})
    return told
