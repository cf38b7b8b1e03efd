"""What a server says about itself; also one of our own, PostgreSQL 15."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.clock import Clock
from app.commands.migrate import bring_up_to_date
from app.config import Settings, load_settings
from app.db import facts
from app.db.facts import read_facts, require_server
from app.db.revision import newest_revision
from app.embedded import Urls
from app.embedded.process import Account
from app.errors import ConfigError, Unavailable
from tests.processes import open_place, until
from tests.system_servers import find_postgres

DEBIAN = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture
def major() -> int:
    """The PostgreSQL of this session: 18 is the embedded one's."""
    if os.environ.get("SISE_TEST_SERVERS") != "system":
        return 18
    said = subprocess.check_output([find_postgres() / "postgres", "--version"], text=True)
    return int(said.split()[2].partition(".")[0])


async def test_a_server_tells_version_role_and_rights(servers: Urls, major: int) -> None:
    before = Clock().now()
    app = await read_facts(servers.database_url)
    assert before <= app.at <= Clock().now()
    assert (app.major, app.role, app.makes_tables) == (major, "sise_app", False)
    assert app.version.startswith(f"{major}.")
    assert app.broken_indexes == []
    owner = await require_server(servers.migration_url)
    assert (owner.role, owner.makes_tables) == ("sise_owner", True)


async def test_a_server_that_is_too_old_is_refused(
    servers: Urls, major: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facts, "OLDEST", 99)
    with pytest.raises(ConfigError, match=rf"is PostgreSQL {major}\..*needs 99 or newer"):
        await require_server(servers.database_url)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("sise_app@", "nobody_here@", 'role "nobody_here" does not exist'),
        ("/sise?", "/no_such_db?", "no_such_db"),
    ],
)
async def test_a_wrong_role_or_database_is_a_wrong_setting(
    servers: Urls, before: str, after: str, said: str
) -> None:
    url = servers.database_url.replace(before, after)
    with pytest.raises(ConfigError, match=f"refuses the connection: .*{said}"):
        await read_facts(url)


async def test_a_server_that_is_not_there_does_not_answer() -> None:
    with pytest.raises(Unavailable, match="PostgreSQL does not answer"):
        await read_facts("postgresql://sise@127.0.0.1:1/sise")


@pytest.fixture(scope="module")
def postgres_15() -> Iterator[Settings]:
    """Settings for a PostgreSQL 15 with a password, as somebody's own server has it."""
    if not (DEBIAN / "initdb").is_file():
        pytest.skip(f"PostgreSQL 15 was NOT tried: there is none at {DEBIAN}")
    with open_place() as place:
        data = place / "own"
        data.mkdir(mode=0o700)
        account = Account(60_900).named() if os.geteuid() == 0 else Account()
        account.give(data)
        made = account.run(
            [f"{DEBIAN}/initdb", "-D", f"{data}", "-U", "postgres", "-N", "-E", "UTF8"]
        )
        assert made.returncode == 0, made.stderr
        command = [f"{DEBIAN}/postgres", "-D", str(data), "-F", "-k", str(data), "-h", ""]
        with (place / "log").open("wb") as log:
            server = account.start(command, log)
        psql = [f"{DEBIAN}/psql", "-h", str(data), "-U", "postgres", "-v", "ON_ERROR_STOP=1"]
        assert until(
            lambda: (
                subprocess.run(
                    [*psql, "-c", "SELECT 1"], capture_output=True, check=False
                ).returncode
                == 0
            )
        )
        for statement in (
            "CREATE ROLE owner LOGIN",
            "CREATE ROLE app LOGIN",
            "CREATE DATABASE stocks OWNER owner",
        ):
            subprocess.run([*psql, "-c", statement], capture_output=True, check=True)
        yield load_settings(
            {
                "SISE_DATABASE_URL": f"postgresql://app@/stocks?host={data}",
                "SISE_MIGRATION_URL": f"postgresql://owner@/stocks?host={data}",
                "SISE_REDIS_URL": "redis://127.0.0.1:1",
            }
        )
        server.terminate()
        server.wait(300)


async def test_a_postgresql_15_of_one_s_own_is_migrated(postgres_15: Settings) -> None:
    assert (await require_server(str(postgres_15.migration_url))).major == 15
    assert await bring_up_to_date(postgres_15) == (None, newest_revision())
    assert await bring_up_to_date(postgres_15) == (newest_revision(), newest_revision())
    assert not (await read_facts(str(postgres_15.database_url))).makes_tables
