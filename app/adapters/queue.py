"""The queues: arq carries jobs to the workers, in JSON; PostgreSQL knows what is due."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, Literal

from arq import create_pool
from arq.connections import ArqRedis, RedisSettings
from redis.exceptions import RedisError

from app.errors import Unavailable

QueueName = Literal["quick", "long"]
QUEUES: Final[dict[QueueName, str]] = {"quick": "sise:quick", "long": "sise:long"}


def serialize(value: dict[str, Any]) -> bytes:
    """Write a job as JSON: whoever can write to the broker cannot run code in a worker."""
    return json.dumps(value, default=str).encode()


def deserialize(data: bytes) -> dict[str, Any]:
    """The reverse of `serialize`."""
    value: dict[str, Any] = json.loads(data)
    return value


def redis_settings(url: str) -> RedisSettings:
    """Make the settings for a broker URL (`redis://…` or `unix:///path`)."""
    settings = RedisSettings.from_dsn(url)
    settings.conn_retries = 3
    return settings


@asynccontextmanager
async def open_pool(url: str) -> AsyncIterator[ArqRedis]:
    """The broker as arq wants it, with jobs in JSON; closed at the end of the block.

    Raises:
        Unavailable: the broker does not answer, at the start or in the block.
    """
    try:
        pool = await create_pool(
            redis_settings(url), job_serializer=serialize, job_deserializer=deserialize
        )
        try:
            yield pool
        finally:
            await pool.aclose()
    except (RedisError, OSError) as error:
        raise Unavailable("The broker does not answer. Try again in a moment.") from error


class Queue:
    """Where a process puts jobs. Connects when it is first used."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool: ArqRedis | None = None

    async def enqueue(
        self, function: str, *arguments: Any, queue: QueueName = "quick", job_id: str | None = None
    ) -> bool:
        """Hands a job to a worker and calls it; False when one of that id waits or runs already.

        Raises:
            Unavailable: the broker does not answer.
        """
        try:
            if self._pool is None:
                self._pool = await create_pool(
                    redis_settings(self._url),
                    job_serializer=serialize,
                    job_deserializer=deserialize,
                )
            name = QUEUES[queue]
            job = await self._pool.enqueue_job(
                function, *arguments, _queue_name=name, _job_id=job_id
            )
            if job is not None:
                await self._pool.publish(name, b"")
        except (RedisError, OSError) as error:
            raise Unavailable("The broker does not answer. Try again in a moment.") from error
        return job is not None

    async def close(self) -> None:
        """Closes the connection."""
        if self._pool is not None:
            await self._pool.aclose()
