"""What every process is told once something has happened, and jobs that are handed to the workers.

Both go through the broker, which may be away: an event is lost then, and a job waits for the
reconciler. Neither is a failure of what has been committed already, so nothing is raised.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Final

import orjson

from app.adapters.bus import EVENTS
from app.env import Env
from app.errors import Unavailable
from app.services.work.jobs import send

LOG: Final = logging.getLogger(__name__)


async def announce(env: Env, kind: str, **facts: Any) -> None:
    """Publishes `{"kind": …, …}` to whoever listens now."""
    try:
        await env.bus.publish(EVENTS, orjson.dumps({"kind": kind, **facts}))
    except Unavailable:
        LOG.warning("event not published", extra={"kind": kind, **facts})


async def hand_over(env: Env, jobs: Sequence[int]) -> None:
    """Enqueues stored jobs by their ids."""
    if not jobs:
        return
    try:
        await send(env, jobs)
    except Unavailable:
        LOG.warning("jobs left to the reconciler", extra={"jobs": list(jobs)})
