"""Workbooks (XLSX) as lines of cells: what is stored is read, nothing is computed.

A workbook is XML in a zip (ECMA-376). Its first visible sheet is read as a stream, by expat,
without a tree: what it takes in memory is bounded by the limits of a table, whatever it unpacks to.
DTDs are refused, so that no entity can grow; of a formula only its stored result is read.
"""

from __future__ import annotations

import io
import posixpath
import re
import zlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, NoReturn
from xml.parsers import expat
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

from app.domain.records.tables import LONGEST_CELL, MOST_COLUMNS, MOST_ROWS, Line, check_line
from app.errors import BadInput

MAGIC: Final = b"PK\x03\x04"
MOST_UNPACKED: Final = 100 * 1024 * 1024
MOST_MEMBERS: Final = 1000
MOST_TEXTS: Final = 500_000
CHUNK: Final = 65_536

_BROKEN: Final = (
    BadZipFile,
    EOFError,
    IndexError,
    KeyError,
    OverflowError,
    RuntimeError,  # a zip file of a later version, with another compression or a password
    StopIteration,
    ValueError,
    expat.ExpatError,
    zlib.error,
)
_LETTERS: Final = re.compile(r"([A-Z]{1,3})[0-9]*")
_LITERALS: Final = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')
_DATED: Final = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
"""Built-in number formats that show a date or a time (ECMA-376, 18.8.30)."""

_EPOCH: Final = datetime(1899, 12, 30)  # noqa: DTZ001 - a workbook knows no zones
_EPOCH_1904: Final = datetime(1904, 1, 1)  # noqa: DTZ001 - as above
_LAST_SERIAL: Final = 100_000
"""2173-10-13: what is beyond is no day of a transaction."""

Attributes = dict[str, str]
Start = Callable[[str, Attributes], None]
End = Callable[[str, str], None]


def read_workbook(data: bytes) -> Sequence[Line]:
    """The rows of the first visible sheet.

    Raises:
        BadInput: it is no workbook, or beyond the limits.
    """
    try:
        with ZipFile(io.BytesIO(data)) as archive:
            _check_archive(archive)
            lines = _read_archive(archive)
    except _BROKEN:
        _refuse()
    return lines


def _check_archive(archive: ZipFile) -> None:
    members = archive.infolist()
    size = sum(member.file_size for member in members)
    if size > MOST_UNPACKED or len(members) > MOST_MEMBERS:
        message = "The workbook unpacks to %(value)d bytes; at most %(bound)d are allowed"
        raise BadInput(message, field="file", value=size, bound=MOST_UNPACKED)
    for member in members:
        if member.flag_bits & 1 or member.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:
            _refuse()


def _read_archive(archive: ZipFile) -> Sequence[Line]:
    book = _Book()
    _parse(archive, "xl/workbook.xml", book.start)
    relations = _Relations()
    _parse(archive, "xl/_rels/workbook.xml.rels", relations.start)
    names = set(archive.namelist())
    texts, styles = _Texts(), _Styles()
    if "xl/sharedStrings.xml" in names:
        _parse(archive, "xl/sharedStrings.xml", texts.start, texts.end)
    if "xl/styles.xml" in names:
        _parse(archive, "xl/styles.xml", styles.start)
    sheet = _Sheet(texts.texts, styles.dated, _EPOCH_1904 if book.from_1904 else _EPOCH)
    _parse(archive, relations.targets[book.sheets[0]], sheet.start, sheet.end)
    return sheet.lines


def _parse(archive: ZipFile, name: str, start: Start, end: End | None = None) -> None:
    """Tells of every element, by its name without prefix, and of its text when it ends."""
    parser = expat.ParserCreate()
    text: list[str] = []
    size = 0

    def begin(element: str, attributes: Attributes) -> None:
        nonlocal size
        text.clear()
        size = 0
        start(element.rpartition(":")[2], attributes)

    def finish(element: str) -> None:
        if end is not None:
            end(element.rpartition(":")[2], "".join(text))

    def keep(data: str) -> None:
        nonlocal size
        size += len(data)
        if size <= LONGEST_CELL + CHUNK:  # one too long is refused when its row is complete
            text.append(data)

    parser.StartElementHandler = begin
    parser.EndElementHandler = finish
    parser.CharacterDataHandler = keep
    parser.StartDoctypeDeclHandler = lambda *_: _refuse()
    with archive.open(name) as member:
        while chunk := member.read(CHUNK):
            parser.Parse(chunk, False)  # noqa: FBT003 - its argument has no name
        parser.Parse(b"", True)  # noqa: FBT003 - as above


