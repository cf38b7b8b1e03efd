"""A supervisor with tiny children, for `tests/test_supervisor.py`: `python -m tests.supervised`.

Each argument is one child, as `NAME=python code`; the first is the preparation, and a `NAME` that
begins with `early` starts beside it. The code runs with the names os, signal, sys, time, socket and
wait_for_go, after `app.parent.follow_parent`.
"""

from __future__ import annotations

import sys

from app.children import Program
from app.cli import report
from app.config import load_settings
from app.embedded import EmbeddedServers
from app.supervisor import Supervisor

START = (
    "import os, signal, sys, time, socket\n"
    "from app.parent import follow_parent, wait_for_go\n"
    "follow_parent()\n"
    "print(NAME, os.getpid(), flush=True)\n"
)


def program(text: str) -> Program:
    """`NAME=code` as a child."""
    name, _, code = text.partition("=")
    return Program(
        name, (sys.executable, "-c", f"NAME = {name!r}\n{START}{code}"), name.startswith("early")
    )


def say(line: str) -> None:
    """Prints a line at once."""
    print(line, flush=True)


def main() -> int:
    """Runs the supervisor on the children of the command line."""
    first, *others = map(program, sys.argv[1:])
    settings = load_settings()
    servers = EmbeddedServers(
        settings.data_dir,
        postgres=settings.database_url is None,
        valkey=settings.redis_url is None,
        fsync=False,
    )
    programs = tuple(others)
    return Supervisor(settings, say, prepare=first, programs=programs, servers=servers).run()


if __name__ == "__main__":
    raise SystemExit(report(main))
