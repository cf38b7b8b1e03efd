"""The form of a backtest: made from a strategy's parameters, read into what the schema takes.

A number may be a list (`10, 20, 50`) or a range (`5:60:5`): then it is an axis of a sweep.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from math import isfinite, nan
from typing import Any, Final

from app.errors import AppError, BadInput

Row = dict[str, Any]

DEFAULTS: Final = {
    "costs": "online",
    "fill": "NEXT_OPEN",
    "sizing": "EQUAL",
    "slippage": "0",
    "fraction": "100",
    "interest": "0",
    "borrowing": "0",
    "volumeCap": "10",
    "train": "504",
    "test": "126",
    "embargo": "5",
}
EXITS: Final = ("stop", "target", "trailing")
_FLAGS: Final = {"true": "on", "false": "off"}
_FLAG_VALUES: Final = {box: value for value, box in _FLAGS.items()}
_PLAN: Final = ("train", "test", "embargo")
_PERCENT: Final = ("slippage", "fraction", "interest", "borrowing")
SWITCHES: Final = ("shorts", "taxed", "ticks", "limits", "whole")
"""On or off; in a form without one it is as the schema has it."""


def read_input(typed: Mapping[str, str], strategy: Row) -> Row:
    """The input of `runBacktest`; what was left empty is left to the schema's defaults.

    Raises:
        BadInput: a text that is no number, by its field.
    """
    given = {name: text.strip() for name, text in typed.items() if text.strip()}
    wanted: Row = {
        "strategy": strategy["key"],
        "symbols": given.get("symbols", "").replace(",", " ").split(),
        "parameters": [],
        "sweep": [],
    }
    for name in ("name", "from", "to", "costs", "fill", "sizing", "benchmark"):
        if name in given:
            wanted[name] = given[name]
    wanted |= _read_setup(typed, given)
    for parameter in strategy["parameters"]:
        _put(wanted, parameter["name"], _text_of(parameter, given), 1.0)
    for name in EXITS:
        if name in given:
            _put_exit(wanted, name, given[name])
    if given.get("walk") == "on":
        wanted["walkForward"] = {n: _whole(n, given.get(n, DEFAULTS[n])) for n in _PLAN}
    return wanted


def _read_setup(typed: Mapping[str, str], given: Mapping[str, str]) -> Row:
    """Numbers and switches of the setup; a cap of volume that was emptied is none."""
    wanted: Row = {name: _number(name, given[name]) / 100 for name in _PERCENT if name in given}
    if "cash" in given:
        wanted["cash"] = given["cash"].replace(",", "")
    if "volumeCap" in typed:
        cap = given.get("volumeCap")
        wanted["volumeCap"] = None if cap is None else _number("volumeCap", cap) / 100
    if "slots" in given:
        wanted["slots"] = _whole("slots", given["slots"])
    return wanted | {name: given[name] == "on" for name in SWITCHES if name in given}


def in_percent(error: AppError) -> AppError:
    """The error with its figures as the form has them, where a field of it is in percent."""
    percent = {*_PERCENT, *EXITS, "volumeCap"}
    if not isinstance(error, BadInput) or error.field not in percent or "most" not in error.values:
        return error
    shares = {k: f"{v * 100:.10g}%" for k, v in error.values.items() if isinstance(v, int | float)}
    return BadInput(error.message, field=error.field, **error.values | shares)


def write_query(it: Row, values: Mapping[str, Any]) -> dict[str, str]:
    """The form filled in for one cell of a sweep: what was asked for, with these values."""
    asked = it["input"]
    fixed = {one["name"]: one["value"] for one in it["result"]["parameters"]}
    query = {f"p.{name}": text for name, text in fixed.items()}
    for name in EXITS:
        share = values.get(name, asked[name])
        if share is not None:
            query[name] = f"{share * 100:.10g}"
    query |= {
        "strategy": it["strategy"],
        "symbols": " ".join(it["symbols"]),
        "from": it["firstDay"],
        "to": it["lastDay"],
        "cash": asked["cash"],
        "costs": asked["costs"],
        "fill": asked["fill"],
        "sizing": asked["sizing"],
        "slots": "" if asked["slots"] is None else str(asked["slots"]),
        "benchmark": asked["benchmark"] or "",
    }
    query |= {name: f"{asked[name] * 100:.10g}" for name in _PERCENT}
    cap = asked["volumeCap"]
    query |= {name: "on" if asked[name] else "off" for name in SWITCHES}
    written = {name: _FLAGS.get(text, text) for name, text in query.items() if text}
    return written | {"volumeCap": "" if cap is None else f"{cap * 100:.10g}"}


def write_request(it: Row) -> dict[str, str]:
    """The form filled in with all that was asked for, to be changed and run again."""
    asked = it["input"]
    query = write_query(it | {"result": {"parameters": asked["parameters"]}}, {})
    for axis in asked["sweep"]:
        name, values = axis["name"], [str(one) for one in axis["values"]]
        if name in EXITS:
            query[name] = _write_axis([f"{float(one) * 100:.10g}" for one in values])
        else:
            query[f"p.{name}"] = _write_axis(values)
    if asked["walkForward"]:
        query |= {"walk": "on"} | {name: str(asked["walkForward"][name]) for name in _PLAN}
    return query | ({"name": it["name"]} if it["name"] else {})


def _write_axis(values: list[str]) -> str:
    """A range where whole numbers are evenly apart, else a list; one value is a list of itself."""
    numbers = [int(one) for one in values if one.isdecimal()]
    steps = {b - a for a, b in pairwise(numbers)}
    if len(numbers) == len(values) > 2 and len(steps) == 1 and min(steps) > 0:
        return f"{numbers[0]}:{numbers[-1]}:{steps.pop()}"
    return ", ".join(values)


def _text_of(parameter: Row, given: Mapping[str, str]) -> str:
    text = given.get(f"p.{parameter['name']}", "")
    return _FLAG_VALUES.get(text, text) if parameter["kind"] == "FLAG" else text


def _put(wanted: Row, name: str, text: str, scale: float) -> None:
    """One value as a parameter, several as an axis."""
    if not text:
        return
    axis = read_axis(name, text, scale)
    if axis is None:
        wanted["parameters"].append({"name": name, "value": text})
    else:
        wanted["sweep"].append(axis)


def _put_exit(wanted: Row, name: str, text: str) -> None:
    axis = read_axis(name, text.replace("%", ""), 0.01)
    if axis is None:
        wanted[name] = round(_number(name, text.replace("%", "")) / 100, 10)
    else:
        wanted["sweep"].append(axis)


def read_axis(name: str, text: str, scale: float = 1.0) -> Row | None:
    """The axis that a text means; None where it is one value.

    Raises:
        BadInput: a text that is no number.
    """
    if ":" in text:
        parts = text.split(":")
        if len(parts) > 3:
            raise _no_number(name, text)
        numbers = [_number(name, part) for part in parts]
        step = numbers[2] if len(numbers) > 2 else 1.0
        low, high, step = (round(part * scale, 10) for part in (numbers[0], numbers[1], step))
        return {"name": name, "from": low, "to": high, "step": step}
    parts = [part for part in text.replace(",", " ").split() if part]
    if len(parts) < 2:
        return None
    if scale == 1.0:
        return {"name": name, "values": parts}
    return {"name": name, "values": [f"{_number(name, part) * scale:.10g}" for part in parts]}


def _whole(name: str, text: str) -> int:
    value = _number(name, text)
    if not value.is_integer() or abs(value) > 1e9:
        message = "%(name)s is %(value).40r; it must be a whole number"
        raise BadInput(message, field=name, name=name, value=text)
    return int(value)


def _number(name: str, text: str) -> float:
    """The number of a text.

    Raises:
        BadInput: it is none.
    """
    try:
        value = float(text.replace(",", "").strip())
    except ValueError:
        value = nan
    if not isfinite(value):
        raise _no_number(name, text)
    return value


def _no_number(name: str, text: str) -> BadInput:
    message = "%(name)s is %(value).40r; it must be a number"
    return BadInput(message, field=name, name=name, value=text)
