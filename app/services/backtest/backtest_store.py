"""How results of backtests are kept: a report as packed JSON, the cells of a sweep as columns."""

from __future__ import annotations

import io
import zlib
from typing import Any, Final

import numpy as np
import orjson
import polars as pl
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import BacktestData
from app.env import Env

REPORT: Final = "report"
CELLS: Final = "cells"
SUMS: Final = "sums"


def pack_report(report: dict[str, Any]) -> bytes:
    """JSON, compressed; floats keep every bit."""
    return zlib.compress(orjson.dumps(report), 6)


def unpack_report(data: bytes) -> dict[str, Any]:
    """The reverse of `pack_report`."""
    report: dict[str, Any] = orjson.loads(zlib.decompress(data))
    return report


def pack_frame(frame: pl.DataFrame) -> bytes:
    """Columns, compressed."""
    out = io.BytesIO()
    frame.write_ipc(out, compression="zstd")
    return out.getvalue()


def unpack_frame(data: bytes) -> pl.DataFrame:
    """The reverse of `pack_frame`."""
    return pl.read_ipc(io.BytesIO(data))


def pack_sums(sums: np.ndarray[Any, Any]) -> bytes:
    """An array of cells x blocks x 2."""
    return zlib.compress(np.ascontiguousarray(sums).tobytes(), 1)


def unpack_sums(data: bytes, blocks: int) -> np.ndarray[Any, Any]:
    """The reverse of `pack_sums`."""
    return np.frombuffer(zlib.decompress(data)).reshape(-1, blocks, 2)


async def put_data(  # noqa: PLR0913 - a key and a value
    db: AsyncSession, backtest_id: int, name: str, part: int, data: bytes, *, renew: bool = False
) -> None:
    """Stores a result; one that is there already stays, unless it is to be renewed."""
    values = {"backtest_id": backtest_id, "name": name, "part": part, "data": data}
    put = insert(BacktestData).values(values)
    key = ["backtest_id", "name", "part"]
    if renew:
        await db.execute(put.on_conflict_do_update(index_elements=key, set_={"data": data}))
    else:
        await db.execute(put.on_conflict_do_nothing(index_elements=key))


async def list_data(db: AsyncSession, backtest_id: int, name: str) -> list[bytes]:
    """The results of one kind, in the order of their parts."""
    mine = BacktestData.backtest_id == backtest_id, BacktestData.name == name
    return list(
        await db.scalars(select(BacktestData.data).where(*mine).order_by(BacktestData.part))
    )


async def find_report(env: Env, user_id: int, backtest_id: int) -> dict[str, Any] | None:
    """The report of one of the user's backtests; None while there is none."""
    async with env.db.read(uid=user_id) as db:
        found = await list_data(db, backtest_id, REPORT)
    return unpack_report(found[0]) if found else None


async def read_cells(env: Env, user_id: int, backtest_id: int) -> pl.DataFrame | None:
    """All cells of a sweep of the user's that are computed; None where there are none."""
    async with env.db.read(uid=user_id) as db:
        found = await list_data(db, backtest_id, CELLS)
    if not found:
        return None
    return pl.concat([unpack_frame(data) for data in found], how="vertical_relaxed")
