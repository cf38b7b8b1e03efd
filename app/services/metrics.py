"""Metrics of all processes in one answer: each shares its own, the web process hands them out.

What a process counted is lost when it ends; what it shared is dropped after three minutes.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from prometheus_client import Metric, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from sqlalchemy import func, select

from app.db.models import DataRevision, Instrument, Quarantine
from app.env import Env
from app.errors import Unavailable
from app.services.market.prices import FreshnessState, freshness
from app.services.settings import read_mode
from app.telemetry import FRESHNESS, QUARANTINED, REGISTRY, REVISIONS

LOG: Final = logging.getLogger(__name__)
PROCESSES: Final = ("quick", "long", "feed")
SHARED_FOR: Final = 180.0  # seconds
_NAME: Final = "sise:metrics:%s"
_HELD: Final = select(func.count()).where(Quarantine.state == "HELD")
_REVISED: Final = select(func.count()).select_from(DataRevision)


async def show_freshness(env: Env) -> None:
    """Sets the gauges of what is held, of what has changed, and of instruments by freshness.

    The last one not before a source was chosen.
    """
    async with env.db.read() as db:
        QUARANTINED.set(await db.scalar(_HELD) or 0)
        REVISIONS.set(await db.scalar(_REVISED) or 0)
    if (await read_mode(env))[0] is None:
        return
    async with env.db.read() as db:
        symbols = list(await db.scalars(select(Instrument.symbol).where(Instrument.tracked)))
    counts = Counter(found.state for found in (await freshness(env, symbols)).values())
    for state in FreshnessState:
        FRESHNESS.labels(state.value).set(counts[state])


async def share_metrics(env: Env, process: str) -> None:
    """Puts this process's metrics where the web process finds them; `process` is in PROCESSES.

    Raises:
        Unavailable: the broker does not answer.
    """
    await env.bus.cache(_NAME % process, generate_latest(REGISTRY), SHARED_FOR)


async def gather_metrics(env: Env) -> bytes:
    """Metrics of this process and those that others shared, each labelled with its process.

    While the broker does not answer they are this process's alone.
    """
    texts = {"web": generate_latest(REGISTRY)}
    try:
        for process in PROCESSES:
            shared = await env.bus.cached(_NAME % process)
            if shared is not None:
                texts[process] = shared
    except Unavailable:
        LOG.warning("metrics of the other processes are missing")
    return generate_latest(_Merged(texts))


class _Merged(Collector):
    """Families of several texts: one family per name, samples told apart by the label `process`."""

    def __init__(self, texts: dict[str, bytes]) -> None:
        self._families: dict[str, Metric] = {}
        for process, text in texts.items():
            self._add(process, text_string_to_metric_families(text.decode()))

    def collect(self) -> Iterator[Metric]:
        """All families."""
        yield from self._families.values()

    def _add(self, process: str, families: Iterable[Metric]) -> None:
        for family in families:
            known = self._families.setdefault(
                family.name, Metric(family.name, family.documentation, family.type)
            )
            for sample in family.samples:
                known.add_sample(sample.name, {**sample.labels, "process": process}, sample.value)
