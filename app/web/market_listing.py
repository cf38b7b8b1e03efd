"""Rows of the page on trading days: hours on two clocks, words for what is unusual, corrections."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from babel.dates import format_date

from app.translations import Locale
from app.web.formats import NONE
from app.web.listing import Row, Translate

SEOUL: Final = "Asia/Seoul"
YORK: Final = "America/New_York"
ZONE_OF: Final = {"XKRX": SEOUL, "XNYS": YORK, "XNAS": YORK, "ARCX": YORK}
US: Final = ("XNYS", "XNAS", "ARCX")


def list_days(days: Iterable[Row], zone: str, elsewhere: str, locale: Locale, _: Translate) -> Any:
    """Days with their hours on the market's own clock and on another one."""
    words = {
        "USUAL": None,
        "SHORT": _("Half day"),
        "LATE": _("Opens late"),
        "OTHER": _("Other hours"),
        "EXTRA": _("Extra session"),
        "CLOSED": _("Closed"),
    }
    return [
        {
            "day": day["day"],
            "weekday": weekday(day["day"], locale),
            "note": day["note"],
            "word": words[day["note"]],
            "hours": hours_text(day, zone),
            "elsewhere": hours_text(day, elsewhere),
            "reason": day["reason"],
        }
        for day in days
    ]


def hours_text(day: Mapping[str, Any], zone: str) -> str:
    """Opening and close as `09:30`; one on another date than the day's has (+1) or (-1)."""
    if day["openAt"] is None:
        return NONE
    return NONE.join(_on_clock(day[name], zone, day) for name in ("openAt", "closeAt"))


def weekday(day: str, locale: Locale) -> str:
    """`Thu`."""
    return str(format_date(date.fromisoformat(day), "EEE", locale=locale))


def list_overrides(overrides: Iterable[Row], locale: Locale, _: Translate) -> list[Row]:
    """Corrections, those of the US markets that say the same as one row."""
    groups: dict[tuple[Any, ...], Row] = {}
    for override in overrides:
        zone = ZONE_OF[override["mic"]]
        facts = (override["day"], zone, override["openAt"], override["closeAt"])
        key = (*facts, override["reason"], override["active"])
        row = groups.setdefault(
            key,
            {
                "mics": [],
                "day": override["day"],
                "weekday": weekday(override["day"], locale),
                "market": _("Korea") if zone == SEOUL else _("US"),
                "hours": _("Closed") if override["closed"] else hours_text(override, zone),
                "reason": override["reason"],
                "active": override["active"],
                "state": _state(override),
                "word": _state_word(override, _),
            },
        )
        row["mics"].append(override["mic"])
    for row in groups.values():
        partial = 0 < len(row["mics"]) < len(US) and row["mics"][0] in US
        row["which"] = ", ".join(row["mics"]) if partial else None
        row["edit"] = "US" if len(row["mics"]) == len(US) else row["mics"][0]
    return list(groups.values())


def draft_of(override: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the form for a correction that is there."""
    zone = ZONE_OF[override["mic"]]
    opens, closes = (
        _on_clock(override[name], zone, override) if override[name] else ""
        for name in ("openAt", "closeAt")
    )
    return {
        "mics": override["mic"],
        "day": override["day"],
        "closed": override["closed"],
        "opens": opens,
        "closes": closes,
        "reason": override["reason"],
    }


def _on_clock(instant: str, zone: str, day: Mapping[str, Any]) -> str:
    local = datetime.fromisoformat(instant).astimezone(ZoneInfo(zone))
    apart = (local.date() - date.fromisoformat(day["day"])).days
    return f"{local:%H:%M}" + (f" ({apart:+d})" if apart else "")


def _state(override: Mapping[str, Any]) -> str:
    if not override["active"]:
        return "WITHDRAWN"
    if override["editedAt"] is not None:
        return "OWN"
    return "SHIPPED" if override["confirmed"] else "OPEN"


def _state_word(override: Mapping[str, Any], _: Translate) -> str:
    words = {
        "WITHDRAWN": _("Out of force"),
        "OWN": _("Your own"),
        "SHIPPED": _("Ships with Sise"),
        "OPEN": _("To be confirmed"),
    }
    return words[_state(override)]
