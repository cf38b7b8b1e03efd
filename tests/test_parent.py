"""A child notices the end of its supervisor."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from app.parent import PARENT, name_parent
from tests.processes import is_alive, until

CHILD = "import time; from app.parent import follow_parent; {watch}follow_parent(); print(1, flush=True); time.sleep(600)"
WATCH = "import sys, app.parent; app.parent._EVERY = 0.05; sys.platform = 'darwin'; "
SUPERVISOR = """
import os, signal, subprocess, sys
from app.parent import name_parent
child = subprocess.Popen(
    [sys.executable, "-c", sys.argv[1]], env=name_parent(os.environ), stdout=subprocess.PIPE
)
child.stdout.readline()
print(child.pid, flush=True)
signal.pause()
"""


@pytest.mark.parametrize("watch", ["", WATCH], ids=["told by the kernel", "by looking"])
def test_a_child_ends_when_its_supervisor_is_killed(watch: str) -> None:
    command = [sys.executable, "-c", SUPERVISOR, CHILD.format(watch=watch)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as supervisor:
        assert supervisor.stdout is not None
        child = int(supervisor.stdout.readline())
        assert is_alive(child)
        supervisor.kill()
    assert until(lambda: not is_alive(child))


def test_a_child_that_starts_too_late_ends_at_once() -> None:
    environ = {**os.environ, PARENT: "1"}
    command = [sys.executable, "-c", CHILD.format(watch="")]
    done = subprocess.run(command, env=environ, check=False, timeout=300)
    assert done.returncode == -signal.SIGTERM


def test_without_a_supervisor_nothing_is_followed() -> None:
    environ = {name: value for name, value in os.environ.items() if name != PARENT}
    command = [sys.executable, "-c", CHILD.format(watch="").replace("600", "0.1")]
    assert subprocess.run(command, env=environ, check=False, timeout=300).returncode == 0


def test_the_environment_of_children_names_this_process() -> None:
    assert name_parent({"A": "b"}) == {"A": "b", PARENT: str(os.getpid())}
