"""JSON logs and Prometheus metrics: what the product says about itself."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY: Final = CollectorRegistry()

BARS_STORED: Final = Counter(
    "sise_bars_stored_total", "Bars written by collections", ["source"], registry=REGISTRY
)
COLLECTIONS: Final = Counter(
    "sise_collections_total", "Collections by outcome", ["source", "outcome"], registry=REGISTRY
)
TICKS: Final = Counter("sise_ticks_total", "Live ticks received", ["source"], registry=REGISTRY)
SUBSCRIBERS: Final = Gauge("sise_subscribers", "Open quote subscriptions", registry=REGISTRY)
REQUESTS: Final = Histogram(
    "sise_http_request_seconds", "HTTP requests", ["method", "route", "status"], registry=REGISTRY
)
FRESHNESS: Final = Gauge(
    "sise_instruments", "Tracked instruments by freshness", ["state"], registry=REGISTRY
)
QUARANTINED: Final = Gauge(
    "sise_quarantined", "Rows of the source that wait for a decision", registry=REGISTRY
)
REVISIONS: Final = Gauge(
    "sise_revisions_total", "Stored rows that were replaced or taken back, ever", registry=REGISTRY
)

_STANDARD: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}


class JsonFormatter(logging.Formatter):
    """One line of JSON per record; what was passed as `extra` becomes fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Renders the record."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {k: v for k, v in record.__dict__.items() if k not in _STANDARD}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def set_up_logging(level: str) -> None:
    """Sends all logs of the process to standard error as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for noisy in ("httpx", "httpcore", "websockets", "arq.worker", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
