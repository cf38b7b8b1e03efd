"""No secret, or one that everybody knows: every process says so in one line and ends with 78."""

from __future__ import annotations

import subprocess

import pytest

from tests.processes import bare_environ, free_port, sise

COMMANDS = (("up",), ("serve",), ("work", "--queue", "quick"), ("feed",))


def run(*arguments: str, **settings: object) -> subprocess.CompletedProcess[str]:
    """Runs a command on servers of one's own that are not there: it comes as far as the secret."""
    environ = bare_environ(
        SISE_DATABASE_URL="postgresql://sise@127.0.0.1:1/sise",
        SISE_REDIS_URL="redis://127.0.0.1:1",
        SISE_PORT=free_port(),
        **settings,
    )
    return subprocess.run(
        sise(*arguments), env=environ, capture_output=True, text=True, check=False, timeout=30
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_without_a_secret_nothing_starts_on_servers_of_one_s_own(command, tmp_path):
    done = run(*command, SISE_DATA_DIR=tmp_path / "data")
    assert done.returncode == 78, done.stderr
    assert done.stderr.count("\n") == 1
    assert "SISE_SECRET is not set" in done.stderr


@pytest.mark.parametrize("weak", ["changeme", "x" * 64, "changeme-changeme-changeme-change"])
def test_a_secret_that_could_be_guessed_is_refused_and_not_repeated(weak, tmp_path):
    done = run("up", SISE_DATA_DIR=tmp_path / "data", SISE_SECRET=weak)
    assert done.returncode == 78, done.stderr
    assert weak not in done.stderr
