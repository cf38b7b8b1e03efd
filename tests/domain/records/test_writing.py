"""What is written in our own format is read again as it was, of every kind, and is no formula."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.records.reading import read_records
from app.domain.records.rows import RecordFormat
from app.domain.records.writing import ExportFormat, escape, make_writer
from tests.domain.records.entries import HARD, entries
from tests.domain.records.notation import ASSUMED
from tests.domain.test_entry_checks import GOOD

WRITERS = pytest.mark.parametrize("format_", ExportFormat)


def write(format_, entries):
    writer = make_writer(format_)
    return writer.head() + writer.piece(entries) + writer.tail()


def read_back(format_, written):
    found = read_records(write(format_, written).encode(), ASSUMED)
    assert found.format is RecordFormat.SISE
    assert not found.faults
    return found.rows


@WRITERS
def test_an_entry_of_every_kind_comes_back_equal(format_):
    rows = read_back(format_, GOOD)
    assert [row.entry for row in rows] == GOOD
    assert [row.number for row in rows] == list(range(1, len(GOOD) + 1))


@WRITERS
@given(written=st.lists(entries(), max_size=5))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_generated_entries_come_back_equal(format_, written):
    if written:
        assert [row.entry for row in read_back(format_, written)] == written


@WRITERS
def test_a_reversal_names_the_row_that_it_reverses(format_):
    wrong = replace(GOOD[1], id=70)
    undone = replace(wrong, id=72, reverses=70)
    rows = read_back(format_, [replace(GOOD[3], id=60), wrong, replace(GOOD[4], id=71), undone])
    assert [(row.number, row.reverses) for row in rows] == [(1, None), (2, None), (3, None), (4, 2)]
    assert rows[3].entry == replace(undone, id=None, reverses=None)


@WRITERS
def test_pieces_are_one_file(format_):
    wrong = replace(GOOD[1], id=70)
    written = [wrong, replace(wrong, id=72, reverses=70), GOOD[3]]
    writer = make_writer(format_)
    pieces = [writer.head(), *(writer.piece([entry]) for entry in written), writer.tail()]
    assert "".join(pieces) == write(format_, written)


@WRITERS
def test_a_reversal_of_what_is_not_written_is_left_out(format_):
    rows = read_back(format_, [GOOD[3], replace(GOOD[1], id=72, reverses=70), GOOD[4]])
    assert [(row.number, row.entry) for row in rows] == [(1, GOOD[3]), (2, GOOD[4])]


def test_no_text_in_a_cell_is_a_formula_and_numbers_stay_numbers():
    hard = [
        replace(GOOD[6], symbol=text[:24].strip(), note=text, tags=(text,))
        for text in HARD
        if text.isprintable()
    ]
    text = write(ExportFormat.CSV, hard)
    assert text.startswith("\ufeffsise 1,reverses,day,")
    lines = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    for line, entry in zip(lines, hard, strict=True):
        for name in ("symbol", "note", "tags", "kind"):
            assert not line[name].startswith(("=", "+", "-", "@", "\t", "\r")), line[name]
        assert line["amount"] == str(entry.amount) == "-1000"


def test_an_escaped_text_begins_with_an_apostrophe():
    assert escape("=1") == "'=1"
    assert escape("'a") == "''a"
    assert escape("a=1") == "a=1"


def test_json_has_one_transaction_a_line_and_numbers_as_texts():
    found = json.loads(write(ExportFormat.JSON, [GOOD[1]]))
    assert found["format"] == "sise"
    assert found["version"] == 1
    assert found["transactions"][0]["amount"] == "1000"


@WRITERS
def test_nothing_at_all_can_be_written(format_):
    assert write(format_, []).strip()
