"""The embedded Valkey when its file or its pid is not as it should be."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable

import pytest
from redis import Redis

from app.embedded import EmbeddedServers
from app.errors import Unavailable

Serve = Callable[..., EmbeddedServers]


def test_a_damaged_append_only_file_is_said_and_nothing_is_deleted(serve: Serve) -> None:
    servers = serve(postgres=False)
    urls = servers.start()
    Redis.from_url(urls.redis_url).set("a", "1")
    servers.stop()
    folder = servers.directory.path / "valkey/appendonlydir"
    (folder / "appendonly.aof.manifest").write_text("garbage\n")
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    with pytest.raises(Unavailable, match=r"Valkey does not start on .*Nothing was deleted"):
        servers.start()
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before
    shutil.move(servers.directory.path / "valkey", servers.directory.path / "aside")
    servers.start()


def test_a_file_cut_by_a_crash_is_read_as_far_as_it_goes(serve: Serve) -> None:
    servers = serve(postgres=False)
    urls = servers.start()
    redis = Redis.from_url(urls.redis_url)
    redis.set("a", "1")
    redis.set("b", "2")
    servers.stop()
    folder = servers.directory.path / "valkey/appendonlydir"
    file = next(folder.glob("*.incr.aof"))
    os.truncate(file, file.stat().st_size - 3)
    servers.start()
    assert redis.get("a") == b"1"
    assert redis.get("b") is None


def test_a_stale_pid_file_is_passed_over(serve: Serve) -> None:
    servers = serve(postgres=False)
    servers.start()
    servers.stop()
    (servers.directory.path / "valkey/valkey.pid").write_text(f"{os.getpid()}\n")
    servers.start()
    servers.stop()
    (servers.directory.path / "valkey/valkey.pid").write_text("garbage\n")
    servers.start()


def test_what_it_holds_is_bounded_and_never_thrown_away_silently(serve: Serve) -> None:
    redis = Redis.from_url(serve(postgres=False).start().redis_url)
    assert redis.config_get("maxmemory*")["maxmemory"] == str(128 << 20)
    assert redis.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
