"""Which servers a command talks to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.commands.reach import owner_url, reached, with_urls
from app.config import load_settings
from app.embedded import EmbeddedServers, Urls, find_running
from app.errors import ConfigError
from tests.clusters import copy_to
from tests.processes import open_place

OWN = {
    "SISE_DATABASE_URL": "postgresql://a@db.example/x",
    "SISE_REDIS_URL": "redis://broker.example",
}
EMBEDDED = Urls("postgresql://app", "postgresql://owner", "postgresql://super", "unix:///s")


@pytest.fixture
def data() -> Iterator[Path]:
    """A place for a data directory, which does not exist yet."""
    with open_place() as place:
        yield place / "data"


def test_servers_of_one_s_own_are_used_as_they_are() -> None:
    settings = load_settings(OWN)
    with reached(settings, start=False) as ready:
        assert ready is settings


def test_servers_that_run_on_the_data_directory_are_found(data: Path) -> None:
    copy_to(data)
    with EmbeddedServers(data, fsync=False) as urls:
        settings = load_settings({"SISE_DATA_DIR": str(data)})
        with reached(settings, start=False) as ready:
            assert (ready.database_url, ready.redis_url) == (urls.database_url, urls.redis_url)
        assert find_running(data) == urls


def test_servers_are_started_for_the_command_and_stopped_after_it(data: Path) -> None:
    copy_to(data)
    with reached(load_settings({"SISE_DATA_DIR": str(data)})) as ready:
        running = find_running(data)
        assert running is not None
        assert ready.migration_url == running.migration_url
    assert find_running(data) is None


def test_a_lasting_process_asks_for_sise_up(data: Path) -> None:
    settings = load_settings({"SISE_DATA_DIR": str(data)})
    with pytest.raises(ConfigError, match="`sise up` starts"), reached(settings, start=False):
        pass
    assert not data.exists()


def test_one_server_may_be_one_s_own_and_the_other_embedded() -> None:
    own_database = load_settings({"SISE_DATABASE_URL": OWN["SISE_DATABASE_URL"]})
    ready = with_urls(own_database, EMBEDDED)
    assert (ready.database_url, ready.migration_url) == (OWN["SISE_DATABASE_URL"], None)
    assert ready.redis_url == "unix:///s"
    own_broker = load_settings({"SISE_REDIS_URL": OWN["SISE_REDIS_URL"]})
    ready = with_urls(own_broker, EMBEDDED)
    assert (ready.database_url, ready.redis_url) == ("postgresql://app", OWN["SISE_REDIS_URL"])


def test_migrations_use_the_owner_s_url_where_there_is_one() -> None:
    assert owner_url(load_settings(OWN)) == OWN["SISE_DATABASE_URL"]
    both = load_settings(OWN | {"SISE_MIGRATION_URL": "postgresql://o@db.example/x"})
    assert owner_url(both) == "postgresql://o@db.example/x"
    with pytest.raises(ConfigError, match="SISE_DATABASE_URL is not set"):
        owner_url(load_settings({}))
