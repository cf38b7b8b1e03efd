"""Daily indicators against TA-Lib: on real and random bars, in any order, with gaps."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from app.domain.indicator_columns import INDICATOR_COLUMNS
from app.domain.indicators import compute_daily, is_warm, warm_up
from app.domain.kernels import indicators as kernel
from app.errors import BadInput
from tests.domain.oracle_bars import (
    PRICES,
    bars_of,
    difference,
    expected,
    sample,
    shared,
    shuffled,
    walk,
    with_gaps,
)

ROOT = Path(__file__).resolve().parents[2]
CLOSE_ENOUGH = 1e-9
FIRST_ROWS = {
    "rsi_14": 14,
    "macd": 33,
    "macd_signal": 33,
    "macd_histogram": 33,
    "stochastic_k": 17,
    "stochastic_d": 17,
    "sma_20": 19,
    "sma_50": 49,
    "sma_200": 199,
    "bollinger_upper": 19,
    "bollinger_middle": 19,
    "bollinger_lower": 19,
}


def assert_as_talib(bars: pl.DataFrame) -> None:
    got = compute_daily(bars)
    assert got.columns == ["symbol", "day", *INDICATOR_COLUMNS]
    assert_frame_equal(got.select("symbol", "day"), bars.select("symbol", "day"))
    found = difference(got, expected(bars))
    assert max(found.values()) < CLOSE_ENOUGH, found


def test_goog_has_the_rsi_of_talib_and_no_zone_flips() -> None:
    goog = sample().filter(pl.col("symbol") == "GOOG")
    rsi, wanted = compute_daily(goog)["rsi_14"], expected(goog)["rsi_14"]
    assert len(rsi.drop_nulls()) == 2134
    assert (rsi - wanted).abs().max() < 1e-13
    zones = [(values > 70).cast(pl.Int8) - (values < 30).cast(pl.Int8) for values in (rsi, wanted)]
    assert (zones[0] != zones[1]).sum() == 0
    assert (zones[1] != 0).sum() == 399


def test_goog_closes_beyond_its_bollinger_bands_on_282_of_2129_days() -> None:
    goog = sample().filter(pl.col("symbol") == "GOOG")
    got = compute_daily(goog)
    beyond = (goog["close"] > got["bollinger_upper"]) | (goog["close"] < got["bollinger_lower"])
    assert (beyond.sum(), beyond.drop_nulls().len()) == (282, 2129)


def test_the_sample_is_as_talib_has_it() -> None:
    assert_as_talib(sample())


@pytest.mark.parametrize(
    "name",
    ["small/bars.parquet", "wide/bars_kr.parquet", "wide/bars_us_astraded_2016_2021.parquet"],
)
def test_real_bars_of_both_markets_are_as_talib_has_them(name: str) -> None:
    assert_as_talib(shared(name).pipe(shuffled, seed=1))


@pytest.mark.parametrize("price", [0.0002, 1.0, 100.0, 2_000_000.0])
def test_a_random_walk_at_any_price_level_is_as_talib_has_it(price: float) -> None:
    assert_as_talib(walk("A", 3000, seed=1, price=price))


@pytest.mark.parametrize("order", ["by symbol", "by day", "backwards", "shuffled"])
@pytest.mark.parametrize("gaps", [0.0, 0.05, 0.9])
def test_the_order_of_the_rows_and_gaps_do_not_matter(order: str, gaps: float) -> None:
    lengths = [400, 0, 1, 14, 15, 18, 33, 34, 199, 200, 201, 600]
    bars = pl.concat([walk(f"S{n}", n, seed=n) for n in lengths])
    bars = with_gaps(bars, seed=5, share=gaps)
    if order == "by day":
        bars = bars.sort("day", "symbol")
    elif order == "backwards":
        bars = bars.reverse()
    elif order == "shuffled":
        bars = shuffled(bars, seed=3)
    assert_as_talib(bars)


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 260), min_size=1, max_size=5),
    seed=st.integers(0, 2**16),
    gaps=st.sampled_from([0.0, 0.1, 0.5]),
    price=st.sampled_from([0.01, 10.0, 5_000.0, 900_000.0]),
    mixed=st.booleans(),
)
def test_any_random_bars_are_as_talib_has_them(
    lengths: list[int], seed: int, gaps: float, price: float, mixed: bool
) -> None:
    walks = [walk(f"S{i}", n, seed=seed + i, price=price) for i, n in enumerate(lengths)]
    bars = with_gaps(pl.concat(walks), seed=seed, share=gaps)
    assert_as_talib(shuffled(bars, seed=seed) if mixed else bars)


@pytest.mark.parametrize("name", FIRST_ROWS)
def test_the_first_value_stands_in_its_row(name: str) -> None:
    first = FIRST_ROWS[name]
    values = compute_daily(walk("A", 250, seed=1))[name]
    assert values[:first].null_count() == first
    assert values[first:].null_count() == 0
    exactly = compute_daily(walk("A", first, seed=1))[name]
    assert exactly.null_count() == first


def test_flat_prices_give_no_rsi_and_no_stochastic() -> None:
    got = compute_daily(bars_of([50.0] * 60))
    assert got["rsi_14"].null_count() == 60
    assert got["stochastic_k"].null_count() == 60
    assert got["stochastic_d"].null_count() == 60
    assert got["macd"][33:].to_list() == [0.0] * 27
    assert got["bollinger_upper"][19:].to_list() == [50.0] * 41
    assert got["bollinger_lower"][19:].to_list() == [50.0] * 41


def test_the_stochastic_is_null_while_any_of_its_windows_is_flat() -> None:
    got = compute_daily(bars_of([*np.linspace(1, 2, 30), *[2.0] * 20, *np.linspace(2, 3, 30)]))
    # Rows 29..50 are equal, so the windows of rows 42..50 are flat; %K looks at 3, %D at 5.
    assert [i for i, v in enumerate(got["stochastic_k"]) if v is None][17:] == [*range(42, 53)]
    assert [i for i, v in enumerate(got["stochastic_d"]) if v is None][17:] == [*range(42, 55)]
    assert got["rsi_14"][14:].null_count() == 0


def test_an_unknown_high_costs_the_stochastic_alone() -> None:
    bars = walk("A", 60, seed=2).with_columns(
        pl.when(pl.int_range(pl.len()) == 30).then(None).otherwise("high").alias("high")
    )
    got, whole = compute_daily(bars), compute_daily(walk("A", 60, seed=2))
    assert [i for i, v in enumerate(got["stochastic_k"]) if v is None][17:] == [*range(30, 46)]
    assert_frame_equal(
        got.drop("stochastic_k", "stochastic_d"), whole.drop("stochastic_k", "stochastic_d")
    )


def test_a_session_without_a_close_gets_nulls_and_leaves_the_others_alone() -> None:
    bars = walk("A", 300, seed=3)
    hole = pl.int_range(pl.len()).is_in([0, 100, 101, 299])
    holed = bars.with_columns(pl.when(~hole).then(name).alias(name) for name in PRICES)
    got = compute_daily(holed)
    inside = got.filter(hole).select(INDICATOR_COLUMNS)
    assert inside.null_count().row(0) == (4,) * len(INDICATOR_COLUMNS)
    assert_frame_equal(got.filter(~hole), compute_daily(bars.filter(~hole)))


def test_nothing_is_known_before_its_day() -> None:
    bars = walk("A", 400, seed=4)
    assert_frame_equal(compute_daily(bars[:250]), compute_daily(bars)[:250])


def test_500_rows_back_are_enough_for_the_tail() -> None:
    bars = walk("A", 2500, seed=5)
    whole = compute_daily(bars)[-1:]
    tail = compute_daily(bars[-500:])[-1:]
    assert max(difference(tail, whole).values()) < 1e-10


def test_few_days_of_many_symbols_over_a_long_time_need_no_large_table() -> None:
    start = date(1950, 1, 1)
    days = [start + timedelta(days=i) for i in range(20_000)]
    bars = pl.DataFrame(
        {
            "symbol": [f"S{i % 5_000}" for i in range(20_000)],
            "day": [*days[:5_000][::-1], *days[5_000:]],
            **{name: np.arange(20_000.0) + 1 for name in PRICES},
            "volume": [1] * 20_000,
        }
    )
    assert_frame_equal(
        compute_daily(bars), compute_daily(bars.sort("symbol", "day")), check_row_order=False
    )
    with pytest.raises(BadInput, match="S7 has two bars on"):
        compute_daily(pl.concat([bars, bars[5_007:5_008]]))


def test_threads_do_not_disturb_one_another() -> None:
    frames = [
        shuffled(pl.concat([walk(f"S{i}", 50 * i, seed=i) for i in range(1, n)]), seed=n)
        for n in range(3, 11)
    ]
    alone = [compute_daily(frame) for frame in frames]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(compute_daily, frames * 5))
    for got, wanted in zip(together, alone * 5, strict=True):
        assert_frame_equal(got, wanted)


def test_a_result_stays_as_it_is_when_the_next_one_is_computed() -> None:
    first = compute_daily(walk("A", 300, seed=6))
    before = first.clone().rechunk().to_dict(as_series=False)
    compute_daily(walk("B", 300, seed=7))
    assert first.to_dict(as_series=False) == before


def test_no_bars_give_no_indicators() -> None:
    got = compute_daily(walk("A", 300, seed=8)[:0])
    assert got.height == 0
    assert got.columns == ["symbol", "day", *INDICATOR_COLUMNS]
    assert got["rsi_14"].dtype == pl.Float64


def test_whole_numbers_decimals_and_categories_are_taken() -> None:
    bars = bars_of([float(i % 7 + 10) for i in range(80)])
    other = bars.with_columns(
        pl.col("symbol").cast(pl.Categorical),
        pl.col("open", "high").cast(pl.Int32),
        pl.col("low", "close").cast(pl.Decimal(20, 6)),
    )
    assert_frame_equal(
        compute_daily(other).drop("symbol"), compute_daily(bars).drop("symbol"), check_exact=True
    )


@pytest.mark.parametrize("name", ["symbol", "day", *PRICES, "volume"])
def test_a_missing_column_is_named(name: str) -> None:
    with pytest.raises(BadInput, match=f"no column {name}"):
        compute_daily(walk("A", 20, seed=1).drop(name))


@pytest.mark.parametrize(
    ("name", "dtype", "wanted"),
    [
        ("symbol", pl.Int32, "text"),
        ("day", pl.Datetime, "a date"),
        ("close", pl.String, "a number"),
        ("volume", pl.Boolean, "a number"),
    ],
)
def test_a_column_of_another_type_is_named(name: str, dtype: type, wanted: str) -> None:
    column = pl.lit(None, dtype=dtype).alias(name)
    with pytest.raises(BadInput, match=f"column {name} of bars is .*; it must be {wanted}"):
        compute_daily(walk("A", 20, seed=1).with_columns(column))


@pytest.mark.parametrize("name", ["symbol", "day"])
def test_a_null_in_the_key_is_refused(name: str) -> None:
    holed = walk("A", 20, seed=1).with_columns(
        pl.when(pl.int_range(pl.len()) != 3).then(name).alias(name)
    )
    with pytest.raises(BadInput, match=f"column {name} of bars has a null"):
        compute_daily(holed)


@pytest.mark.parametrize("name", PRICES)
@pytest.mark.parametrize("value", [float("inf"), float("-inf")])
def test_an_infinite_price_is_named_with_its_day(name: str, value: float) -> None:
    bars = walk("A", 20, seed=1).with_columns(
        pl.when(pl.int_range(pl.len()) == 3).then(value).otherwise(name).alias(name)
    )
    with pytest.raises(BadInput, match=f"{name} of A on 2001-01-04 is infinite"):
        compute_daily(bars)


@pytest.mark.parametrize("order", ["sorted", "shuffled"])
def test_two_bars_of_one_day_are_named(order: str) -> None:
    bars = pl.concat([walk("A", 40, seed=1), walk("B", 40, seed=2), walk("A", 40, seed=1)[7:8]])
    bars = bars.sort("symbol", "day") if order == "sorted" else shuffled(bars, seed=1)
    with pytest.raises(BadInput, match="A has two bars on 2001-01-08") as caught:
        compute_daily(bars)
    assert caught.value.field == "bars"


def test_a_day_beyond_the_calendar_is_refused() -> None:
    far = pl.DataFrame({"day": [3_000_000]}).select(pl.col("day").cast(pl.Int32).cast(pl.Date))
    bars = walk("A", 1, seed=1).with_columns(far["day"])
    with pytest.raises(BadInput, match="1 to 9999"):
        compute_daily(bars)


def test_warming_up_leaves_nothing_to_compile() -> None:
    program = """
