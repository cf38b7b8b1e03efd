"""The value filter holds what was cheapest by what was known at each close."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from app.domain.backtest.certificate import certify
from app.domain.backtest.setup import Setup
from app.domain.backtest.strategy import check_values
from app.domain.backtest.tape import Tape, prepare
from app.domain.backtest.value import ValueFilter, read_figure
from tests.domain.oracle_bars import walk

SYMBOLS = ("A", "B", "C")
N = 200


def make_tape(rows: list[tuple[str, int, float, float]]) -> Tape:
    """Snapshots as (symbol, session after whose close it was told, P/E, yield)."""
    bars = [walk(symbol, N, seed=n) for n, symbol in enumerate(SYMBOLS)]
    days = bars[0]["day"]
    closes = [datetime.combine(day, time(21), UTC) for day in days]
    told = pl.DataFrame(
        [(s, closes[t] + timedelta(hours=1), pe, paid) for s, t, pe, paid in rows],
        schema={"symbol": pl.String, "known_at": pl.Datetime("us", "UTC"),
                "trailing_pe": pl.Float64, "dividend_yield": pl.Float64},
        orient="row",
    )  # fmt: skip
    closes_at = pl.DataFrame({"day": days, "close_at": closes})
    return prepare(pl.concat(bars), closes_at=closes_at, references={"fundamentals": told})


ROWS = [("A", 10, 20.0, 0.01), ("B", 10, 10.0, 0.02), ("C", 10, -5.0, 0.03), ("A", 40, 5.0, 0.0)]
TAPE = make_tape(ROWS)


def held(tape: Tape, **values: Any) -> np.ndarray:
    decided = ValueFilter().decide(tape.history, check_values(ValueFilter(), values))
    return decided.side


def test_the_cheapest_are_held_from_the_close_after_they_were_known() -> None:
    side = held(TAPE, every=1, top=1)
    assert not side[:11].any()  # told after the close of session 10
    assert (side[11:41] == [0, 1, 0]).all()  # a loss has no ratio
    assert (side[41:80] == [1, 0, 0]).all()
    assert (held(TAPE, every=1, top=2)[11:41] == [1, 1, 0]).all()
    assert (held(TAPE, every=1, top=1, figure="dividend_yield")[11:80] == [0, 0, 1]).all()


def test_it_ranks_every_so_often_and_forgets_what_is_old() -> None:
    side = held(TAPE, every=50, top=1)
    assert not side[:50].any()
    assert (side[50:100] == [1, 0, 0]).all()
    figure = read_figure(TAPE.history, "trailing_pe")
    assert np.isfinite(figure[60]).all()
    assert np.isnan(figure[-1]).all()


def test_without_fundamentals_nothing_is_held() -> None:
    bare = prepare(pl.concat([walk(symbol, 30, seed=1) for symbol in SYMBOLS]))
    assert not held(bare).any()


@pytest.mark.parametrize("figure", ["trailing_pe", "dividend_yield"])
def test_it_does_not_look_ahead(figure: str) -> None:
    found = certify(TAPE, ValueFilter(), {"figure": figure, "every": 7, "top": 1}, Setup(), seed=3)
    assert found.leaks == ()
    assert found.cuts > 50
