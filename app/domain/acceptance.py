"""Acceptance: which bars and events of a source are believed, and why the others are not.

Nothing is dropped for its size: what is odd is held, with a reason, until the source mends it or a
person decides. A bar is compared with the bar before it that was believed, both adjusted for the
splits that are known:

    STALE_REPEAT      no volume, and all four prices are the close before
    UNADJUSTED_SPLIT  open and close are about n times, or an n-th of, the close before (n ≥ 2)
    BEYOND_LIMIT      the close moved further than the exchange lets this kind move in a day

A bar that follows a held one stays held as long as it is nearer to that one: a wrong level is held
whole. The first bar, and the first one after a halt, may be anything. Prices are as traded.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Final

import numpy as np
import polars as pl

from app.domain.bars import PRICES, check_prices, split_factors
from app.domain.market import Kind

KRX_LIMIT_FROM: Final = date(2015, 6, 15)
KRX_LIMIT: Final = 0.30
KRX_LIMIT_BEFORE: Final = 0.15
KRX_FUND_LIMIT: Final = 0.60  # of a product that moves twice as far as its index
LARGEST_DIVIDEND: Final = 0.20  # of the close before the ex-day

_SPLITS: Final = np.array([2, 3, 4, 5, 6, 7, 8, 10, 15, 20, 25, 30, 40, 50, 100], dtype=float)
_NEAR_OPEN: Final = 0.05  # relative: a night's own move on top of the split
_NEAR_CLOSE: Final = 0.08  # relative: a day's
_ROUNDING: Final = 0.005  # of a limit: prices that were adjusted and turned back
_SAME: Final = 1e-6  # relative

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


class Reason(StrEnum):
    """Why a row is not believed."""

    INCOMPLETE = "INCOMPLETE"
    NOT_POSITIVE = "NOT_POSITIVE"
    UNORDERED = "UNORDERED"
    BAD_VOLUME = "BAD_VOLUME"
    NO_SESSION = "NO_SESSION"
    OUT_OF_ORDER = "OUT_OF_ORDER"
    STALE_REPEAT = "STALE_REPEAT"
    BEYOND_LIMIT = "BEYOND_LIMIT"
    UNADJUSTED_SPLIT = "UNADJUSTED_SPLIT"
    SCALED = "SCALED"
    TOO_LARGE = "TOO_LARGE"


BELIEVABLE: Final = frozenset(
    {Reason.STALE_REPEAT, Reason.BEYOND_LIMIT, Reason.UNADJUSTED_SPLIT, Reason.NO_SESSION}
)
"""Reasons of bars that are whole, so that a person can release them."""

_REASONS: Final = {
    "incomplete: a price is missing": Reason.INCOMPLETE,
    "a price is not a number above zero": Reason.NOT_POSITIVE,
    "the low is above another price": Reason.UNORDERED,
    "the high is below another price": Reason.UNORDERED,
    "the volume is below zero": Reason.BAD_VOLUME,
}


@dataclass(frozen=True)
class Held:
    """A row that is not believed: `row` as the source gave it, `detail` for the reader."""

    day: date
    reason: Reason
    detail: str
    row: dict[str, Any]


@dataclass(frozen=True)
class Yardstick:
    """What a bar is judged by.

    `sessions`: the days of the exchange from the first that is known on, None when they are not;
    `released`: days whose bar a person has believed; `before`: the last believed day before the
    bars and its close as traded, None when there is none.
    """

    mic: str
    kind: Kind
    finished: date
    sessions: Collection[date] | None = None
    released: Collection[date] = ()
    before: tuple[date, float] | None = None


@dataclass(frozen=True)
class Examined:
    """`bars` to be stored, halts among them (all prices null), and the rows that are held."""

    bars: pl.DataFrame
    held: list[Held] = field(default_factory=list)


def examine(
    bars: pl.DataFrame,
    splits: pl.DataFrame,
    yardstick: Yardstick,
    refused: pl.DataFrame | None = None,
) -> Examined:
    """Parts the bars of an answer (as traded, with `adj_close`) into believed and held ones.

    `splits` (day, numerator, denominator) are all that are known. `refused` are rows that the
    source's reader found broken already: columns of the bars and `reason` in words. A bar of a
    session that has not finished is neither stored nor held.
    """
    ended = pl.col("day") <= yardstick.finished
    bars = _mend(bars.filter(ended))
    held = [] if refused is None else [_broken(row) for row in refused.filter(ended).to_dicts()]
    reasons = bars.select(_row_reason(yardstick).alias("reason"))["reason"]
    held += [
        _row_held(row, why)
        for row, why in zip(
            bars.filter(reasons.is_not_null()).to_dicts(), reasons.drop_nulls(), strict=True
        )
    ]
    bars = bars.filter(reasons.is_null())
    odd = _find_odd(bars, splits, yardstick)
    if odd:
        rows = bars.to_dicts()
        held += [Held(rows[i]["day"], why, text, rows[i]) for i, (why, text) in odd.items()]
        bars = bars.filter(~pl.Series(range(bars.height)).is_in(list(odd)))
    return Examined(bars, sorted(held, key=lambda h: h.day))


def is_halt() -> pl.Expr:
    """Whether a row is of a session without trade: no open and no volume."""
    return (pl.col("open").is_null() & (pl.col("volume") == 0)).fill_null(value=False)


def examine_dividends(
    dividends: pl.DataFrame,
    closes: pl.DataFrame,
    splits: pl.DataFrame,
    released: Collection[date] = (),
) -> tuple[pl.DataFrame, list[Held]]:
    """Parts dividends (day, amount as traded) into believed ones and those that are too large.

    `closes` (day, close as traded) tell the price before the ex-day, in shares of the ex-day;
    without one a dividend is believed.
    """
    closes = closes.drop_nulls().sort("day")
    adjusted = closes["close"] / pl.Series(split_factors(closes["day"], splits))
    before = dividends.sort("day").join_asof(
        closes.with_columns(close=adjusted),
        on="day",
        strategy="backward",
        allow_exact_matches=False,
    )
    factor = pl.Series(split_factors(before["day"], splits))
    before = before.with_columns(close=before["close"] * factor)
    share = (before["amount"] / before["close"]).fill_null(0.0)
    large = (share >= LARGEST_DIVIDEND) & ~before["day"].is_in(list(released))
    held = [
        Held(
            row["day"],
            Reason.TOO_LARGE,
            f"{row['amount']:g} a share is {row['amount'] / row['close']:.0%} of the close before, "
            f"{row['close']:g}",
            {"amount": row["amount"]},
        )
        for row in before.filter(large).to_dicts()
    ]
    return before.filter(~large).select(dividends.columns), held


def _mend(bars: pl.DataFrame) -> pl.DataFrame:
    """Halts lose the price they repeat, adjusted closes that cannot be are forgotten."""
    halted = is_halt()
    known = pl.col("adj_close").is_finite() & (pl.col("adj_close") > 0)
    return bars.with_columns(
        *(pl.when(~halted).then(pl.col(name)).alias(name) for name in PRICES),
        adj_close=pl.when(known & ~halted).then(pl.col("adj_close")),
    )


def _row_reason(yardstick: Yardstick) -> pl.Expr:
    """The reason of a row looked at by itself."""
    day = pl.col("day")
    rate = yardstick.kind is Kind.FX
    closed = pl.lit(value=False)
    if yardstick.sessions:
        known = list(yardstick.sessions)
        believed = list(yardstick.released)
        closed = (day >= min(known)) & ~day.is_in(known) & ~day.is_in(believed)
    return (
        pl.when(day <= day.shift(1).cum_max())
        .then(pl.lit("OUT_OF_ORDER"))
        .when(closed)
        .then(pl.lit("NO_SESSION"))
        .when(~is_halt())
        .then(check_prices(closes_only=rate))
    )


def _broken(row: dict[str, Any]) -> Held:
    why = row.pop("reason")
    return Held(row["day"], _REASONS.get(why, Reason.INCOMPLETE), why, row)


def _row_held(row: dict[str, Any], why: str) -> Held:
    if why == Reason.NO_SESSION:
        return Held(row["day"], Reason.NO_SESSION, "the exchange had no session that day", row)
    if why == Reason.OUT_OF_ORDER:
        return Held(row["day"], Reason.OUT_OF_ORDER, "the day is not after the one before", row)
    return Held(row["day"], _REASONS[why], why, row)


def _find_odd(
    bars: pl.DataFrame, splits: pl.DataFrame, yardstick: Yardstick
) -> dict[int, tuple[Reason, str]]:
    """Rows that are whole and odd beside the one before, by their place."""
    if bars.is_empty():
        return {}
    adjusted = bars["close"].to_numpy() / split_factors(bars["day"], splits)
    before = math.nan
    if yardstick.before is not None:
        day, close = yardstick.before
        before = close / split_factors(pl.Series([day]), splits)[0]
    stale = _find_stale(bars, adjusted)
    suspects = _suspects(adjusted, before, _limits(bars["day"], yardstick)) | stale
    if not suspects.any():
        return {}
    return _walk(bars, adjusted, before, stale, yardstick)


def _find_stale(bars: pl.DataFrame, adjusted: Floats) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Rows without volume whose four prices are one; whether they repeat is for the walk."""
    flat = pl.all_horizontal(pl.col(name) == pl.col("close") for name in PRICES)
    still = bars.select((flat & (pl.col("volume") == 0)).fill_null(value=False))
    return still[:, 0].to_numpy() & np.isfinite(adjusted)


