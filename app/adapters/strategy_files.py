"""The operator's own strategies: Python files in a folder, read as text."""

from __future__ import annotations

from pathlib import Path

from app.errors import ConfigError


def read_sources(folder: Path | None) -> list[tuple[str, str]]:
    """Name and text of each file, by name; none where no folder is set.

    Raises:
        ConfigError: the folder or a file in it cannot be read.
    """
    if folder is None:
        return []
    try:
        if not folder.is_dir():
            raise ConfigError("SISE_STRATEGY_DIR is %(folder)s, which is no folder", folder=folder)
        files = sorted(folder.glob("*.py"))
        return [(file.name, file.read_text(encoding="utf-8")) for file in files]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("SISE_STRATEGY_DIR: %(why)s", why=error) from error
