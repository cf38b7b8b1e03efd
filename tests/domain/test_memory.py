"""Memory is lent again when nothing over it lives any more, and never before."""

from __future__ import annotations

import threading

import numpy as np
import polars as pl
import pytest

from app.domain import memory
from app.domain.memory import SMALLEST, Scratch, lend

ROWS = SMALLEST


@pytest.fixture(autouse=True)
def nothing_rests() -> None:
    """What other tests of this process gave back is not taken for ours."""
    memory._resting.clear()


def address(table: np.ndarray) -> int:
    return int(table.__array_interface__["data"][0])


def test_memory_comes_back_when_the_last_frame_over_it_is_gone() -> None:
    table = lend(2, ROWS)
    first = address(table)
    table[:] = 1.0
    frame = pl.DataFrame({"a": pl.Series(table[0], nan_to_null=True), "b": pl.Series(table[1])})
    part = frame.slice(10, 5)
    del table, frame
    other = lend(2, ROWS)
    other[:] = 2.0
    assert address(other) != first
    assert part["a"].to_list() == [1.0] * 5
    del part
    assert address(lend(2, ROWS)) == first


def test_an_array_of_a_frame_keeps_the_memory() -> None:
    table = lend(2, ROWS)
    table[:] = 3.0
    values = pl.DataFrame({"a": pl.Series(table[0])})["a"].to_numpy()
    del table
    lend(2, ROWS)[:] = 4.0
    assert values.sum() == 3.0 * ROWS


def test_a_small_table_does_not_sit_on_a_large_memory() -> None:
    large = lend(11, ROWS)
    first = address(large)
    del large
    small = lend(2, ROWS)
    assert address(small) != first
    again = lend(10, ROWS)
    assert address(again) == first
    assert again.shape == (10, ROWS)
    assert again.flags.c_contiguous
    assert again.flags.writeable


def test_tiny_tables_are_new_ones() -> None:
    assert lend(2, 3).base is None
    assert lend(11, 0).shape == (11, 0)


def test_at_most_four_pieces_rest() -> None:
    sizes = [n * ROWS for n in (1, 3, 7, 15, 31, 63)]
    tables = [lend(size) for size in sizes]
    addresses = [address(table) for table in tables]
    while tables:
        tables.pop(0)
    again = [lend(size) for size in sizes[2:]]
    assert [address(table) for table in again] == addresses[2:]


def test_scratch_grows_and_is_kept_by_name_and_thread() -> None:
    scratch = Scratch()
    small = scratch.take("a", 10, np.int32)
    large = scratch.take("a", 100, np.int32)
    assert len(small) == 10
    assert address(scratch.take("a", 50, np.int32)) == address(large)
    assert address(scratch.take("b", 50, np.int32)) != address(large)
    found: list[int] = []
    thread = threading.Thread(
        target=lambda: found.append(address(scratch.take("a", 100, np.int32)))
    )
    thread.start()
    thread.join()
    assert found != [address(large)]


def test_large_scratch_is_lent() -> None:
    scratch = Scratch()
    one = scratch.take("a", 9 * SMALLEST, np.bool_)
    assert (len(one), one.dtype) == (9 * SMALLEST, np.bool_)
    assert address(scratch.take("a", 9 * SMALLEST, np.bool_)) != address(one)
