"""Cells of the screener's table: which columns it has, and how a figure is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from strawberry.utils.str_converters import to_camel_case

from app.translations import Locale, load_translations
from app.web.formats import NONE, compact_money, number, percent
from app.web.listing import sector_word
from app.web.screen_view import PERCENT, ScreenView

ALWAYS: Final = ("change", "rsi_14", "volume_ratio")
"""Figures that every table shows, beside the instrument, its close and its signal."""

_MOST: Final = 4  # further columns
_OWN: Final = frozenset({"close", "signal", "symbol", "kind", "current", "exchange", "currency"})
_AMOUNTS: Final = frozenset({"market_cap", "total_debt"})
_PLACES: Final = {"rsi_14": 1, "stochastic_k": 1, "stochastic_d": 1, "volume": 0}
_PRESETS: Final = {
    "NEW_HIGH": ("from_high",),
    "BOLLINGER_BREAK": ("band_position",),
    "GOLDEN_CROSS": ("sma_50", "sma_200"),
    "DEATH_CROSS": ("sma_50", "sma_200"),
    "VALUE": ("trailing_pe", "price_to_book", "return_on_equity"),
    "DIVIDEND": ("dividend_yield",),
    "QUALITY": ("return_on_equity", "net_margin", "debt_to_equity"),
}


def list_columns(view: ScreenView) -> list[str]:
    """The figures of the table: those of the preset, of the terms and of the order besides."""
    asked = [*_PRESETS.get(view.preset, ()), *(row.field for row in view.rows), view.sort]
    further = [key for key in dict.fromkeys(asked) if key not in {*ALWAYS, *_OWN}]
    return [*ALWAYS, *further[:_MOST]]


def show_cell(hit: Mapping[str, Any], key: str, locale: Locale) -> str:
    """A figure of a hit in the reader's way; a dash where it is unknown."""
    if key == "sector":
        _ = load_translations(locale).gettext
        return sector_word(hit["instrument"]["sector"], _) or NONE
    value = hit.get(to_camel_case(key))
    if value is None or (isinstance(value, str) and key not in {"volume", "close"}):
        return NONE if value is None else str(value)
    if key in PERCENT:
        return percent(value * 100, 1)
    if key in _AMOUNTS:
        return compact_money(repr(value), hit["instrument"]["currency"], locale)
    return number(value, _PLACES.get(key, 2))
