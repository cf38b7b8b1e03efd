"""Logs are JSON lines, metrics have the names of the documentation."""

from __future__ import annotations

import json
import logging
import sys

from prometheus_client import generate_latest

from app.telemetry import REGISTRY, JsonFormatter


def record(message: str, **extra: object) -> dict[str, object]:
    made = logging.getLogger("sise.test").makeRecord(
        "sise.test", logging.WARNING, __file__, 1, message, (), None, extra=extra
    )
    return dict(json.loads(JsonFormatter().format(made)))


def test_a_record_is_one_line_of_json_with_its_fields() -> None:
    line = record("삼성전자\nsecond line", symbol="005930.KS", bars=3)
    assert line["level"] == "warning"
    assert line["message"] == "삼성전자\nsecond line"
    assert (line["symbol"], line["bars"]) == ("005930.KS", 3)
    assert str(line["at"]).endswith("+00:00")


def test_what_json_does_not_know_becomes_text() -> None:
    assert record("x", error=ValueError("bad"))["error"] == "bad"


def test_an_exception_comes_with_its_traceback() -> None:
    try:
        int("x")
    except ValueError:
        made = logging.makeLogRecord({"msg": "failed", "exc_info": sys.exc_info()})
    assert "ValueError" in json.loads(JsonFormatter().format(made))["exception"]


def test_every_metric_is_ours_by_name() -> None:
    names = [m.name for m in REGISTRY.collect()]
    assert len(names) >= 6
    assert all(name.startswith("sise_") for name in names)
    assert b"sise_ticks_total" in generate_latest(REGISTRY)
