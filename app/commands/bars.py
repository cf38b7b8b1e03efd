"""Progress: a bar for each step on a terminal, a line for each elsewhere."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn


class Bars:
    """`app.services.setup.Progress` by rich; a context manager. Shown on standard error."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._bars = Progress(
            TextColumn("{task.description:<28}"),
            BarColumn(bar_width=32),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._bars.add_task("", total=0, visible=False)

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def step(self, name: str, total: int) -> None:
        """A step begins that has `total` parts."""
        if self._bars.disable:
            self._console.print(f"{name} …", markup=False, highlight=False)
        self._task = self._bars.add_task(name, total=total)

    def advance(self) -> None:
        """One more part of the step is done."""
        self._bars.advance(self._task)

    def note(self, sentence: str) -> None:
        """A line of its own, above the bars."""
        self._console.print(sentence, markup=False, highlight=False, soft_wrap=True)
