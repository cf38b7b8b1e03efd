"""Places against a plain count."""

from __future__ import annotations

import numpy as np

from app.domain.recommend.ranking import mean_of, rank_rows


def slow_rank(row: np.ndarray) -> list[float]:
    known = row[np.isfinite(row)]
    places = [
        2 * ((known < v).sum() + (known == v).sum() / 2) / max(len(known), 1) - 1 for v in row
    ]
    return [place if np.isfinite(v) else np.nan for place, v in zip(places, row, strict=True)]


def test_places_are_those_of_a_plain_count_with_ties_and_gaps():
    random = np.random.default_rng(2)
    table = random.integers(0, 6, (40, 17)).astype(float)
    table[random.random(table.shape) < 0.2] = np.nan
    table[3] = np.nan
    table[4, 1:] = np.nan
    np.testing.assert_allclose(rank_rows(table), [slow_rank(row) for row in table], atol=1e-12)


def test_places_are_centred_and_never_reach_the_ends():
    places = rank_rows(np.random.default_rng(1).normal(size=(5, 30)))
    np.testing.assert_allclose(places.mean(axis=1), 0.0, atol=1e-12)
    assert np.abs(places).max() < 1


def test_a_mean_leaves_out_what_is_not_known():
    first = np.array([[1.0, np.nan, np.nan]])
    second = np.array([[3.0, 5.0, np.nan]])
    np.testing.assert_array_equal(mean_of([first, second]), [[2.0, 5.0, np.nan]])
