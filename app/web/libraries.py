"""The libraries that a browser is given, as the lock of the vendored files names them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import orjson


@cache
def list_libraries(lock: Path) -> list[dict[str, Any]]:
    """Package, version and licence, each package once, by name."""
    entries = orjson.loads(lock.read_bytes())
    return [
        {"package": package, "version": version, "licence": licence}
        for package, version, licence in sorted(
            {(entry["package"], entry["version"], entry["licence"]) for entry in entries}
        )
    ]
