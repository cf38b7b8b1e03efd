"""What is written in our own format is read again as it was, of every kind, and is no formula."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.records.foreign import Assumed
from app.domain.records.reading import read_records
from app.domain.records.rows import RecordFormat
from app.domain.records.writing import PIECE, escape, write_csv, write_json
from tests.domain.records.entries import HARD, entries
from tests.domain.test_entry_checks import GOOD

NOTHING = Assumed("KRW", {})
WRITERS = pytest.mark.parametrize("write", [write_csv, write_json])


def read_back(write, written):
    found = read_records("".join(write(written)).encode(), NOTHING)
    assert found.format is RecordFormat.SISE
    assert not found.faults
    return found.rows


@WRITERS
def test_an_entry_of_every_kind_comes_back_equal(write):
    rows = read_back(write, GOOD)
    assert [row.entry for row in rows] == GOOD
    assert [row.number for row in rows] == list(range(1, len(GOOD) + 1))


@WRITERS
@given(written=st.lists(entries(), max_size=5))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_generated_entries_come_back_equal(write, written):
    if written:
        assert [row.entry for row in read_back(write, written)] == written


@WRITERS
def test_a_reversal_names_the_row_that_it_reverses(write):
    wrong = replace(GOOD[1], id=70)
    undone = replace(wrong, id=72, reverses=70)
    rows = read_back(write, [replace(GOOD[3], id=60), wrong, replace(GOOD[4], id=71), undone])
    assert [(row.number, row.reverses) for row in rows] == [(1, None), (2, None), (3, None), (4, 2)]
    assert rows[3].entry == replace(undone, id=None, reverses=None)


@WRITERS
def test_it_is_written_in_pieces(write):
    many = [GOOD[1]] * (PIECE * 3 + 1)
    written = 0

    def counted():
        nonlocal written
        for entry in many:
            written += 1
            yield entry

    pieces = write(counted())
    next(pieces)
    assert written == PIECE
    assert len(list(pieces)) == 3
    assert written == len(many)


def test_no_text_in_a_cell_is_a_formula_and_numbers_stay_numbers():
    hard = [
        replace(GOOD[6], symbol=text[:24].strip(), note=text, tags=(text,))
        for text in HARD
        if text.isprintable()
    ]
    text = "".join(write_csv(hard))
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
    found = json.loads("".join(write_json([GOOD[1]])))
    assert found["format"] == "sise"
    assert found["version"] == 1
    assert found["transactions"][0]["amount"] == "1000"


@WRITERS
def test_nothing_at_all_can_be_written(write):
    assert len(list(write([]))) == 1
