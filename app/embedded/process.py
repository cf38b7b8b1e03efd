"""Server processes: as which user they run, whether one still lives, and how it is ended."""

from __future__ import annotations

import os
import pwd
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from app.errors import ConfigError

POLL: Final = 0.01  # seconds between two looks at a process


@dataclass(frozen=True)
class Account:
    """The user that servers run as: a numeric uid when we are root, None for ourselves.

    `gid` is the group when it is not the number of the user (`Account.named`).
    """

    uid: int | None = None
    gid: int | None = None

    def named(self) -> Account:
        """Another account with the same group: initdb, alone, insists on a user with a name."""
        if self.uid is None:
            return self
        names = {user.pw_name: user.pw_uid for user in pwd.getpwall() if user.pw_uid}
        uid = next((names[n] for n in ("nobody", "daemon", *names) if n in names), None)
        if uid is None:
            raise ConfigError(
                "This system has no account but root, and PostgreSQL refuses to run as root. Set "
                "SISE_DATABASE_URL and SISE_REDIS_URL to servers of your own."
            )
        return Account(uid, self.uid)

    def run(self, command: Sequence[str], text: str = "") -> subprocess.CompletedProcess[str]:
        """Runs a command to its end, `text` on its standard input; the exit code is not judged.

        Raises:
            ConfigError: we are root and this system does not let us become another user.
        """
        try:
            return subprocess.run(  # noqa: S603 - programs of our own wheels
                command, input=text, capture_output=True, text=True, check=False, **self._rights()
            )
        except (PermissionError, subprocess.SubprocessError) as error:
            raise self._refused(command, error) from error

    def start(self, command: Sequence[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        """Starts a server in a session of its own, so that Ctrl-C in a terminal does not reach it.

        Raises:
            ConfigError: as `run`.
        """
        try:
            return subprocess.Popen(  # noqa: S603 - programs of our own wheels
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **self._rights(),
            )
        except (PermissionError, subprocess.SubprocessError) as error:
            raise self._refused(command, error) from error

    def reaches(self, path: Path, test: str = "-x") -> bool:
        """Whether the account can enter or run (`-x`) or read (`-r`) a path: the kernel says."""
        return self.run(["test", test, str(path)]).returncode == 0

    def give(self, path: Path) -> None:
        """Makes the account the owner of a file or directory of ours."""
        if self.uid is not None:
            os.chown(path, self.uid, self._group(), follow_symlinks=False)

    def _rights(self) -> dict[str, Any]:
        # A small environment: PGPORT, PGDATA and the like of the caller must not reach a server.
        rights: dict[str, Any] = {"cwd": "/", "env": {"PATH": os.defpath, "LC_ALL": "C"}}
        if self.uid is not None:
            rights |= {"user": self.uid, "group": self._group(), "extra_groups": []}
        return rights

    def _group(self) -> int:
        return -1 if self.uid is None else (self.uid if self.gid is None else self.gid)

    def _refused(self, command: Sequence[str], error: Exception) -> ConfigError:
        if self.uid is None:
            return ConfigError("Cannot run %(program)s: %(why)s", program=command[0], why=error)
        return ConfigError(
            "PostgreSQL refuses to run as root, and this system does not let root start it as "
            "another user (uid %(uid)s: %(why)s). Run Sise as an ordinary user, or set "
            "SISE_DATABASE_URL and SISE_REDIS_URL to servers of your own.",
            uid=self.uid,
            why=error,
        )


@dataclass
class Server:
    """A running server: a child of ours, or an adopted orphan known by its pid and its program."""

    pid: int
    program: str
    child: subprocess.Popen[bytes] | None = None

    def alive(self) -> bool:
        """Whether the process still runs; reaps it when it was ours and does not."""
        if self.child is not None:
            return self.child.poll() is None
        return self.program in command_line(self.pid)

    def wait(self, seconds: float) -> bool:
        """Waits for the end; False when it still runs after so many seconds."""
        end = time.monotonic() + seconds
        while self.alive():
            if time.monotonic() > end:
                return False
            time.sleep(POLL)
        return True

    def stop(self, *steps: tuple[signal.Signals, float]) -> None:
        """Sends one signal after the other, waiting so many seconds after each, then SIGKILL."""
        for number, seconds in (*steps, (signal.SIGKILL, 5.0)):
            if not self.alive():
                return
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return
            if self.wait(seconds):
                return


def command_line(pid: int) -> str:
    """The command of a living process, "" when there is none (or only a zombie)."""
    if Path("/proc/self/cmdline").exists():
        try:
            raw = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return ""
        return os.fsdecode(raw).replace("\0", " ").strip()
    answer = subprocess.run(  # noqa: S603 - a number is the only argument
        ["/bin/ps", "-o", "stat=,command=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    )
    state, _, command = answer.stdout.strip().partition(" ")
    return "" if state.startswith("Z") else command.strip()


def connects(path: Path, ask: bytes = b"", answer: bytes = b"") -> bool:
    """Whether a unix socket takes a connection and, when `ask` is given, replies with `answer`."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(2)
        try:
            client.connect(str(path))
            if not ask:
                return True
            client.sendall(ask)
            return client.recv(64).startswith(answer)
        except OSError:
            return False


def open_log(path: Path) -> IO[bytes]:
    """A fresh log file, 0600; the one before stays beside it as `.old`."""
    if path.exists():
        path.replace(path.with_name(path.name + ".old"))
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")


def log_complaint(path: Path, words: Sequence[str]) -> str:
    """The last lines of a log that carry one of these words; "" when none does."""
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return " / ".join([line.strip() for line in lines if any(w in line for w in words)][-2:])
