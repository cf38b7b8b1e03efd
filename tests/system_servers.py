"""Throwaway servers of the system: PostgreSQL and Redis or Valkey as a distribution brings them.

`SISE_TEST_SERVERS=system make test` runs the suite on them: on unix sockets, without a password,
as another user where root asks. `SISE_TEST_POSTGRES` names the directory of initdb and postgres,
`SISE_TEST_REDIS` the server, where they are not found by themselves.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from app.embedded import Urls
from app.embedded.postgres import POSTGRES_SOCKET, ROLES, postgres_url
from app.embedded.process import connects
from app.embedded.valkey import VALKEY_SOCKET

SECONDS = 60.0


@contextmanager
def system_servers() -> Iterator[Urls]:
    """Both servers, until the block ends."""
    postgres, redis = find_postgres(), find_redis()
    with ExitStack() as stack:
        place = Path(
            stack.enter_context(
                tempfile.TemporaryDirectory(prefix="sise-", dir="/tmp", ignore_cleanup_errors=True)
            )
        )
        user = _user()
        if user is not None:
            shutil.chown(place, user)
        run = [postgres / "initdb", "-D", place / "pg", "-A", "trust", "-U", "postgres"]
        _run([*run, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"], user)
        options = {"listen_addresses": "", "unix_socket_directories": place, "fsync": "off"}
        options |= {"max_connections": "80", "timezone": "UTC", "full_page_writes": "off"}
        flags = [f"-c{name}={value}" for name, value in options.items()]
        command = [postgres / "postgres", "-D", place / "pg", *flags]
        stack.enter_context(_running(command, place / POSTGRES_SOCKET, user, signal.SIGINT))
        (place / "roles.sql").write_text(ROLES)
        query = [postgres / "psql", "-h", place, "-U", "postgres", "-qf", place / "roles.sql"]
        _run([*query, "-v", "ON_ERROR_STOP=1"], user)
        broker = [redis, "--port", "0", "--unixsocket", place / VALKEY_SOCKET, "--save", ""]
        broker += ["--appendonly", "no", "--dir", place]
        stack.enter_context(_running(broker, place / VALKEY_SOCKET, user, signal.SIGTERM))
        yield Urls(
            database_url=postgres_url(place, "sise_app"),
            migration_url=postgres_url(place, "sise_owner"),
            superuser_url=postgres_url(place, "postgres"),
            redis_url=f"unix://{place / VALKEY_SOCKET}",
        )


def find_postgres() -> Path:
    """The programs of PostgreSQL, the newest version of several."""
    given = os.environ.get("SISE_TEST_POSTGRES")
    known = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
    on_path = shutil.which("initdb")
    if given is not None:
        return Path(given)
    return known[-1] if known else Path(on_path or "/usr/bin/initdb").parent


def find_redis() -> Path:
    """The broker's program."""
    names = (os.environ.get("SISE_TEST_REDIS", "redis-server"), "valkey-server")
    return Path(next(found for found in map(shutil.which, names) if found))


def _user() -> str | None:
    """Who runs the servers: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _run(command: Sequence[object], user: str | None) -> None:
    ended = subprocess.run(
        [str(part) for part in command], user=user, cwd="/", capture_output=True, check=False
    )
    assert ended.returncode == 0, ended.stderr.decode()


@contextmanager
def _running(
    command: Sequence[object], socket: Path, user: str | None, end: signal.Signals
) -> Iterator[None]:
    words = [str(part) for part in command]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(words, user=user, cwd="/", **quiet)
    try:
        until = time.monotonic() + SECONDS
        while not connects(socket):
            assert process.poll() is None, f"{words[0]} ended with {process.returncode}"
            assert time.monotonic() < until, f"{words[0]} does not answer"
            time.sleep(0.05)
        yield
    finally:
        process.send_signal(end)
        process.wait(SECONDS)
