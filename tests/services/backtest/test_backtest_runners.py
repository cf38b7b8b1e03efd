"""Parts of a sweep are the same to the last bit wherever they are computed."""

from __future__ import annotations

import os
import pickle
import re
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from threading import Event

import pytest

from app.domain.backtest.loader import load_strategies
from app.domain.backtest.request import Request
from app.domain.backtest.setup import Setup
from app.domain.backtest.strategies import SmaCross
from app.domain.backtest.tape import prepare
from app.errors import ConfigError
from app.services.backtest import backtest_runners
from app.services.backtest.backtest_runners import Inline, Work, open_processes, open_runner
from app.services.backtest.backtest_store import read_cells
from app.services.backtest.backtests import get_backtest
from tests.backtests import ask, make_market, work
from tests.domain.oracle_bars import walk
from tests.people import make_user
from tests.services.backtest.test_strategy_shelf import EXAMPLE

AXES = {"fast": (2, 3, 4, 5), "slow": (8, 12, 20)}
SPANS = [(0, 5), (5, 9), (9, 12)]


@pytest.fixture(scope="module")
def task() -> Work:
    tape = prepare(walk("AAPL", 300, seed=2))
    setup = Setup(cash=Decimal(100_000))
    request = Request("sma_cross", ("AAPL",), tape.days[0], tape.days[-1], setup=setup, axes=AXES)
    return Work(tape, SmaCross(), request)


def check_same(runner, task: Work) -> None:
    seen: list[float] = []
    ours = Inline().run(task, SPANS, lambda _: None)
    theirs = runner.run(task, SPANS, seen.append)
    assert len(theirs) == len(SPANS)
    for one, other in zip(ours, theirs, strict=True):
        assert one.frame.equals(other.frame)
        assert one.sums.tobytes() == other.sums.tobytes()
    assert seen == sorted(seen)
    assert seen[-1] == 1.0 or isinstance(runner, Inline)


def test_inline_and_processes_compute_the_same(task):
    check_same(Inline(), task)
    runner = open_processes(2)
    try:
        check_same(runner, task)
        (strategy,) = load_strategies(EXAMPLE, "channel.py")
        own = replace(task, strategy=strategy,
                      request=replace(task.request, strategy="channel", axes={"days": (10, 20, 30)}))  # fmt: skip
        (here,), (there,) = (one.run(own, [(0, 3)], lambda _: None) for one in (Inline(), runner))
        assert here.frame.equals(there.frame)
        assert here.frame.height == 3
        stop = Event()

        def watch(_share: float) -> None:
            if stop.is_set():
                raise InterruptedError

        stop.set()
        with pytest.raises(InterruptedError):
            runner.run(task, SPANS * 20, watch)
    finally:
        runner.close()


def test_what_is_sent_has_nothing_in_it_that_was_made_of_it(task):
    assert task.tape.history.whole
    sent = pickle.loads(pickle.dumps(task))  # noqa: S301 - our own
    assert not {"history", "growth"} & set(vars(sent.tape))
    assert sent.tape.kept == {}
    assert sent.request == task.request


async def test_a_worker_with_room_takes_along_the_parts_that_nobody_has(env, monkeypatch):
    await make_market(env)
    monkeypatch.setattr("app.services.backtest.backtest_input.COMPILED_PART", 2 * 260)
    alice = (await make_user(env)).id
    row, same = [await ask(env, alice, values={}, axes=AXES) for _ in range(2)]
    assert row.parts == 6
    await work(env)
    wide = Inline()
    wide.width = 4
    spans: list[int] = []
    run = wide.run
    monkeypatch.setattr(wide, "run", lambda w, s, watch: spans.append(len(s)) or run(w, s, watch))
    again = await ask(env, alice, values={}, axes=AXES)
    await work(env, runner=wide)
    assert spans == [4, 2]
    for one in (same, again):
        assert (await get_backtest(env, alice, str(one.id))).state == "DONE"
    first, second = [await read_cells(env, alice, one.id) for one in (same, again)]
    assert first.equals(second)


def test_a_cluster_of_two_processes_computes_the_same(task, env, monkeypatch):
    monkeypatch.setattr("app.adapters.cluster.CONNECT_WITHIN", 300)
    scheduler = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1",
         "--port", "0", "--no-dashboard"], stderr=subprocess.PIPE, text=True)  # fmt: skip
    running = [scheduler]
    try:
        line = next(text for text in scheduler.stderr if "Scheduler at" in text)
        address = re.search(r"tcp://[0-9.:]+", line)[0]
        command = [sys.executable, "-W", "ignore", "-m", "distributed.cli.dask_worker", address,
                   "--nthreads", "1", "--no-dashboard", "--no-nanny", "--host", "127.0.0.1"]  # fmt: skip
        root = str(Path(backtest_runners.__file__).parents[3])
        environ = {**os.environ, "PYTHONPATH": root}
        running += [
            subprocess.Popen(command, env=environ, stderr=subprocess.DEVNULL) for _ in range(2)
        ]
        runner = open_runner(replace(env.settings, runner=address))
        try:
            check_same(runner, task)
        finally:
            runner.close()
    finally:
        for process in reversed(running):
            process.kill()
            process.wait()
        scheduler.stderr.close()


def test_a_cluster_that_is_not_there_is_told(env, monkeypatch):
    monkeypatch.setattr("app.adapters.cluster.CONNECT_WITHIN", 0.2)
    with pytest.raises(ConfigError, match="SISE_RUNNER is tcp://127\\.0\\.0\\.1:9"):
        open_runner(replace(env.settings, runner="tcp://127.0.0.1:9"))
