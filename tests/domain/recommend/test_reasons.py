"""The strongest reasons on both sides."""

from __future__ import annotations

from app.domain.recommend.features import Feature
from app.domain.recommend.reasons import list_reasons


def test_three_for_and_three_against_the_strongest_first():
    pushes = dict(zip(Feature, (0.1, 0.3, 0.2, 0.4, -0.1, -0.2, 0.0, float("nan")), strict=True))
    values = {feature: number / 10 for number, feature in enumerate(Feature)}
    found = list_reasons(pushes, values)
    assert [reason.feature for reason in found] == [
        Feature.RELATIVE,
        Feature.MOMENTUM_5,
        Feature.MOMENTUM_12_1,
        Feature.BOOK_YIELD,
        Feature.EARNINGS_YIELD,
    ]
    assert found[0].value == values[Feature.RELATIVE]
    assert found[-1].push == -0.1
