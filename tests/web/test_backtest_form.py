"""The form of a backtest: a number, a list, a range, and what was typed wrong."""

from __future__ import annotations

import pytest

from app.errors import BadInput
from app.web.backtest_form import read_axis, read_input, write_query, write_request

STRATEGY = {
    "key": "rule",
    "parameters": [{"name": "fast", "kind": "INTEGER"}, {"name": "short", "kind": "FLAG"}],
}


@pytest.mark.parametrize(
    ("text", "scale", "axis"),
    [
        ("5", 1, None),
        ("5, 10", 1, {"name": "a", "values": ["5", "10"]}),
        ("5 10", 0.01, {"name": "a", "values": ["0.05", "0.1"]}),
        ("5:60:5", 1, {"name": "a", "from": 5, "to": 60, "step": 5}),
        ("1:3", 0.01, {"name": "a", "from": 0.01, "to": 0.03, "step": 0.01}),
    ],
)
def test_a_text_is_a_value_or_an_axis(text, scale, axis):
    assert read_axis("a", text, scale) == axis


def test_what_is_typed_is_what_the_schema_takes():
    typed = {"symbols": "A, B", "cash": "1,000", "p.fast": "3", "p.short": "on", "stop": "5%",
             "target": "10:30:10", "slippage": "0.1", "walk": "on", "train": "9", "ticks": "off",
             "whole": "on", "volumeCap": " ", "fraction": "50", "interest": "2.5"}  # fmt: skip
    wanted = read_input(typed, STRATEGY)
    assert wanted["symbols"] == ["A", "B"]
    assert wanted["parameters"] == [
        {"name": "fast", "value": "3"}, {"name": "short", "value": "true"},
    ]  # fmt: skip
    assert (wanted["cash"], wanted["stop"], wanted["slippage"]) == ("1000", 0.05, 0.001)
    assert wanted["sweep"] == [{"name": "target", "from": 0.1, "to": 0.3, "step": 0.1}]
    assert wanted["walkForward"] == {"train": 9, "test": 126, "embargo": 5}
    assert (wanted["ticks"], wanted["whole"], "limits" in wanted) == (False, True, False)
    assert (wanted["volumeCap"], wanted["fraction"], wanted["interest"]) == (None, 0.5, 0.025)
    assert read_input({"volumeCap": "20"}, STRATEGY)["volumeCap"] == 0.2
    assert "volumeCap" not in read_input({}, STRATEGY)


@pytest.mark.parametrize("wrong", [{"stop": "x"}, {"slots": "1.5"}, {"slippage": "nan"}, {"volumeCap": "x"},
                                   {"borrowing": "-"}])  # fmt: skip
def test_what_is_no_number_is_told_by_its_field(wrong):
    with pytest.raises(BadInput) as refused:
        read_input(wrong, STRATEGY)
    assert refused.value.field == next(iter(wrong))


def it_was_asked(**more):
    asked = dict.fromkeys(("stop", "target", "trailing", "benchmark"))
    asked |= {"cash": "10", "costs": "none", "fill": "NEXT_OPEN", "sizing": "FRACTION",
              "slippage": 0.001, "fraction": 0.25, "interest": 0.0, "borrowing": 0.04, "slots": 2,
              "volumeCap": None, "shorts": True, "taxed": False, "ticks": True, "limits": False,
              "whole": True, "sweep": [], "walkForward": None, "parameters": []}  # fmt: skip
    return {"input": asked | more, "strategy": "rule", "symbols": ["A", "B"], "name": None,
            "firstDay": "2020-01-06", "lastDay": "2021-01-01", "result": None}  # fmt: skip


def test_what_was_asked_fills_the_form_in_again():
    plan = {"train": 100, "test": 40, "embargo": 2}
    axes = [("fast", ["3", "5", "7"]), ("stop", ["0.05", "0.2"]), ("target", ["0.1"])]
    sweep = [{"name": name, "values": values} for name, values in axes]
    given = [{"name": "short", "value": "true"}]
    it = it_was_asked(sweep=sweep, walkForward=plan, parameters=given) | {"name": "Mine"}
    query = write_request(it)
    assert (query["p.fast"], query["stop"], query["target"]) == ("3:7:2", "5, 20", "10")
    wanted = read_input(query, STRATEGY)
    assert wanted["sweep"] == [
        {"name": "fast", "from": 3, "to": 7, "step": 2},
        {"name": "stop", "values": ["0.05", "0.2"]},
    ]
    assert (wanted["target"], wanted["parameters"], wanted["walkForward"]) == (0.1, given, plan)
    assert (wanted["name"], wanted["from"]) == ("Mine", "2020-01-06")


def test_a_cell_fills_the_form_in():
    parameters = [{"name": "fast", "value": "3"}, {"name": "short", "value": "true"}]
    it = it_was_asked() | {"result": {"parameters": parameters}}
    asked = it["input"]
    query = write_query(it, {"fast": 3, "stop": 0.05})
    wanted = read_input(query, STRATEGY)
    assert wanted["stop"] == 0.05
    assert wanted["parameters"] == it["result"]["parameters"]
    same = ("fraction", "interest", "borrowing", "slots", "volumeCap", "shorts", "taxed", "ticks",
            "limits", "whole", "sizing")  # fmt: skip
    assert {name: wanted[name] for name in same} == {name: asked[name] for name in same}
