"""Frames in and out of PostgreSQL: COPY in, a merge that leaves equal rows alone, columns out.

A float column travels as the shortest decimal text that reads back as the same float, so a price
of 101.35 becomes NUMERIC 101.35 exactly. Reading casts NUMERIC to Float64 and fetches one array a
column: 2,500 rows of 7 columns cost 1.5 ms of CPU that way, 3.5 ms as records or as CSV.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import lru_cache
from io import BytesIO
from typing import Any, Final

import asyncpg
import polars as pl
from sqlalchemy import Table, TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.engine import driver_connection
from app.db.models import Base

SLICE: Final = 5_000  # rows

UNCOMPARED: Final = frozenset({"fetched_at", "adj_close", "revision"})
"""Columns whose change alone does not rewrite a row: when it was looked at, the data version, and
the source's own adjusted close, which moves with every later split and dividend (it stays as at
`fetched_at`)."""

RefusedData: Final = asyncpg.DataError
"""A value of a frame that its column cannot hold."""

_READ: Final[dict[type[pl.DataType], tuple[str, type[pl.DataType]]]] = {
    pl.Date: ("\"{name}\" - DATE '1970-01-01'", pl.Int32),
    pl.Datetime: ('(extract(epoch FROM "{name}") * 1000000)::int8', pl.Int64),
    pl.Float64: ('"{name}"::float8', pl.Float64),
    pl.Int64: ('"{name}"::int8', pl.Int64),
    pl.Int32: ('"{name}"::int4', pl.Int32),
    pl.String: ('"{name}"::text', pl.String),
    pl.Boolean: ('"{name}"', pl.Boolean),
}


async def copy_frame(session: AsyncSession, table: str, frame: pl.DataFrame) -> int:
    """Appends the frame's rows by COPY, in the session's transaction; how many they were.

    The frame's columns are columns of the table, null becomes NULL.

    Raises:
        asyncpg.PostgresError: a row breaks a constraint (nothing of the frame is kept then).
    """
    if frame.is_empty():
        return 0
    connection = await driver_connection(session)
    lines = _csv_of(frame)
    await connection.copy_to_table(table, source=lines, columns=frame.columns, format="csv")
    return frame.height


async def merge_frame(session: AsyncSession, table_name: str, frame: pl.DataFrame) -> int:
    """Inserts or updates by primary key; how many rows were inserted or changed.

    The frame has the key's columns and any others; its keys are distinct. A row that is equal but
    for `UNCOMPARED` is not written, so a repeated collection leaves no dead rows.

    Raises:
        asyncpg.PostgresError: a row breaks a constraint, or two rows have one key.
        KeyError: a column of the frame is none of the table's.
    """
    if frame.is_empty():
        return 0
    await stage_frame(session, table_name, frame)
    return await merge_staged(session, table_name, frame.columns)


async def stage_frame(session: AsyncSession, table_name: str, frame: pl.DataFrame) -> str:
    """Copies the frame to a temporary table of its columns; its name. It is gone at the commit.

    Raises:
        KeyError: a column of the frame is none of the table's.
    """
    staging = f"incoming_{table_name}"
    prepare, _ = _merge_statements(table_name, staging, tuple(frame.columns))
    connection = await driver_connection(session)
    await connection.execute(prepare)
    await copy_frame(session, staging, frame)
    return staging


async def merge_staged(session: AsyncSession, table_name: str, columns: Sequence[str]) -> int:
    """Merges what `stage_frame` copied, as `merge_frame` tells; how many rows were written."""
    _, merge = _merge_statements(table_name, f"incoming_{table_name}", tuple(columns))
    connection = await driver_connection(session)
    status: str = await connection.execute(merge)  # "INSERT 0 7"
    return int(status.rpartition(" ")[2])


async def read_frame(
    session: AsyncSession, sql: str, params: Mapping[str, Any], schema: pl.Schema
) -> pl.DataFrame:
    """The rows of a SELECT, in its order, as a frame of that schema.

    `sql` names its parameters (`:symbol`; a list as `= ANY(:symbols)`) and its columns as the
    schema does. Types: Date, Datetime in microseconds, Float64, Int64, Int32, String, Boolean.
    """
    arrays = (await session.execute(_column_query(sql, schema), dict(params))).one()
    columns = []
    for (name, dtype), values in zip(schema.items(), arrays, strict=True):
        sent_as = _READ[dtype.base_type()][1]
        column = pl.Series(name, values or [], dtype=sent_as)
        columns.append(column if dtype == sent_as else column.cast(dtype))
    return pl.DataFrame(columns)


async def _csv_of(frame: pl.DataFrame) -> AsyncIterator[bytes]:
    """CSV by slices: the server takes in one while the next is being written."""
    for part in frame.iter_slices(SLICE):
        yield await asyncio.to_thread(_to_csv, part)


def _to_csv(frame: pl.DataFrame) -> bytes:
    out = BytesIO()
    frame.write_csv(out, include_header=False)
    return out.getvalue()


@lru_cache(maxsize=64)
def _merge_statements(table_name: str, staging: str, columns: tuple[str, ...]) -> tuple[str, str]:
    """The statements that make the staging table and that merge it into the table."""
    table = Base.metadata.tables[table_name]
    names = ", ".join(_quoted(table, name) for name in columns)
    key = [_quoted(table, column.name) for column in table.primary_key]
    others = [name for name in columns if not table.c[name].primary_key]
    target = f'"{table_name}"'
    # Like the target, of these columns only; a second merge of a transaction makes it anew.
    prepare = (
        f'DROP TABLE IF EXISTS pg_temp."{staging}"; '
        f'CREATE TEMP TABLE "{staging}" ON COMMIT DROP AS SELECT {names} FROM {target} WITH NO DATA'
    )
    merge = (
        f'INSERT INTO {target} ({names}) SELECT {names} FROM pg_temp."{staging}" '
        f"ON CONFLICT ({', '.join(key)}) "
    )
    compared = [_quoted(table, name) for name in others if name not in UNCOMPARED]
    if not compared:
        return prepare, merge + "DO NOTHING"
    settings = ", ".join(f"{_quoted(table, n)} = excluded.{_quoted(table, n)}" for n in others)
    stored = ", ".join(f"{target}.{name}" for name in compared)
    incoming = ", ".join(f"excluded.{name}" for name in compared)
    return prepare, merge + (
        f"DO UPDATE SET {settings} WHERE ({stored}) IS DISTINCT FROM ({incoming})"
    )


def _quoted(table: Table, column: str) -> str:
    return f'"{table.c[column].name}"'


@lru_cache(maxsize=256)
def _compiled(sql: str, columns: tuple[tuple[str, type[pl.DataType]], ...]) -> TextClause:
    arrays = ", ".join(f"array_agg({_READ[dtype][0].format(name=name)})" for name, dtype in columns)
    return text(f"SELECT {arrays} FROM ({sql}) AS wanted")


def _column_query(sql: str, schema: pl.Schema) -> TextClause:
    return _compiled(sql, tuple((name, dtype.base_type()) for name, dtype in schema.items()))
