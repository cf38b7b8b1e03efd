"""Files as lines of cells: encodings, delimiters, headers below titles, and the limits."""

from __future__ import annotations

import pytest

from app.domain.records.tables import (
    LONGEST_CELL,
    MOST_BYTES,
    MOST_CELLS,
    MOST_COLUMNS,
    MOST_ROWS,
    decode,
    read_table,
)
from app.errors import BadInput

TEXT = "거래일자,거래구분,종목명\n2024-01-02,매수,삼성전자\n"


@pytest.mark.parametrize(
    ("encoding", "found"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("cp949", "cp949"), ("utf-16", "utf-16")],
)
def test_encodings_are_seen(encoding, found):
    assert decode(TEXT.encode(encoding)) == (TEXT, found)


def test_bytes_of_no_encoding_are_refused_with_their_place():
    with pytest.raises(BadInput, match="byte 1 belongs to no character"):
        decode(b"a\xff\xfe\xff")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends(delimiter, end):
    table = read_table(TEXT.replace(",", delimiter).replace("\n", end))
    assert table.header.cells == ["거래일자", "거래구분", "종목명"]
    assert [(line.number, line.cells) for line in table.lines] == [
        (2, ["2024-01-02", "매수", "삼성전자"])
    ]


def test_decimal_commas_do_not_hide_the_delimiter():
    table = read_table("Datum;Typ;Wert\n2024-01-02;Kauf;1,5\n2024-01-02;Kauf;2,5\n")
    assert table.header.cells == ["Datum", "Typ", "Wert"]


def test_the_header_is_found_below_titles_and_blank_lines_are_left_out():
    table = read_table(
        "계좌번호,123-45\n\n조회기간,2024\n" + TEXT + "\n , ,\n2024-01-03,매도,카카오\n"
    )
    assert table.header.number == 4
    assert [line.number for line in table.lines] == [5, 8]


def test_a_cell_of_several_lines_is_one_row_that_begins_where_it_begins():
    table = read_table('date,type,note\n2024-01-02,buy,"a\nb"\n2024-01-03,buy,c\n')
    assert [line.number for line in table.lines] == [2, 4]
    assert table.lines[0].cells[2] == "a\nb"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        (" \n,,,\n", "empty"),
        ("date,type\n" + "a," * MOST_COLUMNS + "\n", "Line 2 has 101 cells; at most 100"),
        ("date,type\n" + "a" * (LONGEST_CELL + 1) + "\n", "Line 2 has a cell of more than"),
        ('date,type\n"' + "a\n" * 200_000, "Line 2 has a cell of more than"),
        ("date,type\n" + "a,b\n" * MOST_ROWS, "more than 100000 lines"),
        ("," * (MOST_CELLS + 1), "3000001 cells"),
    ],
)
def test_what_is_beyond_the_limits_is_refused_with_its_line(text, words):
    with pytest.raises(BadInput, match=words):
        read_table(text)


def test_a_file_that_is_too_large_is_refused():
    with pytest.raises(BadInput, match="10485761 bytes; at most 10485760"):
        decode(b"a" * (MOST_BYTES + 1))
