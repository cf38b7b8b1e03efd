"""Our own format, read: versions, columns, tags, and rows that are wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.records.own import join_tags, split_tags, unescape
from app.domain.records.writing import escape
from app.errors import BadInput
from tests.domain.records.notation import briefs, read

HEAD = "sise 1,reverses,day,settles_on,kind,currency,amount\n"


def test_columns_may_be_left_out_and_stand_in_any_order():
    assert briefs(read(HEAD + "1,,2024-01-02,2024-01-02,DEPOSIT,KRW,5\n")) == ["DEPOSIT = 5 KRW"]
    assert briefs(
        read("sise 1,kind,amount,currency,settles_on,day\n1,FEE,2,USD,2024-01-02,2024-01-02\n")
    ) == ["FEE = 2 USD"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEAD.replace("sise 1", "sise 2") + "1\n", "version '2'.*; 1 can be read"),
        (HEAD.replace("amount", "amuont") + "1\n", "'amuont' is no column"),
    ],
)
def test_another_version_or_another_column_is_refused(text, words):
    with pytest.raises(BadInput, match=words):
        read(text)


GOOD = "2024-01-02,2024-01-02,DEPOSIT,KRW,5"


@pytest.mark.parametrize(
    ("row", "column", "words"),
    [
        (f"x,,{GOOD}", "number", "'x' is no number of a row"),
        (f"1,,{GOOD}", "number", "number 1 stands in an earlier row"),
        (f"2,9,{GOOD}", "reverses", "No row before this one has the number 9"),
        ("2,,2024-01-02,2024-01-01,DEPOSIT,KRW,5", "settles_on", "must not be before"),
        (
            "2,,2024-01-02,2024-01-02,GIFT,KRW,5",
            "kind",
            "'GIFT' is no kind; there are OPENING, BUY",
        ),
        ("2,,2024-01-02,2024-01-02,DEPOSIT,KRW,5.5", "amount", "at most 0 decimals"),
        ("2,,2024-01-02,2024-01-02,BUY,KRW,5", "symbol", "symbol is missing; BUY needs it"),
        ("2", "day", "no day"),
    ],
)
def test_a_bad_row_is_located(row, column, words):
    found = read(f"{HEAD}1,,{GOOD}\n{row}\n")
    assert len(found.rows) == 1
    [fault] = found.faults
    assert (fault.line, fault.column) == (3, column)
    assert words in str(fault.reason)


@given(st.lists(st.text(min_size=1)))
def test_tags_come_back(tags):
    assert split_tags(join_tags(tags)) == tuple(tags)


@given(st.text())
def test_an_escaped_text_comes_back(text):
    assert unescape(escape(text)) == text
