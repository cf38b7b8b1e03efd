"""The names of the daily indicators, for whoever stores, reads or shows them: nothing computed."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class IndicatorKind(StrEnum):
    """An indicator as a chart shows it: the columns that are drawn together."""

    RSI = "RSI"
    MACD = "MACD"
    STOCHASTIC = "STOCHASTIC"
    SMA = "SMA"
    BOLLINGER = "BOLLINGER"

    @property
    def columns(self) -> tuple[str, ...]:
        """Its columns."""
        return COLUMNS_OF_KIND[self]


COLUMNS_OF_KIND: Final[dict[IndicatorKind, tuple[str, ...]]] = {
    IndicatorKind.RSI: ("rsi_14",),
    IndicatorKind.MACD: ("macd", "macd_signal", "macd_histogram"),
    IndicatorKind.STOCHASTIC: ("stochastic_k", "stochastic_d"),
    IndicatorKind.SMA: ("sma_20", "sma_50", "sma_200"),
    IndicatorKind.BOLLINGER: ("bollinger_upper", "bollinger_middle", "bollinger_lower"),
}
INDICATOR_COLUMNS: Final = tuple(name for names in COLUMNS_OF_KIND.values() for name in names)
"""All of them, in the order in which they are computed, stored and served."""
