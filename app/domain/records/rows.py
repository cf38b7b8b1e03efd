"""What is found in a file: its rows, each an entry or a fault that says where it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from app.domain.transactions import Entry
from app.errors import BadInput

LONGEST_SHOWN: Final = 60


class RecordFormat(StrEnum):
    """Whose file it is: our own, a program's, or a broker's."""

    SISE = "SISE"
    GHOSTFOLIO = "GHOSTFOLIO"
    PORTFOLIO_PERFORMANCE = "PORTFOLIO_PERFORMANCE"
    BROKER = "BROKER"


@dataclass(frozen=True, slots=True)
class RecordRow:
    """A row that was understood. `line` is where it begins in the file (from 1).

    `reference`: the broker's own number. `number` and `reverses` are those of our own format.
    """

    line: int
    entry: Entry
    reference: str | None = None
    number: int | None = None
    reverses: int | None = None


@dataclass(frozen=True, slots=True)
class RowFault:
    """A row that was not understood: its line, the column, and what stands there.

    `column` is as the file calls it, empty when the row as a whole is wrong.
    """

    line: int
    column: str
    value: str
    reason: BadInput


@dataclass(frozen=True)
class Records:
    """A file as it was read. `columns`: which name of the header was taken for which field.

    `skipped` are lines that are no transactions: totals, and words that a mapping skips.
    """

    format: RecordFormat
    rows: Sequence[RecordRow]
    faults: Sequence[RowFault]
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    unused: Sequence[str] = ()
    skipped: int = 0


class Located(Exception):
    """A cell that cannot be right, on its way to the row's fault."""

    def __init__(self, column: str, value: str, reason: BadInput) -> None:
        super().__init__(str(reason))
        self.column = column
        self.value = value
        self.reason = reason

    def at(self, line: int) -> RowFault:
        """The fault of that line."""
        return RowFault(line, self.column, show(self.value), self.reason)


@contextmanager
def locating(column: str, value: str = "") -> Iterator[None]:
    """Whatever is refused inside is located in this column.

    Raises:
        Located: something was refused.
    """
    try:
        yield
    except BadInput as error:
        raise Located(column, value, error) from None


def show(value: Any) -> str:
    """A value as it can be shown: short, and every character one of Unicode."""
    text = str(value)[:LONGEST_SHOWN]
    return text.encode("utf-8", "replace").decode()
