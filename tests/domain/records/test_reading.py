"""Whatever comes as a file is read, or refused by a located fault: never anything else."""

from __future__ import annotations

import json
import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.domain.records.cells import DayOrder
from app.domain.records.columns import BROKER_NAMES, OWN_COLUMNS, RecordField
from app.domain.records.mapping import ColumnMapping
from app.domain.records.reading import read_records, read_text
from app.domain.records.rows import RecordFormat
from app.errors import BadInput
from tests.domain.records.notation import ASSUMED, brief, briefs
from tests.domain.records.test_foreign import GHOSTFOLIO, KOREAN

QUICK = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def test_a_file_in_cp949_is_read_as_one_in_utf_8():
    expected = briefs(read_records(KOREAN.encode(), ASSUMED))
    assert len(expected) == 10
    for encoding in ("cp949", "utf-8-sig", "utf-16"):
        assert briefs(read_records(KOREAN.encode(encoding), ASSUMED)) == expected
    assert briefs(read_records(KOREAN.replace("\n", "\r\n").encode("cp949"), ASSUMED)) == expected


ACTIVITIES = [
    {"accountId": "a", "comment": None, "fee": 49, "quantity": 0, "type": "FEE", "unitPrice": 0,
     "currency": "USD", "dataSource": "MANUAL", "date": "2021-09-01T00:00:00.000Z",
     "symbol": "14a69cb9-1e31-43fa-b320-83703d8ed74b", "tags": []},
    {"comment": "My first order 🤓", "fee": 19, "quantity": 5, "type": "BUY", "unitPrice": 298.58,
     "currency": "USD", "dataSource": "YAHOO", "date": "2021-09-16T00:00:00.000Z", "symbol": "MSFT"},
    {"fee": 1e-7, "quantity": 1e-7, "type": "BUY", "unitPrice": 1e7, "currency": "USD",
     "dataSource": "YAHOO", "date": "2050-06-06T00:00:00.000Z", "symbol": "MSFT"},
    {"fee": 1e-7, "quantity": 1e-7, "type": "BUY", "unitPrice": 1e7, "currency": "USD",
     "dataSource": "YAHOO", "date": "2022-06-06T00:00:00.000Z", "symbol": "MSFT"},
]  # fmt: skip


def test_ghostfolios_json():
    text = json.dumps({"meta": {"version": "2.1"}, "accounts": [], "activities": ACTIVITIES})
    found = read_text(text, ASSUMED)
    assert found.format is RecordFormat.GHOSTFOLIO
    assert briefs(found) == [
        "FEE = 49 USD",
        "BUY MSFT 5 @ 298.58 = 1492.9 USD fee 19",
        "! 3 date 2050-06-06T00:00:00.000Z",
        "! 4 fee 0.0000001",
    ]
    assert str(found.rows[1].entry.day) == "2021-09-16"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "no JSON that can be read"),
        ("[" * 100_000, "no JSON that can be read"),
        ('{"a": NaN}', "no JSON that can be read"),
        ("{}", "none of transactions"),
        ("[]", "none of transactions"),
        ('{"activities": 1}', "none of transactions"),
        ('{"activities": [1]}', "none of transactions"),
        ('{"format": "sise"}', "version 'None'"),
        ('{"format": "sise", "version": 2, "transactions": []}', "version '2'"),
        ("[" + "1," * 3_000_001, "cells; at most"),
    ],
)
def test_json_of_something_else_is_refused(text, words):
    with pytest.raises(BadInput, match=words):
        read_text(text, ASSUMED)


def check(read):
    """Reads; all that may be raised is the refusal, and every fault has its place."""
    found = None
    with suppress(BadInput):
        found = read()
    if found is None:
        return
    for fault in found.faults:
        assert fault.line >= 0
        assert str(fault.reason)
        fault.value.encode()
    for row in found.rows:
        assert brief(row.entry)


@given(st.binary(max_size=300))
@example(b"")
@example(b"\xef\xbb\xbf")
@example(b"PK\x03\x04")
@example(b"\xff\xfe\x00")
@QUICK
def test_any_bytes_are_read_or_refused(data):
    check(lambda: read_records(data, ASSUMED))


@given(st.text(max_size=300))
@QUICK
def test_any_text_is_read_or_refused(text):
    check(lambda: read_text(text, ASSUMED))


NASTY = st.sampled_from(
    [
        *("=cmd|' /C calc'!A0", "1e999", "NaN", "Infinity", "-0", "9223372036854775808", "0", "1"),
        *("-1", "1,234.50", "1.234,50", "(5)", "2024-01-02", "20240102", "매수", "매도", "환전"),
        *("입금", "buy", "sell", "dividend", "005930", "AAPL", "삼성전자", "KRW", "USD", "EUR"),
        *("\ufeff", "\x00", "\ud800", "무상입고", "유상입고", "대체입고", "합계", "0.00000001"),
        *("999999999", "1" * 40, "원", "$", "\r"),
    ]
)
CELLS = NASTY | st.text(max_size=12)
HEADERS = st.lists(
    st.sampled_from([name for names in BROKER_NAMES.values() for name in names]), max_size=14
)
MAPPINGS = st.builds(
    ColumnMapping,
    st.just({RecordField.DAY: ("거래일자",)}) | st.just({}),
    st.just({}),
    st.none() | st.sampled_from(["KRW", "USD"]),
    st.none() | st.booleans(),
    st.none() | st.sampled_from(DayOrder),
)


@given(
    HEADERS, st.lists(st.lists(CELLS, max_size=16), max_size=6), st.sampled_from(",;\t"), MAPPINGS
)
@QUICK
def test_any_cells_below_a_brokers_header_are_read_or_refused(header, rows, delimiter, mapping):
    lines = [["거래일자", "거래구분", *header], *rows]
    text = "\n".join(delimiter.join(line) for line in lines)
    check(lambda: read_text(text, ASSUMED, mapping))


@given(st.lists(st.lists(CELLS, max_size=26), max_size=6), st.booleans())
@QUICK
def test_any_cells_below_our_own_header_are_read_or_refused(rows, quoted):
    mark = '"' if quoted else ""
    lines = [["sise 1", *OWN_COLUMNS], *rows]
    text = "\n".join(",".join(f"{mark}{cell}{mark}" for cell in line) for line in lines)
    check(lambda: read_text(text, ASSUMED))


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | CELLS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(CELLS, inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    [
        "date",
        "type",
        "symbol",
        "unitPrice",
        "quantity",
        "fee",
        "currency",
        "tags",
        "number",
        *OWN_COLUMNS,
    ]
)


@given(st.lists(st.dictionaries(FIELDS, JSON, max_size=9), max_size=4), st.booleans())
@QUICK
def test_any_json_is_read_or_refused(rows, own):
    facts = {"format": "sise", "version": 1, "transactions": rows} if own else {"activities": rows}
    check(lambda: read_text(json.dumps(facts), ASSUMED))


@given(st.binary(max_size=200).map(lambda tail: GHOSTFOLIO.encode() + tail))
@QUICK
def test_a_damaged_end_leaves_the_rows_before_it(data):
    try:
        found = read_records(data, ASSUMED)
    except BadInput:
        return
    assert len(found.rows) >= 4


def test_what_a_large_file_takes_in_memory_is_bounded():
    data = b"date,type\n" + b"," * (3 * 1024 * 1024)
    tracemalloc.start()
    with pytest.raises(BadInput):
        read_records(data, ASSUMED)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 40 * len(data)
