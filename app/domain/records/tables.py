"""Text files as lines of cells: encoding, delimiter, and the limits that every file is held to."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, NoReturn

from app.domain.records.columns import count_known
from app.errors import BadInput

MOST_BYTES: Final = 10 * 1024 * 1024
MOST_ROWS: Final = 100_000
MOST_COLUMNS: Final = 100
MOST_CELLS: Final = 3_000_000
"""Separators in a file: what bounds the memory that its cells take."""

LONGEST_CELL: Final = 4_000

SAMPLE: Final = 30
"""Lines in which the header is looked for: brokers write titles above it."""

DELIMITERS: Final = (",", ";", "\t")
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """The cells of a row, and the line of the file in which it begins (from 1)."""

    number: int
    cells: Sequence[str]


@dataclass(frozen=True, slots=True)
class Table:
    """A header and the lines below it that are not blank. `decimal_comma`: cells end at `;`."""

    header: Line
    lines: Sequence[Line]
    decimal_comma: bool = False


def decode(data: bytes) -> tuple[str, str]:
    """The text of a file and its encoding: UTF-8 or UTF-16 by its mark, UTF-8, else cp949.

    Raises:
        BadInput: none of them, or too large.
    """
    if len(data) > MOST_BYTES:
        message = "The file has %(value)d bytes; at most %(bound)d are allowed"
        raise BadInput(message, field="file", value=len(data), bound=MOST_BYTES)
    marked = next((name for bom, name in _BOMS if data.startswith(bom)), None)
    for encoding in (marked,) if marked else ("utf-8", "cp949"):
        try:
            return data.decode(encoding), encoding
        except UnicodeDecodeError as error:
            place = error.start
    message = "The file is neither UTF-8 nor cp949 text: byte %(value)d belongs to no character"
    raise BadInput(message, field="file", value=place)


def read_table(text: str) -> Table:
    """The table of a text: its delimiter and its header are those with the most known names.

    Raises:
        BadInput: it is empty, or beyond the limits.
    """
    text = text.removeprefix("\ufeff")
    check_size(text)
    _, _, delimiter = max(_rank(text, delimiter) for delimiter in DELIMITERS)
    return make_table(read_lines(text, delimiter), decimal_comma=delimiter == ";")


def make_table(lines: Iterable[Line], *, decimal_comma: bool = False) -> Table:
    """The table of lines of cells; blank ones are left out.

    Raises:
        BadInput: there is no line, or beyond the limits.
    """
    kept = [line for line in lines if any(cell.strip() for cell in line.cells)]
    if not kept:
        raise BadInput("The file is empty", field="file")
    place = _find_header(kept[:SAMPLE])
    return Table(kept[place], kept[place + 1 :], decimal_comma)


def read_lines(text: str, delimiter: str) -> Iterator[Line]:
    """Every row of a text.

    Raises:
        BadInput: beyond the limits; named with its line.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    number = 1
    try:
        for cells in reader:
            yield check_line(Line(number, cells))
            number = reader.line_num + 1
    except csv.Error:
        _refuse_cell(number)


def check_line(line: Line) -> Line:
    """The line as it is.

    Raises:
        BadInput: too many lines or cells, or a cell is too long.
    """
    if line.number > MOST_ROWS:
        message = "The file has more than %(bound)d lines"
        raise BadInput(message, field="file", bound=MOST_ROWS)
    if len(line.cells) > MOST_COLUMNS:
        message = "Line %(line)d has %(value)d cells; at most %(bound)d are allowed"
        values = {"line": line.number, "value": len(line.cells), "bound": MOST_COLUMNS}
        raise BadInput(message, field="file", **values)
    if any(len(cell) > LONGEST_CELL for cell in line.cells):
        _refuse_cell(line.number)
    return line


def check_size(text: str) -> None:
    """Bounds what the text will take in memory.

    Raises:
        BadInput: it is too large.
    """
    found = sum(text.count(mark) for mark in ",;\t\n[{")
    if found > MOST_CELLS:
        message = "The file has %(value)d cells; at most %(bound)d are allowed"
        raise BadInput(message, field="file", value=found, bound=MOST_CELLS)


def _refuse_cell(line: int) -> NoReturn:
    message = "Line %(line)d has a cell of more than %(bound)d characters; is a quote not closed?"
    raise BadInput(message, field="file", line=line, bound=LONGEST_CELL)


def _rank(text: str, delimiter: str) -> tuple[int, int, str]:
    """How well a delimiter fits: known names in the best line, and the usual number of cells."""
    head = io.StringIO(text[: SAMPLE * LONGEST_CELL], newline="")
    try:
        lines = list(islice(csv.reader(head, delimiter=delimiter), SAMPLE))
    except csv.Error:
        return 0, 0, delimiter
    widths = Counter(len(cells) for cells in lines if len(cells) > 1)
    usual = max(widths.items(), key=lambda item: (item[1], item[0]), default=(0, 0))[0]
    return max(map(count_known, lines), default=0), usual, delimiter


def _find_header(lines: Sequence[Line]) -> int:
    known = [count_known(line.cells) for line in lines]
    return known.index(max(known))
