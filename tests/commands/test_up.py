"""`sise up` with all its processes, on the sample."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.processes import (
    Running,
    bare_environ,
    free_port,
    open_place,
    processes_with,
    running,
    sise,
    until,
)

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def installation() -> Iterator[tuple[Path, Running, dict[str, str]]]:
    """A running installation: its data directory, its supervisor, its settings."""
    with open_place() as place:
        data = place / "시세 data"
        environ = bare_environ(
            SISE_DATA_DIR=data, SISE_PORT=free_port(), SISE_PRICE_SOURCE="sample"
        )
        with running(sise("up"), environ) as supervisor:
            supervisor.read_until("Ctrl-C stops it")
            yield data, supervisor, environ


def page(environ: dict[str, str]) -> str:
    """The first page, "" while nothing answers."""
    try:
        answer = httpx.get(f"http://127.0.0.1:{environ['SISE_PORT']}/", timeout=10)
    except httpx.HTTPError:
        return ""
    return answer.text if answer.status_code == 200 else ""


def children(supervisor: Running, *words: str) -> list[int]:
    """The supervisor's own processes whose command line ends with these words."""
    tail = "\0".join(words).encode() + b"\0"
    ours = processes_with(f"_SISE_PARENT={supervisor.process.pid}")
    return [pid for pid in ours if Path(f"/proc/{pid}/cmdline").read_bytes().endswith(tail)]


def test_it_serves_prices_with_every_process_running(
    installation: tuple[Path, Running, dict[str, str]],
) -> None:
    _, supervisor, environ = installation
    assert "AAPL" in page(environ)
    for words in (["serve"], ["--queue", "quick"], ["--queue", "long"], ["feed"]):
        assert until(lambda words=words: len(children(supervisor, *words)) == 1), words


def test_the_doctor_in_a_second_terminal_finds_it_well(
    installation: tuple[Path, Running, dict[str, str]],
) -> None:
    _, _, environ = installation

    found: list[str] = []

    def is_well() -> bool:
        done = subprocess.run(
            sise("doctor"), env=environ, capture_output=True, text=True, check=False
        )
        found[:] = [done.stdout, done.stderr]
        return done.returncode == 0 and "ok    Workers" in done.stdout

    assert until(is_well), found
    assert "ok    Web" in found[0]


def test_a_killed_web_process_serves_again(
    installation: tuple[Path, Running, dict[str, str]],
) -> None:
    _, supervisor, environ = installation
    (web,) = children(supervisor, "serve")
    os.kill(web, signal.SIGKILL)
    supervisor.read_until("Web was ended by signal 9; starting it again in 0.5 s")
    assert until(lambda: "AAPL" in page(environ))


def test_it_stops_with_nothing_left_and_starts_again_with_its_prices(
    installation: tuple[Path, Running, dict[str, str]],
) -> None:
    data, supervisor, environ = installation
    supervisor.send(signal.SIGINT)
    assert supervisor.end() == 0, supervisor.output
    assert "Traceback" not in supervisor.output, supervisor.output
    assert processes_with(str(data)) == []
    with running(sise("up"), environ) as again:
        again.read_until("Ctrl-C stops it")
        assert "AAPL" in page(environ)
        again.send(signal.SIGTERM)
        assert again.end() == 0
    assert processes_with(str(data)) == []
