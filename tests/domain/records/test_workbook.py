"""Workbooks: what others write is read; what is broken, a bomb or a formula does nothing."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal

import openpyxl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.domain.records.reading import read_records
from app.domain.records.tables import MOST_COLUMNS
from app.domain.records.workbook import read_workbook
from app.domain.records.writing import CsvWriter
from app.errors import BadInput
from tests.domain.records.notation import ASSUMED, briefs
from tests.domain.test_entry_checks import GOOD


def make(rows, change=None) -> bytes:
    """A workbook as openpyxl writes it."""
    book = openpyxl.Workbook()
    sheet = book.active
    for row in rows:
        sheet.append(row)
    if change:
        change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def rewrite(data: bytes, name: str, change) -> bytes:
    """The archive with one member changed."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for member in old.infolist():
            content = old.read(member)
            new.writestr(member.filename, change(content) if member.filename == name else content)
    return out.getvalue()


NOON = datetime(2024, 2, 29, 12)  # noqa: DTZ001 - a workbook knows no zones
HALF_PAST = datetime(2024, 1, 3, 9, 30)  # noqa: DTZ001 - as above
SHEET = "xl/worksheets/sheet1.xml"
ROWS = [
    ["거래일자", "거래구분", "종목코드", "수량", "단가", "거래금액", "수수료"],
    [date(2024, 1, 2), "매수", "005930", 10, 71200, 712000, 100],
    [HALF_PAST, "매도", 5930, 5, 72000.0, 360000, None],
    ["2024.01.04", "입금", None, None, None, Decimal(1000000), None],
]


def test_a_workbook_is_read_as_a_table():
    assert briefs(read_records(make(ROWS), ASSUMED)) == [
        "BUY 005930.KS 10 @ 71200 = 712000 KRW fee 100",
        "SELL 005930.KS 5 @ 72000 = 360000 KRW",
        "DEPOSIT = 1000000 KRW",
    ]


def test_cells_are_texts_as_a_reader_would_write_them():
    row = [0.1, 1e-7, 123456789.25, True, date(2024, 2, 29), NOON, "a\nb", -3]
    [line] = read_workbook(make([row]))
    assert line.cells == [
        *("0.1", "0.0000001", "123456789.25", "TRUE", "2024-02-29", "2024-02-29 12:00:00", "a\nb"),
        "-3",
    ]


def test_a_formula_is_never_computed():
    data = make([["=1+1", "x"], ["=HYPERLINK(A1)"]])
    assert [line.cells for line in read_workbook(data)] == [["", "x"], [""]]


def test_the_first_visible_sheet_is_read_and_gaps_are_kept():
    def hide(book):
        book.active.sheet_state = "hidden"
        shown = book.create_sheet("shown")
        shown["C3"] = "here"

    assert [(line.number, line.cells) for line in read_workbook(make([["hidden"]], hide))] == [
        (3, ["", "", "here"])
    ]


def test_our_own_format_in_a_workbook_is_lossless():
    writer = CsvWriter()
    text = writer.head().removeprefix("\ufeff") + writer.piece(GOOD)
    data = make(csv.reader(io.StringIO(text, newline="")))
    assert [row.entry for row in read_records(data, ASSUMED).rows] == GOOD


@pytest.mark.parametrize("name", ["xl/workbook.xml", SHEET, "xl/styles.xml"])
def test_a_doctype_is_refused(name):
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
    data = rewrite(
        make(ROWS), name, lambda xml: re.sub(rb"^(<\?xml.*?\?>)?", rb"\1" + bomb, xml, count=1)
    )
    with pytest.raises(BadInput, match="cannot be read"):
        read_workbook(data)


def test_what_unpacks_to_too_much_is_refused_before_it_is():
    data = rewrite(make(ROWS), SHEET, lambda _: b"<a>" + b" " * 101 * 1024 * 1024)
    assert len(data) < 200_000
    with pytest.raises(BadInput, match="unpacks to"):
        read_workbook(data)


@pytest.mark.parametrize(
    ("xml", "words"),
    [
        (b'<w><row r="1">' + b"<c/>" * (MOST_COLUMNS + 1), "101 cells; at most 100"),
        (b'<w><row r="1"><c r="XFD1"><v>1</v></c></row></w>', "cells; at most 100"),
        (b'<w><row r="1048576"><c><v>1</v></c></row></w>', "more than 100000 lines"),
        (b"<w>" + b"<row/>" * 100_001, "more than 100000 lines"),
        (b'<w><row><c t="s"><v>99</v></c></row></w>', "cannot be read"),
        (b"<w><row><c><v>x</v></c></row></w>", "cannot be read"),
        (b"<w><row>", "cannot be read"),
        (b'<w><row><c t="str"><v>' + b"x" * 5000 + b"</v></c></row></w>", "cell of more than"),
        (b"<w><v>1</v></w>", "cannot be read"),
    ],
)
def test_sheets_that_no_reader_should_follow(xml, words):
    with pytest.raises(BadInput, match=words):
        read_workbook(rewrite(make(ROWS), SHEET, lambda _: xml))


@given(place=st.integers(0, 6000), junk=st.binary(min_size=1, max_size=8))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example(place=4555, junk=b"\x00@")  # a later version of the zip format
def test_a_damaged_workbook_is_read_or_refused(place, junk):
    data = bytearray(DAMAGED)
    data[place : place + len(junk)] = junk
    with suppress(BadInput):
        assert read_records(bytes(data), ASSUMED).columns


@given(junk=st.binary(max_size=40), place=st.integers(0, 1500))
@settings(max_examples=150, deadline=None)
def test_a_sheet_with_damaged_xml_is_read_or_refused(junk, place):
    damaged = rewrite(DAMAGED, SHEET, lambda xml: xml[:place] + junk + xml[place + 3 :])
    with suppress(BadInput):
        assert read_records(damaged, ASSUMED).columns


DAMAGED = make(ROWS)
