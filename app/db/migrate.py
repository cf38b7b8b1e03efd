"""Migrations: Alembic, forward only, run as the owner role."""

from __future__ import annotations

import asyncio

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, make_url, text

from app.config import resource_dir
from app.db.engine import make_engine

APP_ROLE = "sise_app"


def head_revision() -> str:
    """The newest revision that this code knows."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


async def current_revision(url: str) -> str | None:
    """The revision that the database has, None when it is empty."""
    engine = make_engine(url, pool_size=1, application="sise-migrate")
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(
                lambda c: MigrationContext.configure(c).get_current_revision()
            )
    finally:
        await engine.dispose()


async def migrate(owner_url: str, app_url: str) -> None:
    """Brings the database to `head_revision` and lets the app's role use the tables.

    Two processes that start together wait for one another (advisory lock).
    """
    engine = make_engine(owner_url, pool_size=1, application="sise-migrate")
    app_role = make_url(app_url).username or APP_ROLE
    try:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT pg_advisory_lock(hashtext('sise-migrate'))"))
            await connection.commit()
            await connection.run_sync(_upgrade, app_role)
    finally:
        await engine.dispose()


def migrate_blocking(owner_url: str, app_url: str) -> None:
    """`migrate` for a caller without an event loop."""
    asyncio.run(migrate(owner_url, app_url))


def _upgrade(connection: Connection, app_role: str) -> None:
    config = _config()
    config.attributes["connection"] = connection
    config.attributes["app_role"] = app_role
    command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    location = str(resource_dir("migrations")).replace("%", "%%")  # not an interpolation
    config.set_main_option("script_location", location)
    config.set_main_option("path_separator", "os")
    return config
