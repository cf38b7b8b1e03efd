"""Calls of the database's own functions, straight to the driver: one round trip each.

They are a transaction by themselves and leave nothing behind in the session, so that a connection
needs no look before a call and no clean-up after it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

import asyncpg
import orjson
from sqlalchemy import TextClause
from sqlalchemy.dialects.postgresql import asyncpg as dialect

WAIT: Final = 30.0
"""Seconds after which a call gives up to wait for a connection."""

_DIALECT: Final = dialect.dialect()  # type: ignore[no-untyped-call]


class Calls:
    """Connections for calls; the first one opens with the first call, idle ones are closed."""

    def __init__(self, url: str, *, size: int, application: str) -> None:
        self._url, self._size = url, size
        self._settings = {"application_name": application, "timezone": "UTC"}
        self._written: dict[TextClause, tuple[str, Sequence[str]]] = {}
        self._pool: asyncpg.Pool | None = None
        self._opening = asyncio.Lock()

    async def scalar(self, statement: TextClause, values: Mapping[str, Any]) -> Any:
        """The scalar of one statement, its places filled by name; JSON comes as Python has it."""
        sql, names = self._write(statement)
        pool = self._pool or await self._open()
        async with pool.acquire(timeout=WAIT) as connection:
            return await connection.fetchval(sql, *(values[name] for name in names))

    async def close(self) -> None:
        """Closes every connection."""
        if self._pool is not None:
            await self._pool.close()

    async def _open(self) -> asyncpg.Pool:
        async with self._opening:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    self._url,
                    min_size=0,
                    max_size=self._size,
                    init=_read_json,
                    reset=_keep,
                    server_settings=self._settings,
                    timeout=10,
                )
        return self._pool

    def _write(self, statement: TextClause) -> tuple[str, Sequence[str]]:
        """The statement as the driver takes it, and the names of its places."""
        found = self._written.get(statement)
        if found is None:
            compiled = statement.compile(dialect=_DIALECT)
            found = self._written[statement] = str(compiled), compiled.positiontup or ()
        return found


async def _read_json(connection: asyncpg.Connection) -> None:
    await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=str, decoder=orjson.loads)


async def _keep(connection: asyncpg.Connection) -> None:
    """In the place of asyncpg's statements that forget a session: there is nothing to forget."""
