"""What a PostgreSQL server says about itself, for `sise migrate` and `sise doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import asyncpg
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.db.engine import make_engine
from app.errors import ConfigError, Unavailable

OLDEST: Final = 15  # the major version that the migrations need


@dataclass(frozen=True)
class ServerFacts:
    """A server as one role sees it.

    `makes_tables`: the role may create tables. `at` is the server's clock.
    `broken_indexes` are those that a killed CREATE INDEX CONCURRENTLY left behind.
    """

    version: str
    major: int
    role: str
    makes_tables: bool
    timescaledb: bool
    at: datetime
    broken_indexes: list[str]


async def read_facts(url: str) -> ServerFacts:
    """Asks the server.

    Raises:
        Unavailable: it does not answer.
        ConfigError: it refuses the role, the password or the database of the URL.
    """
    engine = make_engine(url, pool_size=1, application="sise-facts")
    try:
        async with engine.connect() as connection:
            row = (await connection.execute(text(_FACTS))).mappings().one()
            return ServerFacts(**row)
    except (OSError, SQLAlchemyError, asyncpg.PostgresError) as error:
        raise _explained(error) from error
    finally:
        await engine.dispose()


async def require_server(url: str) -> ServerFacts:
    """The facts of a server that is new enough.

    Raises:
        ConfigError: it is older than `OLDEST`.
        Unavailable: it does not answer.
    """
    facts = await read_facts(url)
    if facts.major < OLDEST:
        raise ConfigError(
            "SISE_DATABASE_URL is PostgreSQL %(found)s; Sise needs %(oldest)d or newer.",
            found=facts.version,
            oldest=OLDEST,
        )
    return facts


def _explained(error: Exception) -> ConfigError | Unavailable:
    cause = getattr(error, "orig", None) or error
    why = str(cause) or type(cause).__name__
    state = str(getattr(cause, "sqlstate", None) or "")
    if state.startswith(_REFUSED):
        msg = (
            "PostgreSQL refuses the connection: %(why)s. Check SISE_DATABASE_URL and "
            "SISE_MIGRATION_URL."
        )
        return ConfigError(msg, why=why)
    return Unavailable("PostgreSQL does not answer: %(why)s", why=why)


_REFUSED: Final = ("28", "3D")  # SQLSTATE: wrong role or password, no such database
_FACTS: Final = """
SELECT current_setting('server_version') AS version,
       current_setting('server_version_num')::int / 10000 AS major,
       current_user::text AS role,
       has_schema_privilege('public', 'CREATE') AS makes_tables,
       EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') AS timescaledb,
       clock_timestamp() AS at,
       ARRAY(SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid ORDER BY 1)
           AS broken_indexes
"""
