"""Rows parted into bars, halts and what is refused."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from app.adapters.bar_rows import mark_halts, part_rows
from app.adapters.prices import BAR_SCHEMA, REFUSED_SCHEMA

DAY = date(2024, 1, 2)


def rows(*prices: tuple[Any, ...]) -> pl.DataFrame:
    """Rows of open, high, low, close and volume on days in a row."""
    table = [(DAY + timedelta(days=n), *p[:4], None, p[4]) for n, p in enumerate(prices)]
    return pl.DataFrame(table, schema=BAR_SCHEMA, orient="row")


@pytest.mark.parametrize(
    ("row", "close"),
    [
        ((None, None, None, 5.0, 0), 5.0),
        ((0.0, 0.0, 0.0, 5.0, 0), 5.0),
        ((0.0, 5.0, 5.0, 5.0, 0), 5.0),
        ((None, None, None, None, 0), None),
        ((0.0, 0.0, 0.0, 0.0, 0), None),
    ],
)
def test_a_halt_has_one_form(row: tuple[Any, ...], close: float | None) -> None:
    bars, refused = part_rows(rows(row))
    assert bars.rows() == [(DAY, None, None, None, close, None, 0)]
    assert refused.is_empty()


@pytest.mark.parametrize(
    "row",
    [
        (4.0, 6.0, 3.0, 5.0, 10),
        (5.0, 5.0, 5.0, 5.0, 0),  # the last close again: suspect perhaps, but no halt
        (4.0, 6.0, 3.0, 5.0, None),
    ],
)
def test_a_bar_stays_as_it_is(row: tuple[Any, ...]) -> None:
    assert mark_halts(rows(row)).equals(rows(row))
    bars, refused = part_rows(rows(row))
    assert bars.equals(rows(row))
    assert refused.schema == REFUSED_SCHEMA


def test_what_is_no_bar_is_refused_as_it_came() -> None:
    bars, refused = part_rows(rows((4.0, 3.0, 2.0, 5.0, 1), (None, 6.0, 3.0, 5.0, 9)))
    assert bars.is_empty()
    assert refused.drop("adj_close").rows() == [
        (DAY, 4.0, 3.0, 2.0, 5.0, 1, "the high is below another price"),
        (DAY + timedelta(days=1), None, 6.0, 3.0, 5.0, 9, "incomplete: a price is missing"),
    ]


def test_the_noise_of_floats_is_no_reason() -> None:
    bars, refused = part_rows(rows((5.0000001, 5.0, 4.0, 5.0, 1)))
    assert refused.is_empty()
    assert bars["high"].to_list() == [5.0000001]


def test_a_rate_has_a_close_alone_and_no_halt() -> None:
    bars, refused = part_rows(
        rows((None, None, None, 5.0, 0), (1, 1, 1, None, 0)), closes_only=True
    )
    assert bars.rows() == [(DAY, None, None, None, 5.0, None, None)]
    assert refused["reason"].to_list() == ["incomplete: a price is missing"]