from app.domain.indicators import compute_daily, warm_up
from app.domain.kernels import indicators, panel
from tests.domain.oracle_bars import sample, shuffled, with_gaps
def compiled():
    found = [f for m in (indicators, panel) for f in vars(m).values() if hasattr(f, "signatures")]
    return sum(len(f.signatures) for f in found)
warm_up()
before = compiled()
for bars in (sample(), with_gaps(sample(), seed=1), sample().reverse()):
    compute_daily(bars)
    compute_daily(shuffled(bars, seed=1))
assert compiled() == before > 5, (compiled(), before)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_loops_are_on_disk_once_they_were_warmed_up_and_while_their_file_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warm_up()
    assert is_warm()
    kept = kernel.compute_all._cache._cache_file
    (tmp_path / "damaged.nbi").write_bytes(b"\x80\x04")
    for name, other in (
        ("_source_stamp", (0.0, 0)),
        ("_index_path", str(tmp_path / "damaged.nbi")),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(kept, name, other)
            assert not is_warm()
    program = "import sys, app.domain.indicators as one; sys.exit(one.is_warm())"
    elsewhere = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    assert (
        subprocess.run([sys.executable, "-c", program], check=False, env=elsewhere).returncode == 0
    )


def test_the_names_of_the_columns_can_be_had_without_the_compiler() -> None:
    program = "import sys, app.domain.indicator_columns; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
