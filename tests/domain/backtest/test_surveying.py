"""Each row of a survey is the run of that instrument alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from app.domain.backtest.engine import run
from app.domain.backtest.setup import Exits, Setup
from app.domain.backtest.stack import Stack
from app.domain.backtest.strategies import STRATEGIES, SmaCross
from app.domain.backtest.surveying import survey
from app.domain.backtest.tape import prepare
from app.errors import BadInput
from tests.domain.backtest.cases import make_case
from tests.domain.oracle_bars import sample, walk

CHOICES: list[tuple[str, dict[str, Any]]] = [
    ("sma_cross", {"fast": 2, "slow": 5, "short": True}),
    ("rsi_reversion", {"window": 3, "buy_below": 45.0, "sell_above": 55.0}),
    ("buy_and_hold", {}),
]


@pytest.fixture(scope="module")
def cases() -> list[Any]:
    """Korean and American instruments with halts, splits and dividends, and a setup each."""
    made = (make_case(seed, 60 + seed) for seed in range(60))
    return [case for case in made if len(case.tape.symbols) == 1]


@pytest.mark.parametrize(("key", "values"), CHOICES)
def test_every_row_is_the_run_of_its_instrument(
    cases: list[Any], key: str, values: dict[str, Any]
) -> None:
    tapes = [case.tape for case in cases]
    assert {tape.symbols[0][-3:] == ".KS" for tape in tapes} == {True, False}
    stack, guarded = Stack(tapes), [case.setup for case in cases if case.setup.exits.stop]
    setups = [*guarded[:5], replace(guarded[5], exits=Exits())]
    trips = 0
    for setup in setups:
        found = survey(stack, STRATEGIES[key], values, setup)
        assert found.equals(survey(tapes, STRATEGIES[key], values, setup))
        for tape, row in zip(tapes, found.rows(named=True), strict=True):
            got = run(tape, STRATEGIES[key], values, setup)
            near = {"rel": 1e-9, "abs": 1e-12}
            wanted = got.performance.sharpe_ratio
            assert (row["symbol"], row["sessions"]) == (tape.symbols[0], len(tape.days))
            assert row["final_equity"] == got.final_equity
            assert row["roi"] == pytest.approx(got.performance.roi, **near)
            assert row["sharpe_ratio"] == (
                None if wanted is None else pytest.approx(wanted, **near)
            )
            assert row["max_drawdown"] == pytest.approx(got.performance.max_drawdown, **near)
            assert row["round_trips"] == len(got.trip_rows)
            assert row["costs"] == pytest.approx(got.fees + got.taxes, **near)
            assert row["exposure"] == got.exposure
            trips += row["round_trips"]
    assert trips > 100 or key == "buy_and_hold"


def test_too_few_sessions_have_no_ratio() -> None:
    tapes = [prepare(walk("A", rows, seed=1)) for rows in (19, 20)]
    found = survey(Stack(tapes), SmaCross(), {"fast": 1, "slow": 2})
    assert [ratio is None for ratio in found["sharpe_ratio"]] == [True, False]
    assert run(tapes[0], SmaCross(), {"fast": 1, "slow": 2}).performance.sharpe_ratio is None


def test_what_is_no_survey_is_refused() -> None:
    both = prepare(sample().filter(pl.col("symbol").is_in(["IBM", "MSFT"])))
    with pytest.raises(BadInput, match="has 2 instruments; it must have one"):
        survey([both], SmaCross())
    assert survey([], SmaCross()).is_empty()
    assert survey(Stack([]), SmaCross()).is_empty()
    with pytest.raises(BadInput, match="fast is 60; it must be below slow"):
        survey([both], SmaCross(), {"fast": 60, "slow": 60}, Setup())
