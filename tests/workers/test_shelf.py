"""The child that compiles the loops and tells the strategies, and what a worker is spared by it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from app.errors import Unavailable
from app.services.backtest.strategies import list_strategies, tell_strategies
from workers.long import get_ready


async def test_a_worker_that_is_ready_has_had_the_strategies_told(env):
    await tell_strategies(env, [])
    await get_ready(env)
    assert {one.key for one in await list_strategies(env)} >= {"sma_cross", "buy_and_hold"}


async def test_a_folder_that_cannot_be_read_stops_the_start(env, monkeypatch, capfd):
    monkeypatch.setenv("SISE_STRATEGY_DIR", "/nowhere/at/all")
    with pytest.raises(Unavailable, match="exit code 1"):
        await get_ready(env)
    assert "/nowhere/at/all" in capfd.readouterr().err


def test_the_long_queue_starts_without_a_compiler():
    code = "import sys, workers.long; print({'numba', 'pandas'} & set(sys.modules))"
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
    assert run.stdout == "set()\n"
