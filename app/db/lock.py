"""A lock that one process at a time holds, for as long as its database connection lives.

PostgreSQL lets go of it when the connection ends, however the process ended: another one that waits
has it within a moment after a kill -9, and within about 15 seconds when a whole host vanishes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg
from sqlalchemy import make_url

from app.errors import Unavailable

HEARTBEAT: Final = 2.0
"""Seconds between two questions over the connection, so that a dead one is noticed."""

_SETTINGS: Final = {
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_session_timeout": "0",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "3",
    "tcp_keepalives_count": "3",
}


@asynccontextmanager
async def hold_lock(url: str, name: str, *, application: str) -> AsyncIterator[asyncio.Event]:
    """Waits until nobody else holds the lock `name`, then holds it for the block.

    Yields an event that is set as soon as the lock may be lost: the connection ended or is silent.
    Stop at once then.

    Raises:
        Unavailable: the database does not answer.
    """
    lost = asyncio.Event()
    try:
        connection = await asyncpg.connect(
            make_url(url).set(drivername="postgresql").render_as_string(hide_password=False),
            timeout=10,
            command_timeout=None,
            server_settings={"application_name": application, **_SETTINGS},
        )
    except (OSError, asyncpg.PostgresError) as error:
        raise Unavailable("The database does not answer. Try again in a moment.") from error
    connection.add_termination_listener(lambda _: lost.set())
    try:
        await _take(connection, name)
        beat = asyncio.create_task(_watch(connection, lost))
        try:
            yield lost
        finally:
            beat.cancel()
    finally:
        connection.terminate()


async def _take(connection: asyncpg.Connection, name: str) -> None:
    try:
        await connection.execute("SELECT pg_advisory_lock(hashtextextended($1, 0))", name)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Unavailable("The database does not answer. Try again in a moment.") from error


async def _watch(connection: asyncpg.Connection, lost: asyncio.Event) -> None:
    """Asks now and then; the first question that fails or takes too long means the lock is lost."""
    try:
        while True:
            await asyncio.sleep(HEARTBEAT)
            await connection.execute("SELECT 1", timeout=HEARTBEAT)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        lost.set()
