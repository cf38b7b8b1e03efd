"""What is there already is seen: in the file, in the portfolio, by content and by key."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from app.domain.records.duplicates import Recorded, content_of, find_recorded, match_rows
from app.domain.records.rows import RecordRow
from app.domain.records.writing import CsvWriter
from tests.domain.records.notation import read
from tests.domain.test_entry_checks import GOOD

NOTHING = Recorded()
HEAD = "date,type,amount,currency,id\n"
ROW = "2024-01-02,deposit,5,KRW,"


def states(text: str, recorded: Recorded) -> list[str]:
    return [str(match.state) for match in match_rows(read(text), recorded)]


def keys(text: str, recorded: Recorded = NOTHING) -> list[str]:
    return [match.key for match in match_rows(read(text), recorded)]


def content(text: str) -> str:
    return content_of(read(text).rows[0].entry)


def test_an_equal_row_is_a_repetition_unless_the_brokers_number_differs():
    assert states(f"{HEAD}{ROW}\n{ROW}\n", NOTHING) == ["NEW", "REPEATED"]
    assert states(f"{HEAD}{ROW}1\n{ROW}1\n{ROW}2\n", NOTHING) == ["NEW", "REPEATED", "NEW"]


def test_the_same_file_has_the_same_keys_each_of_them_once():
    text = f"{HEAD}{ROW}\n{ROW}\n{ROW}7\n2024-01-03,deposit,5,KRW,\n"
    assert keys(text) == keys(text)
    assert len(set(keys(text))) == 4


def test_what_was_imported_is_recorded():
    text = f"{HEAD}{ROW}1\n{ROW}2\n"
    recorded = Recorded(keys={keys(text)[0]}, contents=Counter({content(text): 1}))
    assert states(text, recorded) == ["RECORDED", "NEW"]


def test_what_was_entered_by_hand_is_recorded_as_often_as_it_stands_there():
    text = f"{HEAD}{ROW}1\n{ROW}2\n{ROW}3\n"
    assert states(text, Recorded(contents=Counter({content(text): 2}))) == [
        *("RECORDED", "RECORDED"),
        "NEW",
    ]


def test_after_an_import_was_reversed_the_file_is_new_again_under_other_keys():
    text = f"{HEAD}{ROW}\n"
    [key] = keys(text)
    undone = Recorded(reversed_keys={key}, reversed_contents=Counter({content(text): 1}))
    assert states(text, undone) == ["NEW"]
    assert keys(text, undone) == [f"{key}:2"]


def own(*entries) -> str:
    writer = CsvWriter()
    return writer.head() + writer.piece(entries)


def test_in_our_own_format_equal_rows_are_as_many_transactions():
    text = own(GOOD[3], GOOD[3])
    assert states(text, NOTHING) == ["NEW", "NEW"]
    assert len(set(keys(text))) == 2
    assert states(text, find_recorded([GOOD[3]], {})) == ["RECORDED", "NEW"]


def test_a_reversed_row_and_its_reversal_are_looked_for_among_what_is_reversed():
    wrong, undone = replace(GOOD[3], id=1), replace(GOOD[3], id=2, reverses=1)
    text = own(wrong, undone, replace(GOOD[3], id=3))
    assert states(text, NOTHING) == ["NEW"] * 3
    first = keys(text)
    assert first[1] == f"{first[0]}:reversal"
    assert len(set(first)) == 3
    again = find_recorded(
        [wrong, undone, replace(GOOD[3], id=3)], {1: first[0], 2: first[1], 3: first[2]}
    )
    assert states(text, again) == ["RECORDED"] * 3
    assert states(text, find_recorded([wrong, undone], {})) == ["RECORDED", "RECORDED", "NEW"]


def test_content_is_what_moves_and_not_how_it_is_written():
    entry = read(f"{HEAD}{ROW}\n").rows[0].entry
    assert content_of(entry) == content_of(replace(entry, note="x", amount=entry.amount + 0))
    assert content_of(entry) != content_of(replace(entry, amount=entry.amount + 1))


def test_rows_are_never_lost():
    rows = [RecordRow(n, entry) for n, entry in enumerate(GOOD)]
    records = replace(read(f"{HEAD}{ROW}\n"), rows=rows)
    assert [match.row for match in match_rows(records, NOTHING)] == rows
