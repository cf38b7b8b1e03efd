"""Correlation and leads of stored prices: the same numbers by hand, and what cannot be asked."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from sqlalchemy import text

from app.domain.correlation.matrix import CorrelationMethod
from app.errors import BadInput, NotFound
from app.services.signals.correlations import get_correlation, get_pair, list_lead_lags
from tests.correlated import SYMBOLS, make_correlated


async def test_the_matrix_is_that_of_the_returns(env):
    values = await make_correlated(env)
    found = await get_correlation(env, ["IBM", "aapl", "MSFT", "IBM"])
    assert found.returns.symbols == ("IBM", "AAPL", "MSFT")
    assert found.base == "XNAS"
    assert len(found.returns) == 499
    expected = np.corrcoef(values[1:, [1, 0, 2]].T)
    np.testing.assert_allclose(found.values, expected, atol=1e-5)


async def test_a_window_a_split_and_a_dividend_change_no_return(env):
    values = await make_correlated(env)
    async with env.db.write() as db:
        await db.execute(
            text("UPDATE bar SET close = close / 4 WHERE symbol = 'AAPL' AND day >= '2024-01-02'")
        )
        await db.execute(
            text(
                "INSERT INTO split (symbol, day, numerator, denominator, source, fetched_at)"
                " VALUES ('AAPL', '2024-01-02', 4, 1, 'sample', now())"
            )
        )
    start, end = date(2023, 12, 4), date(2024, 3, 29)
    found = await get_correlation(env, ["AAPL", "IBM"], start, end, CorrelationMethod.SPEARMAN)
    days = found.returns.days
    assert (days[0], days[-1]) == (date(2023, 12, 5), end)
    first = 241  # weekdays from the first one to the fifth of December
    np.testing.assert_allclose(
        found.returns.values[:, 0], values[first : first + len(days), 0], atol=1e-6
    )


async def test_seoul_stands_beside_new_york_by_what_was_known(env):
    values = await make_correlated(env)
    found = await get_pair(env, "005930.KS", "AAPL", window=40)
    assert found.base == "XKRX"
    assert np.isnan(found.rolling[:39]).all()
    last = found.returns.values[-40:]
    assert found.rolling[-1] == pytest.approx(np.corrcoef(last.T)[0, 1])
    assert found.pearson == pytest.approx(np.corrcoef(found.returns.values.T)[0, 1])
    # Seoul's day closes before New York's: beside it stands New York's day before
    np.testing.assert_allclose(found.returns.values[:, 0], values[2:, 3], atol=1e-5)
    np.testing.assert_allclose(found.returns.values[:, 1], values[1:-1, 0], atol=1e-5)


async def test_the_planted_lead_is_found_and_only_that(env):
    await make_correlated(env)
    rows = await list_lead_lags(env, SYMBOLS, max_lag=2, first=3)
    assert len(rows) == 3
    assert (rows[0].cause, rows[0].effect, rows[0].found) == ("AAPL", "IBM", True)
    assert not any(row.found for row in rows[1:])


@pytest.mark.parametrize(
    ("symbols", "error", "says"),
    [
        (["AAPL"], BadInput, "1 different instruments are not between 2 and 500"),
        (["AAPL", "AAPL"], BadInput, "1 different"),
        (["AAPL", "NOPE"], NotFound, "'NOPE'"),
        (["AAPL", "USDKRW=X"], BadInput, "USDKRW=X is a currency pair"),
        (["AAPL", "../x"], BadInput, "'../x'"),
        ([f"S{n}" for n in range(501)], BadInput, "501 different"),
    ],
)
async def test_what_cannot_be_compared_is_told(env, symbols, error, says):
    await make_correlated(env)
    with pytest.raises(error, match=says):
        await get_correlation(env, symbols)


async def test_windows_that_cannot_be_are_told(env):
    await make_correlated(env)
    with pytest.raises(BadInput, match="begins on 2024-02-01, after its end on 2024-01-01"):
        await get_correlation(env, ["AAPL", "IBM"], date(2024, 2, 1), date(2024, 1, 1))
    with pytest.raises(BadInput, match="at least 30 are needed"):
        await get_correlation(env, ["AAPL", "IBM"], date(2024, 2, 1), date(2024, 2, 20))
    with pytest.raises(BadInput, match="needs 120"):
        await list_lead_lags(env, ["AAPL", "IBM"], start=date(2024, 8, 1))
    with pytest.raises(BadInput, match="31 different instruments are not between 2 and 30"):
        await list_lead_lags(env, [f"S{n}" for n in range(31)])
    with pytest.raises(BadInput, match="first is 0"):
        await list_lead_lags(env, ["AAPL", "IBM"], first=0)
