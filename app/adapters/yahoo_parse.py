"""Yahoo's chart API v8, read strictly: an answer → what the instrument is, bars, events, a price.

Yahoo's prices are adjusted for splits: they are turned back into prices as traded here, by the
splits of the same answer, which must reach up to now. Days are dates in the exchange's own zone.
A row without price and volume was not observed and is left out; one without open and with volume 0
is a halt; one that breaks a rule is in `History.refused`; an answer that does raises `Malformed`.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import orjson
import polars as pl

from app.adapters.bar_rows import part_rows
from app.adapters.prices import (
    BAR_SCHEMA,
    DIVIDEND_SCHEMA,
    INTRADAY_SCHEMA,
    SPLIT_SCHEMA,
    History,
    InstrumentInfo,
    Intraday,
    NoData,
    Tick,
)
from app.domain.bars import (
    PRICES,
    PriceBasis,
    check_prices,
    restore,
    split_factors,
    to_as_traded,
)
from app.domain.korean_names import find_korean_name

MINUTES: Final = (1, 5, 15, 60)
"""The lengths of its bars within days."""

MICS: Final = {
    "KSC": "XKRX", "KOE": "XKRX",
    "NMS": "XNAS", "NGM": "XNAS", "NCM": "XNAS", "NIM": "XNAS",
    "NYQ": "XNYS", "SNP": "XNYS", "DJI": "XNYS",
    "PCX": "ARCX",
    "CCY": "CCY",
}  # fmt: skip
KINDS: Final = {"EQUITY": "EQUITY", "ETF": "ETF", "INDEX": "INDEX", "CURRENCY": "FX"}
CURRENCIES: Final = frozenset({"KRW", "USD"})

_PAIR: Final = re.compile(r"[A-Z]{6}=X")
_EARLIEST, _LATEST = -2_208_988_800, 4_102_444_800  # 1900 and 2100, in seconds
_LARGEST: Final = 1e12  # of a price
_LARGEST_VOLUME: Final = 1e16
_SPLIT_LIMIT: Final = 10_000  # new shares for one old share, or the other way round
_NAME_LENGTH: Final = 120
_PRICED: Final = pl.any_horizontal(pl.col(name).is_not_null() for name in PRICES)


class Malformed(Exception):
    """An answer that breaks a rule of the API, or is of something not supported; says which."""


def read_chart(body: bytes) -> dict[str, Any]:
    """The object `chart` of an answer."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"no JSON: {error}") from error
    chart = answer.get("chart") if isinstance(answer, dict) else None
    if not isinstance(chart, dict):
        raise Malformed("the answer has no chart")
    return chart


def read_result(chart: dict[str, Any]) -> dict[str, Any]:
    """The one entry of `chart.result`."""
    result = chart.get("result")
    if not isinstance(result, list) or len(result) != 1 or not isinstance(result[0], dict):
        raise Malformed("chart.result is not a list of one result")
    return result[0]


def read_error(chart: dict[str, Any]) -> tuple[str, str] | None:
    """Code and description of `chart.error`, None when there is none."""
    error = chart.get("error")
    if error is None:
        return None
    if not isinstance(error, dict) or not isinstance(error.get("code"), str):
        raise Malformed("chart.error has no code")
    return error["code"], str(error.get("description"))[:_NAME_LENGTH]


def parse_history(result: dict[str, Any], symbol: str) -> History | NoData:
    """Daily bars as traded, splits and dividends."""
    info, zone = read_info(result, symbol, "1d")
    table = _read_table(result)
    if table is None:
        return NoData(f"no daily prices of {symbol}")
    table = table.with_columns(day=_instants(table["at"]).dt.convert_time_zone(zone.key).dt.date())
    table = table.with_columns(priced=_PRICED).sort("day", "priced", "at")
    adjusted = table.unique("day", keep="last", maintain_order=True)
    events = result.get("events", {})
    splits = _read_splits(events, zone)
    return make_history(info, adjusted, splits, _read_paid(events, zone))


def make_history(
    info: InstrumentInfo, adjusted: pl.DataFrame, splits: pl.DataFrame, paid: pl.DataFrame
) -> History:
    """Yahoo's numbers → a history as traded.

    `adjusted`: rows of BAR_SCHEMA by day, prices and volume adjusted for `splits` (SPLIT_SCHEMA),
    the later ones included; `paid`: day and amount of dividends, adjusted alike.
    """
    rows = to_as_traded(adjusted, splits, digits=price_digits(info))
    rows = rows.select(BAR_SCHEMA.names()).with_columns(pl.col("adj_close").round(6))
    bars, refused = part_rows(rows, closes_only=info.kind == "FX")
    paid = paid.filter(pl.col("amount") > 0).group_by("day").agg(pl.all().sum()).sort("day")
    factor = split_factors(paid["day"], splits)
    coarse = 0 if info.currency == "KRW" else 4
    amount = pl.Series("amount", restore(paid["amount"], factor, 6, coarse))
    return History(info, bars, splits, paid.with_columns(amount), refused)


