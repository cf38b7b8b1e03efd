"""Rows of the pages, put together from what documents return: groups, clocks, events, votes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any, Final
from zoneinfo import ZoneInfo

from babel.dates import format_datetime

from app.translations import Locale
from app.web.formats import make_filters, number
from app.web.names import short_name

Row = dict[str, Any]
Translate = Callable[[str], str]

EVENTS_SHOWN: Final = 12
_WEEK: Final = timedelta(days=7)


def group_instruments(instruments: Iterable[Row], _: Translate) -> list[Row]:
    """The watchlist in groups, each in its own order; empty groups are left out."""
    groups: dict[str, list[Row]] = {"KR": [], "US": [], "OTHER": [], "RATES": []}
    for it in instruments:
        groups[_group_of(it)].append(it)
    titles = {
        "KR": _("Korea"),
        "US": _("United States"),
        "OTHER": _("Elsewhere"),
        "RATES": _("Indices and currencies"),
    }
    return [
        {
            "title": titles[key],
            "currency": None if key == "RATES" else _currency_of(rows),
            "instruments": rows,
        }
        for key, rows in groups.items()
        if rows
    ]


def find_behind(instruments: Iterable[Row]) -> Row:
    """How many instruments are not up to date, and what the most of them have as the reason."""
    late = {"LATE", "RATE_LIMITED", "PARTIAL", "QUARANTINED"}
    behind = [it["freshness"] for it in instruments if it["freshness"]["state"] in late]
    reasons = Counter(found["reason"] for found in behind if found["reason"])
    return {"count": len(behind), "reason": next((r for r, _ in reasons.most_common(1)), None)}


def list_clocks(markets: Iterable[Row], now: datetime, locale: Locale, _: Translate) -> list[Row]:
    """One clock a time zone: the market's name, whether it is open, and when that changes."""
    titles = {
        "Asia/Seoul": _("Korea"),
        "America/New_York": _("US"),
        "Europe/London": _("FX"),
    }
    first = {market["timeZone"]: market for market in reversed(list(markets))}
    return [
        {
            "zone": zone,
            "title": title,
            "open": first[zone]["open"],
            "change": first[zone][_turn(first[zone])],
            "next": when(first[zone][_turn(first[zone])], zone, now, locale),
        }
        for zone, title in titles.items()
        if zone in first
    ]


def _turn(market: Row) -> str:
    """The name of the instant at which the market opens or closes next."""
    return "closeAt" if market["open"] else "openAt"


def when(instant: str | None, zone: str, now: datetime, locale: Locale) -> str | None:
    """An instant to come on the clock of a zone: `09:00`, with its weekday when it is not today."""
    if instant is None:
        return None
    local = datetime.fromisoformat(instant).astimezone(ZoneInfo(zone))
    today = now.astimezone(ZoneInfo(zone)).date()
    if local.date() == today:
        return f"{local:%H:%M}"
    pattern = "EEE HH:mm" if local.date() - today < _WEEK else "M/d HH:mm"
    return format_datetime(local, pattern, locale=locale)


def list_bars(series: Mapping[str, Sequence[Any]]) -> list[Row]:
    """The columns of a series as rows, the newest first; a currency pair has closes alone."""
    names = ("time", "open", "high", "low", "close", "volume")
    unknown = [None] * len(series["time"])
    rows = zip(*(series.get(name, unknown) for name in names), strict=True)
    return [dict(zip(names, row, strict=True)) for row in rows][::-1]


def list_events(it: Mapping[str, Any], locale: Locale, _: Translate) -> list[Row]:
    """Splits and dividends of an instrument, the newest first."""
    money = make_filters(locale)["money"]
    events = [
        {
            "day": split["day"],
            "label": _("Split"),
            "amount": f"{number(split['numerator'])} : {number(split['denominator'])}",
        }
        for split in it["splits"]
    ]
    events += [
        {
            "day": dividend["day"],
            "label": _("Dividend"),
            "amount": money(dividend["amount"], it["currency"]),
        }
        for dividend in it["dividends"]
    ]
    return sorted(events, key=itemgetter("day"), reverse=True)[:EVENTS_SHOWN]


def list_votes(signal: Mapping[str, Any], _: Translate) -> list[Row]:
    """The votes of a signal in words."""
    names = {
        "RSI": "RSI (14)",
        "STOCHASTIC": _("Stochastic"),
        "MACD_CROSS": _("MACD cross"),
        "MACD_STATE": _("MACD state"),
    }
    words = {"BUY": _("Buy"), "SELL": _("Sell"), "NEUTRAL": _("Neutral")}
    return [
        {
            "indicator": names[vote["indicator"]],
            "word": words[vote["direction"]],
            "sentence": vote["sentence"],
        }
        for vote in signal["votes"]
    ]


def strength_word(strength: str, _: Translate) -> str:
    """What the votes come to, in words."""
    words = {
        "STRONG_BUY": _("Strong buy"),
        "BUY": _("Buy"),
        "HOLD": _("Hold"),
        "SELL": _("Sell"),
        "STRONG_SELL": _("Strong sell"),
    }
    return words[strength]


def title_of(it: Mapping[str, Any], locale: Locale) -> str:
    """Name and symbol, once where they are the same."""
    name = short_name(it["nameLocal"] if locale == "ko" and it["nameLocal"] else it["name"])
    return name if name == it["symbol"] else f"{name} {it['symbol']}"


def sector_word(sector: str | None, _: Translate) -> str | None:
    """A sector in the reader's language; one that is not known as the source spells it."""
    words = {
        "Basic Materials": _("Basic Materials"),
        "Communication Services": _("Communication Services"),
        "Consumer Cyclical": _("Consumer Cyclical"),
        "Consumer Defensive": _("Consumer Defensive"),
        "Energy": _("Energy"),
        "Financial Services": _("Financial Services"),
        "Healthcare": _("Healthcare"),
        "Industrials": _("Industrials"),
        "Real Estate": _("Real Estate"),
        "Technology": _("Technology"),
        "Utilities": _("Utilities"),
    }
    return sector and words.get(sector, sector)


def find_other_name(it: Mapping[str, Any], locale: Locale) -> str | None:
    """The name that the title does not show: the other language's, or the whole company name."""
    if locale == "ko" and it["nameLocal"]:
        return str(it["name"])
    if it["nameLocal"]:
        return str(it["nameLocal"])
    return str(it["name"]) if short_name(it["name"]) != it["name"] else None


def _group_of(it: Mapping[str, Any]) -> str:
    if it["kind"] in {"INDEX", "FX"}:
        return "RATES"
    zone = it["exchange"]["timeZone"]
    return {"Asia/Seoul": "KR", "America/New_York": "US"}.get(zone, "OTHER")


def _currency_of(rows: Iterable[Row]) -> str | None:
    """The currency that all of them have in common."""
    currencies = {it["currency"] for it in rows}
    return currencies.pop() if len(currencies) == 1 else None
