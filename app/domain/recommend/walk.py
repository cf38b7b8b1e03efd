"""The walk forward: scores, probabilities, bands and record of every session of a panel.

Nothing of a session depends on what came after it: cutting the history off changes no line before
the cut. The newest session's line is what is issued; the older ones, marked simulated, are what
would have been.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from app.domain.recommend.actions import BUY_FROM, Action, choose_action, to_rank
from app.domain.recommend.bands import Bands, compute_bands
from app.domain.recommend.calibration import Calibration, calibrate
from app.domain.recommend.engine import Engine, Scores
from app.domain.recommend.evidence import Daily, Standing, correlate, judge
from app.domain.recommend.features import Feature, compute_volatility
from app.domain.recommend.outcomes import HORIZON, Outcomes, compute_outcomes
from app.domain.recommend.panel import Floats, Panel, carry_forward, mean_rows
from app.domain.recommend.ranking import rank_rows
from app.domain.recommend.reasons import Reason, list_reasons

DIGITS: Final = 4
"""Decimals of a rank and of a probability that are kept."""


@dataclass(frozen=True)
class Walk:
    """All tables are sessions x instruments of the panel."""

    panel: Panel
    engine: Engine
    scores: Scores
    outcomes: Outcomes
    calibration: Calibration
    bands: Bands
    daily: Daily


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What is said of one instrument; `low` and `high` are the moves that bound the band."""

    symbol: str
    action: Action
    rank: float
    technical: float
    value: float | None
    probability: float | None
    close: float
    low: float | None
    high: float | None
    reasons: list[Reason]


def walk_forward(panel: Panel, engine: Engine, cost: Floats) -> Walk:
    """Walks the engine over the panel.

    Args:
        panel: of one market.
        engine: what makes the scores.
        cost: what buying and selling again takes, as a part of the value, by session.
    """
    scores = engine.score(panel)
    outcomes = compute_outcomes(panel)
    calibration = calibrate(scores.place, outcomes.beat, panel.few)
    bands = compute_bands(panel, outcomes.move)
    daily = _record(panel, scores, outcomes, calibration, cost)
    return Walk(panel, engine, scores, outcomes, calibration, bands, daily)


def stand(walk: Walk, day: int) -> Standing:
    """What the record was worth at the close of session `day`."""
    return judge(walk.daily, day, walk.engine.trials)


def recommend(walk: Walk, day: int) -> list[Recommendation]:
    """The recommendations of session `day`, best rank first; none while no base rate is known."""
    if not np.isfinite(walk.calibration.base[day]):
        return []
    ranks = to_rank(walk.scores.place[day])
    known = np.flatnonzero(np.isfinite(ranks))
    order = sorted(known.tolist(), key=lambda column: (-ranks[column], column))
    return [_recommend(walk, day, column, float(ranks[column])) for column in order]


def compared_with(walk: Walk, day: int) -> str | None:
    """The benchmark that stands for the market on a day of few instruments; None for their mean."""
    benchmark = walk.panel.benchmark
    if benchmark is None or not walk.panel.few[day] or not np.isfinite(benchmark[day]):
        return None
    return walk.panel.benchmark_symbol


def _recommend(walk: Walk, day: int, column: int, rank: float) -> Recommendation:
    scores = walk.scores
    parts = {feature: float(table[day, column]) for feature, table in scores.parts.items()}
    values = {feature: float(table[day, column]) for feature, table in scores.values.items()}
    technical, value = (to_rank(table[day, column]) for table in scores.views.values())
    probability = _known(walk.calibration.probability[day, column])
    return Recommendation(
        symbol=walk.panel.symbols[column],
        action=choose_action(round(rank, DIGITS)),
        rank=round(rank, DIGITS),
        technical=round(float(technical), DIGITS),
        value=None if np.isnan(value) else round(float(value), DIGITS),
        probability=None if probability is None else round(probability, DIGITS),
        close=float(walk.panel.close[day, column]),
        low=_known(walk.bands.low[day, column]),
        high=_known(walk.bands.high[day, column]),
        reasons=list_reasons(parts, values),
    )


def _record(
    panel: Panel, scores: Scores, outcomes: Outcomes, calibration: Calibration, cost: Floats
) -> Daily:
    few = panel.few[:, None]
    volatility = compute_volatility(carry_forward(panel.total))
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = outcomes.excess / (volatility * np.sqrt(HORIZON))
    excess = outcomes.excess
    truth = np.where(few, np.clip(scaled, -3.0, 3.0), rank_rows(excess))
    momentum = scores.values[Feature.MOMENTUM_12_1]
    probability, base = calibration.probability, calibration.base[:, None]
    beat = outcomes.beat
    known = np.isfinite(probability) & np.isfinite(beat)
    bought = mean_rows(np.where(to_rank(scores.place) >= BUY_FROM, excess, np.nan))
    return Daily(
        few=panel.few,
        ic=correlate(scores.place, truth),
        hurdles={
            "MOMENTUM_12_1": correlate(rank_rows(momentum), truth),
            "VOLATILITY": correlate(rank_rows(volatility), truth),
        },
        brier=mean_rows(np.where(known, (probability - beat) ** 2, np.nan)),
        brier_base=mean_rows(np.where(known, (base - beat) ** 2, np.nan)),
        bought=np.nan_to_num(bought),
        net=np.nan_to_num(bought - cost),
    )


def _known(value: Floats) -> float | None:
    return float(value) if np.isfinite(value) else None
