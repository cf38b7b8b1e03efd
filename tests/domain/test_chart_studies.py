"""Moving averages of any length, for charts: TA-Lib's values on the observed closes."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import talib

from app.domain.chart_studies import sma
from app.errors import BadInput

CLOSES = [float(v) for v in np.random.default_rng(7).lognormal(4, 0.3, 400)]


@pytest.mark.parametrize("n", [1, 5, 20, 60, 120])
def test_it_is_the_mean_of_the_last_closes(n: int) -> None:
    got = sma(pl.Series("close", CLOSES), n)
    wanted = talib.SMA(np.array(CLOSES), n) if n > 1 else np.array(CLOSES)
    assert got.null_count() == n - 1
    np.testing.assert_allclose(got.to_numpy()[n - 1 :], wanted[n - 1 :], rtol=1e-12)


def test_a_day_without_a_close_is_skipped_and_stays_empty() -> None:
    got = sma(pl.Series("close", [1.0, 2.0, None, 3.0, 4.0]), 2)
    assert got.to_list() == [None, 1.5, None, 2.5, 3.5]


def test_too_few_closes_give_nothing() -> None:
    assert sma(pl.Series("close", [1.0, 2.0]), 5).to_list() == [None, None]
    assert sma(pl.Series("close", [], dtype=pl.Float64), 5).to_list() == []


@pytest.mark.parametrize("n", [0, -1, 1001])
def test_an_impossible_length_is_refused(n: int) -> None:
    with pytest.raises(BadInput, match=str(n)):
        sma(pl.Series("close", CLOSES), n)
