"""The chart API's answer for a listing: Yahoo's numbers, meta and events, with Yahoo's quirks.

Prices are divided by all later splits and sent as 32-bit floats written in full; `adjclose` takes
the dividends off too; daily time stamps stand at the open of the exchange; the answer without rows
has no `timestamp` at all.
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from tests.fakes.listings import PRICES, Listing

HOURS = {
    "Asia/Seoul": (time(9), time(15, 30)),
    "America/New_York": (time(9, 30), time(16)),
    "Europe/London": (time(0), time(23, 59)),
}
FULL_NAMES = {"NMS": "NasdaqGS", "NYQ": "NYSE", "PCX": "NYSEArca", "KSC": "KSE", "KOE": "KOSDAQ"}
SPANS = {"5d": 7, "1mo": 31, "3mo": 92, "6mo": 183, "1y": 365, "2y": 730, "5y": 1826, "10y": 3652}


def stamp(listing: Listing, day: date, *, closes: bool = False) -> int:
    """Seconds of the open (or the close) of a day."""
    return _stamp(listing.zone, day, closes)


@cache
def _stamp(zone: str, day: date, closes: bool) -> int:
    at = HOURS[zone][int(closes)]
    return int(datetime.combine(day, at, ZoneInfo(zone)).timestamp())


def single(value: float | None) -> float | None:
    """A number as Yahoo sends it: a 32-bit float, written as a 64-bit one."""
    return None if value is None or not math.isfinite(value) else float(np.float32(value))


def chart(listing: Listing, query: dict[str, str]) -> dict[str, Any]:
    """One entry of `chart.result`, or {"error": (status, code, description)}."""
    interval = query.get("interval", "1d")
    first, after = _span(listing, query)
    known = {d: ratio for d, ratio in listing.splits.items() if stamp(listing, d) < after}
    listing = replace(listing, splits=known)  # Yahoo on the day of `period2` knew no later ones
    if interval[-1] in "mh":
        return _intraday(listing, interval, first, after, query)
    rows = [r for r in _daily_rows(listing) if first <= r["at"] < after]
    meta = _meta(listing, interval, _close_before(listing, first))
    if not rows:
        begin = stamp(listing, listing.bars["day"][0])
        if after <= begin:
            text = f"Data doesn't exist for startDate = {first}, endDate = {after}"
            return {"error": (400, "Bad Request", text)}
        return {"meta": meta, "indicators": {"quote": [{}], "adjclose": [{}]}}
    result = {
        "meta": meta,
        "timestamp": [r["at"] for r in rows],
        "indicators": {
            "quote": [{c: [r[c] for r in rows] for c in (*PRICES, "volume")}],
            "adjclose": [{"adjclose": [r["adjclose"] for r in rows]}],
        },
    }
    events = _events(listing, rows[0]["day"], rows[-1]["day"], query.get("events", ""))
    return result | ({"events": events} if events else {})


def visible(listing: Listing, now: float) -> Listing:
    """The listing as it is at an instant: no bar before its open, other prices until its close."""
    bars = listing.bars
    opened = [stamp(listing, day) <= now for day in bars["day"]]
    going = pl.Series([now < listing.closes.get(day, 0.0) for day in bars["day"]])
    bars = bars.with_columns(
        pl.when(going).then(pl.col(name) * 0.98).otherwise(pl.col(name)).alias(name)
        for name in PRICES
    ).filter(pl.Series(opened))
    return replace(listing, bars=bars)


def _span(listing: Listing, query: dict[str, str]) -> tuple[int, int]:
    if "period1" in query:
        return int(query["period1"]), int(query.get("period2", 1 << 40))
    name = query.get("range", "1mo")
    last = listing.bars["day"][-1]
    if name == "max":
        return -(1 << 40), 1 << 40
    if name == "1d":
        return stamp(listing, last), 1 << 40
    return stamp(listing, last - timedelta(days=SPANS[name])), 1 << 40


def _daily_rows(listing: Listing) -> list[dict[str, Any]]:
    paid = _dividend_factors(listing)
    rows = []
    for bar, taken in zip(listing.bars.iter_rows(named=True), paid, strict=True):
        day = bar["day"]
        factor = listing.split_factor(day)
        row: dict[str, Any] = {
            c: None if bar[c] is None else single(bar[c] / factor) for c in PRICES
        }
        close = bar["close"]
        row |= {
            "at": stamp(listing, day),
            "day": day,
            "volume": None if bar["volume"] is None else round(bar["volume"] * factor),
            "adjclose": None if close is None else single(close / factor * taken),
        }
        rows.append(row)
    if listing.live is not None:
        live = dict(listing.live)
        at = datetime.fromtimestamp(live["at"], ZoneInfo(listing.zone))
        rows.append({"day": at.date(), "adjclose": live["close"], **live})
    return rows


def _dividend_factors(listing: Listing) -> list[float]:
    """For each bar the product of 1 - amount / close before, over later dividends."""
    days, closes = listing.bars["day"].to_list(), listing.bars["close"].to_list()
    factors, factor = [1.0] * len(days), 1.0
    for i in range(len(days) - 1, 0, -1):
        factors[i] = factor
        amount, before = listing.dividends.get(days[i]), closes[i - 1]
        if amount is not None and before is not None:
            new, old = listing.splits.get(days[i], (1.0, 1.0))
            factor *= 1 - amount * new / old / before
    if days:
        factors[0] = factor
    return factors


def _events(listing: Listing, first: date, last: date, wanted: str) -> dict[str, Any]:
    events: dict[str, Any] = {}
    if "div" in wanted:
        for day, amount in listing.dividends.items():
            if first <= day <= last:
                at = stamp(listing, day)
                value = round(amount / listing.split_factor(day), 6)
                events.setdefault("dividends", {})[str(at)] = {"amount": value, "date": at}
    if "split" in wanted:
        for day, (new, old) in listing.splits.items():
            if first <= day <= last:
                at = stamp(listing, day)
                events.setdefault("splits", {})[str(at)] = {
                    "date": at,
                    "numerator": new,
                    "denominator": old,
                    "splitRatio": f"{new:g}:{old:g}",
                }
    return events


def _intraday(
    listing: Listing, interval: str, first: int, after: int, query: dict[str, str]
) -> dict[str, Any]:
    rows: list[dict[str, Any]] = []
    if listing.intraday is not None:
        rows = [r for r in listing.intraday.iter_rows(named=True) if first <= r["at"] < after]
    meta = _meta(listing, interval, _close_before(listing, first))
    if not rows:
        if query.get("range") == "1d":
            return {"meta": meta, "indicators": {"quote": [{}]}}
        text = f"{interval} data not available for startTime={first} and endTime={after}."
        return {"error": (422, "Unprocessable Entity", text)}
    quote = {c: [single(r[c]) for r in rows] for c in PRICES}
    quote["volume"] = [r["volume"] for r in rows]
    stamps = [r["at"] for r in rows]
    zone = ZoneInfo(listing.zone)
    days = sorted({datetime.fromtimestamp(at, zone).date() for at in stamps})
    meta["tradingPeriods"] = [[_session(listing, day)] for day in days]
    return {"meta": meta, "timestamp": stamps, "indicators": {"quote": [quote]}}


def _close_before(listing: Listing, first: int) -> float | None:
    before = None
    for day, close in listing.bars.select("day", "close").iter_rows():
        if stamp(listing, day) >= first:
            break
        before = None if close is None else close / listing.split_factor(day)
    return before


def _session(listing: Listing, day: date) -> dict[str, Any]:
    """The regular hours of a day."""
    closes_at = stamp(listing, day, closes=True)
    zone = datetime.fromtimestamp(closes_at, ZoneInfo(listing.zone))
    return {
        "timezone": zone.tzname(),
        "start": stamp(listing, day),
        "end": closes_at,
        "gmtoffset": int((zone.utcoffset() or timedelta()).total_seconds()),
    }


def _meta(listing: Listing, interval: str, before: float | None) -> dict[str, Any]:
    last = listing.bars.row(-1, named=True)
    session = _session(listing, last["day"])
    closes_at = session["end"]
    live = {}
    if listing.live is not None:
        price, volume = listing.live["close"], listing.live["volume"]
        at = int(listing.live["at"])
        live = {"regularMarketPrice": price, "regularMarketTime": at, "regularMarketVolume": volume}
    static = {
        "currency": listing.currency,
        "symbol": listing.symbol,
        "exchangeName": listing.exchange,
        "fullExchangeName": FULL_NAMES.get(listing.exchange, listing.exchange),
        "instrumentType": listing.kind,
        "firstTradeDate": stamp(listing, listing.bars["day"][0]),
        "regularMarketTime": closes_at,
        "hasPrePostMarketData": listing.zone == "America/New_York",
        "gmtoffset": session["gmtoffset"],
        "timezone": session["timezone"],
        "exchangeTimezoneName": listing.zone,
        "regularMarketPrice": last["close"],
        "regularMarketDayHigh": last["high"],
        "regularMarketDayLow": last["low"],
        "regularMarketVolume": last["volume"],
        "longName": listing.name,
        "shortName": listing.name[:30],
        "chartPreviousClose": before,
        "priceHint": 2,
        "currentTradingPeriod": {"pre": session, "regular": session, "post": session},
        "dataGranularity": interval,
        "range": "",
        "validRanges": ["1d", *SPANS, "ytd", "max"],
    }
    return static | live | listing.quote
