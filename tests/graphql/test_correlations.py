"""Correlation in the schema: the matrix, a pair day by day, leads with their instruments."""

from __future__ import annotations

import pytest

from tests.correlated import make_correlated
from tests.graphql.asking import ask, fail

LEADS = """{ leadLag(symbols: ["AAPL", "IBM", "MSFT"], maxLag: 1, first: 2) {
  cause { symbol } effect { symbol } lags observations f p q strength laterP found } }"""


async def test_a_matrix_says_what_it_is_of(env):
    await make_correlated(env)
    query = '{ correlation(symbols: ["AAPL", "IBM"], from: "2024-01-01", method: SPEARMAN) }'
    matrix = (await ask(env, query))["correlation"]
    assert matrix["rows"] == matrix["columns"] == ["AAPL", "IBM"]
    (one, r), (r_again, other) = matrix["values"]
    assert (one, other) == (1.0, 1.0)
    assert r == r_again
    assert matrix["span"][0] == "2024-01-02"
    assert matrix["observations"] == [len_of(matrix)]
    assert matrix["base"] == ["XNAS"]


def len_of(matrix):
    """Weekdays from the second of January to the last day, which is the 500th of all."""
    return {"2024-11-29": 239}[matrix["span"][1]]


async def test_a_pair_has_a_row_for_each_day(env):
    await make_correlated(env)
    query = """{ pairCorrelation(one: "AAPL", two: "IBM", window: 30) {
      pearson spearman observations base window series } }"""
    pair = (await ask(env, query))["pairCorrelation"]
    assert (pair["observations"], pair["window"], pair["base"]) == (499, 30, "XNAS")
    series = pair["series"]
    assert {len(column) for column in series.values()} == {499}
    assert series["rolling"][28] is None
    assert -1 <= series["rolling"][29] <= 1


async def test_leads_name_their_instruments(env):
    await make_correlated(env)
    first, second = (await ask(env, LEADS))["leadLag"]
    assert (first["cause"]["symbol"], first["effect"]["symbol"]) == ("AAPL", "IBM")
    assert first["found"]
    assert first["q"] <= 0.05
    assert not second["found"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ('{ correlation(symbols: ["AAPL"]) }', "symbols"),
        ('{ pairCorrelation(one: "AAPL", two: "IBM", window: 2) { pearson } }', "window"),
        ('{ leadLag(symbols: ["AAPL", "IBM"], maxLag: 11) { q } }', "maxLag"),
    ],
)
async def test_the_field_that_is_wrong_is_named(env, query, field):
    await make_correlated(env)
    error = await fail(env, query)
    assert error["extensions"] == {"code": "BAD_INPUT", "field": field}
