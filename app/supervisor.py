"""`sise up`: servers, migrations and prices, then web, workers and feed, until a signal says stop.

This process imports none of the product's heavy parts; each child imports its own.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from app.adapters.secret import load_secret, make_secret
from app.children import TICK, Child, Keeper, Program, end_all, sise
from app.config import Settings
from app.embedded import EmbeddedServers, find_running
from app.errors import AppError, ConfigError, Conflict
from app.listen import address, answers, bind

FAREWELL: Final = 6.0  # seconds that the children of a killed supervisor may take to end
HEAD_START: Final = 3.0  # seconds that workers and feed wait for the web process at most
PREPARE: Final = Program("Preparation", sise("prepare"))
PROGRAMS: Final = (
    Program("Web", sise("serve"), early=True),
    Program("Quick worker", sise("work", "--queue", "quick")),
    Program("Long worker", sise("work", "--queue", "long")),
    Program("Feed", sise("feed")),
)
# glibc gives threads heaps of their own, which keep what is freed: with two, 40 MB less are held
THRIFT: Final = {"MALLOC_ARENA_MAX": "2"}


class Stopped(Exception):
    """A signal asked the supervisor to stop."""


class Supervisor:
    """Starts all, keeps all running, stops all. `run()` returns the exit code."""

    def __init__(
        self,
        settings: Settings,
        say: Callable[[str], None],
        *,
        prepare: Program = PREPARE,
        programs: tuple[Program, ...] = PROGRAMS,
        servers: EmbeddedServers | None = None,
    ) -> None:
        self._settings = settings
        self._say = say
        self._prepare = prepare
        self._programs = programs
        # the terminal is the reader's: children report what goes wrong, unless more is asked for
        self._environ = {"SISE_LOG_LEVEL": "warning", **THRIFT, **os.environ}
        self._signals = 0
        self._preparation: Child | None = None
        self._children: list[Child] = []
        self._servers = servers or EmbeddedServers(
            settings.data_dir,
            postgres=settings.database_url is None,
            valkey=settings.redis_url is None,
        )

    def run(self) -> int:
        """Works until SIGINT, SIGTERM or SIGHUP; 0 then.

        Raises:
            Conflict: the port or the data directory is taken.
            ConfigError: a setting is wrong, or the secret missing; also when a child says so.
            Unavailable: the embedded servers or the preparation failed.
        """
        with self._heard():
            try:
                self._servers.directory.open()
                self._find_secret()
                self._require_port()
                self._start_servers()
                self._start(early=True)
                self._run_preparation()
                self._keep_running()
            except Stopped:
                self._say("Stopping.")
            finally:
                last = [] if self._preparation is None else [self._preparation]
                end_all([*self._children, *last], hurry=lambda: self._signals > 1)
                self._servers.stop()
        return 0

    @contextmanager
    def _heard(self) -> Iterator[None]:
        """Counts stop signals inside the block: the second one ends all in a hurry."""

        def count(_number: int, _frame: FrameType | None) -> None:
            self._signals += 1

        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        wanted = [n for n in numbers if signal.getsignal(n) != signal.SIG_IGN]  # nohup, for one
        before = {number: signal.signal(number, count) for number in wanted}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _require_port(self) -> None:
        """Returns when the port is free; gives the children of a killed supervisor time to end."""
        orphans = find_running(self._settings.data_dir) is not None
        end = time.monotonic() + (FAREWELL if orphans else 0)
        while True:
            try:
                bind(self._settings).close()
            except Conflict:
                if time.monotonic() > end:
                    raise
                self._look()
                time.sleep(TICK)
            else:
                return

    def _find_secret(self) -> None:
        """Own servers name a secret; beside the embedded database there is a file."""
        named = self._settings.secret is not None or self._settings.secret_file is not None
        if named or self._settings.database_url is not None:
            load_secret(self._settings)
        else:
            self._environ["SISE_SECRET_FILE"] = str(make_secret(self._settings.data_dir))

    def _look(self) -> None:
        if self._signals:
            raise Stopped

    def _start_servers(self) -> None:
        begun = time.monotonic()
        urls = self._servers.start()
        self._environ |= {"SISE_DATA_DIR": str(self._settings.data_dir)}
        if urls.database_url:
            self._environ["SISE_DATABASE_URL"] = urls.database_url
            self._environ["SISE_MIGRATION_URL"] = urls.migration_url
        if urls.redis_url:
            self._environ["SISE_REDIS_URL"] = urls.redis_url
        names = [s.name for s in (self._servers.postgres, self._servers.valkey) if s is not None]
        if names:
            passed = time.monotonic() - begun
            where = self._settings.data_dir
            self._say(f"{' and '.join(names)} on {where}, ready in {passed:.1f} s")
        self._look()

    def _run_preparation(self) -> None:
        """Migrates and loads prices, in a child that shows its own progress."""
        child = Child(self._prepare.name, self._prepare.command, self._environ)
        self._preparation = child
        child.start()
        while child.alive():
            self._look()
            time.sleep(TICK)
        self._look()
        if child.code == ConfigError.exit_code:
            raise ConfigError("The preparation ended because of a setting.")
        if child.code:
            raise AppError("The preparation failed (exit code %(code)s).", code=child.code)

    def _start(self, *, early: bool) -> None:
        # Only the preparation needs the owner's role.
        environ = {k: v for k, v in self._environ.items() if k != "SISE_MIGRATION_URL"}
        for program in self._programs:
            if program.early == early:
                child = Child(program.name, program.command, environ, held=early)
                self._children.append(child)
                child.start()

    def _keep_running(self) -> None:
        for child in self._children:
            child.release()
        announced = self._await_web()
        self._start(early=False)
        servers = [s for s in (self._servers.postgres, self._servers.valkey) if s is not None]
        keepers = [Keeper(kept, self._say) for kept in (*servers, *self._children)]
        while True:
            for keeper in keepers:
                self._look()
                keeper.tend()
            announced = announced or self._announce()
            time.sleep(TICK)

    def _await_web(self) -> bool:
        """Gives the web process the machine to itself for its last steps; whether it answers."""
        end = time.monotonic() + HEAD_START
        while any(child.alive() for child in self._children) and time.monotonic() < end:
            self._look()
            if self._announce():
                return True
            time.sleep(TICK)
        return False

    def _announce(self) -> bool:
        if not answers(self._settings):
            return False
        self._say(f"Sise runs at {address(self._settings)} (Ctrl-C stops it)")
        return True
