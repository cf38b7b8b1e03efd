"""The engines: what makes a score of a panel. The first one is a fixed rule of equal weights.

An engine may use, for the score of a session, nothing that became known after its close. It has
a name that is kept with whatever is issued, and says how many variants were looked at before it
was chosen. A learning model joins by having these three.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

import numpy as np

from app.domain.recommend.features import (
    SPANS,
    TECHNICAL,
    VALUE,
    Feature,
    compute_features,
    compute_volatility,
    market_past,
)
from app.domain.recommend.panel import Floats, Panel, carry_forward
from app.domain.recommend.ranking import mean_of, rank_rows


class View(StrEnum):
    """Of what a score is made."""

    TECHNICAL = "TECHNICAL"
    VALUE = "VALUE"


@dataclass(frozen=True)
class Scores:
    """Sessions x instruments. `place` is the combined score from -1 to 1, NaN where there is none.

    `views` hold that of each view alone; `parts` what each feature adds to the mean of the views
    before it became a place; `values` the features themselves.
    """

    place: Floats
    views: Mapping[View, Floats]
    parts: Mapping[Feature, Floats]
    values: Mapping[Feature, Floats]


class Engine(Protocol):
    """What makes scores."""

    @property
    def name(self) -> str:
        """By which its recommendations are known; another method has another name."""
        ...

    @property
    def trials(self) -> int:
        """How many scores were compared when it was chosen."""
        ...

    def score(self, panel: Panel) -> Scores:
        """The scores of each session, from what was known at its close."""
        ...


class RuleEngine:
    """Signal, momentum, relative performance and value as places of equal weight.

    The two views, technical and value, count alike where both are known. With fewer than 30
    instruments a place among them means nothing: there each feature is taken against the market
    and in units of its own deviation, and value, which has no such scale, is left out.
    """

    name: Final = "rule-1"
    trials: Final = 6  # it and the five baselines beside it

    def score(self, panel: Panel) -> Scores:
        """The scores of each session."""
        values = compute_features(panel)
        places = _places(panel, values)
        technical = mean_of([places[f] for f in TECHNICAL])
        known = sum(np.isfinite(places[f]).astype(np.int64) for f in TECHNICAL)
        technical = np.where(known >= 3, technical, np.nan)
        cheap = [places[f] for f in VALUE if f in places]
        value = mean_of(cheap) if cheap else np.full(technical.shape, np.nan)
        value = np.where(np.isfinite(technical), value, np.nan)
        combined = mean_of([technical, value])
        return Scores(
            np.where(panel.few[:, None], combined, rank_rows(combined)),
            {View.TECHNICAL: technical, View.VALUE: value},
            _parts(places, technical, value),
            values,
        )


def _places(panel: Panel, values: Mapping[Feature, Floats]) -> dict[Feature, Floats]:
    few = panel.few[:, None]
    volatility = compute_volatility(carry_forward(panel.total), 60)
    places = {}
    for feature, table in values.items():
        alone = np.full(table.shape, np.nan)
        if feature is Feature.SIGNAL:
            alone = table / 2.0
        elif feature in SPANS:
            begin, end = SPANS[feature]
            relative = feature is Feature.RELATIVE
            market = 0.0 if relative else market_past(panel, table, begin, end)[:, None]
            scale = volatility * np.sqrt(begin - end)
            with np.errstate(divide="ignore", invalid="ignore"):
                alone = np.tanh((table - market) / np.where(scale > 0, scale, np.nan))
        places[feature] = np.where(few, alone, rank_rows(table))
    return places


def _parts(
    places: Mapping[Feature, Floats], technical: Floats, value: Floats
) -> dict[Feature, Floats]:
    """What each feature adds: together they make the mean of the two views."""
    views = np.isfinite(technical).astype(float) + np.isfinite(value)
    parts = {}
    for names in (TECHNICAL, tuple(VALUE)):
        known = [f for f in names if f in places]
        count = sum((np.isfinite(places[f]).astype(float) for f in known), np.zeros(views.shape))
        for feature in known:
            shares = count * views
            weight = np.divide(1.0, shares, out=np.zeros(views.shape), where=shares > 0)
            parts[feature] = np.where(np.isfinite(technical), places[feature] * weight, np.nan)
    return parts
