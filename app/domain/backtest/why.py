"""How a trade of a portfolio differs from its twin's, in words that the web process loads too."""

from __future__ import annotations

from enum import StrEnum


class Why(StrEnum):
    """How a pair differs, or why one of both did not trade, as far as it can be known."""

    SAME = "SAME"
    DIFFERENT = "DIFFERENT"
    NO_BAR = "NO_BAR"
    NOT_TRADED = "NOT_TRADED"
    AT_LIMIT = "AT_LIMIT"
    NO_SIGNAL = "NO_SIGNAL"
    NOT_DONE = "NOT_DONE"
