"""The key figures of an instrument: each indicator with its value and what it reads, in words.

Words and neutral colours only: red and green mean down and up, and a high RSI is neither. The
sentences are messages; `_` translates them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from app.web.formats import number, signed

Translate = Callable[[str], str]


@dataclass(frozen=True)
class Figure:
    """One row; `gauge` is a place from 0 to 100 with a middle zone from `low` to `high`."""

    label: str
    value: str
    reading: str
    gauge: float | None = None
    low: float = 0
    high: float = 0


def list_figures(
    snapshot: Mapping[str, Any] | None,
    close: str | None,
    places: int,
    _: Translate,
    averages: tuple[int, ...] = (20, 50, 200),
) -> list[Figure]:
    """The figures that are known; `close` is the day's, split-adjusted, `places` its decimals."""
    if snapshot is None:
        return []
    price = None if close is None else Decimal(close)
    rows = [
        _oscillator("RSI (14)", snapshot["rsi14"], 30, 70, _),
        _oscillator(_("Stochastic %K (14, 3)"), snapshot["stochasticK"], 20, 80, _),
        _macd(snapshot, places, _),
        *(
            _average(
                _("Average of %(days)d days") % {"days": days},
                snapshot[f"sma{days}"],
                price,
                places,
                _,
            )
            for days in averages
        ),
        _bands(snapshot, price, places, _),
    ]
    return [row for row in rows if row is not None]


def _oscillator(
    label: str, value: float | None, low: int, high: int, _: Translate
) -> Figure | None:
    if value is None:
        return None
    if value < low:
        reading = _("oversold, below %(bound)d") % {"bound": low}
    elif value > high:
        reading = _("overbought, above %(bound)d") % {"bound": high}
    else:
        reading = _("neutral, %(low)d to %(high)d") % {"low": low, "high": high}
    return Figure(label, number(value, 1), reading, min(max(value, 0), 97), low, high)


def _macd(snapshot: Mapping[str, Any], places: int, _: Translate) -> Figure | None:
    value, signal = snapshot["macd"], snapshot["macdSignal"]
    if value is None or signal is None:
        return None
    above = _("above its signal line %(value)s")
    below = _("below its signal line %(value)s")
    digits = max(places, 2)
    reading = (above if value >= signal else below) % {"value": number(signal, digits)}
    return Figure("MACD (12, 26, 9)", signed(value, digits), reading)


def _average(
    label: str, value: float | None, price: Decimal | None, places: int, _: Translate
) -> Figure | None:
    if value is None:
        return None
    if price is None:
        return Figure(label, number(value, places), "")
    gap = (price / Decimal(str(value)) - 1) * 100
    text = _("price %(percent)s above") if gap >= 0 else _("price %(percent)s below")
    reading = text % {"percent": number(str(abs(gap)), 1) + "%"}
    return Figure(label, number(value, places), reading)


def _bands(
    snapshot: Mapping[str, Any], price: Decimal | None, places: int, _: Translate
) -> Figure | None:
    upper, lower = snapshot["bollingerUpper"], snapshot["bollingerLower"]
    if upper is None or lower is None:
        return None
    label = _("Bollinger (20, 2)")
    value = f"{number(lower, places)} ~ {number(upper, places)}"
    if price is None or upper <= lower:
        return Figure(label, value, "")
    place = float((price - Decimal(str(lower))) / Decimal(str(upper - lower)) * 100)
    if place < 0:
        reading = _("below the band")
    elif place > 100:
        reading = _("above the band")
    else:
        reading = _("inside the band")
    return Figure(label, value, reading, min(max(place, 0), 97), 0, 100)
