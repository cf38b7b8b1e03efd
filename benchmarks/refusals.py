"""How fast what must not be is refused: a fragment bomb at the door, a start without a secret.

`python -m benchmarks.refusals` posts a document whose fragments double 90 times to the application
(goal: answered within 100 ms), and starts every process without a secret and with one that
everybody knows (goal: exit code 78 within 3 s). Beside our judgement of a bomb stands that of
Strawberry's depth limiter, for as few doublings as it ends with: it walks every spread again.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from graphql import DocumentNode, parse, validate
from rich.console import Console
from rich.table import Table
from strawberry.extensions.query_depth_limiter import create_validator

from app.config import Settings, load_settings
from app.db.migrate import migrate
from app.embedded import EmbeddedServers
from app.graphql.limits import Limits, find_excess
from app.graphql.schema import schema
from tests.processes import SECRET, bare_environ, free_port, sise
from tests.serving import asgi_client

ROUNDS = 30
LEVELS, PEER_LEVELS = 90, 14
ANSWERED, ENDED = 0.1, 3.0  # goals, seconds
REFUSED = 78
COMMANDS = (("up",), ("serve",), ("work", "--queue", "quick"), ("feed",))
SECRETS = {"no secret": {}, "a known one": {"SISE_SECRET": "changeme-changeme-changeme-change"}}
AS_DEEP_AS_IT_IS = Limits(definitions=10_000, nesting=10_000, depth=10_000)
PEER = create_validator(10_000, None)


def bomb(levels: int) -> str:
    """Each fragment spreads the next one twice: 2^levels fields when every spread is walked."""
    parts = [f"fragment F{i} on User {{ ...F{i + 1} ...F{i + 1} }}" for i in range(levels)]
    return "{ me { ...F0 } } " + " ".join(parts) + f" fragment F{levels} on User {{ username }}"


async def time_answers(settings: Settings) -> list[float]:
    """Seconds of each answer to the bomb."""
    took = []
    async with asgi_client(settings) as client:
        for _ in range(ROUNDS + 1):
            begin = time.perf_counter()
            answer = await client.ask(bomb(LEVELS))
            took.append(time.perf_counter() - begin)
            assert answer["errors"][0]["extensions"]["code"] == "TOO_COSTLY", answer
    return took[1:]  # the first one opens what stays open


def time_judgements(document: DocumentNode) -> tuple[float, float]:
    """Seconds of our whole walk over a document, and of the peer's."""
    ours, theirs = [], []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        find_excess(schema.graphql_schema, document, AS_DEEP_AS_IT_IS)
        ours.append(time.perf_counter() - begin)
        begin = time.perf_counter()
        validate(schema.graphql_schema, document, [PEER])
        theirs.append(time.perf_counter() - begin)
    return median(ours), median(theirs)


def time_end(command: tuple[str, ...], secret: dict[str, str], folder: Path) -> float:
    """Seconds until a start on servers of one's own was refused."""
    environ = bare_environ(
        SISE_DATABASE_URL="postgresql://sise@127.0.0.1:1/sise",
        SISE_REDIS_URL="redis://127.0.0.1:1",
        SISE_PORT=free_port(),
        SISE_DATA_DIR=folder,
        **secret,
    )
    begin = time.perf_counter()
    done = subprocess.run(sise(*command), env=environ, capture_output=True, check=False)  # noqa: S603
    assert done.returncode == REFUSED, done.stderr.decode()
    return time.perf_counter() - begin


async def run(folder: Path) -> bool:
    """Prints the figures; whether every goal is reached."""
    servers = EmbeddedServers(folder, fsync=False)
    urls = servers.start()
    try:
        await migrate(urls.migration_url, urls.database_url)
        environ = {"SISE_DATABASE_URL": urls.database_url, "SISE_REDIS_URL": urls.redis_url}
        answers = await time_answers(load_settings(environ | {"SISE_SECRET": SECRET}))
    finally:
        servers.stop()
    table = Table("S2 and S9", "figure", "goal")
    slowest, middle = max(answers) * 1000, median(answers) * 1000
    figure = f"median {middle:.1f} ms, slowest {slowest:.1f} ms"
    table.add_row(f"S2: {LEVELS} doubling levels answered", figure, f"{ANSWERED * 1000:.0f} ms")
    ours, theirs = time_judgements(parse(bomb(PEER_LEVELS)))
    figure = f"{ours * 1000:.2f} ms, Strawberry's {theirs * 1000:.2f} ms: {theirs / ours:.0f} times"
    table.add_row(f"S2: {PEER_LEVELS} levels judged", figure, "")
    passed = max(answers) < ANSWERED
    for name, secret in SECRETS.items():
        for command in COMMANDS:
            seconds = time_end(command, secret, folder / "data")
            passed &= seconds < ENDED
            row = f"S9: sise {' '.join(command)}, {name}", f"exit code 78 after {seconds:.2f} s"
            table.add_row(*row, f"{ENDED:.0f} s")
    Console(width=100).print(table)
    return passed


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(
        prefix="sise-", dir="/tmp", ignore_cleanup_errors=True
    ) as made:
        sys.exit(0 if asyncio.run(run(Path(made))) else 1)
