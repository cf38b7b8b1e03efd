"""Signing in over HTTP: as slow for nobody as for somebody, limited, and off the event loop."""

from __future__ import annotations

import asyncio
from statistics import median
from time import perf_counter

from tests.people import PASSWORD, make_user
from tests.serving import Client, asgi_client

SIGN_IN = """mutation ($name: String!, $password: String!) {
  signIn(username: $name, password: $password) { expiresIn } }"""
TRIES = 15
PROBES = 20


async def sign_in(client: Client, name: str, password: str) -> str | None:
    """The code of the answer, None when it signed in."""
    answer = await client.post(
        {"query": SIGN_IN, "variables": {"name": name, "password": password}}
    )
    errors = answer.json().get("errors")
    return errors[0]["extensions"]["code"] if errors else None


async def test_an_unknown_name_takes_as_long_as_a_known_one(env, settings):
    """CPU work decides, so the medians are near; a name that is not hashed for is 40 ms faster."""
    for n in range(TRIES):
        await make_user(env, f"known{n}")
    took: dict[str, list[float]] = {"known": [], "unknown": []}
    for n in range(TRIES):
        for kind, times in took.items():
            async with asgi_client(settings, address=f"192.0.2.{n}") as client:
                await client.ask("{ me { username } }")  # its connections are open
                begin = perf_counter()
                assert await sign_in(client, f"{kind}{n}", "wrong") == "UNAUTHENTICATED"
                times.append(perf_counter() - begin)
    known, unknown = median(took["known"]), median(took["unknown"])
    print(f"median known {known * 1000:.1f} ms, unknown {unknown * 1000:.1f} ms")
    assert abs(known - unknown) < 0.5 * known


async def test_thirty_wrong_ones_a_minute_end_in_429(env, settings):
    await make_user(env)
    async with asgi_client(settings, address="192.0.2.1") as client:
        codes = [await sign_in(client, f"user{n}", "wrong") for n in range(30)]
        assert codes == ["UNAUTHENTICATED"] * 20 + ["RATE_LIMITED"] * 10
        answer = await client.post(
            {"query": SIGN_IN, "variables": {"name": "alice", "password": PASSWORD}}
        )
        assert answer.status_code == 429
        assert 0 < answer.json()["errors"][0]["extensions"]["retryAfter"] <= 60


async def test_the_event_loop_goes_on_while_twenty_sign_in(env, settings):
    """No single hash blocks it: the longest pause stays far below that of one hash each in turn."""
    for n in range(PROBES):
        await make_user(env, f"user{n}")
    pauses: list[float] = []

    async def watch() -> None:
        while True:
            begin = perf_counter()
            await asyncio.sleep(0.001)
            pauses.append(perf_counter() - begin)

    async with asgi_client(settings, address="192.0.2.1") as client:
        watching = asyncio.create_task(watch())
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(sign_in(client, f"user{n}", PASSWORD)) for n in range(PROBES)
            ]
        watching.cancel()
    print(f"longest pause {max(pauses) * 1000:.0f} ms")
    assert [task.result() for task in tasks] == [None] * PROBES
    assert max(pauses) < 0.5
