"""The reconciler: what is due and with no worker is enqueued, whatever the reason.

A tick that was missed, a broker that was flushed, a job that expired in the queue, a worker that
was killed in the middle: the job table still has the row, and a minute later a worker has the job.
"""

from __future__ import annotations

import logging
from typing import Final

from app.env import Env
from app.services.work import jobs

LOG: Final = logging.getLogger(__name__)
BATCH: Final = 500
"""Jobs sent in a minute at least; as many as the sources may be asked in one, if that is more."""


async def reconcile(
    env: Env,
    *,
    stale_after: float = jobs.STALE_AFTER,
    requeue_after: float = jobs.REQUEUE_AFTER,
) -> int:
    """Enqueues every due job that no worker has (durations in seconds); how many the queue took.

    Raises:
        Unavailable: the broker does not answer; the next minute tries again.
    """
    buried = await jobs.bury_dead(env, stale_after=stale_after)
    most = max(BATCH, env.settings.requests_per_minute)
    due = await jobs.list_due(env, most, stale_after=stale_after, requeue_after=requeue_after)
    sent = await jobs.send(env, [job.id for job in due])
    if sent or buried:
        LOG.info("reconciled", extra={"sent": sent, "buried": buried})
    return sent
