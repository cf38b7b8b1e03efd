"""The embedded PostgreSQL when its data, its disk or its pid file is not as it should be."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from app.embedded import EmbeddedServers
from app.embedded.process import command_line
from app.errors import Unavailable

Serve = Callable[..., EmbeddedServers]


def contents(folder: Path) -> dict[str, int]:
    """Every file below a folder with a checksum of what it holds, but what each start writes."""
    return {
        str(path.relative_to(folder)): zlib.crc32(path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file() and path.name not in {"postgresql.conf", "postmaster.opts"}
    }


def damage(data: Path, what: str) -> None:
    """Breaks a cluster in one way."""
    if what == "empty PG_VERSION":
        (data / "PG_VERSION").write_text("")
    elif what == "no PG_VERSION":
        (data / "PG_VERSION").unlink()
    elif what == "garbage in PG_VERSION":
        (data / "PG_VERSION").write_bytes(b"\xff\xfe")
    elif what == "empty pg_control":
        (data / "global/pg_control").write_bytes(b"")
    elif what == "short pg_control":
        control = (data / "global/pg_control").read_bytes()
        (data / "global/pg_control").write_bytes(control[:100])
    elif what == "flipped pg_control":
        control = bytearray((data / "global/pg_control").read_bytes())
        control[64] ^= 0xFF
        (data / "global/pg_control").write_bytes(control)
    else:
        shutil.rmtree(data / "pg_wal")


@pytest.mark.parametrize(
    "what",
    [
        "empty PG_VERSION", "no PG_VERSION", "garbage in PG_VERSION", "empty pg_control",
        "short pg_control", "flipped pg_control", "no pg_wal",
    ],
)  # fmt: skip
def test_a_damaged_cluster_is_said_and_nothing_is_deleted(serve: Serve, what: str) -> None:
    servers = serve(valkey=False)
    data = servers.directory.path / "postgres"
    damage(data, what)
    before = contents(data)
    with pytest.raises(Unavailable, match=r"PostgreSQL does not start on .*Nothing was deleted"):
        servers.start()
    assert contents(data).items() >= before.items()
    servers.directory.open()  # the lock was let go
    servers.directory.close()


def test_data_of_another_major_version_is_said(serve: Serve) -> None:
    servers = serve(valkey=False)
    (servers.directory.path / "postgres/PG_VERSION").write_text("15\n")
    with pytest.raises(Unavailable, match="written by PostgreSQL 15; this is 18"):
        servers.start()


def test_a_first_start_that_was_cut_short_is_done_again(serve: Serve) -> None:
    servers = serve(valkey=False, fresh=True)
    servers.directory.open()
    rest = servers.directory.path / "postgres.new"
    rest.mkdir()
    (rest / "PG_VERSION").write_text("18\n")
    servers.directory.close()
    servers.start()
    assert not rest.exists()


def test_roles_that_a_kill_prevented_are_made_at_the_next_start(serve: Serve) -> None:
    servers = serve(valkey=False)
    servers.start()
    assert servers.postgres is not None
    psql = [servers.postgres.programs.postgres / "psql", "-h", servers.postgres.sockets]
    script = "DROP DATABASE sise; DROP ROLE sise_owner"
    for statement in script.split("; "):
        done = servers.directory.account.run(
            [str(part) for part in psql] + ["-U", "postgres", "-c", statement, "postgres"]
        )
        assert done.returncode == 0, done.stderr
    servers.stop()
    servers.start()


def test_a_stale_pid_file_that_names_a_living_stranger_does_no_harm(serve: Serve) -> None:
    servers = serve(valkey=False)
    servers.start()
    assert servers.postgres is not None
    assert servers.postgres.server is not None
    pid_file = servers.directory.path / "postgres/postmaster.pid"
    lines = pid_file.read_text().splitlines()
    servers.stop()
    with subprocess.Popen(
        ["sleep", "60"], **({"user": servers.directory.account.uid} if os.geteuid() == 0 else {})
    ) as stranger:
        pid_file.write_text("\n".join([str(stranger.pid), *lines[1:], ""]))
        servers.directory.account.give(pid_file)
        servers.start()
        assert stranger.poll() is None
        stranger.kill()


def test_settings_of_the_caller_s_environment_do_not_reach_the_server(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"PGPORT": "1", "PGDATA": "/nowhere", "PGHOST": "x", "PGUSER": "y"}.items():
        monkeypatch.setenv(name, value)
    servers = serve(valkey=False)
    servers.start()
    assert (servers.directory.path / "run/.s.PGSQL.5432").is_socket()


def test_a_crash_while_running_is_recovered_from(serve: Serve) -> None:
    servers = serve(valkey=False)
    servers.start()
    assert servers.postgres is not None
    assert servers.postgres.server is not None
    os.kill(servers.postgres.server.pid, signal.SIGKILL)
    assert servers.postgres.server.wait(10)
    servers.postgres.start()
    assert command_line(servers.postgres.server.pid)


@pytest.fixture
def small_disk(place: Path) -> Path:
    """A disk of 48 MB: enough for Valkey and not for a cluster."""
    disk = place / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=48m,mode=0755", "tmpfs", str(disk)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(
            f"a full disk was NOT tried: this user cannot mount a small one ({done.stderr})"
        )
    return disk


def test_a_full_disk_is_said_and_with_space_it_goes_on(small_disk: Path) -> None:
    servers = EmbeddedServers(small_disk / "data", valkey=False, fsync=False)
    filler = small_disk / "filler"
    try:
        filler.write_bytes(b"\0" * (20 << 20))
        with pytest.raises(Unavailable, match=r"disk of the data directory .* is full"):
            servers.start()
        subprocess.run(["mount", "-o", "remount,size=160m", str(small_disk)], check=True)
        servers.start()
        servers.stop()

        before = contents(servers.directory.path / "postgres").keys()
        fill(filler)
        with pytest.raises(Unavailable, match=r"disk of the data directory .* is full"):
            servers.start()
        assert contents(servers.directory.path / "postgres").keys() >= before
        filler.unlink()
        servers.start()
    finally:
        servers.stop()
        subprocess.run(["umount", str(small_disk)], check=True)


def fill(path: Path) -> None:
    """Writes until the disk is full."""
    with pytest.raises(OSError, match="No space left"):
        path.write_bytes(b"\0" * (200 << 20))
