"""The embedded servers together, on real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest
from redis import Redis
from sqlalchemy import make_url

from app.adapters.queue import redis_settings
from app.embedded import EmbeddedServers, Urls, find_running
from app.embedded.process import command_line
from app.errors import Conflict
from tests.processes import until

Serve = Callable[..., EmbeddedServers]


async def ask(url: str, sql: str) -> object:
    """The one value that a statement answers with, as the role of the URL."""
    parsed = make_url(url)
    connection = await asyncpg.connect(
        user=parsed.username,
        database=parsed.database,
        host=str(parsed.query["host"]),
        port=int(str(parsed.query["port"])),
    )
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


def pids(servers: EmbeddedServers) -> list[int]:
    """The process ids of both servers."""
    found = [s.server.pid for s in (servers.postgres, servers.valkey) if s and s.server]
    assert len(found) == 2
    return found


def ended(pid: int, seconds: float = 60) -> bool:
    """Whether a process ends within so many seconds."""
    end = time.monotonic() + seconds
    while command_line(pid) and time.monotonic() < end:
        time.sleep(0.02)
    return not command_line(pid)


@pytest.mark.parametrize("name", ["data", "데이터 폴더 1", "with'quote and %41 #?&=:,", "d" * 120])
async def test_both_servers_answer_whatever_the_path_is_called(serve: Serve, name: str) -> None:
    servers = serve(name, fresh=True)
    urls = servers.start()

    assert await ask(urls.database_url, "SELECT current_user::text") == "sise_app"
    with Redis.from_url(urls.redis_url) as redis:
        assert redis.ping()
    assert redis_settings(urls.redis_url).unix_socket_path == urls.redis_url.removeprefix("unix://")
    assert Path(redis_settings(urls.redis_url).unix_socket_path or "").is_socket()

    running = pids(servers)
    servers.stop()
    assert all(ended(pid) for pid in running)
    assert not Path(urls.redis_url.removeprefix("unix://")).exists()


async def test_what_was_stored_is_there_at_the_second_start(serve: Serve) -> None:
    with serve() as urls:
        await ask(urls.migration_url, "CREATE TABLE kept AS SELECT 7 AS n")
        await ask(urls.migration_url, "GRANT SELECT ON kept TO sise_app")
        Redis.from_url(urls.redis_url).set("kept", "7")
    with serve() as urls:
        assert await ask(urls.database_url, "SELECT n FROM kept") == 7
        assert Redis.from_url(urls.redis_url).get("kept") == b"7"


async def test_the_product_s_role_may_not_make_tables_and_the_owner_is_no_superuser(
    serve: Serve,
) -> None:
    urls = serve(valkey=False).start()
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await ask(urls.database_url, "CREATE TABLE mine (n int)")
    assert await ask(urls.database_url, "CREATE TEMPORARY TABLE staging (n int)") is None
    assert await ask(urls.migration_url, "CREATE TABLE ours (n int)") is None
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await ask(urls.database_url, "SELECT * FROM ours")
    assert await ask(urls.migration_url, "SELECT current_setting('is_superuser')") == "off"
    assert await ask(urls.superuser_url, "SELECT current_setting('is_superuser')") == "on"


async def test_text_sorts_and_folds_by_the_builtin_utf_8_locale(serve: Serve) -> None:
    urls = serve(valkey=False).start()
    assert await ask(urls.database_url, "SELECT upper('시세 é')") == "시세 É"
    provider = "SELECT datlocprovider::text || datlocale FROM pg_database WHERE datname = 'sise'"
    assert await ask(urls.superuser_url, provider) == "bC.UTF-8"


async def test_no_server_listens_on_the_network(serve: Serve) -> None:
    urls = serve().start()
    assert await ask(urls.superuser_url, "SHOW listen_addresses") == ""
    assert Redis.from_url(urls.redis_url).config_get("port") == {"port": "0"}


async def test_fsync_is_on_unless_a_test_turns_it_off(place: Path) -> None:
    with EmbeddedServers(place / "data") as urls:
        assert await ask(urls.database_url, "SHOW fsync") == "on"
        assert Redis.from_url(urls.redis_url).config_get("append*") == {
            "appendonly": "yes", "appendfsync": "everysec", "appendfilename": "appendonly.aof",
            "appenddirname": "appendonlydir",
        }  # fmt: skip


def test_a_second_owner_is_refused_and_names_the_first(serve: Serve) -> None:
    serve(postgres=False).start()
    with pytest.raises(Conflict, match=rf"already runs .*data \(process {os.getpid()}\)"):
        serve(postgres=False).start()


def test_only_what_is_wanted_is_started(serve: Serve) -> None:
    servers = serve(postgres=False, valkey=False)
    assert servers.start() == Urls("", "", "", "")
    assert find_running(servers.directory.path) is None


ORPHANS = """
import os, signal, sys
from pathlib import Path
from app.embedded import EmbeddedServers
servers = EmbeddedServers(Path(sys.argv[1]), fsync=False)
servers.start()
os.kill(os.getpid(), signal.SIGKILL)
"""


def orphan(data: Path) -> Urls:
    """Servers whose owner was killed."""
    done = subprocess.run([sys.executable, "-c", ORPHANS, str(data)], check=False)
    assert done.returncode == -signal.SIGKILL
    urls = find_running(data)
    assert urls is not None
    return urls


@pytest.mark.parametrize("name", ["data", "데이터"])
async def test_servers_of_a_killed_owner_are_adopted_and_stopped(serve: Serve, name: str) -> None:
    servers = serve(name)
    urls = orphan(servers.directory.path)
    before = await ask(urls.superuser_url, "SELECT pg_postmaster_start_time()")

    assert servers.start() == urls
    assert await ask(urls.superuser_url, "SELECT pg_postmaster_start_time()") == before
    adopted = pids(servers)
    servers.stop()
    assert all(ended(pid) for pid in adopted)
    assert find_running(servers.directory.path) is None


async def test_an_orphan_that_cannot_be_reached_is_stopped_and_started_anew(serve: Serve) -> None:
    servers = serve("데이터")
    urls = orphan(servers.directory.path)
    lost = Path(urls.redis_url.removeprefix("unix://")).parent
    pid = int((servers.directory.path / "postgres/postmaster.pid").read_text().split()[0])
    for socket in lost.iterdir():
        socket.unlink()
    lost.rmdir()

    fresh = servers.start()
    assert fresh != urls
    assert ended(pid)
    assert await ask(fresh.database_url, "SELECT 1") == 1


async def test_a_server_that_was_killed_can_be_started_again(serve: Serve) -> None:
    servers = serve()
    urls = servers.start()
    await ask(urls.migration_url, "CREATE TABLE kept AS SELECT 7 AS n")
    assert servers.fallen() == []
    for pid in pids(servers):
        os.kill(pid, signal.SIGKILL)
        assert ended(pid)
    assert until(lambda: len(servers.fallen()) == 2)
    for server in servers.fallen():
        server.start()
    assert await ask(urls.migration_url, "SELECT n FROM kept") == 7
    assert Redis.from_url(urls.redis_url).ping()


def test_a_second_process_finds_the_servers_that_run(serve: Serve) -> None:
    servers = serve()
    urls = servers.start()
    assert find_running(servers.directory.path) == urls
    servers.stop()
    assert find_running(servers.directory.path) is None
    assert find_running(Path("/nowhere/at/all")) is None


def test_a_user_who_is_not_root_runs_them_too(
    place: Path, as_nobody: Callable[[Callable[[], None]], int]
) -> None:
    home = place / "nobody"
    home.mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(home, 65_534, 65_534)

    def work() -> None:
        with EmbeddedServers(home / "sise 시세", fsync=False) as urls:
            assert Redis.from_url(urls.redis_url).ping()

    assert as_nobody(work) == 0
    assert (home / "sise 시세").stat().st_mode & 0o777 == 0o700
