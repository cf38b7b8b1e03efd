"""Alert rules: what may be watched, and within which bounds.

A rule watches one figure: the price or its change, an indicator, the signal, the highest or lowest
price of so many sessions, the freshness of an instrument's prices, the drawdown of a portfolio. Its
`band` is how far the figure must go back before the rule may fire again: percent of the level where
that is a price, else the figure's own unit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from app.domain.indicator_columns import INDICATOR_COLUMNS
from app.domain.signals import SignalStrength
from app.errors import BadInput


class AlertKind(StrEnum):
    """What a rule watches, and on which side of its level it fires."""

    PRICE_ABOVE = "PRICE_ABOVE"
    PRICE_BELOW = "PRICE_BELOW"
    CHANGE_ABOVE = "CHANGE_ABOVE"
    CHANGE_BELOW = "CHANGE_BELOW"
    INDICATOR_ABOVE = "INDICATOR_ABOVE"
    INDICATOR_BELOW = "INDICATOR_BELOW"
    SIGNAL_CHANGE = "SIGNAL_CHANGE"
    NEW_HIGH = "NEW_HIGH"
    NEW_LOW = "NEW_LOW"
    FRESHNESS = "FRESHNESS"
    DRAWDOWN = "DRAWDOWN"


class Delivery(StrEnum):
    """When one is told outside the page: at once but in quiet hours, always, or once a day."""

    AT_ONCE = "AT_ONCE"
    URGENT = "URGENT"
    DIGEST = "DIGEST"


PRICES: Final = frozenset({AlertKind.PRICE_ABOVE, AlertKind.PRICE_BELOW})
CHANGES: Final = frozenset({AlertKind.CHANGE_ABOVE, AlertKind.CHANGE_BELOW})
INDICATORS: Final = frozenset({AlertKind.INDICATOR_ABOVE, AlertKind.INDICATOR_BELOW})
EXTREMES: Final = frozenset({AlertKind.NEW_HIGH, AlertKind.NEW_LOW})
LIVE: Final = PRICES | CHANGES | EXTREMES
"""Kinds that a single quote decides."""

BELOW: Final = frozenset(
    {AlertKind.PRICE_BELOW, AlertKind.CHANGE_BELOW, AlertKind.INDICATOR_BELOW, AlertKind.NEW_LOW}
)
LEVELLED: Final = PRICES | CHANGES | INDICATORS | {AlertKind.DRAWDOWN}
"""Kinds whose level is chosen."""

OSCILLATORS: Final = frozenset({"rsi_14", "stochastic_k", "stochastic_d"})
"""Indicators that a split does not change: all others are prices, or differences of prices."""

DEFAULT_SESSIONS: Final = 252
MOST_SESSIONS: Final = 520
LONGEST_COOLDOWN: Final = timedelta(days=7)
DEFAULT_COOLDOWN: Final = timedelta(minutes=30)
LONGEST_NOTE: Final = 200
LARGEST_BAND: Final = Decimal(50)
_HALF: Final = Decimal("0.5")
_ONE: Final = Decimal(1)
_LEVELS: Final = {
    "price": (Decimal(0), Decimal(10**9)),
    "change": (Decimal(-100), Decimal(1000)),
    "indicator": (Decimal(-(10**9)), Decimal(10**9)),
    "drawdown": (Decimal(0), Decimal(100)),
}
_DIFFERENCES: Final = frozenset({"macd", "macd_signal", "macd_histogram"})


@dataclass(frozen=True)
class Rule:
    """A rule as it was asked for. `band` None: the usual one of its kind.

    `measure` is the column of an indicator, or the strength that a signal is to come to (None:
    whichever). `level` is a price, percent, or the indicator's unit; for EXTREMES it follows the
    prices of the last `sessions`.
    """

    kind: AlertKind
    symbol: str | None = None
    portfolio: str | None = None
    measure: str | None = None
    level: Decimal | None = None
    sessions: int | None = None
    band: Decimal | None = None
    cooldown: timedelta = DEFAULT_COOLDOWN
    delivery: Delivery = Delivery.AT_ONCE
    expires_at: datetime | None = None
    note: str | None = None
    paused: bool = False


def check_rule(rule: Rule, now: datetime) -> Rule:
    """The rule with what was left open filled in, and without what its kind has no use for.

    Raises:
        BadInput: a field that is missing or out of its bounds, by name and value.
    """
    _require(rule)
    if not timedelta(0) <= rule.cooldown <= LONGEST_COOLDOWN:
        minutes = int(rule.cooldown.total_seconds() // 60)
        bound = int(LONGEST_COOLDOWN.total_seconds() // 60)
        raise _outside("cooldownMinutes", minutes, 0, bound)
    if rule.expires_at is not None and rule.expires_at <= now:
        msg = "The end is %(value)s; it must lie in the future"
        raise BadInput(msg, field="expiresAt", value=rule.expires_at.isoformat())
    note = (rule.note or "").strip() or None
    if note is not None and (len(note) > LONGEST_NOTE or not note.isprintable()):
        msg = "note has %(value)d characters; %(bound)d are allowed, without line breaks"
        raise BadInput(msg, field="note", value=len(note), bound=LONGEST_NOTE)
    measure = _check_measure(rule)
    band = _usual_band(rule.kind, measure) if rule.band is None else rule.band
    if not 0 <= band <= LARGEST_BAND:
        raise _outside("hysteresis", band, 0, LARGEST_BAND)
    of_portfolio = rule.kind is AlertKind.DRAWDOWN
    return replace(
        rule,
        symbol=None if of_portfolio else rule.symbol,
        portfolio=rule.portfolio if of_portfolio else None,
        measure=measure,
        level=_check_level(rule),
        sessions=_check_sessions(rule),
        band=band,
        note=note,
    )


def is_price_like(kind: AlertKind, measure: str | None) -> bool:
    """Whether the level is a price, so that the band is a part of it."""
    if kind in INDICATORS:
        return measure not in OSCILLATORS | _DIFFERENCES
    return kind in PRICES | EXTREMES


def _require(rule: Rule) -> None:
    field = "portfolio" if rule.kind is AlertKind.DRAWDOWN else "symbol"
    if not getattr(rule, field):
        raise _missing(field, rule.kind)
    if rule.kind in LEVELLED and rule.level is None:
        raise _missing("level", rule.kind)


def _check_measure(rule: Rule) -> str | None:
    if rule.kind in INDICATORS:
        name = (rule.measure or "").strip().lower()
        if name not in INDICATOR_COLUMNS:
            msg = "indicator is %(value).40r; there are %(known)s"
            known = ", ".join(INDICATOR_COLUMNS)
            raise BadInput(msg, field="indicator", value=rule.measure or "", known=known)
        return name
    if rule.kind is AlertKind.SIGNAL_CHANGE and rule.measure is not None:
        if rule.measure not in set(SignalStrength):
            msg = "strength is %(value).40r; there are %(known)s"
            known = ", ".join(SignalStrength)
            raise BadInput(msg, field="strength", value=rule.measure, known=known)
        return rule.measure
    return None


def _check_level(rule: Rule) -> Decimal | None:
    if rule.kind not in LEVELLED or rule.level is None:
        return None
    kind = rule.kind
    low, high = _LEVELS[
        "price"
        if kind in PRICES
        else "change"
        if kind in CHANGES
        else "indicator"
        if kind in INDICATORS
        else "drawdown"
    ]
    within = rule.level.is_finite() and low <= rule.level <= high
    positive = kind in PRICES or kind is AlertKind.DRAWDOWN
    if not within or (positive and not rule.level):
        raise _outside("level", rule.level, low, high)
    return rule.level


def _check_sessions(rule: Rule) -> int | None:
    if rule.kind not in EXTREMES:
        return None
    sessions = DEFAULT_SESSIONS if rule.sessions is None else rule.sessions
    if not 2 <= sessions <= MOST_SESSIONS:
        raise _outside("sessions", sessions, 2, MOST_SESSIONS)
    return sessions


def _usual_band(kind: AlertKind, measure: str | None) -> Decimal:
    if is_price_like(kind, measure):
        return _HALF
    if kind in CHANGES:
        return _HALF
    return _ONE if measure in OSCILLATORS or kind is AlertKind.DRAWDOWN else Decimal(0)


def _missing(field: str, kind: AlertKind) -> BadInput:
    msg = "A rule of the kind “%(kind)s” needs %(name)s"
    return BadInput(msg, field=field, kind=kind.value, name=field)


def _outside(field: str, value: object, low: object, high: object) -> BadInput:
    msg = "%(name)s is %(value)s; it must be from %(low)s to %(high)s"
    return BadInput(msg, field=field, name=field, value=value, low=low, high=high)
