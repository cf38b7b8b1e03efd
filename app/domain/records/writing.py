"""Our own format, written: CSV and JSON, in pieces, so that no file stands in memory as a whole."""

from __future__ import annotations

import csv
import io
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from decimal import Decimal
from enum import StrEnum

from app.domain.records.columns import OWN_COLUMNS, OWN_HEAD
from app.domain.records.own import FORMULA, NUMBERS, VERSION, ZEROS, join_tags
from app.domain.records.reading import OWN_NAME
from app.domain.transactions import Entry


class ExportFormat(StrEnum):
    """How a portfolio's transactions are written."""

    CSV = "CSV"
    JSON = "JSON"


class RecordWriter(ABC):
    """Writes entries in the order given: `head`, `piece` as often as needed, `tail`.

    Each gets a number, by which a reversal names what it reverses; one of something that was not
    written is left out.
    """

    def __init__(self) -> None:
        self._count = 0
        self._numbers: dict[int | None, int] = {}

    @abstractmethod
    def head(self) -> str:
        """What stands before all entries."""

    @abstractmethod
    def tail(self) -> str:
        """What stands behind them."""

    @abstractmethod
    def piece(self, entries: Iterable[Entry]) -> str:
        """The next entries."""

    def _facts(self, entries: Iterable[Entry]) -> Iterator[tuple[int, Entry, dict[str, str]]]:
        for entry in entries:
            facts = {name: _text(name, entry) for name in OWN_COLUMNS}
            if entry.reverses is not None:
                if entry.reverses not in self._numbers:
                    continue
                facts["reverses"] = str(self._numbers[entry.reverses])
            self._count += 1
            if entry.id is not None:
                self._numbers[entry.id] = self._count
            yield self._count, entry, facts


class CsvWriter(RecordWriter):
    """A header and a line for each entry.

    It begins with a byte-order mark, without which spreadsheets do not see that it is UTF-8.
    """

    def head(self) -> str:
        """The header."""
        return "\ufeff" + _line([f"{OWN_HEAD}{VERSION}", *OWN_COLUMNS])

    def tail(self) -> str:
        """Nothing."""
        return ""

    def piece(self, entries: Iterable[Entry]) -> str:
        """A line for each."""
        lines = []
        for number, _, facts in self._facts(entries):
            cells = [text if name in NUMBERS else escape(text) for name, text in facts.items()]
            lines.append(_line([str(number), *cells]))
        return "".join(lines)


class JsonWriter(RecordWriter):
    """An object with `format`, `version` and `transactions`, one a line; numbers are texts."""

    def head(self) -> str:
        """The beginning of the object."""
        return f'{{"format": "{OWN_NAME}", "version": {VERSION}, "transactions": ['

    def tail(self) -> str:
        """Its end."""
        return "\n]}\n"

    def piece(self, entries: Iterable[Entry]) -> str:
        """A line for each, without what it has not."""
        lines = []
        for number, entry, facts in self._facts(entries):
            known: dict[str, object] = {name: text for name, text in facts.items() if text}
            if entry.tags:
                known["tags"] = entry.tags
            line = json.dumps({"number": number} | known, ensure_ascii=False)
            lines.append(f"{',' if number > 1 else ''}\n{line}")
        return "".join(lines)


def make_writer(format_: ExportFormat) -> RecordWriter:
    """The writer of a format."""
    return CsvWriter() if format_ is ExportFormat.CSV else JsonWriter()


def escape(text: str) -> str:
    """A text that no spreadsheet takes for a formula; `own.unescape` gives it back."""
    return f"'{text}" if text.startswith(FORMULA) else text


def _line(cells: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()


def _text(name: str, entry: Entry) -> str:
    value = getattr(entry, name)
    if value is None or (name in ZEROS and value == 0):
        return ""
    if name == "tags":
        return join_tags(value)
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
