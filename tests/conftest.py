"""Fixtures: throwaway servers once a session, a clean database and broker for each test."""

from __future__ import annotations

import gc
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from sqlalchemy import text
from xdist.scheduler import LoadFileScheduling

from app.config import Settings, load_settings
from app.db.engine import Database, driver_connection
from app.db.migrate import migrate_blocking
from app.db.models import Base
from app.embedded import EmbeddedServers, Urls
from app.env import Env, open_env
from app.graphql import execution
from tests.fakes.naver import FakeNaver, start_fake_naver
from tests.fakes.smtp import FakeSmtp, run_smtp
from tests.fakes.yahoo import FakeYahoo, start_fake_yahoo
from tests.processes import SECRET
from tests.system_servers import system_servers

SEEDED = {"exchange", "order_transition"}
gc.disable()  # until all is imported and collected: looking for garbage takes two fifths of that


@pytest.fixture(scope="session", autouse=True)
def patience() -> Iterator[None]:
    """A minute for every operation: tests ask for answers, not how long a busy machine takes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(execution, "DEADLINE", 60.0)
        for name in execution.DEADLINES:
            patch.setitem(execution.DEADLINES, name, 60.0)
        yield


@pytest.fixture(scope="session")
def servers() -> Iterator[Urls]:
    """PostgreSQL and Valkey of this session, migrated by the real migrations.

    Those that the product brings along; with `SISE_TEST_SERVERS=system` those of the system.
    """
    if os.environ.get("SISE_TEST_SERVERS") == "system":
        with system_servers() as urls:
            migrate_blocking(urls.migration_url, urls.database_url)
            yield urls
        return
    with tempfile.TemporaryDirectory(
        prefix="sise-", dir="/tmp", ignore_cleanup_errors=True
    ) as short:
        servers = EmbeddedServers(Path(short), fsync=False)
        urls = servers.start()
        try:
            migrate_blocking(urls.migration_url, urls.database_url)
            yield urls
        finally:
            servers.stop()


@pytest.fixture(scope="session")
def yahoo_server() -> Iterator[FakeYahoo]:
    """A local Yahoo that serves the sample's prices, over HTTP and WebSocket."""
    with start_fake_yahoo() as server:
        yield server


@pytest.fixture
def yahoo(yahoo_server: FakeYahoo) -> Iterator[FakeYahoo]:
    """The local Yahoo without faults, with an empty log."""
    yahoo_server.reset()
    yield yahoo_server
    yahoo_server.reset()


@pytest.fixture(scope="session")
def naver_server() -> Iterator[FakeNaver]:
    """A local Naver: Korean prices and names."""
    with start_fake_naver() as server:
        yield server


@pytest.fixture
def naver(naver_server: FakeNaver) -> Iterator[FakeNaver]:
    """The local Naver without faults, with an empty log."""
    naver_server.reset()
    yield naver_server
    naver_server.reset()


@pytest.fixture(scope="session")
def smtp_server() -> Iterator[FakeSmtp]:
    """A local mail server."""
    with run_smtp() as server:
        yield server


@pytest.fixture
def smtp(smtp_server: FakeSmtp) -> Iterator[FakeSmtp]:
    """The local mail server without faults and without letters."""
    smtp_server.reset()
    yield smtp_server
    smtp_server.reset()


@pytest.fixture
async def emptied(servers: Urls, superuser: Database) -> AsyncIterator[None]:
    """Every table and the broker are emptied once all that knew the servers has ended."""
    yield
    await empty(superuser)
    redis = Redis.from_url(servers.redis_url)
    await redis.flushall()
    await redis.aclose()


@pytest.fixture
def settings(servers: Urls, yahoo: FakeYahoo, naver: FakeNaver, emptied: None) -> Settings:
    """Settings that point at the throwaway servers, which are left empty."""
    return load_settings(
        {
            "SISE_DATABASE_URL": servers.database_url,
            "SISE_MIGRATION_URL": servers.migration_url,
            "SISE_REDIS_URL": servers.redis_url,
            "SISE_SECRET": SECRET,
            "SISE_YAHOO_URL": yahoo.url,
            "SISE_YAHOO_STREAM_URL": yahoo.stream_url,
            "SISE_NAVER_URL": naver.url,
            "SISE_DATA_DIR": tempfile.gettempdir(),
        }
    )


@pytest.fixture(scope="session")
async def superuser(servers: Urls) -> AsyncIterator[Database]:
    """The superuser's connection: for cleaning up, never for the product's code."""
    database = Database(servers.superuser_url, pool_size=1)
    yield database
    await database.close()


@pytest.fixture(scope="session")
async def database(servers: Urls) -> AsyncIterator[Database]:
    """The pool of the role `sise_app`: it opens once, and compiles each statement once."""
    database = Database(servers.database_url, application="sise-test")
    yield database
    await database.close()


@pytest.fixture
async def env(settings: Settings, database: Database) -> AsyncIterator[Env]:
    """The product's `Env` as the role `sise_app`."""
    async with open_env(settings, application="sise-test") as env:
        yield replace(env, db=database)


@pytest.fixture
async def sample_env(env: Env) -> Env:
    """An installation that has chosen the sample."""
    async with env.db.write() as db:
        await db.execute(text("INSERT INTO setting VALUES ('source', '\"sample\"')"))
    return env


TABLES = [t.name for t in reversed(Base.metadata.sorted_tables) if t.name not in SEEDED]
EMPTY = "SET LOCAL session_replication_role = replica;" + "".join(
    f'DELETE FROM "{name}";' for name in TABLES
)


async def empty(superuser: Database) -> None:
    """Deletes all rows but the seeds, children first, in one message: 35 take four times as long."""
    async with superuser.write() as db:
        connection = await driver_connection(db)
        await connection.execute(EMPTY)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--full`: the figures that are promised, not only their short form."""
    parser.addoption("--full", action="store_true", help="run the promised figures in full")


@pytest.fixture
def full(request: pytest.FixtureRequest) -> bool:
    """Whether the promised figure is asked for."""
    return bool(request.config.getoption("--full"))


@pytest.fixture
def as_served() -> None:
    """The collector looks through new things alone, as in the product: not what tests have left."""
    gc.collect()
    gc.freeze()


SLOW = (
    *("tests/browser/", "tests/faults/", "tests/commands/", "tests/test_supervisor"),
    *("tests/services/collect/", "tests/workers/", "tests/adapters/"),
)
"""What takes long begins first, so that all processes end together."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts slow groups first."""

    def rank(item: pytest.Item) -> int:
        return next((n for n, start in enumerate(SLOW) if item.nodeid.startswith(start)), len(SLOW))

    items.sort(key=rank)


def pytest_collection_finish() -> None:
    """From here on there is garbage."""
    gc.freeze()
    gc.enable()


SHARED = {
    "members": ("accounts", "alerts", "backtests", "pushes", "screener", "trading", "watchlists"),
    "anybody": (
        *("charts", "clocks", "csp", "end_to_end", "every_page", "keys"),
        *("layout", "live", "weight", "without"),
    ),
}
"""Tests of the browser that run in one process, because they share installations."""


class Groups(LoadFileScheduling):
    """Tests of one file run in one process; those of the browser by the installations they share."""

    def _split_scope(self, nodeid: str) -> str:
        name = nodeid.removeprefix(f"{SLOW[0]}test_")
        shared = (group for group, files in SHARED.items() if name.startswith(files))
        return next(shared, super()._split_scope(nodeid))


@pytest.hookimpl(optionalhook=True)  # xdist may be switched off
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Groups:
    """How tests are spread over the processes of pytest-xdist."""
    return Groups(config, log)
