"""Data versions: the newest number, and the data as they were at an earlier one.

Version N is the rows that carry a number up to N, and, for rows that a later version replaced or
took away, the values that the first such version found (`data_revision.old`, if those were written
by N already). A backtest that keeps N and the source reads the same rows for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl
from sqlalchemy import func, select

from app.adapters.prices import BAR_SCHEMA, DIVIDEND_SCHEMA, SPLIT_SCHEMA
from app.db.frames import read_frame
from app.db.models import DataVersion
from app.env import Env

RATE_SCHEMA: Final = pl.Schema({"day": pl.Date, "rate": pl.Float64})


@dataclass(frozen=True)
class Snapshot:
    """An instrument's data at a version: as traded, each by day. `rates` are a currency pair's."""

    bars: pl.DataFrame
    splits: pl.DataFrame
    dividends: pl.DataFrame
    rates: pl.DataFrame


async def data_version(env: Env) -> int:
    """The number of the newest change of stored prices, 0 when there has been none."""
    async with env.db.read() as db:
        return int(await db.scalar(select(func.max(DataVersion.number))) or 0)


async def load_snapshot(env: Env, symbol: str, version: int) -> Snapshot:
    """The data of an instrument as they were when `version` was the newest number.

    Raises:
        Unavailable: the database does not answer.
    """
    params = {"symbol": symbol, "version": version}
    async with env.db.read() as db:
        frames = [
            await read_frame(db, _as_of(table, kind, where, schema), params, schema)
            for table, kind, where, schema in _TABLES
        ]
    return Snapshot(*frames)


def _as_of(table: str, kind: str, where: str, schema: pl.Schema) -> str:
    """The rows of one table and instrument as of a version."""
    names = [name for name in schema if name != "day"]
    now = ", ".join(f'"{name}"' for name in names)
    then = ", ".join(f"(old->>'{name}')::numeric AS \"{name}\"" for name in names)
    return f"""
        SELECT day, {now} FROM {table} WHERE {where} AND revision <= :version
        UNION ALL
        SELECT day, {then} FROM (
            SELECT DISTINCT ON (day) day, was, old FROM data_revision
            WHERE symbol = :symbol AND kind = '{kind}' AND number > :version
            ORDER BY day, number
        ) AS replaced WHERE was <= :version
        ORDER BY day
    """


_OWN: Final = "symbol = :symbol"
_PAIR: Final = "base = substr(:symbol, 1, 3) AND quote = substr(:symbol, 4, 3)"
_TABLES: Final = (
    ("bar", "BAR", _OWN, BAR_SCHEMA),
    ("split", "SPLIT", _OWN, SPLIT_SCHEMA),
    ("dividend", "DIVIDEND", _OWN, DIVIDEND_SCHEMA),
    ("fx_rate", "RATE", _PAIR, RATE_SCHEMA),
)