def restate(history: History, splits: pl.DataFrame) -> History:
    """A split-adjusted history → as traded, by all `splits` (SPLIT_SCHEMA) that took place.

    One that is as traded already is returned as it is. Its events stay as they are.
    """
    if history.basis is not PriceBasis.SPLIT_ADJUSTED:
        return history
    rows = to_as_traded(history.bars, splits, digits=price_digits(history.info))
    bars, refused = part_rows(rows.select(BAR_SCHEMA.names()))
    refused = pl.concat([history.refused, refused])
    return replace(history, bars=bars, refused=refused, basis=PriceBasis.AS_TRADED)


def parse_intraday(
    result: dict[str, Any], symbol: str, *, minutes: int, days: int
) -> Intraday | NoData:
    """Bars of the last `days` sessions, as traded."""
    info, zone = read_info(result, symbol, f"{minutes}m")
    table = _read_table(result)
    if table is None:
        return NoData(f"no prices of {symbol} within the day")
    instants = _instants(table["at"])
    table = table.with_columns(at=instants, day=instants.dt.convert_time_zone(zone.key).dt.date())
    sessions = table["day"].unique().sort().tail(days)
    table = table.filter(pl.col("day").is_in(sessions.implode()))
    table = table.unique("at", keep="last", maintain_order=True).sort("at")
    splits = _read_splits(result.get("events", {}), zone)
    bars = to_as_traded(table, splits, digits=price_digits(info)).filter(check_prices().is_null())
    return Intraday(info, bars.select(INTRADAY_SCHEMA.names()))


def parse_tick(result: dict[str, Any], symbol: str) -> Tick | NoData:
    """The newest price of the regular session, from `meta`."""
    info, _ = read_info(result, symbol, None)
    meta = result["meta"]
    price, at = meta.get("regularMarketPrice"), meta.get("regularMarketTime")
    if price is None or at is None:
        return NoData(f"no price of {symbol}")
    previous = meta.get("previousClose", meta.get("chartPreviousClose"))
    prices = [price] if previous is None else [price, previous]
    _check_numbers("regularMarketPrice", prices, _LARGEST)
    _check_stamps([at])
    if min(prices) <= 0:
        raise Malformed(f"the price of {symbol} is {min(prices)}")
    tidy = restore(pl.Series(prices, dtype=pl.Float64), np.ones(1), price_digits(info)).tolist()
    volume = meta.get("regularMarketVolume")
    return Tick(
        symbol=symbol,
        price=tidy[0],
        at=_instants(pl.Series([at])).item(),
        previous_close=tidy[1] if previous is not None else None,
        volume=volume if type(volume) is int and volume >= 0 else None,
    )


