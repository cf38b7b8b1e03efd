"""Bars become arrays; what is no bar, and events that cannot be, are refused."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest

from app.domain.backtest.tape import Dividend, Split, prepare
from app.errors import BadInput

DAYS = [date(2024, 1, 2), date(2024, 1, 3), date(2024, 1, 5)]


def bars(symbol: str = "A", days: list[date] = DAYS, **columns: Any) -> pl.DataFrame:
    prices = {"open": 10.0, "high": 12.0, "low": 9.0, "close": 11.0, "volume": 100} | columns
    return pl.DataFrame({"symbol": symbol, "day": days}).with_columns(
        pl.lit(value).alias(name) for name, value in prices.items()
    )


def test_a_day_of_any_instrument_is_a_session() -> None:
    tape = prepare(pl.concat([bars("B", DAYS[1:]), bars("A", DAYS[:2])]))
    assert tape.symbols == ("A", "B")
    assert tape.days.to_list() == DAYS
    close = tape.prices["close"]
    assert np.isnan(close).tolist() == [[False, True], [False, False], [True, False]]


def test_one_of_many_alone_is_as_if_the_others_had_never_been() -> None:
    random = np.random.default_rng(7)
    days = np.arange(np.datetime64("2024-01-01"), np.datetime64("2024-03-01"))
    symbols = ["A", "B", "C"]

    def pick(count: int) -> list[date]:
        found: list[date] = np.sort(random.choice(days, count, replace=False)).tolist()
        return found

    frame = pl.concat([bars(symbol, pick(30), volume=100 + n) for n, symbol in enumerate(symbols)])
    events = pl.concat([pl.DataFrame({"symbol": one, "day": pick(12)}) for one in symbols])
    splits = events.with_columns(numerator=2.0, denominator=1.0)
    dividends = events.with_columns(
        pl.Series("declared", pick(36)), pl.Series("paid", pick(36)[::-1]), amount=0.5
    )
    many = prepare(frame, splits=splits, dividends=dividends)
    for symbol in symbols:
        found = many.alone(symbol)
        wanted = prepare(frame.filter(symbol=symbol), splits=splits, dividends=dividends)
        assert found.days.to_list() == wanted.days.to_list()
        assert len(found.splits) > 2
        assert (found.symbols, found.splits) == (wanted.symbols, wanted.splits)
        assert found.dividends == wanted.dividends
        for name, values in wanted.prices.items():
            assert np.array_equal(found.prices[name], values), name


def test_a_split_begins_at_the_next_session_there_is() -> None:
    splits = pl.DataFrame(
        {"symbol": ["A", "A", "Z"], "day": [date(2024, 1, 4), DAYS[0], DAYS[1]],
         "numerator": [4, 9, 2], "denominator": [1, 1, 1]}
    )  # fmt: skip
    tape = prepare(bars(), splits=splits)
    assert tape.splits == (Split(2, 0, 4.0),)
    assert tape.history.close[:, 0].tolist() == [11.0, 11.0, 44.0]
    assert tape.history.volume[:, 0].tolist() == [100.0, 100.0, 25.0]


def test_a_dividend_is_known_when_it_is_declared_and_never_before_its_ex_date() -> None:
    dividends = pl.DataFrame(
        {"symbol": ["A", "A"], "day": [DAYS[1], DAYS[2]], "amount": [0.5, 0.25],
         "declared": [date(2024, 1, 5), date(2023, 12, 1)], "paid": [DAYS[1], date(2024, 6, 1)]}
    )  # fmt: skip
    tape = prepare(bars(), dividends=dividends)
    assert tape.dividends == (Dividend(1, 0, 0.5, 2, 2), Dividend(2, 0, 0.25, 2, 3))


def test_a_dividend_of_unknown_days_counts_from_its_ex_date() -> None:
    dividends = pl.DataFrame({"symbol": ["A"], "day": [DAYS[1]], "amount": [0.5]})
    assert prepare(bars(), dividends=dividends).dividends == (Dividend(1, 0, 0.5, 1, 1),)


def test_the_first_sessions_know_no_later_event() -> None:
    splits = pl.DataFrame({"symbol": ["A"], "day": [DAYS[2]], "numerator": [2], "denominator": [1]})
    tape = prepare(bars(), splits=splits)
    assert tape.until(2).splits == ()
    assert tape.until(2).history.close.tolist() == tape.history.close[:2].tolist()


def test_a_window_begins_anew() -> None:
    splits = pl.DataFrame({"symbol": ["A"], "day": [DAYS[2]], "numerator": [2], "denominator": [1]})
    window = prepare(bars(), splits=splits).window(1, 3)
    assert window.splits == (Split(1, 0, 2.0),)
    assert window.days.to_list() == DAYS[1:]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (bars().drop("volume"), "miss volume"),
        (bars().clear(), "0 rows"),
        (bars(low=11.5), "2024-01-02 is no bar: the low is above"),
        (bars(close=-1.0), "not a number above zero"),
        (pl.concat([bars(), bars()]), "two bars on 2024-01-02"),
    ],
)
def test_what_is_no_bar_is_refused(wrong: pl.DataFrame, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        prepare(wrong)


def test_a_halted_day_is_one_without_prices() -> None:
    halted = bars(open=None, high=None, low=None, volume=0)
    assert np.isnan(prepare(halted).prices["open"]).all()


def test_events_that_cannot_be_are_refused() -> None:
    splits = pl.DataFrame({"symbol": ["A"], "day": [DAYS[1]], "numerator": [0], "denominator": [1]})
    with pytest.raises(BadInput, match=r"ratio 0\.0"):
        prepare(bars(), splits=splits)
    dividends = pl.DataFrame({"symbol": ["A"], "day": [DAYS[1]], "amount": [-1.0]})
    with pytest.raises(BadInput, match=r"is -1\.0"):
        prepare(bars(), dividends=dividends)


def test_other_series_need_the_times_of_the_closes() -> None:
    with pytest.raises(BadInput, match="times"):
        prepare(bars(), references={"SPY": pl.DataFrame()})
    with pytest.raises(BadInput, match="2024-01-02"):
        prepare(bars(), closes_at=pl.DataFrame(schema={"day": pl.Date, "close_at": pl.Datetime}))
