"""The data directory: made, checked and locked by one process, mode 0700.

As root it belongs to a uid that no account has, because PostgreSQL refuses to run as root.

    sise.lock   held by the process that runs the servers; marks the directory as ours
    uid         as root: the number that the servers run under
    run/        the sockets, unless the path is too long or has characters that a URL must escape:
                then a short directory in /tmp holds them, and `sockets` says which

No permission of a directory that is not ours is ever changed.
"""

from __future__ import annotations

import errno
import fcntl
import os
import pwd
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from app.embedded.process import Account
from app.errors import ConfigError, Conflict, Unavailable

SOCKET_BYTES: Final = 103  # sun_path holds 104 bytes on macOS and 108 on Linux, with the last NUL
LONGEST_NAME: Final = ".s.PGSQL.5432"
FIRST_UID: Final = 60_900  # between the ranges that distributions and systemd give away
UNSAFE: Final = '"$`\\\n\r'  # initdb hands paths to a shell between double quotes
LOCK: Final = "sise.lock"


class DataDirectory:
    """`open()` makes, checks and locks it; `close()` unlocks. `account` is who servers run as.

    `serves`: servers keep their data in it. Without any it is only locked.
    """

    def __init__(self, path: Path, *, serves: bool = True) -> None:
        self.path = path.absolute()
        self._serves = serves
        self.account = Account()
        self._lock: int | None = None

    def open(self) -> None:
        """Takes the directory for this process; does nothing when this object holds it already.

        Raises:
            Conflict: another process has it.
            ConfigError: it is not ours, holds other files, or cannot be reached or written.
            Unavailable: the disk is full.
        """
        if self._lock is not None:
            return
        if any(character in UNSAFE for character in str(self.path)):
            raise ConfigError(
                "SISE_DATA_DIR is %(path)r; it must not hold quotes, $ or \\", path=str(self.path)
            )
        with explained(self.path):
            self._make()
            self._take_lock()
            try:
                if self._serves:
                    self._settle_owner()
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        """Lets the directory go; the files stay."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def sockets(self) -> Path:
        """The directory of the sockets, made when missing; the same one while a server runs."""
        place = self.find_sockets()
        if place is None:
            with explained(self.path):
                # /tmp and not $TMPDIR: short everywhere, and every user reaches it.
                place = Path(tempfile.mkdtemp(prefix="sise-", dir="/tmp"))
                self.account.give(place)
                (self.path / "sockets").write_text(str(place))
        elif not place.exists():
            with explained(self.path):
                place.mkdir(mode=0o700)
                self.account.give(place)
        return place

    def find_sockets(self) -> Path | None:
        """Where the sockets are, or will be when the directory's own path suits; else None."""
        wanted = self.path / "run"
        plain = quote(str(wanted)) == str(wanted)
        if plain and len(os.fsencode(wanted / LONGEST_NAME)) <= SOCKET_BYTES:
            return wanted
        note = self.path / "sockets"
        if not note.exists():
            return None
        short = Path(note.read_text())
        return short if _is_private(short, self.path.stat().st_uid) else None

    @contextmanager
    def entered_by_group(self) -> Iterator[None]:
        """Lets the servers' group pass through the directory inside the block (initdb, as root)."""
        if self.account.uid is None:
            yield
            return
        self.path.chmod(0o710)
        try:
            yield
        finally:
            self.path.chmod(0o700)

    def drop_sockets(self) -> None:
        """Removes the short directory of the sockets, if there is one and it is empty."""
        place = self.find_sockets()
        if place is not None and place.parent != self.path and not any(place.iterdir()):
            place.rmdir()
            (self.path / "sockets").unlink()

    def _make(self) -> None:
        if not self.path.exists():
            if self._serves:
                self._require_reach(next(p for p in self.path.parents if p.is_dir()))
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.mkdir(mode=0o700, exist_ok=True)
        if not self.path.is_dir():
            raise ConfigError("SISE_DATA_DIR is %(path)s: not a directory", path=self.path)
        found = {entry.name for entry in self.path.iterdir()} - {"lost+found"}
        if found and LOCK not in found:
            raise ConfigError(
                "SISE_DATA_DIR is %(path)s, which holds other files. Choose an empty directory or "
                "one that does not exist yet.",
                path=self.path,
            )

    def _take_lock(self) -> None:
        lock = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(lock, 20).decode(errors="replace").strip() or "unknown"
            os.close(lock)
            raise Conflict(
                "Sise already runs on the data directory %(path)s (process %(pid)s). Stop it "
                "first, or set SISE_DATA_DIR to another directory.",
                path=self.path,
                pid=holder,
            ) from None
        os.truncate(lock, 0)
        os.write(lock, f"{os.getpid()}\n".encode())
        self._lock = lock

    def _settle_owner(self) -> None:
        facts = self.path.stat()
        euid = os.geteuid()
        if euid != 0:
            if facts.st_uid != euid:
                self._refuse_owner(facts.st_uid)
        else:
            recorded = self._recorded_uid()
            if facts.st_uid not in {0, recorded}:
                self._refuse_owner(facts.st_uid)
            self._become(recorded)
        if stat.S_IMODE(facts.st_mode) != 0o700:
            self.path.chmod(0o700)
        self._require_reach(self.path)

    def _become(self, recorded: int | None) -> None:
        uid = recorded if recorded is not None and not _taken(recorded) else _free_uid()
        self.account = Account(uid)
        if uid != recorded or self.path.stat().st_uid != uid:
            (self.path / "uid").write_text(f"{uid}\n")
            for entry in self.path.rglob("*"):
                self.account.give(entry)
            self.account.give(self.path)  # last: were this cut short, it would be done again

    def _recorded_uid(self) -> int | None:
        note = self.path / "uid"
        text = note.read_text().strip() if note.exists() else ""
        return int(text) if text.isdecimal() else None

    def _require_reach(self, path: Path) -> None:
        account = (
            self.account if self.account.uid is not None or os.geteuid() else Account(_free_uid())
        )
        if not account.reaches(path):
            raise ConfigError(
                "SISE_DATA_DIR is %(path)s. As root, PostgreSQL runs as another user (uid %(uid)s),"
                " and that user cannot enter this directory. Choose one that every user can reach, "
                "such as /var/lib/sise.",
                path=self.path,
                uid=account.uid,
            )

    def _refuse_owner(self, uid: int) -> None:
        raise ConfigError(
            "The data directory %(path)s belongs to user %(uid)s. Run Sise as that user, or set "
            "SISE_DATA_DIR to another directory.",
            path=self.path,
            uid=uid,
        )


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turns what the file system refuses inside the block into one line about the directory."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise disk_full(path) from error
        raise ConfigError(
            "The data directory %(path)s cannot be used: %(why)s. Set SISE_DATA_DIR to one that "
            "you can write.",
            path=path,
            why=error.strerror or error,
        ) from error


def is_full(path: Path, why: str) -> bool:
    """Whether a failure comes from a full disk: it says so, or not even a log could be written."""
    return (
        any(w in why for w in ("No space left", "quota")) or shutil.disk_usage(path).free < 1 << 20
    )


def disk_full(path: Path) -> Unavailable:
    """The line for a full disk."""
    return Unavailable(
        "The disk of the data directory %(path)s is full. Nothing was deleted: free some space and "
        "start again.",
        path=path,
    )


def _is_private(path: Path, uid: int) -> bool:
    try:
        facts = path.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(facts.st_mode) and facts.st_uid == uid and facts.st_mode & 0o077 == 0


def _taken(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _free_uid() -> int:
    return next(uid for uid in range(FIRST_UID, 61_184) if not _taken(uid))
