"""Reasons: the features that pushed a rank up and down the most.

A reason says what the rule made of a figure, never that the price moves because of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.domain.recommend.features import Feature

MOST: Final = 3
"""Reasons for, and as many against."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A feature, its value that day, and what it added to the score before that became a place."""

    feature: Feature
    value: float
    push: float


def list_reasons(parts: Mapping[Feature, float], values: Mapping[Feature, float]) -> list[Reason]:
    """The three that pushed up the most, strongest first, then the three that pushed down.

    What is not known (NaN) pushes neither way.
    """
    known = [Reason(feature, values[feature], push) for feature, push in parts.items()]
    up = sorted((r for r in known if r.push > 0), key=lambda r: (-r.push, r.feature))
    down = sorted((r for r in known if r.push < 0), key=lambda r: (r.push, r.feature))
    return up[:MOST] + down[:MOST]