class _Book:
    """Which sheets there are, and from which day they count."""

    def __init__(self) -> None:
        self.sheets: list[str] = []
        self.from_1904 = False

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "workbookPr":
            self.from_1904 = attributes.get("date1904") in {"1", "true"}
        if name == "sheet" and attributes.get("state", "visible") == "visible":
            self.sheets.append(next(v for k, v in attributes.items() if k.endswith(":id")))


class _Relations:
    """Where the sheets lie in the archive."""

    def __init__(self) -> None:
        self.targets: dict[str, str] = {}

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "Relationship":
            path = posixpath.normpath(posixpath.join("/xl", attributes["Target"]))
            self.targets[attributes["Id"]] = path.removeprefix("/")


class _Texts:
    """Texts that cells refer to by number; reading aids of Korean and Japanese are left out."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._aid = False

    def start(self, name: str, _attributes: Attributes) -> None:
        if name == "si":
            self.texts.append("")
        if len(self.texts) > MOST_TEXTS:
            _refuse()
        self._aid |= name == "rPh"

    def end(self, name: str, text: str) -> None:
        if name == "t" and not self._aid and len(self.texts[-1]) <= LONGEST_CELL:
            self.texts[-1] += text
        self._aid &= name != "rPh"


class _Styles:
    """Which styles of cells show a number as a date."""

    def __init__(self) -> None:
        self.dated: list[bool] = []
        self._formats = set(_DATED)
        self._inside = False

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "numFmt":
            code = _LITERALS.sub("", attributes["formatCode"]).lower()
            if code != "general" and any(letter in code for letter in "ydh"):
                self._formats.add(int(attributes["numFmtId"]))
        if name in {"cellXfs", "cellStyles", "dxfs"}:
            self._inside = name == "cellXfs"
        if name == "xf" and self._inside and len(self.dated) <= CHUNK:
            self.dated.append(int(attributes.get("numFmtId", "0")) in self._formats)


class _Sheet:
    """The rows of a sheet: each cell as the text that a reader would write for it."""

    def __init__(self, texts: Sequence[str], dated: Sequence[bool], epoch: datetime) -> None:
        self.lines: list[Line] = []
        self._texts, self._dated, self._epoch = texts, dated, epoch
        self._cells: list[str] = []
        self._number = 0
        self._kind = ""
        self._style = 0

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "row":
            self._number = int(attributes.get("r", self._number + 1))
            self._cells = []
            check_line(Line(self._number, ()))
        if name == "c":
            self._place(attributes.get("r"))
            self._kind = attributes.get("t", "n")
            self._style = int(attributes.get("s", "0"))

    def end(self, name: str, text: str) -> None:
        if name == "v" or (name == "t" and self._kind == "inlineStr"):
            self._cells[-1] += self._value(text)
        if name == "row":
            if len(self.lines) >= MOST_ROWS:
                _refuse()
            self.lines.append(check_line(Line(self._number, self._cells)))

    def _place(self, reference: str | None) -> None:
        """A new cell; those that are left out before it are empty."""
        column = len(self._cells)
        if reference and (letters := _LETTERS.fullmatch(reference)):
            column = 0
            for letter in letters[1]:
                column = column * 26 + ord(letter) - ord("A") + 1
            column -= 1
        self._cells += [""] * min(max(column - len(self._cells), 0), MOST_COLUMNS)
        self._cells.append("")
        if len(self._cells) > MOST_COLUMNS:
            check_line(Line(self._number, self._cells))

    def _value(self, text: str) -> str:
        if self._kind == "s":
            return self._texts[int(text)]
        if self._kind == "b":
            return "TRUE" if text == "1" else "FALSE"
        if self._kind != "n" or not text:
            return text
        number = Decimal(repr(float(text)))  # the shortest text of what Excel holds
        if not number.is_finite() or abs(number.adjusted()) > 30:
            return text
        if self._style < len(self._dated) and self._dated[self._style]:
            return self._date(number)
        plain = f"{number:f}"
        return plain.rstrip("0").rstrip(".") if "." in plain else plain

    def _date(self, serial: Decimal) -> str:
        if not 0 < serial < _LAST_SERIAL:
            return f"{serial:f}"
        at = self._epoch + timedelta(seconds=round(float(serial) * 86_400))
        return at.date().isoformat() if serial == int(serial) else at.isoformat(" ")


def _refuse() -> NoReturn:
    raise BadInput("The workbook cannot be read; save it as XLSX or CSV again", field="file")
