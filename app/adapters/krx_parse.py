"""Naver's answers on the Korea Exchange, read strictly: charts (XML in EUC-KR), hits and pages."""

from __future__ import annotations

import html
import re
from datetime import date
from typing import Any, Final

import orjson
import polars as pl

from app.adapters.bar_rows import part_rows
from app.adapters.prices import (
    BAR_SCHEMA,
    History,
    InstrumentInfo,
    NoData,
    NotListed,
    is_symbol,
)
from app.adapters.yahoo_parse import Malformed, tidy_name

_HEAD: Final = re.compile(r'<chartdata\s+symbol="([^"]*)"\s+name="([^"]*)"[^>]*>')
_ITEM: Final = re.compile(r'<item\s+data="([^"]*)"\s*/>')
_NUMBER: Final = re.compile(r"[0-9]{1,15}(\.[0-9]{1,4})?")
_DAY: Final = re.compile(r"[0-9]{8}")
_SUFFIXES: Final = {"KOSPI": ".KS", "KOSDAQ": ".KQ"}


def parse_chart(body: bytes, symbol: str, code: str) -> History | NoData | NotListed:
    """Daily bars of today's shares; an answer without a name is that of an unknown code."""
    try:
        text = body.decode("cp949")
    except UnicodeDecodeError as error:
        raise Malformed(f"the answer is no EUC-KR: {error.reason}") from error
    head = _HEAD.search(text)
    if head is None or "</protocol>" not in text:
        raise Malformed("the answer is no whole chart")
    if head[1] != code:
        raise Malformed(f"asked for {code}, got {head[1][:40]}")
    name = " ".join(html.unescape(head[2]).split())
    items = _ITEM.findall(text)
    if len(items) != text.count("<item"):
        raise Malformed("an item of the chart is broken")
    if not items:
        return NoData(f"no daily prices of {symbol}") if name else NotListed(symbol)
    rows = [_read_item(item) for item in items]
    table = pl.DataFrame(rows, schema=BAR_SCHEMA, orient="row")
    if not table["day"].is_sorted() or table["day"].n_unique() != len(table):
        raise Malformed("the days are not in order")
    kind = "INDEX" if symbol.startswith("^") else "EQUITY"
    title = tidy_name(name, symbol)
    bars, refused = part_rows(table)
    info = InstrumentInfo(symbol, title, "XKRX", "KRW", kind, name or None)
    return History(info, bars, refused=refused)


def parse_hits(body: bytes) -> list[InstrumentInfo]:
    """The hits of a search that are Korean shares or funds."""
    hits = []
    for item in _entries(body, "items")[1]:
        suffix = _SUFFIXES.get(str(item.get("typeCode")))
        if item.get("nationCode") == "KOR" and suffix is not None:
            hits += _info(item.get("code"), item.get("name"), suffix)
    return hits


def parse_page(body: bytes, board: str) -> tuple[int, list[InstrumentInfo]]:
    """How many are listed in all, and those of one page."""
    total, items = _entries(body, "stocks")
    if type(total) is not int:
        raise Malformed(f"totalCount is {str(total)[:40]!r}")
    listed = []
    for item in items:
        kind = "EQUITY" if item.get("stockEndType") == "stock" else "ETF"
        listed += _info(item.get("itemCode"), item.get("stockName"), _SUFFIXES[board], kind)
    return total, listed


def _read_item(item: str) -> tuple[Any, ...]:
    """`20240102|71800|72000|70900|71200|12000` → a row of BAR_SCHEMA."""
    parts = item.split("|")
    if len(parts) != 6 or not _DAY.fullmatch(parts[0]):
        raise Malformed(f"a row of the chart is {item[:60]!r}")
    try:
        day = date.fromisoformat(f"{parts[0][:4]}-{parts[0][4:6]}-{parts[0][6:]}")
    except ValueError as error:
        raise Malformed(f"a day of the chart is {parts[0]!r}") from error
    numbers: list[float | None] = []
    for part in parts[1:]:
        if part != "null" and not _NUMBER.fullmatch(part):
            raise Malformed(f"a row of the chart is {item[:60]!r}")
        numbers.append(None if part == "null" else float(part))
    opened, high, low, close, volume = numbers
    return day, opened, high, low, close, None, None if volume is None else int(volume)


def _entries(body: bytes, name: str) -> tuple[Any, list[dict[str, Any]]]:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"no JSON: {error}") from error
    items = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise Malformed(f"the answer has no list of {name}")
    return answer.get("totalCount"), items


def _info(code: object, name: object, suffix: str, kind: str = "EQUITY") -> list[InstrumentInfo]:
    symbol = f"{code}{suffix}"
    if not isinstance(code, str) or not is_symbol(symbol) or not isinstance(name, str):
        raise Malformed(f"an entry is {str(code)[:20]!r}, {str(name)[:40]!r}")
    title = tidy_name(name, symbol)
    return [InstrumentInfo(symbol, title, "XKRX", "KRW", kind, title)]
