"""Acceptance: what is believed, what is held and why; the golden cases G04 and G05."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from app.adapters.bar_rows import mark_halts, part_rows
from app.adapters.prices import BAR_SCHEMA, DIVIDEND_SCHEMA, SPLIT_SCHEMA, History
from app.adapters.sample import SampleSource
from app.domain.acceptance import Examined, Reason, Yardstick, examine, examine_dividends
from app.domain.indicators import compute_daily
from app.domain.market import Kind
from tests.factories import weekdays

REAL = Path(__file__).resolve().parents[3] / "shared" / "data"
NEEDS_REAL = pytest.mark.skipif(
    not REAL.is_dir(), reason="NO REAL PRICES: ../shared/data is absent"
)
NO_SPLITS = pl.DataFrame(schema=SPLIT_SCHEMA)
START = date(2024, 1, 1)
SEOUL = Yardstick("XKRX", Kind.EQUITY, finished=date(2030, 1, 1))
NEW_YORK = Yardstick("XNAS", Kind.EQUITY, finished=date(2030, 1, 1))


def bars(*closes: float | None, start: date = START, volume: int = 100) -> pl.DataFrame:
    """A bar a weekday that opens at its close; None is a halt."""
    days = weekdays(start, len(closes))
    return pl.DataFrame(
        {
            "day": days,
            **dict.fromkeys(("open", "high", "low", "close", "adj_close"), closes),
            "volume": [0 if close is None else volume for close in closes],
        },
        schema=BAR_SCHEMA,
    )


def row(text: str, day: date = START) -> pl.DataFrame:
    """`10 12 9 11 100`: open, high, low, close, volume; `-` is null."""
    *prices, volume = (None if n == "-" else float(n) for n in text.split())
    values = [day, *prices, prices[-1], None if volume is None else int(volume)]
    return pl.DataFrame([values], schema=BAR_SCHEMA, orient="row")


def split(day: date, numerator: float, denominator: float = 1.0) -> pl.DataFrame:
    return pl.DataFrame([[day, numerator, denominator]], schema=SPLIT_SCHEMA, orient="row")


def reasons(found: Examined) -> list[Reason]:
    return [held.reason for held in found.held]


def read(
    frame: pl.DataFrame, yardstick: Yardstick = NEW_YORK, splits: pl.DataFrame = NO_SPLITS
) -> Examined:
    """As an adapter gives it: broken rows parted first."""
    good, refused = part_rows(frame)
    return examine(good, splits, yardstick, refused)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("10 12 9 - 1", Reason.INCOMPLETE),
        ("10 - 9 11 1", Reason.INCOMPLETE),
        ("10 12 10.5 11 1", Reason.UNORDERED),
        ("10 10.5 9 11 1", Reason.UNORDERED),
        ("10 12 0 11 1", Reason.NOT_POSITIVE),
        ("-10 12 9 11 1", Reason.NOT_POSITIVE),
        ("10 12 9 11 -1", Reason.BAD_VOLUME),
    ],
)
def test_a_row_that_is_no_bar_is_held_with_the_reason(text: str, reason: Reason) -> None:
    found = read(row(text))
    assert found.bars.is_empty()
    assert reasons(found) == [reason]
    assert found.held[0].day == START


def test_a_halt_is_a_bar_without_prices() -> None:
    found = read(row("0 0 0 74300 0"), SEOUL)
    assert found.held == []
    assert found.bars.rows() == [(START, None, None, None, None, None, 0)]


def test_a_session_that_has_not_finished_is_neither_stored_nor_held() -> None:
    frame = bars(10, 11, 12)
    found = examine(frame, NO_SPLITS, Yardstick("XNAS", Kind.EQUITY, finished=frame["day"][1]))
    assert found.bars.height == 2
    assert found.held == []


def test_a_day_without_a_session_is_held_until_it_is_released() -> None:
    frame = bars(10, 11, 12)
    days = frame["day"].to_list()
    sessions = {days[0], days[2]}
    found = examine(frame, NO_SPLITS, Yardstick("XNAS", Kind.EQUITY, days[2], sessions))
    assert [(h.day, h.reason) for h in found.held] == [(days[1], Reason.NO_SESSION)]
    released = Yardstick("XNAS", Kind.EQUITY, days[2], sessions, released={days[1]})
    assert examine(frame, NO_SPLITS, released).held == []


def test_a_day_twice_is_out_of_order() -> None:
    frame = pl.concat([bars(10, 11), bars(11.5, start=date(2024, 1, 2))])
    assert reasons(examine(frame, NO_SPLITS, NEW_YORK)) == [Reason.OUT_OF_ORDER]


def test_a_bar_without_volume_at_the_close_before_is_stale() -> None:
    frame = pl.concat([bars(10, 11), bars(11, start=date(2024, 1, 3), volume=0)])
    assert reasons(examine(frame, NO_SPLITS, NEW_YORK)) == [Reason.STALE_REPEAT]


def test_a_flat_bar_with_volume_or_at_another_price_is_no_repeat() -> None:
    traded = bars(10, 11, 11)
    moved = pl.concat([bars(10, 11), bars(11.1, start=date(2024, 1, 3), volume=0)])
    assert examine(traded, NO_SPLITS, NEW_YORK).held == []
    assert examine(moved, NO_SPLITS, NEW_YORK).held == []


def test_repeats_are_held_however_many_and_the_next_trade_is_believed() -> None:
    frame = pl.concat(
        [bars(10), bars(10, 10, 10, start=date(2024, 1, 2), volume=0), bars(10.5, start=date(2024, 1, 5))]
    )  # fmt: skip
    found = examine(frame, NO_SPLITS, NEW_YORK)
    assert reasons(found) == [Reason.STALE_REPEAT] * 3
    assert found.bars["close"].to_list() == [10, 10.5]


@pytest.mark.parametrize("ratio", [2, 3, 4, 10, 50])
@pytest.mark.parametrize("way", ["split", "reverse"])
def test_a_level_that_changes_by_an_unknown_split_is_held_to_the_end(ratio: int, way: str) -> None:
    level = 1 / ratio if way == "split" else ratio
    found = examine(
        bars(100, 101, 102 * level, 110 * level, 120 * level, 99 * level), NO_SPLITS, NEW_YORK
    )
    assert reasons(found) == [Reason.UNADJUSTED_SPLIT] * 4
    assert found.bars["close"].to_list() == [100, 101]


def test_a_known_split_is_no_change_of_level() -> None:
    frame = bars(100, 101, 102 / 4, 110 / 4)
    assert examine(frame, split(frame["day"][2], 4), NEW_YORK).held == []


def test_the_close_before_the_bars_counts_too() -> None:
    frame = bars(25.4, 25.6, start=date(2024, 1, 3))
    before = Yardstick("XNAS", Kind.EQUITY, date(2030, 1, 1), before=(date(2024, 1, 2), 101.0))
    assert reasons(examine(frame, NO_SPLITS, before)) == [Reason.UNADJUSTED_SPLIT] * 2
    assert examine(frame, split(frame["day"][0], 4), before).held == []


def test_a_level_is_believed_from_a_released_bar_on() -> None:
    frame = bars(100, 101, 25.5, 26)
    known = Yardstick("XNAS", Kind.EQUITY, date(2030, 1, 1), released={frame["day"][2]})
    assert examine(frame, NO_SPLITS, known).held == []


def test_one_wrong_bar_is_held_alone() -> None:
    found = examine(bars(100, 101, 25.25, 102, 101), NO_SPLITS, NEW_YORK)
    assert found.bars["close"].to_list() == [100, 101, 102, 101]


def test_a_crash_that_is_no_split_is_believed() -> None:
    frame = bars(53.5, 25.75).with_columns(
        open=pl.Series([53.5, 28.19]), high=pl.Series([53.5, 29])
    )
    assert examine(frame, NO_SPLITS, NEW_YORK).held == []  # AAPL of 2000-09-29


@pytest.mark.parametrize(
    ("yardstick", "day", "move", "believed"),
    [
        (SEOUL, date(2024, 1, 1), 1.30, True),
        (SEOUL, date(2024, 1, 1), 1.31, False),
        (SEOUL, date(2024, 1, 1), 0.69, False),
        (SEOUL, date(2015, 6, 11), 1.15, True),
        (SEOUL, date(2015, 6, 11), 1.16, False),
        (Yardstick("XKRX", Kind.ETF, date(2030, 1, 1)), date(2024, 1, 1), 1.58, True),
        (Yardstick("XKRX", Kind.ETF, date(2030, 1, 1)), date(2024, 1, 1), 1.62, False),
        (Yardstick("XKRX", Kind.INDEX, date(2030, 1, 1)), date(2024, 1, 1), 1.35, True),
        (NEW_YORK, date(2024, 1, 1), 1.6, True),
        (NEW_YORK, date(2024, 1, 1), 0.6, True),
    ],
)
def test_the_limit_goes_by_exchange_kind_and_day(
    yardstick: Yardstick, day: date, move: float, *, believed: bool
) -> None:
    found = examine(bars(1000, 1000 * move, start=day), NO_SPLITS, yardstick)
    assert reasons(found) == ([] if believed else [Reason.BEYOND_LIMIT])


def test_the_limit_of_2015_holds_from_its_day_on() -> None:
    frame = bars(1000, 1200, start=date(2015, 6, 12))
    assert frame["day"][1] == date(2015, 6, 15)
    assert examine(frame, NO_SPLITS, SEOUL).held == []


def test_the_first_bar_after_a_halt_may_be_anything() -> None:
    assert examine(bars(1000, None, None, 2600, 2700), NO_SPLITS, SEOUL).held == []


def test_adjusted_closes_that_cannot_be_are_forgotten_and_the_bar_is_kept() -> None:
    frame = bars(10, 11, 12).with_columns(adj_close=pl.Series([-3.0, 0.0, 11.5]))
    assert examine(frame, NO_SPLITS, NEW_YORK).bars["adj_close"].to_list() == [None, None, 11.5]


def test_an_empty_answer_gives_nothing() -> None:
    found = examine(bars(), NO_SPLITS, SEOUL)
    assert found.bars.is_empty()
    assert found.held == []


def test_a_rate_is_judged_by_its_close_alone() -> None:
    rates = bars(1200, 1210, None, 1350).with_columns(
        open=None, high=None, low=None, volume=None
    ).cast(dict(BAR_SCHEMA))  # fmt: skip
    found = examine(
        rates.drop_nulls("close"), NO_SPLITS, Yardstick("CCY", Kind.FX, date(2030, 1, 1))
    )
    assert found.bars.height == 3


def test_g05_a_dividend_times_the_exchange_rate_is_held() -> None:
    closes = bars(103_500, 103_000).select("day", "close")
    paid = pl.DataFrame(
        [[date(2024, 1, 2), 787_434.0], [date(2024, 1, 3), 582.0]],
        schema=DIVIDEND_SCHEMA,
        orient="row",
    )
    believed, held = examine_dividends(paid, closes, NO_SPLITS)
    assert believed["amount"].to_list() == [582.0]
    assert [(h.day, h.reason) for h in held] == [(date(2024, 1, 2), Reason.TOO_LARGE)]
    assert examine_dividends(paid, closes, NO_SPLITS, released={date(2024, 1, 2)})[1] == []


def test_a_dividend_on_the_day_of_a_split_is_measured_in_new_shares() -> None:
    frame = bars(120, 6000)
    paid = pl.DataFrame([[frame["day"][1], 60.0]], schema=DIVIDEND_SCHEMA, orient="row")
    reverse = split(frame["day"][1], 1, 50)
    assert examine_dividends(paid, frame.select("day", "close"), reverse)[1] == []


async def test_g04_an_unadjusted_split_never_reaches_the_rsi() -> None:
    answer = await SampleSource().history("GOOG")
    assert isinstance(answer, History)
    frame = answer.bars
    cut = frame["day"][1000]
    broken = frame.with_columns(
        pl.when(pl.col("day") >= cut).then(pl.col(n) / 4).otherwise(pl.col(n)).alias(n)
        for n in ("open", "high", "low", "close")
    )
    found = examine(broken, NO_SPLITS, NEW_YORK)
    assert {held.reason for held in found.held} == {Reason.UNADJUSTED_SPLIT}
    assert found.bars["day"][-1] == frame["day"][999]
    assert len(found.held) == frame.height - 1000
    rsi = [
        compute_daily(f.with_columns(symbol=pl.lit("GOOG")))["rsi_14"].to_list()
        for f in (broken, found.bars)
    ]
    assert min(v for v in rsi[0][1000:1010] if v is not None) < 15
    assert min(v for v in rsi[1][990:] if v is not None) > 30


@NEEDS_REAL
def test_of_six_hundred_thousand_real_us_bars_only_repeats_are_held() -> None:
    table = pl.read_parquet(REAL / "wide" / "bars_us_astraded_2016_2021.parquet")
    table = table.rename({"date": "day"})
    held = {}
    for (ticker,), group in table.group_by("ticker", maintain_order=True):
        splits = group.filter(pl.col("split") != 1.0)
        found = examine(
            group.select(BAR_SCHEMA.names()).sort("day"),
            splits.select("day", numerator="split", denominator=pl.lit(1.0)),
            NEW_YORK,
        )
        held |= {(ticker, h.day): h.reason for h in found.held}
    assert set(held.values()) == {Reason.STALE_REPEAT}
    assert len(held) == 3


@NEEDS_REAL
def test_the_stale_rows_of_real_korean_prices_are_held_and_halts_are_not() -> None:
    table = pl.read_parquet(REAL / "wide" / "bars_kr.parquet").rename({"date": "day"})
    stale: set[tuple[str, date]] = set()
    halts = 0
    for (ticker,), group in table.group_by("ticker", maintain_order=True):
        frame = mark_halts(group.select(BAR_SCHEMA.names()).sort("day"))
        found = examine(frame, NO_SPLITS, SEOUL)
        assert {h.reason for h in found.held} <= {Reason.STALE_REPEAT, Reason.UNORDERED}
        stale |= {(str(ticker), h.day) for h in found.held if h.reason == Reason.STALE_REPEAT}
        halts += found.bars["close"].null_count()
    known = table.filter(pl.col("basis") == "yahoo_stale").select("ticker", "day")
    assert len(known) == 19
    assert set(known.iter_rows()) <= stale
    assert halts > 1000


def test_days_are_compared_over_a_weekend() -> None:
    frame = bars(10, 10.5, start=date(2024, 1, 5))
    assert frame["day"][1] - frame["day"][0] == timedelta(days=3)
    assert examine(frame, NO_SPLITS, SEOUL).held == []
