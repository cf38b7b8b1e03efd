"""What a child process of the supervisor does: end with it, and begin when it says so.

The supervisor names itself in the environment of its children; each child calls `follow_parent`
and so ends when the supervisor has gone, even by kill -9. A child that is held loads its libraries
and then stands in `wait_for_go`, until the supervisor closes its standard input.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from typing import Final

PARENT: Final = "_SISE_PARENT"
HELD: Final = "_SISE_HELD"
_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h
_EVERY: Final = 1.0  # seconds between two looks where the kernel does not tell


def name_parent(environ: Mapping[str, str]) -> dict[str, str]:
    """An environment for children that shall end with this process."""
    return {**environ, PARENT: str(os.getpid())}


def follow_parent() -> None:
    """Makes this process get SIGTERM when its supervisor ends; does nothing without one."""
    parent = os.environ.get(PARENT, "")
    if not parent.isdecimal():
        return
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        _end_without(int(parent))  # it may have gone before the line above
    else:
        end_with(int(parent))


def end_with(parent: int) -> None:
    """Makes this process get SIGTERM within a second after its parent has gone."""
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def wait_for_go() -> None:
    """Returns at once, or when the supervisor that holds this process lets it go."""
    if os.environ.get(HELD):
        sys.stdin.buffer.read()


def _watch(parent: int) -> None:
    while not _end_without(parent):
        time.sleep(_EVERY)


def _end_without(parent: int) -> bool:
    if os.getppid() == parent:
        return False
    os.kill(os.getpid(), signal.SIGTERM)
    return True
