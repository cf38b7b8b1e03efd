"""Consistency: an answer that is off by a split, in every way that sources get it wrong."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from app.adapters.prices import SPLIT_SCHEMA
from app.domain.consistency import find_contradiction, find_scale, is_in_prices
from tests.factories import weekdays

DAYS = weekdays(date(2020, 8, 24), 10)
SPLIT_DAY = date(2020, 8, 31)  # the sixth
RAW = [503.4, 499.3, 506.1, 500.0, 499.2, 129.0, 134.2, 131.4, 120.9, 121.0]
NONE = pl.DataFrame(schema=SPLIT_SCHEMA)
FOUR = pl.DataFrame([[SPLIT_DAY, 4.0, 1.0]], schema=SPLIT_SCHEMA, orient="row")


EARLY, LATE = date(2020, 8, 28), date(2020, 9, 30)


def closes(*values: float | None, fetched: date = EARLY, revision: int = 1) -> pl.DataFrame:
    frame = pl.DataFrame(
        {"day": DAYS[: len(values)], "close": values}, schema={"day": pl.Date, "close": pl.Float64}
    )
    return frame.with_columns(fetched=pl.lit(fetched), revision=pl.lit(revision))


def known(splits: pl.DataFrame, revision: int = 1) -> pl.DataFrame:
    return splits.with_columns(revision=pl.lit(revision))


def before_split(factor: float) -> list[float]:
    """The right prices, those before the split times a factor."""
    return [price * (factor if n < 5 else 1.0) for n, price in enumerate(RAW)]


STORED = closes(*RAW[:5])
RIGHT = closes(*RAW)


def test_the_right_answer_contradicts_nothing() -> None:
    assert find_contradiction(RIGHT, FOUR, STORED, known(NONE)) is None
    assert find_contradiction(RIGHT, FOUR, RIGHT, known(FOUR)) is None
    assert find_contradiction(RIGHT, FOUR, closes(), known(NONE)) is None


def test_prices_adjusted_for_a_split_that_is_not_named() -> None:
    why = find_contradiction(closes(*before_split(0.25)), NONE, STORED, known(NONE))
    assert why == "prices up to 2020-08-28 are 0.25 times those stored, and no split explains it"


def test_a_split_that_is_named_and_not_in_the_prices() -> None:
    """Turned back by a split that they do not contain, the old prices are four times too high."""
    why = find_contradiction(closes(*before_split(4.0)), FOUR, STORED, known(NONE))
    assert why == "the split of 2020-08-31 and the prices around it do not fit together"


def test_the_same_on_the_morning_of_the_split() -> None:
    """No bar since the split: nothing shows whether the older ones are adjusted."""
    why = find_contradiction(closes(*before_split(4.0)[:5]), FOUR, STORED, known(NONE))
    assert why == "prices up to 2020-08-28 are 4 times those stored, and no split explains it"


def test_a_first_load_waits_until_a_bar_follows_the_split() -> None:
    why = find_contradiction(closes(*RAW[:5]), FOUR, closes(), known(NONE))
    assert why is not None
    assert why.startswith("no price since the split of 2020-08-31")


def test_a_split_that_was_missed_explains_prices_that_were_stored_too_low() -> None:
    low = closes(*before_split(0.25)[:5], fetched=LATE)
    assert find_contradiction(RIGHT, FOUR, low, known(NONE)) is None
    assert find_contradiction(closes(*RAW[:5]), FOUR, low, known(NONE)) is not None  # not seen yet
    assert find_contradiction(RIGHT, FOUR, low, known(FOUR)) is not None  # known: explains nothing


def test_a_bar_fetched_before_a_split_cannot_have_known_of_it() -> None:
    """A split that never was, and prices that are not adjusted for it: 4 x 500 before, 500 since."""
    level = closes(*[500.0] * 10)
    told = closes(*[2000.0] * 5, *[500.0] * 5)
    why = find_contradiction(told, FOUR, level.head(5), known(NONE))
    assert why == "prices up to 2020-08-28 are 4 times those stored, and no split explains it"


def test_bars_written_while_a_split_was_known_change_when_it_is_taken_back() -> None:
    wrong = closes(*[2000.0] * 5, *[500.0] * 5, fetched=LATE, revision=7)
    right = closes(*[500.0] * 10)
    assert find_contradiction(right, NONE, wrong, known(FOUR, revision=7)) is None
    later = known(FOUR, revision=8)  # it came after the bars: they did not know of it
    assert find_contradiction(right, NONE, wrong, later) is not None


def test_a_few_revised_closes_are_no_scale() -> None:
    revised = [*RAW]
    revised[2] *= 0.9
    assert find_scale(closes(*revised), RIGHT) is None
    revised[0] *= 0.9
    assert find_scale(closes(*revised), RIGHT) is None


@pytest.mark.parametrize("factor", [0.25, 4.0, 1.5, 1 / 50, 1.05])
def test_a_factor_on_all_common_days_is_a_scale(factor: float) -> None:
    found = find_scale(closes(*(round(price * factor, 4) for price in RAW)), RIGHT)
    assert found is not None
    assert found[0] == pytest.approx(factor, rel=1e-3)
    assert found[1] == DAYS[-1]


def test_days_that_were_revised_besides_hide_no_scale() -> None:
    stored = [*RAW]
    stored[0] *= 1.01
    stored[7] *= 0.98
    found = find_scale(closes(*(price * 50 for price in RAW)), closes(*stored))
    assert found is not None
    assert found == (pytest.approx(50), DAYS[-1])


def test_nothing_in_common_is_no_scale() -> None:
    assert find_scale(RIGHT, closes()) is None
    assert find_scale(closes(None, None), RIGHT) is None


def test_whether_prices_show_a_split() -> None:
    split = (SPLIT_DAY, 4.0, 1.0)
    assert is_in_prices(RIGHT, split)
    assert not is_in_prices(closes(*before_split(0.25)), split)
    assert not is_in_prices(closes(*RAW[:5]), split)  # no bar after it


def test_a_split_too_small_to_be_seen_is_taken_at_its_word() -> None:
    small = pl.DataFrame([[SPLIT_DAY, 1.05, 1.0]], schema=SPLIT_SCHEMA, orient="row")
    level = closes(*[100.0] * 10)
    assert find_contradiction(level, small, level, known(NONE)) is None
