"""Alerts in words, in the reader's language: one sentence, with the figures as pages write them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from app.domain.alerts.rules import AlertKind
from app.domain.market import currency_digits
from app.domain.quotes import plain
from app.services.alerts.alerts import AlertRow
from app.translations import N_, Locale, load_translations

_SENTENCES: Final = {
    AlertKind.PRICE_ABOVE: N_("%(name)s has risen to %(value)s (level %(level)s)."),
    AlertKind.PRICE_BELOW: N_("%(name)s has fallen to %(value)s (level %(level)s)."),
    AlertKind.CHANGE_ABOVE: N_("%(name)s is up %(value)s%% on the day (level %(level)s%%)."),
    AlertKind.CHANGE_BELOW: N_("%(name)s is at %(value)s%% on the day (level %(level)s%%)."),
    AlertKind.INDICATOR_ABOVE: N_(
        "%(measure)s of %(name)s has risen to %(value)s (level %(level)s)."
    ),
    AlertKind.INDICATOR_BELOW: N_(
        "%(measure)s of %(name)s has fallen to %(value)s (level %(level)s)."
    ),
    AlertKind.SIGNAL_CHANGE: N_("The signal of %(name)s is now %(word)s."),
    AlertKind.NEW_HIGH: N_("%(name)s has passed its high of %(sessions)d sessions: %(value)s."),
    AlertKind.NEW_LOW: N_("%(name)s has passed its low of %(sessions)d sessions: %(value)s."),
    AlertKind.FRESHNESS: N_("The prices of %(name)s are not up to date."),
    AlertKind.DRAWDOWN: N_(
        "%(portfolio)s lies %(value)s%% below its highest value (level %(level)s%%)."
    ),
}
_STRENGTHS: Final = {
    "STRONG_BUY": N_("Strong buy"),
    "BUY": N_("Buy"),
    "HOLD": N_("Hold"),
    "SELL": N_("Sell"),
    "STRONG_SELL": N_("Strong sell"),
}
MEASURES: Final[Mapping[str, str]] = {
    "rsi_14": "RSI(14)",
    "macd": "MACD",
    "macd_signal": N_("MACD signal line"),
    "macd_histogram": N_("MACD histogram"),
    "stochastic_k": N_("Stochastic %K"),
    "stochastic_d": N_("Stochastic %D"),
    "sma_20": "SMA 20",
    "sma_50": "SMA 50",
    "sma_200": "SMA 200",
    "bollinger_upper": N_("Upper Bollinger band"),
    "bollinger_middle": N_("Middle Bollinger band"),
    "bollinger_lower": N_("Lower Bollinger band"),
}
_PERCENT: Final = frozenset({AlertKind.CHANGE_ABOVE, AlertKind.CHANGE_BELOW, AlertKind.DRAWDOWN})
_INDICATOR: Final = frozenset({AlertKind.INDICATOR_ABOVE, AlertKind.INDICATOR_BELOW})


def alert_sentence(alert: AlertRow, name: str, currency: str, locale: Locale) -> str:
    """What an alert says; `name` and `currency` are those of its instrument."""
    gettext = load_translations(locale).gettext
    signed = alert.kind in _PERCENT and alert.kind is not AlertKind.DRAWDOWN
    exact = alert.symbol is not None and (alert.symbol[0] == "^" or alert.symbol.endswith("=X"))
    values: dict[str, Any] = {
        "name": name,
        "portfolio": alert.portfolio or gettext(N_("A portfolio")),
        "measure": measure_word(alert.measure, locale),
        "word": gettext(_STRENGTHS.get(alert.word or "", alert.word or "-")),
        "sessions": alert.sessions or 0,
        "value": _figure(alert.kind, alert.value, currency, exact=exact, signed=signed),
        "level": _figure(alert.kind, alert.level, currency, exact=exact, signed=signed),
    }
    return gettext(_SENTENCES[alert.kind]) % values


def measure_word(measure: str | None, locale: Locale) -> str:
    """An indicator's name, empty without one."""
    known = MEASURES.get(measure or "", measure or "")
    return load_translations(locale).gettext(known) if known else ""


def _figure(
    kind: AlertKind, value: Decimal | None, currency: str, *, exact: bool, signed: bool
) -> str:
    """A figure with as many decimals as its kind has: prices those of their currency.

    `exact`: of an index or a rate, which have more of them.
    """
    if value is None:
        return "-"
    if kind in _INDICATOR or kind in _PERCENT:
        return f"{value:+,.2f}" if signed else f"{value:,.2f}"
    digits = currency_digits(currency)
    least = -int(plain(value).as_tuple().exponent) if exact else 0
    return f"{value:,.{max(digits, min(least, 4))}f}"
