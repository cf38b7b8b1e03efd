"""Alembic's entry: connects as the owner role and runs each migration in a transaction."""

from __future__ import annotations

import asyncio
import os

from alembic import context
from sqlalchemy import Connection, text

from app.db.engine import make_engine
from app.db.models import Base


def run(connection: Connection) -> None:
    """Runs what is missing on one connection; waits at most 10 s for any lock."""
    connection.execute(text("SET lock_timeout = '10s'"))
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        compare_server_default=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def run_from_command_line() -> None:
    """`alembic …` in a shell: the owner's URL comes from the environment."""
    url = os.environ.get("SISE_MIGRATION_URL") or os.environ["SISE_DATABASE_URL"]
    engine = make_engine(url, pool_size=1, application="sise-migrate")
    async with engine.connect() as connection:
        await connection.run_sync(run)
    await engine.dispose()


if (shared := context.config.attributes.get("connection")) is not None:
    run(shared)
else:
    asyncio.run(run_from_command_line())
