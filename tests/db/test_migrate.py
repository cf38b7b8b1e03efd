"""The real migrations: they give what the models say, to the role that needs it, once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from app.db.engine import Database, make_engine
from app.db.migrate import current_revision, head_revision, migrate
from app.db.models import Base
from app.embedded import Urls

TIMESCALE = {
    "timescaledb.control": "default_version = '1'\ntrusted = true\n",
    "timescaledb--1.sql": """
CREATE TYPE dimension AS (name text, width interval);
CREATE FUNCTION by_range(name text, width interval) RETURNS dimension
  LANGUAGE sql AS 'SELECT ROW(name, width)::dimension';
CREATE TABLE asked (relation text, name text, width text, indexes boolean);
GRANT INSERT ON asked TO PUBLIC;
CREATE FUNCTION create_hypertable(
  relation regclass, range dimension, create_default_indexes boolean DEFAULT true
) RETURNS void LANGUAGE sql AS $$
  INSERT INTO asked
  VALUES (relation::text, (range).name, (range).width::text, create_default_indexes)
$$;
""",
}


def in_database(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)


@pytest.fixture
async def empty(servers: Urls) -> AsyncIterator[tuple[str, str]]:
    """An empty database of the owner: the owner's URL and the app's."""
    engine = make_engine(servers.superuser_url, pool_size=1)
    autocommit = engine.execution_options(isolation_level="AUTOCOMMIT")
    async with autocommit.connect() as connection:
        await connection.execute(text("CREATE DATABASE fresh OWNER sise_owner"))
    try:
        yield (
            in_database(servers.migration_url, "fresh"),
            in_database(servers.database_url, "fresh"),
        )
    finally:
        async with autocommit.connect() as connection:
            await connection.execute(text("DROP DATABASE fresh WITH (FORCE)"))
        await engine.dispose()


async def test_an_empty_database_is_brought_to_the_newest_revision(empty: tuple[str, str]) -> None:
    owner, app = empty
    assert await current_revision(owner) is None
    await migrate(owner, app)
    assert await current_revision(owner) == head_revision()
    await migrate(owner, app)
    assert await current_revision(app) == head_revision()


async def test_daily_rows_are_hypertables_where_the_extension_is(
    empty: tuple[str, str], servers: Urls
) -> None:
    """A stand-in of SQL alone: it shows that and how TimescaleDB is asked, not what it does then."""
    owner, app = empty
    server = Database(in_database(servers.superuser_url, "fresh"), pool_size=1)
    try:
        async with server.read() as db:
            if int(await db.scalar(text("SHOW server_version_num"))) < 180_000:
                pytest.skip("an extension outside the server's own folder needs PostgreSQL 18")
        with TemporaryDirectory(prefix="sise-", dir="/tmp") as place:
            folder = Path(place) / "extension"
            folder.mkdir()
            for name, content in TIMESCALE.items():
                (folder / name).write_text(content)
            for path in (place, folder):
                Path(path).chmod(0o755)
            async with server.write() as db:
                path = f"ALTER DATABASE fresh SET extension_control_path = '{place}:$system'"
                await db.execute(text(path))
            await migrate(owner, app)
        async with server.read() as db:
            rows = (await db.execute(text("SELECT * FROM asked ORDER BY 1"))).all()
    finally:
        await server.close()
    tables = ["bar", "indicator_daily", "signal"]
    assert [tuple(row) for row in rows] == [(name, "day", "5 years", False) for name in tables]


async def test_the_tables_are_what_the_models_say(servers: Urls) -> None:
    def differences(connection: Connection) -> list[object]:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, Base.metadata))

    engine = make_engine(servers.migration_url, pool_size=1)
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


async def test_every_row_may_be_written_and_no_table_changed_by_the_app(servers: Urls) -> None:
    database = Database(servers.database_url, pool_size=1)
    try:
        for table in Base.metadata.tables:
            async with database.read() as db:
                rights = await db.scalar(
                    text(f"SELECT has_table_privilege('{table}', 'SELECT, INSERT, UPDATE, DELETE')")
                )
                assert rights, table
        for statement in (
            "CREATE TABLE mine (a int)",
            "DROP TABLE bar",
            "ALTER TABLE bar DROP CONSTRAINT ck_bar_positive",
            "TRUNCATE bar",
            "UPDATE alembic_version SET version_num = 'x'",
        ):
            with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
                async with database.write() as db:
                    await db.execute(text(statement))
    finally:
        await database.close()


async def test_exchanges_are_seeded(servers: Urls) -> None:
    database = Database(servers.database_url, pool_size=1)
    async with database.read() as db:
        rows = await db.execute(text("SELECT mic, time_zone FROM exchange ORDER BY mic"))
        assert dict(rows.all()) == {
            "ARCX": "America/New_York",
            "CCY": "Europe/London",
            "XKRX": "Asia/Seoul",
            "XNAS": "America/New_York",
            "XNYS": "America/New_York",
        }
    await database.close()


@pytest.mark.parametrize(
    "row",
    [
        "('AAPL', '2026-01-05', 10, 9, 11, 10, 10, 1, 'yahoo', now())",
        "('AAPL', '2026-01-05', 10, 11, 0, 10, 10, 1, 'yahoo', now())",
        "('AAPL', '2026-01-05', 10, 11, 9, -1, 10, 1, 'yahoo', now())",
        "('AAPL', '2026-01-05', 10, 11, 9, 10, 10, -1, 'yahoo', now())",
        "('NONE', '2026-01-05', 10, 11, 9, 10, 10, 1, 'yahoo', now())",
    ],
)
async def test_an_impossible_bar_is_refused_by_the_database(servers: Urls, row: str) -> None:
    database = Database(servers.database_url, pool_size=1)
    instrument = (
        "INSERT INTO instrument (symbol, name, mic, currency, kind, added_at)"
        " VALUES ('AAPL', 'Apple', 'XNAS', 'USD', 'EQUITY', now())"
    )

    async def insert() -> None:
        async with database.write() as db:
            await db.execute(text(instrument))
            await db.execute(text(f"INSERT INTO bar VALUES {row}"))

    with pytest.raises(IntegrityError, match="violates"):
        await insert()
    await database.close()
