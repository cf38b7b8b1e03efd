"""A child process ends when the process that supervises it has gone, even by kill -9.

The supervisor names itself in the environment of its children; each child calls `follow_parent`.
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
        threading.Thread(target=_watch, args=(int(parent),), daemon=True).start()


def _watch(parent: int) -> None:
    while not _end_without(parent):
        time.sleep(_EVERY)


def _end_without(parent: int) -> bool:
    if os.getppid() == parent:
        return False
    os.kill(os.getpid(), signal.SIGTERM)
    return True
