"""Compiled loops: made in a process of their own, whose memory is given back when it ends."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from typing import Final

from app.parent import name_parent

LOG: Final = logging.getLogger(__name__)
CODE: Final = """
import importlib, sys
from app.parent import follow_parent
follow_parent()
importlib.import_module(sys.argv[1]).warm_up()
"""


async def compile_apart(module: str) -> None:
    """Compiles a module's loops (its `warm_up`) to disk, where the first job finds them.

    A compiler is a hundred megabytes that a worker would keep until it ends. The process ends with
    this one; when it fails, the first job compiles.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-c", CODE, module, env=name_parent(os.environ)
    )
    try:
        code = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
    if code:
        LOG.warning("loops not compiled", extra={"of": module, "exit_code": code})
