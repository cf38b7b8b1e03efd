"""Real prices of forty shares in the tables, and their figures worked out apart from the product."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import talib

from app.db.frames import copy_frame
from app.env import Env
from app.services.settings import choose_source
from app.services.signals.analysis import analyse
from tests.factories import AT, make_fundamentals, make_instrument, make_split
from tests.services.collect.test_ingest import REAL

US, KOREAN, SESSIONS = 30, 10, 520
ALWAYS = ["AAPL", "TSLA"]  # they split within these sessions
SECTORS = ("Technology", "Energy", "Healthcare", None)


async def load_real_market(env: Env) -> dict[str, dict[str, Any]]:
    """Fills the tables; the figures that each instrument has to have, by symbol."""
    await choose_source(env, "yahoo")
    tables = [
        ("bars_us_astraded_2016_2021", [*ALWAYS, *_every("bars_us_astraded_2016_2021", US)]),
        ("bars_kr", _every("bars_kr", KOREAN)),
    ]
    figures = {}
    for name, symbols in tables:
        frame = pl.read_parquet(REAL / "wide" / f"{name}.parquet")
        for symbol in dict.fromkeys(symbols):
            bars = frame.filter(pl.col("ticker") == symbol).sort("date").tail(SESSIONS)
            figures[symbol] = await _load(env, symbol, bars, len(figures))
    return figures


def _every(name: str, count: int) -> list[str]:
    frame = pl.scan_parquet(REAL / "wide" / f"{name}.parquet").select("ticker").unique()
    tickers = frame.collect()["ticker"].sort()
    return tickers.gather_every(len(tickers) // count).to_list()


async def _load(env: Env, symbol: str, bars: pl.DataFrame, number: int) -> dict[str, Any]:
    await make_instrument(env, symbol)
    ratios = bars["split"].to_list() if "split" in bars.columns else [1.0] * bars.height
    for day, ratio in zip(bars["date"], ratios, strict=True):
        if ratio != 1.0:
            await make_split(env, symbol, day, ratio)
    prices = ("open", "high", "low", "close")
    rows = bars.select(
        pl.lit(symbol).alias("symbol"), pl.col("date").alias("day"), *prices, "volume"
    )
    # a vendor's last bar may contradict itself
    rows = rows.with_columns(
        pl.min_horizontal("low", "open", "close").alias("low"),
        pl.max_horizontal("high", "open", "close").alias("high"),
        source=pl.lit("yahoo"),
        fetched_at=pl.lit(AT),
    )
    sector, told = SECTORS[number % 4], {}
    async with env.db.write() as db:
        await copy_frame(db, "bar", rows)
    if number % 3 == 0:
        told = {"trailing_pe": 5.0 + number, "price_to_book": 0.5 + number / 10}
        await make_fundamentals(env, symbol, date(2021, 4, 1), **told)
    await analyse(env, symbol)
    own = {"symbol": symbol, "sector": sector, "kind": "EQUITY"}
    market = {"exchange": "XKRX", "currency": "KRW"} if symbol.endswith((".KS", ".KQ")) else {
        "exchange": "XNAS", "currency": "USD"
    }  # fmt: skip
    return own | market | told | _figures(rows, np.array(ratios))


def _figures(rows: pl.DataFrame, ratios: np.ndarray) -> dict[str, Any]:
    """The newest figures of bars as traded, by another library than the product's."""
    factor = np.append(np.cumprod(ratios[::-1])[::-1][1:], 1.0)
    seen = rows["close"].is_not_null().to_numpy()
    high, low, close = (
        (rows[name].to_numpy() / factor)[seen].astype(float) for name in ("high", "low", "close")
    )
    shares = (rows["volume"].to_numpy() * factor)[seen]
    upper, middle, lower = talib.BBANDS(close, 20, 2.0, 2.0)
    k, d = talib.STOCH(high, low, close, 14, 3, 0, 3, 0)
    macd, signal, histogram = talib.MACD(close, 12, 26, 9)
    averages = {n: talib.SMA(close, n) for n in (20, 50, 200)}
    year = close[-252:]
    side = np.sign(averages[50] - averages[200])[-6:]
    crosses = [b for a, b in pairwise(side) if a * b < 0]
    found: dict[str, Any] = {
        "close": rows["close"].to_numpy()[seen][-1],
        "volume": rows["volume"].to_numpy()[seen][-1],
        "change": close[-1] / close[-2] - 1,
        "return_5": close[-1] / close[-6] - 1,
        "return_20": close[-1] / close[-21] - 1,
        "volume_ratio": shares[-1] / shares[-21:-1].mean(),
        "from_high": close[-1] / year.max() - 1 if len(year) == 252 else None,
        "from_low": close[-1] / year.min() - 1 if len(year) == 252 else None,
        "rsi_14": talib.RSI(close, 14)[-1],
        "macd_histogram": histogram[-1],
        "macd": macd[-1],
        "macd_signal": signal[-1],
        "stochastic_k": k[-1],
        "stochastic_d": d[-1],
        **{f"sma_{n}": line[-1] for n, line in averages.items()},
        **{f"to_sma_{n}": close[-1] / line[-1] - 1 for n, line in averages.items()},
        "bollinger_upper": upper[-1],
        "bollinger_middle": middle[-1],
        "bollinger_lower": lower[-1],
        "band_position": (close[-1] - lower[-1]) / (upper[-1] - lower[-1]),
        "sma_cross": {1.0: "GOLDEN", -1.0: "DEATH"}[crosses[-1]] if crosses else "NONE",
    }
    return found
