"""Where a worker computes parts of a sweep: in itself, in processes, or on a Dask cluster.

Whichever it is, a part is a job in PostgreSQL that arq carries to the workers of all machines; a
runner with room for many takes the parts that nobody has computed yet along with its own. The cells
are the same to the last bit wherever they are computed.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, Final, Protocol

from app.adapters.cluster import open_cluster
from app.config import Settings
from app.domain.backtest.request import Request
from app.domain.backtest.strategy import Strategy
from app.domain.backtest.study import Cells, Watch, run_cells
from app.domain.backtest.tape import Tape
from app.parent import end_with

Span = tuple[int, int]
"""The numbers of the cells of a part: the first, and the one after the last."""

LOOK_EVERY: Final = 0.25  # seconds between looks at parts that are computed elsewhere


@dataclass(frozen=True)
class Work:
    """What the parts of a sweep are parts of; it can be sent to other processes."""

    tape: Tape
    strategy: Strategy
    request: Request

    def __reduce__(self) -> tuple[Any, ...]:
        """Sent with its request as it is stored."""
        return _receive, (self.tape, self.strategy, self.request.dump())


def _receive(tape: Tape, strategy: Strategy, stored: dict[str, Any]) -> Work:
    return Work(tape, strategy, Request.load(stored))


class Runner(Protocol):
    """Computes parts of a sweep."""

    @property
    def width(self) -> int:
        """How many parts at a time."""

    def run(self, work: Work, spans: Sequence[Span], watch: Watch) -> list[Cells]:
        """The parts in their order; `watch` is told how much is done, and may raise to end it."""

    def close(self) -> None:
        """Lets go of what it has open."""


class Inline:
    """In this process, one after the other."""

    width = 1

    def run(self, work: Work, spans: Sequence[Span], watch: Watch) -> list[Cells]:
        """As `Runner`."""

        def of_all(number: int) -> Watch:
            return lambda share: watch((number + share) / len(spans))

        return [
            run_cells(work.tape, work.strategy, work.request, span, of_all(number))
            for number, span in enumerate(spans)
        ]

    def close(self) -> None:
        """Nothing is open."""


class Elsewhere:
    """By an executor: a pool of processes, or a cluster."""

    def __init__(self, executor: Executor, width: int, close: Callable[[], None]) -> None:
        self._executor, self.width, self._close = executor, width, close

    def run(self, work: Work, spans: Sequence[Span], watch: Watch) -> list[Cells]:
        """As `Runner`."""
        futures = [self._executor.submit(compute_part, work, span) for span in spans]
        try:
            while True:
                done, left = wait(futures, timeout=LOOK_EVERY)
                watch(len(done) / len(futures))
                if not left:
                    return [future.result() for future in futures]
        finally:
            for future in futures:
                future.cancel()

    def close(self) -> None:
        """Ends the processes, or leaves the cluster."""
        self._close()


def compute_part(work: Work, span: Span) -> Cells:
    """A part, in a process that nobody looks into."""
    return run_cells(work.tape, work.strategy, work.request, span, _go_on)


def open_runner(settings: Settings) -> Runner:
    """The one that `SISE_RUNNER` names.

    Raises:
        ConfigError: there is no cluster at that address.
    """
    if settings.runner == "inline":
        return Inline()
    if settings.runner == "processes":
        return open_processes(os.cpu_count() or 1)
    return Elsewhere(*open_cluster(settings.runner))


def open_processes(count: int) -> Elsewhere:
    """As many processes, which end with this one."""
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(count, context, initializer=end_with, initargs=(os.getpid(),))
    return Elsewhere(pool, count, pool.shutdown)


def _go_on(_share: float) -> None:
    """Nobody watches."""