def _suspects(
    adjusted: Floats, before: float, limits: Floats
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Rows that may be odd, at a glance: moves of nearly a half, or beyond the limit."""
    known = np.isfinite(adjusted)
    last = np.concatenate([[before], adjusted[:-1]])
    # a halt before: the walk decides; here only what cannot be odd is passed over
    with np.errstate(invalid="ignore"):
        move = adjusted / last
        odd = (move <= 0.55) | (move >= 1.83) | (np.abs(move - 1.0) > limits)
    result: np.ndarray[Any, np.dtype[np.bool_]] = known & odd
    return result


def _walk(
    bars: pl.DataFrame,
    adjusted: Floats,
    before: float,
    stale: np.ndarray[Any, np.dtype[np.bool_]],
    yardstick: Yardstick,
) -> dict[int, tuple[Reason, str]]:
    """Row by row beside the last believed close, and the last held one while there is one."""
    odd: dict[int, tuple[Reason, str]] = {}
    days, limits = bars["day"].to_list(), _limits(bars["day"], yardstick)
    opens = adjusted * (bars["open"] / bars["close"]).fill_null(1.0).to_numpy()
    released = set(yardstick.released)
    believed, halted = before, False
    held: tuple[float, Reason] | None = None
    for i, close in enumerate(adjusted):
        if not math.isfinite(close):
            halted = True
            continue
        found: tuple[Reason, str] | None = None
        if days[i] not in released and math.isfinite(believed) and not halted:
            if stale[i] and abs(close / believed - 1.0) <= _SAME:
                odd[i] = Reason.STALE_REPEAT, "no volume, and every price is the close before"
                continue
            found = _judge(close, opens[i], believed, limits[i], held)
        if found is None:
            believed, held = close, None
        else:
            odd[i] = found
            held = close, found[0]
        halted = False
    return odd


def _judge(
    close: float, opened: float, believed: float, limit: float, held: tuple[float, Reason] | None
) -> tuple[Reason, str] | None:
    """Why a close is odd beside the believed one, None when it is not."""
    move = close / believed
    if held is not None and abs(math.log(close / held[0])) < abs(math.log(move)):
        return held[1], f"it goes on from a bar that is held: {move:.3g} times the close before"
    ratio = max(move, 1.0 / move)
    nearest = _SPLITS[np.argmin(np.abs(ratio / _SPLITS - 1.0))]
    gap = opened / believed if move > 1 else believed / opened
    if abs(gap / nearest - 1.0) <= _NEAR_OPEN and abs(ratio / nearest - 1.0) <= _NEAR_CLOSE:
        size = f"1:{nearest:g}" if move > 1 else f"{nearest:g}:1"
        text = f"{move:.3g} times the close before, as after a split of {size} that is not known"
        return Reason.UNADJUSTED_SPLIT, text
    if abs(move - 1.0) > limit:
        text = f"{move - 1.0:+.1%} in a session; the limit is {limit - _ROUNDING:.0%}"
        return Reason.BEYOND_LIMIT, text
    return None


def _limits(days: pl.Series, yardstick: Yardstick) -> Floats:
    """How far a close may move in a day, relative; infinite where there is no limit."""
    none = np.full(len(days), np.inf)
    if yardstick.mic != "XKRX" or yardstick.kind not in {Kind.EQUITY, Kind.ETF}:
        return none
    if yardstick.kind is Kind.ETF:
        return none.clip(max=KRX_FUND_LIMIT + _ROUNDING)
    late = (days >= KRX_LIMIT_FROM).to_numpy()
    return np.where(late, KRX_LIMIT, KRX_LIMIT_BEFORE) + _ROUNDING
