"""Child processes: started in a session of their own, kept alive with back-off, ended together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Protocol

from app.errors import AppError, ConfigError
from app.parent import HELD, name_parent

FIRST_DELAY: Final = 0.5  # seconds before the first restart; doubles each time
LONGEST_DELAY: Final = 30.0
STEADY: Final = 60.0  # seconds after which a start counts as a success
GRACE: Final = 8.0  # seconds between SIGTERM and SIGKILL
TICK: Final = 0.05


class Runnable(Protocol):
    """Something that runs in processes of its own and can be started again."""

    name: str

    def start(self) -> None:
        """Starts it; an AppError says why it does not start."""

    def alive(self) -> bool:
        """Whether it runs."""


def sise(*arguments: str) -> tuple[str, ...]:
    """The command line of one of our commands.

    `-P`: a folder called `app` where the user happens to stand is not ours.
    """
    return (sys.executable, "-P", "-m", "app", *arguments)


@dataclass(frozen=True)
class Program:
    """What a child runs: the name that the reader sees, and the command line.

    `early`: it starts during the preparation, held until that is done (`app.parent.wait_for_go`).
    """

    name: str
    command: tuple[str, ...]
    early: bool = False


@dataclass
class Child:
    """One child process; it ends when we do (`app.parent`). `held`: it starts held."""

    name: str
    command: tuple[str, ...]
    environ: Mapping[str, str]
    held: bool = False
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it in a session of its own: Ctrl-C in the terminal does not reach it."""
        environ = name_parent(self.environ) | ({HELD: "1"} if self.held else {})
        self.process = subprocess.Popen(  # noqa: S603 - our own commands
            self.command,
            env=environ,
            stdin=subprocess.PIPE if self.held else subprocess.DEVNULL,
            start_new_session=True,
        )

    def release(self) -> None:
        """Lets a held process go on; later starts are not held."""
        self.held = False
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()

    def alive(self) -> bool:
        """Whether it runs."""
        return self.process is not None and self.process.poll() is None

    @property
    def code(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs or before it was started."""
        return None if self.process is None else self.process.poll()

    def send(self, number: signal.Signals) -> None:
        """Sends a signal to the process and, for SIGKILL, to all that it started."""
        if self.process is None:
            return
        with suppress(ProcessLookupError):
            if number == signal.SIGKILL:
                os.killpg(self.process.pid, number)
            elif self.alive():
                os.kill(self.process.pid, number)


def end_all(children: Iterable[Child], *, hurry: Callable[[], bool] = lambda: False) -> None:
    """SIGTERM to all at once, then SIGKILL to what is left after `GRACE` or when told to hurry."""
    started = [child for child in children if child.alive()]
    for child in started:
        child.send(signal.SIGTERM)
    end = time.monotonic() + GRACE
    while any(c.alive() for c in started) and time.monotonic() < end and not hurry():
        time.sleep(TICK)
    for child in started:
        child.send(signal.SIGKILL)
        child.release()
        if child.process is not None:
            child.process.wait()


@dataclass
class Keeper:
    """Keeps one thing running: after a death it waits 0.5, 1, 2 … 30 s and starts it again."""

    kept: Runnable
    say: Callable[[str], None]
    failures: int = 0
    started_at: float = field(default_factory=time.monotonic)
    due_at: float | None = None

    def tend(self) -> None:
        """Looks once; starts what is due. Call it often.

        Raises:
            ConfigError: the child ended because of a setting; it has said which.
        """
        now = time.monotonic()
        if self.due_at is not None:
            if now >= self.due_at:
                self._start(now)
        elif not self.kept.alive():
            self._plan(now, self._ending())

    def _start(self, now: float) -> None:
        self.started_at, self.due_at = now, None
        try:
            self.kept.start()
        except AppError as error:
            self._plan(time.monotonic(), f"did not start: {error}")

    def _plan(self, now: float, what: str) -> None:
        self.failures = 1 if now - self.started_at > STEADY else self.failures + 1
        delay = min(LONGEST_DELAY, FIRST_DELAY * 2 ** (self.failures - 1))
        self.due_at = now + delay
        self.say(f"{self.kept.name} {what}; starting it again in {delay:g} s")

    def _ending(self) -> str:
        code = self.kept.code if isinstance(self.kept, Child) else None
        if not isinstance(self.kept, Child) or code is None:
            return "stopped running"
        self.kept.send(signal.SIGKILL)  # what it had started itself and left behind
        if code == ConfigError.exit_code:
            raise ConfigError("%(name)s ended because of a setting.", name=self.kept.name)
        return f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