def read_info(
    result: dict[str, Any], symbol: str, granularity: str | None
) -> tuple[InstrumentInfo, ZoneInfo]:
    """What `meta` says the instrument is, and the time zone of its exchange."""
    meta = result.get("meta")
    if not isinstance(meta, dict):
        raise Malformed("the result has no meta")
    if _text(meta, "symbol") != symbol:
        raise Malformed(f"asked for {symbol}, got {_text(meta, 'symbol')}")
    if granularity is not None and meta.get("dataGranularity", granularity) != granularity:
        raise Malformed(f"asked for bars of {granularity}, got {meta['dataGranularity']}")
    exchange, kind = _text(meta, "exchangeName"), _text(meta, "instrumentType")
    if kind not in KINDS:
        raise Malformed(f"{symbol} is of the kind {kind}: stocks, ETFs, indices and rates only")
    if exchange not in MICS:
        raise Malformed(f"exchange {exchange} is not supported: Korean and US exchanges only")
    mic, currency = MICS[exchange], _text(meta, "currency")
    _check_currency(symbol, mic, currency)
    zone_name = _text(meta, "exchangeTimezoneName")
    try:
        zone = ZoneInfo(zone_name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Malformed(f"the time zone {zone_name!r} is unknown") from error
    name = tidy_name(meta.get("longName"), meta.get("shortName"), symbol)
    local = find_korean_name(symbol)
    return InstrumentInfo(symbol, name, mic, currency, KINDS[kind], local), zone


def tidy_name(*names: Any) -> str:
    """The first name that there is, in one line of at most 120 letters."""
    name = next(name for name in names if name)
    return " ".join(str(name).split())[:_NAME_LENGTH]


def _check_currency(symbol: str, mic: str, currency: str) -> None:
    if mic == "CCY":
        if not _PAIR.fullmatch(symbol):
            raise Malformed(f"{symbol} is no currency pair of six letters and =X, as USDKRW=X")
        wanted = symbol[3:6]
    else:
        wanted = "KRW" if mic == "XKRX" else "USD"
    if currency != wanted:
        raise Malformed(f"{symbol} is in {currency}; {wanted} was expected")
    if currency not in CURRENCIES:
        raise Malformed(f"{symbol} is in {currency}: only KRW and USD are supported")


def _text(meta: dict[str, Any], name: str) -> str:
    value = meta.get(name)
    if not isinstance(value, str) or not value:
        raise Malformed(f"meta.{name} is {value!r}")
    return value


def _read_table(result: dict[str, Any]) -> pl.DataFrame | None:
    """Rows that have a price or a volume: at (seconds), open, high, low, close, volume, adj_close.

    None without any row.
    """
    stamps = result.get("timestamp")
    if not stamps:
        return None
    _check_stamps(stamps)
    indicators = result.get("indicators")
    quote = _first(indicators, "quote")
    columns: dict[str, list[Any]] = {name: quote.get(name, []) for name in (*PRICES, "volume")}
    closes = _first(indicators, "adjclose", {}).get("adjclose")
    columns["adj_close"] = [None] * len(stamps) if closes is None else closes
    for name, values in columns.items():
        if not isinstance(values, list) or len(values) != len(stamps):
            raise Malformed(f"{name} has not one value for each of {len(stamps)} timestamps")
        _check_numbers(name, values, _LARGEST_VOLUME if name == "volume" else _LARGEST)
    schema = {"at": pl.Int64} | dict.fromkeys(columns, pl.Float64)
    table = pl.DataFrame({"at": stamps, **columns}, schema=schema, strict=False)
    table = table.filter(_PRICED | pl.col("volume").is_not_null())
    return None if table.is_empty() else table


def _first(indicators: Any, name: str, default: dict[str, Any] | None = None) -> dict[str, Any]:
    entries = indicators.get(name) if isinstance(indicators, dict) else None
    if isinstance(entries, list) and len(entries) == 1 and isinstance(entries[0], dict):
        return entries[0]
    if default is not None and not entries:
        return default
    raise Malformed(f"indicators.{name} is not a list of one object")


def _check_stamps(stamps: Any) -> None:
    if not isinstance(stamps, list) or any(type(stamp) is not int for stamp in stamps):
        raise Malformed("a timestamp is no whole number")
    if any(after < before for before, after in pairwise(stamps)):
        raise Malformed("the timestamps are not in order")
    if not _EARLIEST <= stamps[0] <= stamps[-1] <= _LATEST:
        raise Malformed("a timestamp is out of range")


def _check_numbers(name: str, values: list[Any], largest: float) -> None:
    for value in values:
        if value is None:
            continue
        if type(value) not in {int, float} or not math.isfinite(value) or abs(value) > largest:
            raise Malformed(f"{name} holds {str(value)[:40]!r}")


def _instants(seconds: pl.Series) -> pl.Series:
    return (seconds.cast(pl.Int64) * 1_000_000).cast(pl.Datetime("us", "UTC"))


def price_digits(info: InstrumentInfo) -> int:
    """Decimals that a price as traded can have: a share has no part of a won."""
    return 0 if info.currency == "KRW" and info.kind in {"EQUITY", "ETF"} else 4


def _read_events(
    events: Any, name: str, fields: tuple[str, ...], zone: ZoneInfo
) -> list[list[Any]]:
    """Events of a kind as rows of day and numbers."""
    entries = events.get(name, {}) if isinstance(events, dict) else None
    if not isinstance(entries, dict):
        raise Malformed(f"events.{name} is no object")
    rows = []
    for event in entries.values():
        if not isinstance(event, dict):
            raise Malformed(f"events.{name} holds something that is no object")
        _check_stamps([event.get("date")])
        numbers: list[Any] = [event.get(field) for field in fields]
        _check_numbers(f"events.{name}", numbers, _LARGEST)
        if any(number is None or number < 0 for number in numbers):
            raise Malformed(f"events.{name} holds {numbers}")
        day = datetime.fromtimestamp(event["date"], zone).date()
        rows.append([day, *map(float, numbers)])
    return rows


def _read_splits(events: Any, zone: ZoneInfo) -> pl.DataFrame:
    return tidy_splits(_read_events(events, "splits", ("numerator", "denominator"), zone))


def tidy_splits(rows: list[list[Any]]) -> pl.DataFrame:
    """Rows of day, numerator and denominator → SPLIT_SCHEMA, one a day; Malformed if impossible."""
    for day, numerator, denominator in rows:
        if not 1 <= numerator * _SPLIT_LIMIT / (denominator or math.inf) <= _SPLIT_LIMIT**2:
            raise Malformed(f"the split of {day} is {numerator:g} for {denominator:g}")
    splits = pl.DataFrame(rows, schema=SPLIT_SCHEMA, orient="row")
    splits = splits.filter(pl.col("numerator") != pl.col("denominator"))
    return splits.group_by("day").agg(pl.all().product()).sort("day")


def _read_paid(events: Any, zone: ZoneInfo) -> pl.DataFrame:
    """Dividends and the distributions of funds, adjusted for splits as Yahoo sends them."""
    rows = _read_events(events, "dividends", ("amount",), zone)
    rows += _read_events(events, "capitalGains", ("amount",), zone)
    return pl.DataFrame(rows, schema=DIVIDEND_SCHEMA, orient="row")
