"""The prices of a backtest, at the data version that it is pinned to."""

from __future__ import annotations

import polars as pl

from app.domain.backtest.request import Request
from app.domain.backtest.tape import Tape, prepare
from app.env import Env
from app.services.revisions import Snapshot, load_snapshot


async def load_tape(env: Env, request: Request, version: int) -> Tape:
    """The bars, splits and dividends of its instruments between its days.

    Raises:
        BadInput: there are none, or one is no bar.
    """
    snapshots = {symbol: await load_snapshot(env, symbol, version) for symbol in request.symbols}

    def gather(part: str) -> pl.DataFrame:
        frames = [_between(getattr(s, part), request, symbol) for symbol, s in snapshots.items()]
        return pl.concat(frames)

    return prepare(gather("bars"), splits=gather("splits"), dividends=gather("dividends"))


async def load_reference(env: Env, request: Request, version: int) -> pl.DataFrame | None:
    """The series to compare with, split-adjusted forward: `day`, `close`; None where none is."""
    if request.benchmark is None:
        return None
    snapshot = await load_snapshot(env, request.benchmark, version)
    rates = snapshot.rates.rename({"rate": "close"})
    closes = rates if rates.height else _grown(snapshot)
    return closes.filter(pl.col("day") <= request.last_day)


def _grown(snapshot: Snapshot) -> pl.DataFrame:
    """Closes in shares of the first day."""
    ratios = snapshot.splits.select("day", ratio=pl.col("numerator") / pl.col("denominator"))
    grown = ratios.sort("day").with_columns(growth=pl.col("ratio").cum_prod()).drop("ratio")
    closes = snapshot.bars.select("day", "close").drop_nulls().sort("day")
    joined = closes.join_asof(grown, on="day", strategy="backward")
    return joined.select("day", close=pl.col("close") * pl.col("growth").fill_null(1.0))


def _between(frame: pl.DataFrame, request: Request, symbol: str) -> pl.DataFrame:
    inside = pl.col("day").is_between(request.first_day, request.last_day)
    return frame.filter(inside).with_columns(symbol=pl.lit(symbol))
