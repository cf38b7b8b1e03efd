"""Looking at processes from outside, and running ours as a user would."""

from __future__ import annotations

import os
import random
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from itertools import count
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SECRET = "6f1d0c5b2a9e8f7746352413029af8be"
"""That of servers of one's own; the embedded ones make theirs."""


def is_alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def until(happened: Callable[[], object], seconds: float = 300) -> bool:
    """Waits for something; whether it happened in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if happened():
            return True
        time.sleep(0.02)
    return bool(happened())


def processes_with(text: str) -> list[int]:
    """Processes whose command line or environment holds a text (a data directory, say)."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                known = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            except OSError:
                continue
            if text.encode() in known and is_alive(int(entry.name)):
                found.append(int(entry.name))
    return found


PORTS = count(random.SystemRandom().randrange(10_000, 30_000))
"""Below those that the kernel gives away: none is taken between its choice and its use."""


def free_port() -> int:
    """A TCP port that nobody listens on, another one each time."""
    for port in PORTS:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("there is no end of ports")


@cache
def quick_disk() -> str:
    """Where files cost least: in memory when there is plenty, else `/tmp`."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > 2 << 30
    return str(memory) if roomy and os.access(memory, os.W_OK) else "/tmp"


@contextmanager
def open_place() -> Iterator[Path]:
    """An empty directory that everybody can enter; what still runs on it at the end is killed."""
    made = Path(tempfile.mkdtemp(prefix="sise-test-", dir=quick_disk()))
    made.chmod(0o755)
    try:
        yield made
    finally:
        for pid in processes_with(str(made)):
            os.kill(pid, signal.SIGKILL)
        for note in made.glob("*/sockets"):
            shutil.rmtree(note.read_text(), ignore_errors=True)
        shutil.rmtree(made, ignore_errors=True)


def hear_hangups() -> None:
    """SIGHUP as a terminal has it: what `nohup` had the tests ignore, their children would too."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


class Running:
    """A process of ours whose output is read line by line."""

    def __init__(self, command: list[str], environ: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            command,
            env=dict(environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd="/",
            preexec_fn=hear_hangups,  # noqa: PLW1509 - no thread of ours holds a lock that it takes
        )
        assert self.process.stdout is not None
        self._pipe = self.process.stdout.fileno()
        self.output = ""

    def read_until(self, text: str, seconds: float = 300) -> str:
        """All output so far, which holds `text`."""
        end = time.monotonic() + seconds
        while text not in self.output:
            left = end - time.monotonic()
            ready = left > 0 and select.select([self._pipe], [], [], left)[0]
            chunk = os.read(self._pipe, 65_536).decode() if ready else ""
            assert chunk, f"{text!r} was not said in time, but:\n{self.output}"
            self.output += chunk
        return self.output

    def send(self, number: signal.Signals) -> None:
        """Sends a signal."""
        self.process.send_signal(number)

    def end(self, seconds: float = 300) -> int:
        """Waits for the end; the exit code."""
        rest, _ = self.process.communicate(timeout=seconds)
        self.output += rest.decode()
        return self.process.returncode


@contextmanager
def running(command: list[str], environ: Mapping[str, str]) -> Iterator[Running]:
    """Runs a command; kills it at the end of the block when it still runs."""
    started = Running(command, environ)
    try:
        yield started
    finally:
        started.process.kill()
        started.process.communicate()


def sise(*arguments: str) -> list[str]:
    """The command line of one of our commands."""
    return [sys.executable, "-P", "-m", "app", *arguments]


def bare_environ(**settings: object) -> dict[str, str]:
    """An environment with nothing but these settings."""
    kept = ("PATH", "LANG", "NUMBA_CACHE_DIR", "PYTHONPYCACHEPREFIX")
    base = {name: os.environ[name] for name in kept if name in os.environ}
    return base | {"PYTHONPATH": str(ROOT)} | {name: str(value) for name, value in settings.items()}
