"""The queues: JSON only, one waiting job per id, and an outage that says so."""

from __future__ import annotations

import pytest

from app.adapters.queue import Queue, deserialize, redis_settings, serialize
from app.env import Env
from app.errors import Unavailable


def test_a_job_travels_as_json() -> None:
    job = {"f": "collect_instrument", "a": [7, "삼성"], "k": {}}
    assert deserialize(serialize(job)) == job
    assert serialize(job).startswith(b"{")


def test_a_pickle_is_refused() -> None:
    with pytest.raises(ValueError, match=r"utf-8|Expecting value"):
        deserialize(b"\x80\x04}q\x00.")


def test_a_unix_socket_is_understood() -> None:
    assert redis_settings("unix:///run/valkey.sock").unix_socket_path == "/run/valkey.sock"


async def test_the_same_id_is_queued_once(env: Env) -> None:
    assert await env.queue.enqueue("collect_instrument", 1, job_id="one")
    assert not await env.queue.enqueue("collect_instrument", 1, job_id="one")
    assert await env.queue.enqueue("collect_instrument", 1, queue="long", job_id="two")


async def test_a_broker_that_is_not_there_is_unavailable() -> None:
    queue = Queue("redis://127.0.0.1:1")
    with pytest.raises(Unavailable, match="broker does not answer"):
        await queue.enqueue("collect_instrument", 1)
    await queue.close()
