"""The tail of the F distribution beside scipy's."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from app.domain.correlation.fisher import f_tail


@pytest.mark.parametrize("numerator", [1, 2, 5, 10])
@pytest.mark.parametrize("denominator", [3, 50, 1200, 5000])
def test_it_is_scipys(numerator, denominator, stats: ModuleType):
    generator = np.random.default_rng(0)
    f = np.concatenate([[0.0, 1e-12, 1.0, 1e3], generator.exponential(2, 500)])
    expected = stats.f.sf(f, numerator, denominator)
    np.testing.assert_allclose(f_tail(f, numerator, denominator), expected, rtol=1e-9, atol=1e-300)


def test_what_is_no_number_has_no_tail():
    tail = f_tail(np.array([np.nan, -1.0]), 2, 100)
    assert np.isnan(tail[0])
    assert tail[1] == 1.0
