"""The embedded servers together: start, look after, stop."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol

from app.embedded.directory import DataDirectory, explained
from app.embedded.postgres import POSTGRES_SOCKET, Postgres, postgres_url
from app.embedded.process import connects
from app.embedded.programs import find_programs
from app.embedded.valkey import VALKEY_SOCKET, Valkey


@dataclass(frozen=True)
class Urls:
    """Where the servers listen, by role: the product, the owner of the tables, the superuser.

    The database URLs are "" without an embedded PostgreSQL, `redis_url` without a Valkey.
    """

    database_url: str
    migration_url: str
    superuser_url: str
    redis_url: str


class Server(Protocol):
    """One server that can be started again."""

    name: str

    def start(self) -> None:
        """Starts it, or adopts the one that runs."""


class EmbeddedServers:
    """PostgreSQL and Valkey on unix sockets, with their data below `data_dir` (0700, locked).

    A context manager; `start()` and `stop()` do the same by hand. Throwaway servers take
    `fsync=False`: faster, and a power cut loses everything.
    """

    def __init__(
        self, data_dir: Path, *, postgres: bool = True, valkey: bool = True, fsync: bool = True
    ) -> None:
        self.directory = DataDirectory(data_dir, serves=postgres or valkey)
        self._wanted = (postgres, valkey)
        self._fsync = fsync
        self.postgres: Postgres | None = None
        self.valkey: Valkey | None = None

    def __enter__(self) -> Urls:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> Urls:
        """Locks the data directory and starts, or adopts, what is wanted.

        Raises:
            Conflict: another process has the data directory.
            ConfigError: the directory cannot be used.
            Unavailable: the disk is full, or a server does not start on its data.
        """
        self.directory.open()
        try:
            if any(self._wanted):
                self._prepare()
            if self.postgres is not None:
                self.postgres.start()
            if self.valkey is not None:
                self.valkey.start()
        except BaseException:
            self.stop()
            raise
        return self.urls

    @property
    def urls(self) -> Urls:
        """Where the servers listen."""
        sockets = self.directory.find_sockets() or Path()
        return _urls(sockets, postgres=self.postgres is not None, valkey=self.valkey is not None)

    def fallen(self) -> list[Server]:
        """The servers that should run and do not: call `start()` on them."""
        return [s for s in (self.postgres, self.valkey) if s is not None and not s.alive()]

    def stop(self) -> None:
        """Stops the servers, newest first, and lets the data directory go."""
        for server in (self.valkey, self.postgres):
            if server is not None:
                server.stop()
        if self.postgres is not None or self.valkey is not None:
            self.directory.drop_sockets()
        self.postgres = self.valkey = None
        self.directory.close()

    def _prepare(self) -> None:
        programs = find_programs(self.directory)
        sockets = self.directory.sockets()
        postgres, valkey = self._wanted
        if postgres:
            self.postgres = Postgres(self.directory, programs, sockets, self._fsync)
        if valkey:
            self.valkey = Valkey(self.directory, programs, sockets, self._fsync)


def find_running(data_dir: Path) -> Urls | None:
    """The servers that run on a data directory now, None when they do not: for a second process.

    Raises:
        ConfigError: the data directory is not ours to read.
    """
    directory = DataDirectory(data_dir)
    with explained(directory.path):
        sockets = directory.find_sockets() if directory.path.is_dir() else None
    if sockets is None:
        return None
    postgres = connects(sockets / POSTGRES_SOCKET)
    valkey = connects(sockets / VALKEY_SOCKET)
    return _urls(sockets, postgres=postgres, valkey=valkey) if postgres or valkey else None


def _urls(sockets: Path, *, postgres: bool, valkey: bool) -> Urls:
    return Urls(
        database_url=postgres_url(sockets, "sise_app") if postgres else "",
        migration_url=postgres_url(sockets, "sise_owner") if postgres else "",
        superuser_url=postgres_url(sockets, "postgres") if postgres else "",
        redis_url=f"unix://{sockets / VALKEY_SOCKET}" if valkey else "",
    )
