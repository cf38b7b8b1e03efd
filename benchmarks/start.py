"""How long `sise up` takes to a served page with prices, and what all its processes hold.

`python -m benchmarks.start` starts the sample on an empty data directory, then twice again on it.
Goals: first start 90 s (an environment with cached packages included, which takes a few seconds
more), second start 6 s, resident memory 900 MB. Memory is given twice: the sum of each process's
resident set counts PostgreSQL's shared pages once a process; the proportional sum counts them once.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table

from tests.sites import running_site

MB = 1 << 20
SETTLED = 20.0  # seconds after the start at which memory is read


def start(folder: Path) -> tuple[float, float, float]:
    """One start: seconds to a page with prices, then memory (resident, proportional) in MB."""
    before = time.perf_counter()
    with running_site(data_dir=folder, SISE_PRICE_SOURCE="sample") as site:
        page = httpx.get(site.url, timeout=30).text
        seconds = time.perf_counter() - before
        assert 'data-q="AAPL"' in page
        time.sleep(SETTLED)
        held = [process.memory_full_info() for process in site.processes()]
        resident, proportional = sum(m.rss for m in held), sum(m.pss for m in held)
        return seconds, resident / MB, proportional / MB


def main() -> None:
    """Prints the table."""
    folder = Path(tempfile.mkdtemp(prefix="sise-start-"))
    table = Table("start", "seconds", "resident MB", "proportional MB")
    try:
        for name in ("first", "second", "third"):
            seconds, resident, proportional = start(folder)
            table.add_row(name, f"{seconds:.1f}", f"{resident:.0f}", f"{proportional:.0f}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
