"""Rows of the pages on data: held rows with their figures, what changed, comparisons, events.

Figures are shown with all their decimals (at most six): what differs in the last one must be seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from app.web.formats import NONE, digits, number, percent, signed

Row = dict[str, Any]
Translate = Callable[[str], str]

_BAR: Final = ("open", "high", "low", "close", "volume")
_FIELDS: Final = {
    "BAR": (*_BAR, "adjClose"),
    "SPLIT": ("numerator", "denominator"),
    "DIVIDEND": ("amount",),
    "RATE": ("rate",),
}
_MOST_DECIMALS: Final = 6


def list_held(nodes: Iterable[Row], names: Mapping[str, Row], _: Translate) -> list[Row]:
    """Held rows as cards: title of the reason, figures beside the close before."""
    titles = reason_words(_)
    return [
        {
            **node,
            "instrument": names.get(node["symbol"]),
            "title": titles[node["reason"]],
            "what": kind_word(node["kind"], _),
            "title_of_source": source_title(node["source"]),
            "figures": _figures(node, names.get(node["symbol"]), _),
        }
        for node in nodes
    ]


def list_revisions(nodes: Iterable[Row], names: Mapping[str, Row], _: Translate) -> list[Row]:
    """Changes as rows, each with the values that differ: label, old, new."""
    return [
        {
            **node,
            "instrument": names.get(node["symbol"]),
            "what": kind_word(node["kind"], _),
            "title_of_source": source_title(node["source"]),
            "gone": node["new"] is None,
            "changes": _changes(node, names.get(node["symbol"]), _),
        }
        for node in nodes
    ]


def list_checks(nodes: Iterable[Row], names: Mapping[str, Row]) -> list[Row]:
    """Comparisons as rows, each with the newest differences written out."""
    return [
        {
            **node,
            "instrument": (it := names.get(node["symbol"])),
            "pair": f"{source_title(node['source'])} ↔ {source_title(node['other'])}",
            "found": [
                {
                    "day": found["day"],
                    "close": exact(found["close"], _places(it)),
                    "other": exact(found["other"], _places(it)),
                    "percent": percent(_hundredfold(found["difference"])),
                }
                for found in node["differences"]
            ],
        }
        for node in nodes
    ]


def list_price_events(nodes: Iterable[Row], it: Mapping[str, Any], _: Translate) -> list[Row]:
    """Splits and dividends with what they are multiplied by."""
    places = digits(it)
    return [
        {
            **node,
            "what": kind_word(node["kind"], _),
            "amount": exact(node["amount"], places)
            if node["kind"] == "DIVIDEND"
            else f"{exact(node['numerator'])} : {exact(node['denominator'])}",
            "before": exact(node["previousClose"], places),
            "factor": NONE
            if node["factor"] is None
            else "\N{MULTIPLICATION SIGN} " + exact(str(node["factor"])),
        }
        for node in nodes
    ]


def reason_words(_: Translate) -> dict[str, str]:
    """Why a row is held, in a word or two."""
    return {
        "INCOMPLETE": _("Incomplete"),
        "NOT_POSITIVE": _("No price above zero"),
        "UNORDERED": _("High and low contradict"),
        "BAD_VOLUME": _("Impossible volume"),
        "NO_SESSION": _("No session that day"),
        "OUT_OF_ORDER": _("Out of order"),
        "STALE_REPEAT": _("Repeated old price"),
        "BEYOND_LIMIT": _("Beyond the daily limit"),
        "UNADJUSTED_SPLIT": _("Looks like a split"),
        "SCALED": _("Off by one factor"),
        "TOO_LARGE": _("Very large dividend"),
    }


def kind_word(kind: str, _: Translate) -> str:
    """What a row is."""
    words = {
        "BAR": _("Bar"),
        "SPLIT": _("Split"),
        "DIVIDEND": _("Dividend"),
        "RATE": _("Exchange rate"),
    }
    return words[kind]


def source_title(name: str) -> str:
    """How a source of prices is called; one that is not known by its own name."""
    titles = {
        "yahoo": "Yahoo Finance",
        "yfinance": "yfinance",
        "krx": "Naver Finance",
        "sample": "bokeh-sampledata",
    }
    return ", ".join(titles.get(part, part) for part in name.split(", "))


def exact(value: str | float | None, places: int = 0) -> str:
    """A number with at least `places` decimals and as many as it has, six at most."""
    if value is None:
        return NONE
    given = Decimal(str(value))
    rounded = given.quantize(Decimal(1).scaleb(-_MOST_DECIMALS), ROUND_HALF_UP).normalize()
    exponent = rounded.as_tuple().exponent
    own = -exponent if isinstance(exponent, int) and exponent < 0 else 0
    return number(str(rounded), max(places, own))


def _figures(node: Mapping[str, Any], it: Mapping[str, Any] | None, _: Translate) -> list[Row]:
    """The values of a held row, then the close before it and how far this one is from it."""
    labels, values, places = _labels(_), node["row"], _places(it)
    fields = _BAR if node["kind"] == "BAR" else _FIELDS[node["kind"]]
    figures = [
        _figure(labels[field], exact(values[field], _decimals(field, places))) for field in fields
    ]
    before = node["previous"]
    if before is not None:
        known = {"value": exact(before["close"], places), "note": before["day"]}
        figures.append({"label": _("Close before"), **known})
        figures += _distance(node["kind"], values, Decimal(before["close"]), _)
    return figures


def _distance(kind: str, values: Mapping[str, Any], before: Decimal, _: Translate) -> list[Row]:
    if kind == "BAR" and values["close"] is not None:
        move = (Decimal(values["close"]) / before - 1) * 100
        return [_figure(_("Change"), signed(str(move), 2) + "%")]
    if kind == "DIVIDEND" and values["amount"] is not None:
        share = Decimal(values["amount"]) / before * 100
        return [_figure(_("Share of the price"), number(str(share), 1) + "%")]
    return []


def _figure(label: str, value: str) -> Row:
    return {"label": label, "value": value, "note": None}


def _changes(node: Mapping[str, Any], it: Mapping[str, Any] | None, _: Translate) -> list[Row]:
    """The values that differ; all of them where the row went away."""
    labels, places, new = _labels(_), _places(it), node["new"] or {}
    return [
        {
            "label": labels[field],
            "old": exact(node["old"][field], _decimals(field, places)),
            "new": exact(new.get(field), _decimals(field, places)),
        }
        for field in _FIELDS[node["kind"]]
        if node["old"][field] != new.get(field)
    ]


def _labels(_: Translate) -> dict[str, str]:
    return {
        "open": _("Open"),
        "high": _("High"),
        "low": _("Low"),
        "close": _("Close"),
        "volume": _("Volume"),
        "adjClose": _("Adjusted close"),
        "numerator": _("New shares"),
        "denominator": _("Old shares"),
        "amount": _("Amount"),
        "rate": _("Rate"),
    }


def _decimals(field: str, places: int) -> int:
    return 0 if field in {"volume", "numerator", "denominator"} else places


def _places(it: Mapping[str, Any] | None) -> int:
    return 2 if it is None else digits(it)


def _hundredfold(relative: float | None) -> str | None:
    return None if relative is None else str(Decimal(str(relative)) * 100)
