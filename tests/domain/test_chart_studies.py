"""Moving averages of any length and Cutler's RSI, for charts, on the observed closes."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import talib

from app.domain.chart_studies import cutler_rsi, sma
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


def by_hand(closes: list[float], n: int) -> list[float | None]:
    """Cutler's RSI from its definition."""
    found: list[float | None] = [None] * n
    for i in range(n, len(closes)):
        changes = np.diff(closes[i - n : i + 1])
        rises, falls = changes[changes > 0].sum(), -changes[changes < 0].sum()
        found.append(100 * rises / (rises + falls))
    return found


@pytest.mark.parametrize("n", [2, 14, 50])
def test_cutlers_rsi_is_made_of_the_last_changes_alone(n: int) -> None:
    assert cutler_rsi(pl.Series(CLOSES), n).to_list() == pytest.approx(by_hand(CLOSES, n), abs=1e-9)


def test_cutlers_rsi_is_not_wilders() -> None:
    wilder = talib.RSI(np.array(CLOSES), 14)
    assert np.nanmax(np.abs(cutler_rsi(pl.Series(CLOSES)).to_numpy() - wilder)) > 10


def test_cutlers_rsi_says_nothing_while_nothing_moves() -> None:
    closes = [*CLOSES[:30], *[CLOSES[29]] * 20, *CLOSES[30:50]]
    got = cutler_rsi(pl.Series(closes), 14)
    assert [i for i, value in enumerate(got) if value is None] == [*range(14), *range(43, 50)]
    assert cutler_rsi(pl.Series([1.0, 2.0, None, 3.0, 4.0]), 2).to_list() == [
        None, None, None, 100.0, 100.0,
    ]  # fmt: skip


@pytest.mark.parametrize("n", [1, 1001])
def test_an_impossible_length_of_cutlers_rsi_is_refused(n: int) -> None:
    with pytest.raises(BadInput, match=str(n)):
        cutler_rsi(pl.Series(CLOSES), n)
