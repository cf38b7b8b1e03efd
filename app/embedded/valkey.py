"""The embedded Valkey: queue and bus. What it holds may be lost; PostgreSQL knows what is due.

valkey/       its append-only file, written to disk every second
valkey.log    what the server says since its last start
"""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.embedded.directory import DataDirectory, disk_full, explained, is_full
from app.embedded.process import POLL, Server, command_line, connects, log_complaint, open_log
from app.embedded.programs import Programs
from app.errors import AppError, Unavailable

VALKEY_SOCKET: Final = "valkey.sock"
STARTUP: Final = 60.0  # seconds
STOP: Final = ((signal.SIGTERM, 10.0),)
COMPLAINTS: Final = ("# ", "FATAL", "Bad file", "No space left")


@dataclass
class Valkey:
    """One Valkey on a unix socket in `sockets`."""

    directory: DataDirectory
    programs: Programs
    sockets: Path
    fsync: bool = True
    server: Server | None = None
    name: str = "Valkey"

    @property
    def data(self) -> Path:
        """Where the append-only file lies."""
        return self.directory.path / "valkey"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.directory.path / "valkey.log"

    @property
    def socket(self) -> Path:
        """The socket it listens on."""
        return self.sockets / VALKEY_SOCKET

    def alive(self) -> bool:
        """Whether the server that we started or adopted still runs."""
        return self.server is not None and self.server.alive()

    def start(self) -> None:
        """Adopts a server whose owner was killed, or starts one.

        Raises:
            Unavailable: it does not start; nothing is deleted.
        """
        if self._adopt():
            return
        with explained(self.directory.path):
            self.data.mkdir(mode=0o700, exist_ok=True)
            self.directory.account.give(self.data)
            log = open_log(self.log)
        with log:
            child = self.directory.account.start(self._command(), log)
        self.server = Server(child.pid, "valkey-server", child)
        self._wait()

    def stop(self) -> None:
        """Shuts the server down and waits for its end."""
        if self.server is not None:
            self.server.stop(*STOP)
            self.server = None

    def _command(self) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.data),
            "pidfile": str(self.data / "valkey.pid"),
            "appendonly": "yes",
            "appendfsync": "everysec" if self.fsync else "no",
            "save": "",
            "maxmemory": "128mb",
            "maxmemory-policy": "noeviction",
        }
        pairs = [part for name, value in options.items() for part in (f"--{name}", value)]
        return [str(self.programs.valkey), *pairs]

    def _adopt(self) -> bool:
        try:
            pid = int((self.data / "valkey.pid").read_text())
        except (OSError, ValueError):
            return False
        if "valkey-server" not in command_line(pid):
            return False
        orphan = Server(pid, "valkey-server")
        if self._answers():
            self.server = orphan
            return True
        orphan.stop(*STOP)
        return False

    def _answers(self) -> bool:
        return connects(self.socket, b"PING\r\n", b"+PONG")

    def _wait(self) -> None:
        end = time.monotonic() + STARTUP
        while not self._answers():
            if not self.alive() or time.monotonic() > end:
                self.stop()
                raise self._failure(log_complaint(self.log, COMPLAINTS))
            time.sleep(POLL)

    def _failure(self, why: str) -> AppError:
        if is_full(self.directory.path, why):
            return disk_full(self.directory.path)
        return Unavailable(
            "Valkey does not start on %(path)s: %(why)s. Nothing was deleted. Look at %(log)s; "
            "all in it comes back from PostgreSQL, so moving %(path)s away is safe.",
            path=self.data,
            why=why or "no reason given",
            log=self.log,
        )
