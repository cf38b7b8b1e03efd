"""Files of prices: exact decimals, many layouts, and what is wrong said with file and line."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from app.adapters.folder_read import (
    BadFile,
    bars_of,
    read_dividends,
    read_rows,
    read_splits,
    read_table,
)

HEAD = "date,open,high,low,close,volume\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "AAPL.csv"


def rows(path: Path, text: str) -> pl.DataFrame:
    path.write_text(text, encoding="utf-8")
    return read_rows(path, read_table(path), closes_only=False)


def test_a_price_is_the_decimal_that_was_written(path: Path) -> None:
    texts = ["101.1", "0.0001", "123456789.0123", "499.23", "1e3", "0.30000000000000004"]
    lines = "".join(
        f"2024-01-{n + 1:02},{text},{text},{text},{text},1\n" for n, text in enumerate(texts)
    )
    kept = rows(path, HEAD + lines)["close"].to_list()
    assert [Decimal(repr(value)) for value in kept] == [Decimal(text) for text in texts]


@pytest.mark.parametrize(
    "text",
    [
        "day,open,high,low,close,volume\n2024-01-02,1,3,1,2,9\n",
        " Date , OPEN,High,Low,Close,Volume\n20240102,1,3,1,2,9\n",
        "close,volume,day,low,high,open,note\n2,9,2024/01/02,1,3,1,x\n",
        "\ufeffdate,open,high,low,close,volume\r\n2024.01.02,1.0,3.00,1,2,9.0\r\n\r\n",
        'date,open,high,low,close,volume\n"2024-01-02","1"," 3 ",1,2,9',
    ],
)
def test_columns_may_stand_in_any_order_and_days_in_four_layouts(path: Path, text: str) -> None:
    found = bars_of(rows(path, text))
    assert found.drop("adj_close").rows() == [(date(2024, 1, 2), 1, 3, 1, 2, 9)]


def test_rows_come_in_order_of_day(path: Path) -> None:
    found = rows(path, f"{HEAD}2024-01-03,1,1,1,1,1\n2024-01-02,1,1,1,1,1\n")
    assert found["day"].to_list() == [date(2024, 1, 2), date(2024, 1, 3)]
    assert found["line"].to_list() == [3, 2]


def test_nothing_is_null(path: Path) -> None:
    found = rows(path, f"{HEAD}2024-01-02,,NaN,null,5,\n")
    assert bars_of(found).drop("adj_close").rows() == [
        (date(2024, 1, 2), None, None, None, 5, None)
    ]


GOOD = "2024-01-02,1,3,1,2,9\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1 must name the columns"),
        ("date,date,close\n", "line 1 must name the columns"),
        ("date,,close\n", "line 1 must name the columns"),
        ("<html>\n", "there is no column day"),
        ("date,open,high,low,close\n" + GOOD[:-3] + "\n", "there is no column volume"),
        (HEAD + GOOD + "2024-01-03,1,3\n", "line 3: 3 fields, not 6"),
        (HEAD + GOOD + "2024-01-03,1,3,1,2,9,7\n", "line 3: 7 fields, not 6"),
        (HEAD + GOOD + '"2024-01-03,1,3,1,2,9\n', "line 3: "),
        (HEAD + GOOD + "03/01/2024,1,3,1,2,9\n", "line 3: '03/01/2024' is no day"),
        (HEAD + GOOD + "2024-02-30,1,3,1,2,9\n", "line 3: '2024-02-30' is no day"),
        (HEAD + GOOD + ",1,3,1,2,9\n", "line 3: 'None' is no day"),
        (HEAD + GOOD + GOOD, "2024-01-02 stands there twice"),
        (HEAD + "2024-01-02,ten,3,1,2,9\n", "line 2: open 'ten' is no number"),
        (HEAD + '2024-01-02,"1,000",3,1,2,9\n', "line 2: open '1,000' is no number"),
        (HEAD + "2024-01-02,inf,3,1,2,9\n", "open 'inf' is no number of that kind"),
        (HEAD + "2024-01-02,1e20,3,1,2,9\n", "is no number of that kind"),
        (HEAD + "2024-01-02,1.00000000000000001,3,1,2,9\n", "has more digits than can be kept"),
        (HEAD + "2024-01-02,1,3,1,2,9.5\n", "line 2: volume is 9.5; a volume is a whole number"),
        (HEAD + "2024-01-02,1,3,1,2,-9\n", "line 2: volume is -9; a volume cannot be below 0"),
    ],
)
def test_what_is_wrong_is_said_with_file_and_line(path: Path, text: str, message: str) -> None:
    with pytest.raises(BadFile, match="AAPL") as bad:
        rows(path, text)
    assert message in str(bad.value)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("adj_close", "-3", "adj_close is -3; an adjusted price must be above 0"),
        ("adj_close", "0", "adj_close is 0; an adjusted price must be above 0"),
        ("dividend", "-1", "dividend is -1; a dividend cannot be below 0"),
    ],
)
def test_an_impossible_value_is_refused(path: Path, column: str, value: str, message: str) -> None:
    with pytest.raises(BadFile, match=f"AAPL.csv, line 2: {message}"):
        rows(path, f"{HEAD[:-1]},{column}\n{GOOD[:-1]},{value}\n")


def test_a_file_in_another_encoding_is_named(path: Path) -> None:
    path.write_bytes("date,이름\n".encode("cp949"))
    with pytest.raises(BadFile, match="it is no UTF-8"):
        read_table(path)


@pytest.mark.parametrize(
    ("text", "ratio"),
    [("4:1", (4, 1)), ("4/1", (4, 1)), ("4", (4, 1)), ("1:50", (1, 50)), ("1.5", (3, 2))],
)
def test_a_split_is_a_ratio(path: Path, text: str, ratio: tuple[int, int]) -> None:
    path.write_text(f"{HEAD[:-1]},split,dividend\n{GOOD[:-1]},{text},0.25\n")
    table = read_table(path)
    found = read_rows(path, table, closes_only=False)
    assert read_splits(path, table, found).rows() == [(date(2024, 1, 2), *ratio)]
    assert read_dividends(found).rows() == [(date(2024, 1, 2), 0.25)]


@pytest.mark.parametrize("text", ["0", "1", "1:1", ""])
def test_no_split_may_be_written_in_several_ways(path: Path, text: str) -> None:
    path.write_text(f"{HEAD[:-1]},split\n{GOOD[:-1]},{text}\n")
    table = read_table(path)
    assert read_splits(path, table, read_rows(path, table, closes_only=False)).is_empty()


@pytest.mark.parametrize("text", ["four", "4:0", "-2", "1:99999999", "4:1:2"])
def test_what_is_no_ratio_is_named(path: Path, text: str) -> None:
    path.write_text(f"{HEAD[:-1]},split\n{GOOD[:-1]},{text}\n")
    table = read_table(path)
    with pytest.raises(BadFile, match=r"line 2: the split .* is no ratio"):
        read_splits(path, table, read_rows(path, table, closes_only=False))


def test_a_parquet_file_says_the_same_as_its_csv(tmp_path: Path, path: Path) -> None:
    at = datetime(2024, 1, 2)  # noqa: DTZ001 - as files have it
    frame = pl.DataFrame(
        {
            "Date": [at],
            "open": pl.Series([Decimal("1.10")]),
            "high": pl.Series([3.3], dtype=pl.Float32),
            "low": [1.05],
            "close": [2],
            "volume": [9.0],
        }
    )
    there = tmp_path / "AAPL.parquet"
    frame.write_parquet(there)
    found = bars_of(read_rows(there, read_table(there), closes_only=False))
    same = bars_of(rows(path, f"{HEAD}2024-01-02,1.1,3.3,1.05,2,9\n"))
    assert found.equals(same)


def test_a_file_of_many_gives_the_rows_of_one(tmp_path: Path) -> None:
    text = "symbol," + HEAD + "AAPL," + GOOD + "MSFT," + GOOD + "AAPL,2024-01-03,1,3,1,2,8\n"
    csv = tmp_path / "bars.csv"
    csv.write_text(text)
    parquet = tmp_path / "bars.parquet"
    pl.read_csv(csv, infer_schema=False).write_parquet(parquet)
    assert read_table(csv, "AAPL")["line"].to_list() == [2, 4]
    assert read_table(parquet, "AAPL")["line"].to_list() == [1, 3]
    assert read_table(csv, "NOPE").is_empty()
    csv.write_text(HEAD + GOOD)
    with pytest.raises(BadFile, match="there is no column symbol"):
        read_table(csv, "AAPL")


def test_what_is_no_parquet_is_named(tmp_path: Path) -> None:
    path = tmp_path / "AAPL.parquet"
    path.write_text("PAR1 or so")
    with pytest.raises(BadFile, match=r"AAPL\.parquet: "):
        read_table(path)


def test_a_column_that_holds_no_values_is_named(tmp_path: Path) -> None:
    path = tmp_path / "AAPL.parquet"
    pl.DataFrame({"date": [date(2024, 1, 2)], "close": [[1, 2]]}).write_parquet(path)
    with pytest.raises(BadFile, match=r"AAPL\.parquet: "):
        read_rows(path, read_table(path), closes_only=True)
