"""The track record: what became of everything that was issued, with intervals over days.

It is made of the sums of each day and action, so that it says what the stored rows say. Nothing is
left out: what was delisted counts with its last close, and what cannot be scored is counted apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from app.domain.recommend.actions import Action
from app.domain.recommend.baselines import Baseline
from app.domain.recommend.calibration import WINDOWS
from app.domain.recommend.outcomes import HORIZON
from app.domain.recommend.statistics import Mean, cluster_mean

SUMS: Final = pl.Schema(
    {
        "day": pl.Date,
        "action": pl.String,
        "count": pl.Int64,
        "beat": pl.Int64,
        "excess": pl.Float64,
        "net": pl.Float64,
        "returned": pl.Float64,
        "banded": pl.Int64,
        "inside": pl.Int64,
        "forecast": pl.Int64,
        "brier": pl.Float64,
        "brier_base": pl.Float64,
        "held": pl.Float64,
    }
)
"""A row for each day and action: how many outcomes, how many beat the market, sums of what they
returned more, of that less costs, and of returns; how many had a band and ended in it; how many had
a probability, with the sums of the squared errors; and what the benchmark returned."""

PLAIN: Final = pl.Schema(
    {"day": pl.Date, "baseline": pl.String}
    | {name: SUMS[name] for name in ("count", "beat", "excess", "net", "returned")}
)
"""The same of what each plain rule would have bought, a row for each day and rule."""

CURVE: Final = pl.Schema({"forecast": pl.Float64, "seen": pl.Float64, "count": pl.Int64})


_PAID: Final = (pl.col("returned") - pl.col("excess") + pl.col("net")).alias("paid")
"""The sum of returns after costs, as an excess and what is left of it tell them."""


@dataclass(frozen=True, slots=True)
class ActionRecord:
    """An action: how often it beat the market, by how much, and what costs leave of that."""

    action: Action
    count: int
    beat: Mean
    excess: Mean
    net: Mean


@dataclass(frozen=True, slots=True)
class BaselineRecord:
    """What a plain rule would have bought: as an action, and its return after costs.

    `lead`: by how much more the rule's own purchases brought after costs, over the days on which
    both bought; None where there is no such day.
    """

    baseline: Baseline
    count: int
    beat: Mean
    net: Mean
    bought: Mean
    lead: Mean | None


@dataclass(frozen=True, slots=True)
class Record:
    """All that was scored; None where there is none, or fewer than twelve windows of forecasts.

    `bought`, `equal_weight` and `held` are returns of 20 sessions: of purchases after costs, of
    all instruments in equal parts, and of the benchmark that is held.
    """

    count: int
    windows: int
    base: Mean
    actions: list[ActionRecord]
    coverage: Mean | None
    skill: float | None
    error: float | None
    bought: Mean | None
    equal_weight: Mean
    held: Mean | None
    baselines: list[BaselineRecord]


def summarise(
    sums: pl.DataFrame, plain: pl.DataFrame, curve: pl.DataFrame, step: int
) -> Record | None:
    """The record of SUMS, PLAIN and CURVE; None when nothing was scored.

    Args:
        sums: by day.
        plain: by day.
        curve: the calibration curve: mean probability, frequency and count of each bin.
        step: sessions from one day to the next: 1 for what was issued, 5 for what was simulated.
    """
    if sums.is_empty():
        return None
    daily = sums.group_by("day", maintain_order=True).agg(
        pl.exclude("day", "action", "held").sum(), pl.col("held").first()
    )
    base = _mean(daily, "beat", step)
    if base is None:
        return None
    foretold = daily.filter(pl.col("forecast") > 0)
    enough = foretold.height * step >= WINDOWS * HORIZON
    errors, bases = foretold.select(pl.col("brier", "brier_base").sum()).row(0)
    buys = sums.filter(pl.col("action") == Action.BUY)
    return Record(
        count=int(daily["count"].sum()),
        windows=base.windows,
        base=base,
        actions=[one for action in Action if (one := _action(sums, action, step))],
        coverage=_mean(daily, "inside", step, of="banded"),
        skill=1.0 - errors / bases if enough else None,
        error=_error(curve) if enough else None,
        bought=_mean(buys.with_columns(_PAID), "paid", step),
        equal_weight=_mean(daily, "returned", step) or base,
        held=_mean(daily.drop_nulls("held").with_columns(one=pl.lit(1)), "held", step, of="one"),
        baselines=[
            plainly
            for baseline in Baseline
            if (plainly := _baseline(plain, baseline, buys, step)) is not None
        ],
    )


def _action(sums: pl.DataFrame, action: Action, step: int) -> ActionRecord | None:
    own = sums.filter(pl.col("action") == action)
    beat, excess, net = (_mean(own, name, step) for name in ("beat", "excess", "net"))
    if beat is None or excess is None or net is None:
        return None
    return ActionRecord(action, int(own["count"].sum()), beat, excess, net)


def _baseline(
    plain: pl.DataFrame, baseline: Baseline, buys: pl.DataFrame, step: int
) -> BaselineRecord | None:
    own = plain.filter(pl.col("baseline") == baseline).with_columns(_PAID)
    beat, net, bought = (_mean(own, name, step) for name in ("beat", "net", "paid"))
    if beat is None or net is None or bought is None:
        return None
    both = buys.join(own, on="day", maintain_order="left").with_columns(
        lead=pl.col("net") / pl.col("count") - pl.col("net_right") / pl.col("count_right"),
        one=pl.lit(1),
    )
    lead = _mean(both, "lead", step, of="one")
    return BaselineRecord(baseline, int(own["count"].sum()), beat, net, bought, lead)


def _mean(frame: pl.DataFrame, name: str, step: int, *, of: str = "count") -> Mean | None:
    known = frame.filter(pl.col(of) > 0)
    if known.is_empty():
        return None
    totals, counts = (known[column].cast(pl.Float64).to_numpy() for column in (name, of))
    return cluster_mean(totals, counts, step=step, horizon=HORIZON)


def _error(curve: pl.DataFrame) -> float | None:
    if curve.is_empty():
        return None
    distance = (curve["forecast"] - curve["seen"]).abs().to_numpy()
    return float(np.average(distance, weights=curve["count"].to_numpy()))
