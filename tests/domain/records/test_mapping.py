"""Mappings of columns and words: kept as they are said, within bounds."""

from __future__ import annotations

import pytest

from app.domain.records.cells import DayOrder
from app.domain.records.columns import RecordField
from app.domain.records.kinds import RecordKind
from app.domain.records.mapping import RECOGNISED, ColumnMapping, check_mapping, load_mapping
from app.errors import BadInput

SAID = ColumnMapping(
    {RecordField.DAY: ("When",), RecordField.FEE: ("Fee A", "Fee B")},
    {"공모 청약": RecordKind.BUY},
    "USD",
    decimal_comma=True,
    day_order=DayOrder.DMY,
)


def test_a_mapping_comes_back_from_what_is_stored():
    assert load_mapping(SAID.dump()) == SAID
    assert load_mapping(RECOGNISED.dump()) == RECOGNISED


def test_words_are_kept_as_they_are_compared():
    assert check_mapping(SAID).kinds == {"공모청약": RecordKind.BUY}


@pytest.mark.parametrize(
    ("bad", "field", "words"),
    [
        (ColumnMapping({RecordField.DAY: ("a", "b")}), "columns", "day is given 2 columns"),
        (ColumnMapping({RecordField.DAY: ()}), "columns", "day is given 0 columns"),
        (ColumnMapping({RecordField.DAY: (" ",)}), "columns", "1 to 100 printable"),
        (ColumnMapping(kinds={"x" * 101: RecordKind.BUY}), "kinds", "1 to 100 printable"),
        (ColumnMapping(kinds={str(n): RecordKind.BUY for n in range(201)}), "kinds", "at most 200"),
        (ColumnMapping(currency="EUR"), "currency", "EUR is not supported"),
    ],
)
def test_what_is_out_of_bounds_is_refused(bad, field, words):
    with pytest.raises(BadInput, match=words) as caught:
        check_mapping(bad)
    assert caught.value.field == field
