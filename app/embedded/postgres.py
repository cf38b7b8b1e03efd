"""The embedded PostgreSQL: made by initdb, started without a network, adopted when its owner died.

    postgres/       the cluster; `postgres.new` while it is being made
    postgres.log    what the server says since its last start; `.old` since the one before

Roles: `postgres` (superuser), `sise_owner` (owns the database, migrates), `sise_app` (the product).
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.embedded.directory import DataDirectory, disk_full, explained, is_full
from app.embedded.process import POLL, Server, command_line, connects, log_complaint, open_log
from app.embedded.programs import Programs
from app.errors import AppError, Unavailable

DATABASE: Final = "sise"
POSTGRES_SOCKET: Final = ".s.PGSQL.5432"
STARTUP: Final = 120.0  # seconds; a crash recovery may need most of them
STOP: Final = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 5.0))  # fast, then immediate shutdown
COMPLAINTS: Final = ("FATAL", "PANIC", "No space left", "error:")

ROLES: Final = f"""\
SELECT format('CREATE ROLE %I LOGIN', name)
FROM unnest(ARRAY['sise_owner', 'sise_app']) AS wanted (name)
WHERE name NOT IN (SELECT rolname FROM pg_roles) \\gexec
SELECT 'CREATE DATABASE {DATABASE} OWNER sise_owner'
WHERE '{DATABASE}' NOT IN (SELECT datname FROM pg_database) \\gexec
REVOKE CONNECT ON DATABASE {DATABASE} FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE {DATABASE} TO sise_app;
"""

CONFIGURATION: Final = """\
# Written by Sise at every start. Settings of your own: ALTER SYSTEM.
listen_addresses = ''
port = 5432
unix_socket_directories = '{sockets}'
unix_socket_permissions = 0700
max_connections = 80
shared_buffers = 48MB
work_mem = 8MB
maintenance_work_mem = 32MB
effective_cache_size = 256MB
autovacuum_max_workers = 2
io_method = sync
max_wal_size = 256MB
min_wal_size = 64MB
wal_level = minimal
max_wal_senders = 0
fsync = {fsync}
full_page_writes = {fsync}
log_min_messages = warning
log_checkpoints = off
log_timezone = 'UTC'
timezone = 'UTC'
datestyle = 'iso, ymd'
default_text_search_config = 'pg_catalog.simple'
"""


@dataclass
class Postgres:
    """One cluster in a data directory; `sockets` is where it listens."""

    directory: DataDirectory
    programs: Programs
    sockets: Path
    fsync: bool = True
    server: Server | None = None
    name: str = "PostgreSQL"

    @property
    def data(self) -> Path:
        """The cluster's own directory."""
        return self.directory.path / "postgres"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.directory.path / "postgres.log"

    def alive(self) -> bool:
        """Whether the server that we started or adopted still runs."""
        return self.server is not None and self.server.alive()

    def start(self) -> None:
        """Makes the cluster at the first start, then adopts a server that runs on it or starts one.

        Raises:
            Unavailable: the disk is full or the cluster is damaged; nothing is deleted.
        """
        if self.data.exists():
            self._check()
        else:
            self._make()
        if not self._adopt():
            self._launch()
        self._make_roles()

    def stop(self) -> None:
        """Shuts the server down and waits for its end."""
        if self.server is not None:
            self.server.stop(*STOP)
            self.server = None

    def _make(self) -> None:
        fresh = self.data.with_name("postgres.new")
        account = self.directory.account.named()
        command = [
            str(self.programs.postgres / "initdb"), "-D", str(fresh), "-U", "postgres",
            "--auth=trust", "-E", "UTF8", "--locale=C", "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8", "--no-instructions", "--no-sync",
        ]  # fmt: skip
        with explained(self.directory.path), self.directory.entered_by_group():
            # Only ever the rest of a first start that was cut short: no data was in it yet.
            if fresh.exists():
                shutil.rmtree(fresh)
            fresh.mkdir(mode=0o700)
            account.give(fresh)
            made = account.run(command)
            if made.returncode:
                raise self._failure(made.stderr.strip().replace("\n", " / "))
            for entry in (fresh, *fresh.rglob("*")):
                self.directory.account.give(entry)
            fresh.rename(self.data)
        if self.fsync:
            os.sync()

    def _make_roles(self) -> None:
        psql = [str(self.programs.postgres / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1"]
        done = self.directory.account.run(
            [*psql, "-h", str(self.sockets), "-p", "5432", "-U", "postgres", "-d", "postgres"],
            ROLES,
        )
        if done.returncode:
            raise self._failure(done.stderr.strip().replace("\n", " / "))

    def _check(self) -> None:
        try:
            found = (self.data / "PG_VERSION").read_text().strip()
            control = (self.data / "global/pg_control").stat().st_size
        except (OSError, UnicodeDecodeError) as error:
            raise self._failure(f"{error}") from error
        if not found or not control:
            raise self._failure("PG_VERSION or global/pg_control is empty")
        if found != self.programs.major:
            raise Unavailable(
                "The data in %(path)s was written by PostgreSQL %(found)s; this is %(ours)s. Dump "
                "it with the old version and restore it here, or set SISE_DATA_DIR to another one.",
                path=self.data,
                found=found,
                ours=self.programs.major,
            )

    def _adopt(self) -> bool:
        """Takes over a server whose owner was killed; stops one that listens elsewhere."""
        orphan = self._orphan()
        if orphan is None:
            return False
        end = time.monotonic() + STARTUP
        while orphan.alive() and time.monotonic() < end:
            lines = self._pid_file()
            if len(lines) > 7 and lines[7].strip() == "ready":
                break
            time.sleep(POLL)
        listening = self._pid_file()[4:5] == [str(self.sockets)]
        if orphan.alive() and listening and connects(self.sockets / POSTGRES_SOCKET):
            self.server = orphan
            return True
        orphan.stop(*STOP)
        return False

    def _orphan(self) -> Server | None:
        lines = self._pid_file()
        if not lines or not lines[0].strip().isdecimal():
            return None
        pid = int(lines[0])
        command = command_line(pid)
        if str(self.data) in command and "postgres" in command:
            return Server(pid, "postgres")
        if command:
            # Its number belongs to another process now, which would keep PostgreSQL from starting.
            # Ours is passed over, and its check for left-over shared memory still happens.
            with explained(self.directory.path):
                (self.data / "postmaster.pid").write_text(
                    "\n".join([str(os.getpid()), *lines[1:], ""])
                )
        return None

    def _pid_file(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except (OSError, UnicodeDecodeError):
            return []

    def _launch(self) -> None:
        wanted = CONFIGURATION.format(
            sockets=str(self.sockets).replace("'", "''"), fsync="on" if self.fsync else "off"
        )
        with explained(self.directory.path):
            target = self.data / "postgresql.conf"
            if not target.exists() or target.read_text(errors="replace") != wanted:
                fresh = target.with_name("postgresql.conf.new")
                fresh.write_text(wanted)
                self.directory.account.give(fresh)
                fresh.replace(target)
            log = open_log(self.log)
        with log:
            child = self.directory.account.start(
                [str(self.programs.postgres / "postgres"), "-D", str(self.data)], log
            )
        self.server = Server(child.pid, "postgres", child)
        end = time.monotonic() + STARTUP
        while True:
            lines = self._pid_file()
            if len(lines) > 7 and lines[0].strip() == str(child.pid) and "ready" in lines[7]:
                return
            if not self.alive() or time.monotonic() > end:
                self.stop()
                raise self._failure(log_complaint(self.log, COMPLAINTS))
            time.sleep(POLL)

    def _failure(self, why: str) -> AppError:
        if is_full(self.directory.path, why):
            return disk_full(self.directory.path)
        return Unavailable(
            "PostgreSQL does not start on %(path)s: %(why)s. Nothing was deleted. Look at %(log)s; "
            "restore a backup, or set SISE_DATA_DIR to another directory for a fresh start.",
            path=self.data,
            why=why or "no reason given",
            log=self.log,
        )


def postgres_url(sockets: Path, role: str) -> str:
    """The URL of the database for a role; the path needs no escape (`directory` sees to that)."""
    return f"postgresql://{role}@/{DATABASE}?host={sockets}&port=5432"
