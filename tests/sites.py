"""Whole installations for tests: `sise up` in processes of its own, on its own data directory."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from tests.fakes.yahoo import FakeYahoo
from tests.processes import free_port, quick_disk

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Site:
    """A running installation: where it is served, its processes, its data."""

    url: str
    process: subprocess.Popen[bytes]
    data_dir: Path
    log: Path
    started_in: float

    def processes(self) -> list[psutil.Process]:
        """The supervisor and all that it started, servers too."""
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    def find(self, word: str) -> psutil.Process:
        """The one process with this word in its command line."""
        found = [p for p in self.processes() if word in " ".join(p.cmdline())]
        assert found, f"no process of the site has {word!r} in its command line"
        return found[0]


def wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path, seconds: float) -> None:
    """Returns when `/readyz` says yes; fails with the log when the process ends or time is up."""
    end = time.monotonic() + seconds
    with httpx.Client(timeout=30) as client:  # one: each reads the certificates anew
        while time.monotonic() < end and process.poll() is None:
            try:
                if client.get(f"{url}/readyz").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
    message = (
        f"not ready after {seconds} s (exit code {process.poll()}):\n{log.read_text()[-8000:]}"
    )
    raise AssertionError(message)


@contextmanager
def running_site(
    *,
    data_dir: Path | None = None,
    ready_in: float = 300,
    command: tuple[str, ...] = ("-m", "app", "up"),
    **environ: str,
) -> Iterator[Site]:
    """Runs `sise up` with these settings until the block ends; then no process may be left."""
    folder = data_dir or Path(tempfile.mkdtemp(prefix="sise-site-", dir=quick_disk()))
    folder.chmod(0o711)
    port = free_port()
    log = folder / "log.txt"
    kept = {k: v for k, v in os.environ.items() if not k.startswith("SISE_")}
    settings = {"SISE_DATA_DIR": str(folder / "data"), "SISE_PORT": str(port), **environ}
    before = time.monotonic()
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env=kept | settings,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(url, process, log, ready_in)
        yield Site(url, process, folder / "data", log, time.monotonic() - before)
    finally:
        stop(process)
        if data_dir is None:
            shutil.rmtree(folder, ignore_errors=True)


def stop(process: subprocess.Popen[bytes]) -> None:
    """Asks the supervisor to stop; whatever is left after 60 s is killed, and that is a failure."""
    if process.poll() is not None:
        return
    family = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
    _, left = psutil.wait_procs(family, timeout=60)
    for child in left:
        child.kill()
    assert not left, f"left behind: {[' '.join(p.cmdline()) for p in left if p.is_running()]}"


@contextmanager
def yahoo_process(*, latency: float = 0.2, data: str = "sample") -> Iterator[FakeYahoo]:
    """The local Yahoo as a process."""
    command = [sys.executable, "-m", "tests.fakes.yahoo", "--latency", str(latency), "--data", data]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        server = FakeYahoo(process.stdout.readline().decode().strip())
        try:
            yield server
        finally:
            server.close()
            process.terminate()
            process.wait(30)


def yahoo_settings(server: FakeYahoo) -> dict[str, str]:
    """Settings that point an installation at the local Yahoo; of Naver it knows nothing."""
    return {
        "SISE_PRICE_SOURCE": "yahoo",
        "SISE_YAHOO_URL": server.url,
        "SISE_YAHOO_STREAM_URL": server.stream_url,
        "SISE_NAVER_URL": f"{server.url}/naver",
    }
