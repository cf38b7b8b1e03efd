"""The connection pool: `read()` and `write()` open one unit of work each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, Literal

import asyncpg
from sqlalchemy import TextClause, make_url, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from app.db.calls import Calls
from app.errors import Unavailable

_GONE = (asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError, asyncpg.AdminShutdownError)
_UNKNOWN = (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError)
_REFUSED = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError)

OVERFLOW: Final = 8

EVERYONE: Final = "everyone"
"""Sees the rows of all users: for what looks up who somebody is, and for the operator."""

Uid = int | Literal["everyone"] | None


class Database:
    """PostgreSQL, seen through a pool. Open one per process, close it at the end.

    `idle`: seconds after which the server ends a connection that nobody uses; None keeps it.
    """

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 5,
        application: str = "sise",
        idle: float | None = None,
    ) -> None:
        self.engine = make_engine(url, pool_size=pool_size, application=application, idle=idle)
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False, autoflush=False)
        self._calls = Calls(url, size=pool_size, application=application)

    @asynccontextmanager
    async def read(self, *, uid: Uid = None) -> AsyncIterator[AsyncSession]:
        """A read-only transaction; `uid` is the user whose rows it sees, `EVERYONE` for all.

        Raises:
            Unavailable: the database does not answer.
        """
        async with self._open() as session:
            await session.connection(execution_options={"postgresql_readonly": True})
            await _set_uid(session, uid)
            yield session

    @asynccontextmanager
    async def write(self, *, uid: Uid = None) -> AsyncIterator[AsyncSession]:
        """A transaction that commits at the end of the block, and rolls back on any exception.

        `uid` as in `read`.

        Raises:
            Unavailable: the database does not answer.
        """
        async with self._open() as session:
            await _set_uid(session, uid)
            yield session
            await session.commit()

    async def call(self, statement: TextClause, values: Mapping[str, Any]) -> Any:
        """The scalar of one statement that is a transaction by itself: one round trip.

        For functions of the database that check for themselves whose rows they touch.

        Raises:
            Unavailable: the database does not answer.
        """
        async with _answering():
            return await self._calls.scalar(statement, values)

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[AsyncSession]:
        async with _answering(), self._sessions() as session:
            yield session

    async def close(self) -> None:
        """Closes every connection."""
        await self._calls.close()
        await self.engine.dispose()


@asynccontextmanager
async def _answering() -> AsyncIterator[None]:
    """Says in our words when the database is gone, refuses, or is not that of this release."""
    try:
        yield
    except (*_UNKNOWN, *_REFUSED) as error:
        raise _explained(error) from error
    except (OSError, PoolTimeout, *_GONE) as error:
        raise Unavailable("The database does not answer. Try again in a moment.") from error
    except (OperationalError, InterfaceError, DBAPIError) as error:
        causes = (error.orig, error.orig and error.orig.__cause__)  # the driver's stands behind it
        for cause in causes:
            if isinstance(cause, (*_UNKNOWN, *_REFUSED)):
                raise _explained(cause) from error
        gone = any(isinstance(cause, (OSError, *_GONE)) for cause in causes)
        lost = error.connection_invalidated or gone
        if not lost and not isinstance(error, (OperationalError, InterfaceError)):
            raise
        raise Unavailable("The database does not answer. Try again in a moment.") from error


def _explained(cause: BaseException) -> Unavailable:
    """What a setting or a command mends; whom the server refuses is not for every reader."""
    if isinstance(cause, _REFUSED):
        return Unavailable("The database refuses the connection: `sise doctor` says why.")
    msg = "The database is not that of this release: run `sise migrate`. (%(why)s)"
    return Unavailable(msg, why=cause)


async def _set_uid(session: AsyncSession, uid: Uid) -> None:
    """Says to row-level security whose rows the transaction may touch; it ends with it."""
    if uid is not None:
        await session.execute(text("SELECT set_config('app.uid', :uid, true)"), {"uid": str(uid)})


def make_engine(
    url: str, *, pool_size: int = 5, application: str = "sise", idle: float | None = None
) -> AsyncEngine:
    """An asyncpg engine for `url` (`postgresql://…`; `?host=/dir` for a unix socket).

    `pool_size` connections are kept, up to OVERFLOW more are opened and closed again: each idle one
    is a process of 15 MB at the server. After `idle` seconds the server ends one that nobody uses;
    the one used last is used next, so that the others come to that.
    """
    parsed = make_url(url).set(drivername="postgresql+asyncpg")
    session = {"application_name": application, "timezone": "UTC"}
    if idle is not None:
        session["idle_session_timeout"] = str(round(idle * 1000))
    arguments: dict[str, Any] = {"server_settings": session, "timeout": 10}
    return create_async_engine(
        parsed,
        pool_size=pool_size,
        max_overflow=OVERFLOW,
        pool_pre_ping=True,
        pool_use_lifo=True,
        hide_parameters=True,  # an error goes to the log: no address, hash or amount with it
        connect_args=arguments,
    )


async def driver_connection(session: AsyncSession) -> asyncpg.Connection:
    """The asyncpg connection under a session, inside its transaction: for COPY."""
    connection = await session.connection()
    raw = await connection.get_raw_connection()
    driver: Any = raw.driver_connection
    if not driver.is_in_transaction():  # SQLAlchemy begins at its own first statement
        await connection.execute(text("SELECT 1"))
    return driver
