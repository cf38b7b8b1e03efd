"""The prices of a backtest, at the data version that it is pinned to."""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from app.db.frames import read_frame
from app.domain.alignment import KNOWN_AT
from app.domain.backtest.request import Request
from app.domain.backtest.tape import Tape, prepare
from app.domain.backtest.value import FIGURES, FUNDAMENTALS
from app.domain.market import Kind
from app.env import Env
from app.services.collect.revisions import Snapshot, load_snapshot
from app.services.market.instruments import find_instruments

INSTANT: Final = pl.Datetime("us", "UTC")


async def load_tape(env: Env, request: Request, version: int) -> Tape:
    """The bars, splits and dividends of its instruments between its days.

    Raises:
        BadInput: there are none, or one is no bar.
    """
    snapshots = {symbol: await load_snapshot(env, symbol, version) for symbol in request.symbols}

    def gather(part: str) -> pl.DataFrame:
        frames = [_between(getattr(s, part), request, symbol) for symbol, s in snapshots.items()]
        return pl.concat(frames)

    known = await find_instruments(env, request.symbols)
    funds = [symbol for symbol, one in known.items() if one.kind == Kind.ETF]
    bars, splits, dividends = gather("bars"), gather("splits"), gather("dividends")
    told = await _load_fundamentals(env, request)
    if told.is_empty():
        return prepare(bars, splits=splits, dividends=dividends, funds=funds)
    return prepare(
        bars,
        splits=splits,
        dividends=dividends,
        closes_at=await _load_closes(env, request, bars["day"].unique()),
        references={FUNDAMENTALS: told},
        funds=funds,
    )


async def _load_fundamentals(env: Env, request: Request) -> pl.DataFrame:
    """What was told of the companies, by when; rows are appended and never changed."""
    figures: dict[str, Any] = dict.fromkeys(FIGURES, pl.Float64)
    schema = pl.Schema({"symbol": pl.String, KNOWN_AT: INSTANT, **figures})
    query = f"""
        SELECT symbol, fetched_at AS {KNOWN_AT}, {", ".join(FIGURES)} FROM fundamental
        WHERE symbol = ANY(:symbols) AND day <= :last ORDER BY fetched_at
    """
    params = {"symbols": list(request.symbols), "last": request.last_day}
    async with env.db.read() as db:
        return await read_frame(db, query, params, schema)


async def _load_closes(env: Env, request: Request, days: pl.Series) -> pl.DataFrame:
    """When each session closed, the earliest of its exchanges; unknown ones as their day began."""
    params = {"symbols": list(request.symbols), "first": days.min(), "last": days.max()}
    schema = pl.Schema([("day", pl.Date), ("close_at", INSTANT)])
    async with env.db.read() as db:
        known = await read_frame(db, _CLOSES, params, schema)
    joined = pl.DataFrame({"day": days}).join(known, on="day", how="left")
    return joined.with_columns(
        pl.col("close_at").fill_null(
            pl.col("day").cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
        )
    )


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


_CLOSES: Final = """
    SELECT day, min(close_at) AS close_at FROM exchange_session
    WHERE mic IN (SELECT mic FROM instrument WHERE symbol = ANY(:symbols))
        AND day BETWEEN :first AND :last
    GROUP BY day
"""
