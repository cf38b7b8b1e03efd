"""Places for data directories, which every user can reach also when the tests run as root."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.embedded import EmbeddedServers
from tests.clusters import copy_to
from tests.processes import open_place


@pytest.fixture
def place() -> Iterator[Path]:
    """An empty directory that everybody can enter, gone after the test."""
    with open_place() as made:
        yield made


@pytest.fixture
def serve(place: Path) -> Iterator[Callable[..., EmbeddedServers]]:
    """Makes servers on `place / name` without fsync; what still runs at the end is stopped.

    Their directory has had its first start already, unless it shall be `fresh`.
    """
    made: list[EmbeddedServers] = []

    def make(name: str = "data", *, fresh: bool = False, **options: bool) -> EmbeddedServers:
        if not fresh and not (place / name).exists():
            copy_to(place / name)
        made.append(EmbeddedServers(place / name, fsync=False, **options))
        return made[-1]

    yield make
    for servers in reversed(made):
        servers.stop()


@pytest.fixture
def as_nobody() -> Callable[[Callable[[], None]], int]:
    """Runs a function in a child process that is not root; its exit code (0: no exception)."""

    def run(work: Callable[[], None]) -> int:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                if os.geteuid() == 0:
                    os.setgroups([])
                    os.setgid(65_534)
                    os.setuid(65_534)
                work()
                code = 0
            except BaseException:  # noqa: BLE001 - the parent sees the exit code
                traceback.print_exc()
            finally:
                os._exit(code)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    return run
