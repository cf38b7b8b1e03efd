"""The plain rules that stand beside an engine: what each would have bought of what was issued.

    SIGNAL          whatever the fused signal calls BUY or STRONG_BUY
    MOMENTUM_5      the best fifth by the return of the last 5 sessions
    MOMENTUM_12_1   the best fifth by the return of the year up to a month ago

They choose at the same close among the same instruments, and have the same outcomes and costs.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import numpy as np

from app.domain.recommend.actions import BUY_FROM, to_rank
from app.domain.recommend.features import Feature
from app.domain.recommend.panel import Flags, Floats
from app.domain.recommend.ranking import rank_rows

BUY_SIGNAL: Final = 1.0
"""The fused vote from which on the signal says buy."""


class Baseline(StrEnum):
    """A plain rule."""

    SIGNAL = "SIGNAL"
    MOMENTUM_5 = "MOMENTUM_5"
    MOMENTUM_12_1 = "MOMENTUM_12_1"


def choose_plainly(values: Mapping[Feature, Floats], issued: Flags) -> dict[Baseline, Flags]:
    """What each plain rule would have bought.

    Args:
        values: the features, sessions x instruments.
        issued: of what there are recommendations, sessions x instruments.
    """
    chosen: dict[Baseline, Flags] = {}
    for baseline in Baseline:
        known = np.where(issued, values[Feature(baseline)], np.nan)
        signal = baseline is Baseline.SIGNAL
        chosen[baseline] = known >= BUY_SIGNAL if signal else to_rank(rank_rows(known)) >= BUY_FROM
    return chosen
