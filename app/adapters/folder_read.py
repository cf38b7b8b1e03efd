"""Files of prices, CSV or Parquet, read strictly: a file → rows of one symbol, or what is wrong.

Everything is text first, so that a price is the decimal number that was written: one that a float
cannot hold exactly in its shortest form is refused rather than changed. Columns (any order, upper
or lower case, others are ignored): `day` or `date`, `open`, `high`, `low`, `close`, `volume`;
`adj_close`, `dividend` (cash per share on the ex-date) and `split` (`4:1`, `4/1`, or `4`: new
shares for an old one) if there are any; `symbol` in a file of many.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from typing import Final

import polars as pl

from app.adapters.prices import BAR_SCHEMA, DIVIDEND_SCHEMA, SPLIT_SCHEMA

NUMBERS: Final = ("open", "high", "low", "close", "adj_close", "volume", "dividend")
_LARGEST: Final = Decimal(10) ** 15
_DATES: Final = ("%Y-%m-%d", "%Y%m%d", "%Y/%m/%d", "%Y.%m.%d")
_SPLIT_LIMIT: Final = 10_000
_RATIO: Final = re.compile(
    r"([0-9]{1,8}(?:\.[0-9]{1,8})?)(?: ?[:/] ?([0-9]{1,8}(?:\.[0-9]{1,4})?))?"
)


class BadFile(Exception):
    """A file that cannot be read; says file, line and what is wrong."""


def read_table(path: Path, symbol: str | None = None) -> pl.DataFrame:
    """The file as text, its columns in lower case, and `line` (from 1, where a CSV begins).

    With `symbol` only the rows of it, from a file of many.

    Raises:
        BadFile: it is no such file.
        OSError: it cannot be opened.
    """
    read = _read_parquet if path.suffix == ".parquet" else _read_csv
    text = pl.exclude("line").cast(pl.String).str.strip_chars()
    try:
        return read(path, symbol).with_columns(text.replace({"": None}))
    except pl.exceptions.PolarsError as error:
        raise BadFile(f"{path.name}: {str(error).splitlines()[0]}"[:200]) from error


def _read_csv(path: Path, symbol: str | None) -> pl.DataFrame:
    """Every row must have as many fields as the first line has names: a file may be cut short."""
    rows: list[list[str | int]] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            names = _names(path, next(reader, []), symbol)
            at = names.index("symbol") if symbol is not None else -1
            for row in reader:
                if row and len(row) != len(names):
                    where = f"{path.name}, line {reader.line_num}"
                    raise BadFile(f"{where}: {len(row)} fields, not {len(names)} as in line 1")
                if row and (symbol is None or row[at].strip() == symbol):
                    rows.append([reader.line_num, *row])
    except UnicodeDecodeError as error:
        raise BadFile(f"{path.name}: it is no UTF-8: {error.reason}") from error
    except csv.Error as error:
        raise BadFile(f"{path.name}, line {reader.line_num}: {error}") from error
    schema = {"line": pl.Int64(), **dict.fromkeys(names, pl.String())}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _read_parquet(path: Path, symbol: str | None) -> pl.DataFrame:
    table = pl.scan_parquet(path, row_index_name="line", glob=False)
    given = [name for name in table.collect_schema().names() if name != "line"]
    names = _names(path, given, symbol)
    table = table.rename(dict(zip(given, names, strict=True)))
    if symbol is not None:
        table = table.filter(pl.col("symbol").cast(pl.String) == symbol)
    rows = table.collect()
    moments = [name for name, kind in rows.schema.items() if kind.base_type() is pl.Datetime]
    line = pl.col("line").cast(pl.Int64) + 1
    return rows.with_columns(pl.col(moments).dt.date(), line=line)


def _names(path: Path, given: list[str], symbol: str | None) -> list[str]:
    """The names of the columns in lower case."""
    names = [name.strip().lower() for name in given]
    if not names or "" in names or len(set(names)) != len(names) or "line" in names:
        raise BadFile(f"{path.name}: line 1 must name the columns, each once: {given!r}"[:200])
    if symbol is not None and "symbol" not in names:
        raise BadFile(f"{path.name}: there is no column symbol")
    return names


def read_rows(path: Path, table: pl.DataFrame, *, closes_only: bool) -> pl.DataFrame:
    """Text → `line`, BAR_SCHEMA, `dividend`, by day.

    Raises:
        BadFile: a column is missing; a value is no day or no number; a day stands there twice.
    """
    if "date" in table.columns and "day" not in table.columns:
        table = table.rename({"date": "day"})
    needed = ["day", "close"] if closes_only else ["day", "open", "high", "low", "close", "volume"]
    missing = [name for name in needed if name not in table.columns]
    if missing:
        raise BadFile(f"{path.name}: there is no column {missing[0]}")
    absent = [name for name in NUMBERS if name not in table.columns]
    table = table.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in absent)
    numbers = [_numbers(path, table, name) for name in NUMBERS]
    rows = pl.DataFrame([table["line"], _days(path, table), *numbers]).sort("day")
    twice = rows.filter(pl.col("day") == pl.col("day").shift(1))
    if not twice.is_empty():
        line, day = twice.select("line", "day").row(0)
        raise BadFile(f"{path.name}, line {line}: {day} stands there twice")
    _refuse(path, rows, pl.col("adj_close") <= 0, "adj_close", "an adjusted price must be above 0")
    _refuse(path, rows, pl.col("volume") < 0, "volume", "a volume cannot be below 0")
    _refuse(path, rows, pl.col("dividend") < 0, "dividend", "a dividend cannot be below 0")
    whole = pl.col("volume").round() == pl.col("volume")
    _refuse(path, rows, ~whole, "volume", "a volume is a whole number")
    return rows.with_columns(pl.col("volume").cast(pl.Int64))


def read_splits(path: Path, table: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """The column `split` → SPLIT_SCHEMA.

    Raises:
        BadFile: a value that is no ratio.
    """
    splits = []
    if "split" in table.columns:
        days = dict(rows.select("line", "day").iter_rows())
        for line, text in table.select("line", "split").drop_nulls().iter_rows():
            ratio = _ratio(text)
            if ratio is None:
                raise BadFile(f"{path.name}, line {line}: the split {text[:40]!r} is no ratio")
            if ratio not in {0, 1}:
                splits.append([days[line], float(ratio.numerator), float(ratio.denominator)])
    return pl.DataFrame(splits, schema=SPLIT_SCHEMA, orient="row").sort("day")


def read_dividends(rows: pl.DataFrame) -> pl.DataFrame:
    """The column `dividend` → DIVIDEND_SCHEMA."""
    paid = rows.select("day", amount="dividend").filter(pl.col("amount") > 0)
    return paid.cast(DIVIDEND_SCHEMA)


def bars_of(rows: pl.DataFrame) -> pl.DataFrame:
    """The columns of BAR_SCHEMA."""
    return rows.select(BAR_SCHEMA.names()).cast(BAR_SCHEMA)


def _days(path: Path, table: pl.DataFrame) -> pl.Series:
    for layout in _DATES:
        days = table["day"].str.to_date(layout, strict=False)
        if days.null_count() < len(days) or days.is_empty():
            break
    for line, text, day in zip(table["line"], table["day"], days, strict=True):
        if day is None:
            raise BadFile(f"{path.name}, line {line}: {str(text)[:40]!r} is no day")
    return days


def _numbers(path: Path, table: pl.DataFrame, name: str) -> pl.Series:
    values: list[float | None] = []
    for line, text in table.select("line", name).iter_rows():
        value = None if text is None or text.lower() in {"nan", "null"} else _number(text)
        if isinstance(value, str):
            raise BadFile(f"{path.name}, line {line}: {name} {text[:40]!r} {value}")
        values.append(value)
    return pl.Series(name, values, dtype=pl.Float64)


def _number(text: str) -> float | str:
    """The number that a text is, or in words why it is none that can be kept."""
    try:
        exact = Decimal(text)
    except InvalidOperation:
        return "is no number"
    if not exact.is_finite() or abs(exact) > _LARGEST:
        return "is no number of that kind"
    value = float(exact)
    return value if Decimal(repr(value)) == exact else "has more digits than can be kept"


def _ratio(text: str) -> Fraction | None:
    """New shares for an old one; None for what is no ratio, 0 or 1 for no split."""
    parts = _RATIO.fullmatch(text)
    if parts is None or not Fraction(parts[2] or 1):
        return None
    ratio = Fraction(parts[1]) / Fraction(parts[2] or 1)
    fits = ratio == 0 or 1 <= ratio * _SPLIT_LIMIT <= _SPLIT_LIMIT**2
    return ratio.limit_denominator(_SPLIT_LIMIT) if fits else None


def _refuse(path: Path, rows: pl.DataFrame, wrong: pl.Expr, name: str, why: str) -> None:
    for line, value in _first(rows.filter(wrong).select("line", name)):
        raise BadFile(f"{path.name}, line {line}: {name} is {value:g}; {why}")


def _first(rows: pl.DataFrame) -> Iterator[tuple[int, float]]:
    yield from rows.head(1).iter_rows()
