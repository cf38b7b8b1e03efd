"""Data directories that need no first start: copies of one that was made once in this session."""

from __future__ import annotations

import atexit
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from app.embedded import EmbeddedServers
from tests.processes import quick_disk


@cache
def template() -> Path:
    """A data directory after its first start, with nothing running on it."""
    made = Path(tempfile.mkdtemp(prefix="sise-template-", dir=quick_disk()))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    with EmbeddedServers(made, fsync=False):
        pass
    return made


def copy_to(target: Path) -> None:
    """Makes `target` such a data directory."""
    subprocess.run(["cp", "-a", str(template()), str(target)], check=True)
