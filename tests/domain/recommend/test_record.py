"""The track record from sums of days and actions."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from app.domain.recommend.baselines import Baseline
from app.domain.recommend.record import CURVE, PLAIN, SUMS, summarise

NO_PLAIN = pl.DataFrame(schema=PLAIN)


def sums(days: int, **changed: float | None) -> pl.DataFrame:
    row = {
        "count": 4, "beat": 1, "excess": 0.04, "net": 0.02, "returned": 0.08, "banded": 4,
        "inside": 3, "forecast": 4, "brier": 0.9, "brier_base": 1.0, "held": 0.01,
    }  # fmt: skip
    rows = [
        {"day": date(2026, 1, 5) + timedelta(days=n), "action": action, **row, **changed}
        for n in range(days)
        for action in ("BUY", "SELL")
    ]
    return pl.DataFrame(rows, schema=SUMS)


def test_figures_are_means_of_outcomes_and_purchases_bear_their_costs():
    curve = pl.DataFrame({"forecast": [0.4, 0.6], "seen": [0.5, 0.6], "count": [30, 10]}, CURVE)
    found = summarise(sums(60), NO_PLAIN, curve, 5)
    assert found is not None
    assert (found.count, found.windows) == (480, 15)
    assert found.base.value == 0.25
    assert [(one.action, one.count) for one in found.actions] == [("BUY", 240), ("SELL", 240)]
    assert found.actions[0].net.value == pytest.approx(0.005)
    assert found.coverage is not None
    assert found.coverage.value == 0.75
    assert found.skill == pytest.approx(0.1)
    assert found.error == pytest.approx(0.075)
    assert found.bought is not None
    assert found.bought.value == pytest.approx((0.08 - 0.04 + 0.02) / 4)
    assert found.equal_weight.value == pytest.approx(0.02)
    assert found.held is not None
    assert found.held.value == pytest.approx(0.01)


def test_what_is_not_known_is_none_and_nothing_is_no_record():
    bare = sums(3, banded=0, inside=0, forecast=0, brier=0.0, brier_base=0.0, held=None)
    found = summarise(
        bare.filter(pl.col("action") == "SELL"), NO_PLAIN, pl.DataFrame(schema=CURVE), 5
    )
    assert found is not None
    assert (found.coverage, found.skill, found.error) == (None, None, None)
    assert (found.bought, found.held) == (None, None)
    short = summarise(sums(59), NO_PLAIN, pl.DataFrame(schema=CURVE), 1)
    assert short is not None
    assert (short.skill, short.error) == (None, None)  # eleven windows and a half
    assert summarise(pl.DataFrame(schema=SUMS), NO_PLAIN, pl.DataFrame(schema=CURVE), 1) is None


def test_plain_rules_have_means_of_their_purchases_and_what_the_rule_is_ahead_by():
    first = date(2026, 1, 5)
    rows = [
        {"day": first + timedelta(days=n), "baseline": "MOMENTUM_5", "count": 2, "beat": 1,
         "excess": 0.06, "net": 0.05, "returned": 0.10}
        for n in range(10, 70)
    ]  # fmt: skip
    plain = pl.DataFrame(rows, schema=PLAIN)
    found = summarise(sums(60), plain, pl.DataFrame(schema=CURVE), 5)
    assert found is not None
    (one,) = found.baselines
    assert (one.baseline, one.count, one.beat.value) == (Baseline.MOMENTUM_5, 120, 0.5)
    assert one.net.value == pytest.approx(0.025)
    assert one.bought.value == pytest.approx((0.10 - 0.06 + 0.05) / 2)
    assert one.lead is not None
    assert one.lead.value == pytest.approx(0.02 / 4 - 0.05 / 2)  # of the 50 days of both
    assert one.lead.windows == 50 * 5 // 20
    alone = summarise(sums(5), plain, pl.DataFrame(schema=CURVE), 5)
    assert alone is not None
    assert [one.lead for one in alone.baselines] == [None]
    assert found.baselines[0].net.low == pytest.approx(0.025)  # each day alike
