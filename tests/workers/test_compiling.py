"""Loops are compiled in a process that ends: with this one, and without harm when it fails."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from tests.processes import ROOT, processes_with, until
from workers.compiling import compile_apart


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module `loops_of_a_test` that the process can import, still empty."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(ROOT)]))
    return tmp_path / "loops_of_a_test.py"


async def test_the_loops_are_made_by_another_process(module: Path) -> None:
    made = module.with_name("made")
    module.write_text(
        "import os, pathlib\n"
        f"def warm_up(): pathlib.Path({str(made)!r}).write_text(str(os.getpid()))\n"
    )
    await compile_apart("loops_of_a_test")
    assert int(made.read_text()) != os.getpid()


async def test_one_that_fails_is_told_and_stops_nothing(
    module: Path, caplog: pytest.LogCaptureFixture
) -> None:
    module.write_text("def warm_up(): raise SystemExit(3)\n")
    await compile_apart("loops_of_a_test")
    (record,) = (r for r in caplog.records if r.name == "workers.compiling")
    assert (record.of, record.exit_code) == ("loops_of_a_test", 3)


async def test_who_stops_waiting_leaves_no_process_behind(module: Path) -> None:
    module.write_text("import time\ndef warm_up(): time.sleep(600)\n")
    waiting = asyncio.create_task(compile_apart("loops_of_a_test"))
    assert await asyncio.to_thread(until, lambda: processes_with("loops_of_a_test"))
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert until(lambda: not processes_with("loops_of_a_test"))
