"""Writing prices so that nothing is lost: what a change replaces is kept, under a version number.

A transaction that changes something takes the next number of `data_version`; one lock lets only one
such transaction come to its commit at a time, so numbers grow in the order in which they are seen.
A row that is new carries the number alone; a row that is replaced or goes away leaves its old
values in `data_revision`. A delivery that brings nothing new takes no number and writes nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final

import polars as pl
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.frames import UNCOMPARED, copy_frame, merge_staged, stage_frame
from app.db.models import Base

KINDS: Final = {"bar": "BAR", "split": "SPLIT", "dividend": "DIVIDEND", "fx_rate": "RATE"}

_SYMBOL: Final = {"fx_rate": "{t}.base || {t}.quote || '=X'"}
_UNTOLD: Final = frozenset({"symbol", "base", "quote", "day", "source", "fetched_at", "revision"})


@dataclass(frozen=True)
class Change:
    """How many rows a delivery changed in a table, and the first of their days."""

    rows: int = 0
    first_day: date | None = None


class Version:
    """The number that all changes of a transaction get; taken from the table when there is one."""

    def __init__(self, session: AsyncSession, symbol: str, source: str, at: datetime) -> None:
        self.session = session
        self.symbol = symbol
        self.source = source
        self.at = at
        self._number: int | None = None

    async def take(self) -> int:
        """The number, which keeps every other writer waiting until this transaction ends."""
        if self._number is None:
            await self.session.execute(text(_LOCK))
            values = {"at": self.at, "symbol": self.symbol, "source": self.source}
            self._number = int(await self.session.scalar(text(_NEXT), values) or 0)
        return self._number


async def append_rows(version: Version, table: str, frame: pl.DataFrame) -> Change:
    """COPY of rows whose keys are not in the table: a first load.

    Raises:
        asyncpg.PostgresError: a row breaks a constraint.
    """
    if frame.is_empty():
        return Change()
    number = await version.take()
    await copy_frame(version.session, table, frame.with_columns(revision=pl.lit(number)))
    return Change(frame.height, _first_day(frame))


async def merge_rows(version: Version, table: str, frame: pl.DataFrame) -> Change:
    """Inserts or updates by primary key; equal rows stay untouched, replaced ones are kept.

    Raises:
        asyncpg.PostgresError: a row breaks a constraint, or two rows have one key.
    """
    if frame.is_empty():
        return Change()
    session = version.session
    staged = frame.with_columns(revision=pl.lit(0))
    staging = await stage_frame(session, table, staged)
    look, keep = _statements(table, staging, tuple(frame.columns))
    rows, first_day = (await session.execute(text(look))).one()
    if rows == 0:
        return Change()
    number = {"number": await version.take()}
    facts = {"source": version.source, "at": version.at, "kind": KINDS[table]}
    await session.execute(text(f'UPDATE pg_temp."{staging}" SET revision = :number'), number)
    await session.execute(text(keep), number | facts)
    await merge_staged(session, table, staged.columns)
    return Change(rows, first_day)


async def remove_rows(version: Version, table: str, symbol: str, days: Collection[date]) -> Change:
    """Takes away an instrument's rows of these days, and keeps what they were."""
    if not days:
        return Change()
    facts = {
        "number": await version.take(),
        "kind": KINDS[table],
        "symbol": symbol,
        "days": list(days),
        "source": version.source,
        "at": version.at,
    }
    await version.session.execute(text(_removal(table)), facts)
    return Change(len(days), min(days))


def _first_day(frame: pl.DataFrame) -> date | None:
    first = frame["day"].min()
    return first if isinstance(first, date) else None


@lru_cache(maxsize=32)
def _statements(table: str, staging: str, columns: tuple[str, ...]) -> tuple[str, str]:
    """What differs between the staged rows and the table, and the record of what is replaced."""
    model = Base.metadata.tables[table]
    key = " AND ".join(f's."{c.name}" = t."{c.name}"' for c in model.primary_key)
    compared = [n for n in columns if not model.c[n].primary_key and n not in UNCOMPARED]
    stored = ", ".join(f't."{name}"' for name in compared)
    incoming = ", ".join(f's."{name}"' for name in compared)
    differs = f"({stored}) IS DISTINCT FROM ({incoming})"
    look = f"""
        SELECT count(*), min(s.day) FROM pg_temp."{staging}" AS s
        LEFT JOIN "{table}" AS t ON {key} WHERE t.day IS NULL OR {differs}
    """
    keep = f"""
        INSERT INTO data_revision (number, kind, symbol, day, was, old, new, source, at)
        SELECT :number, :kind, {_symbol(table)}, t.day, t.revision,
            {_values(table, "t")}, {_values(table, "s", columns)}, :source, :at
        FROM "{table}" AS t JOIN pg_temp."{staging}" AS s ON {key} WHERE {differs}
    """
    return look, keep


def _removal(table: str) -> str:
    return f"""
        WITH gone AS (
            DELETE FROM "{table}" AS t WHERE {_symbol(table)} = :symbol AND t.day = ANY(:days)
            RETURNING t.day, t.revision, {_values(table, "t")} AS old
        )
        INSERT INTO data_revision (number, kind, symbol, day, was, old, new, source, at)
        SELECT :number, :kind, :symbol, day, revision, old, NULL, :source, :at FROM gone
    """


def _symbol(table: str) -> str:
    return _SYMBOL.get(table, "{t}.symbol").format(t="t")


def _values(table: str, alias: str, present: Collection[str] | None = None) -> str:
    """The row's values as a JSON object of exact decimals in text."""
    names: list[Any] = [
        c.name
        for c in Base.metadata.tables[table].c
        if c.name not in _UNTOLD and (present is None or c.name in present)
    ]
    pairs = ", ".join(f"'{n}', trim_scale({alias}.\"{n}\"::numeric)::text" for n in names)
    return f"jsonb_build_object({pairs})"


_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtext('sise-data-version'))"
_NEXT: Final = """
    INSERT INTO data_version (at, symbol, source) VALUES (:at, :symbol, :source) RETURNING number
"""
