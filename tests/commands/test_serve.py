"""`sise serve`: the web process on its own."""

from __future__ import annotations

import argparse
import gc
import signal
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
import uvicorn
import websockets.sync.client
from websockets.exceptions import ConnectionClosed

from app.commands import serve as command
from app.config import Settings
from tests.processes import Running, bare_environ, free_port, running, sise, until


def urls(settings: Settings) -> dict[str, object]:
    """The servers of this session, for a process of its own."""
    return {
        "SISE_DATABASE_URL": settings.database_url,
        "SISE_REDIS_URL": settings.redis_url,
        "SISE_SECRET": settings.secret,
        "SISE_PORT": free_port(),
    }


@pytest.fixture
def web(settings: Settings) -> Iterator[tuple[Running, str]]:
    """A running web process and its address."""
    chosen = urls(settings)
    base = f"http://127.0.0.1:{chosen['SISE_PORT']}"
    with running(sise("serve"), bare_environ(**chosen)) as process:
        assert until(lambda: answers(base)), process.output
        yield process, base


def answers(base: str) -> bool:
    """Whether the process is there."""
    try:
        return httpx.get(f"{base}/healthz", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def test_it_serves_without_a_banner_and_ends_in_order(web: tuple[Running, str]) -> None:
    process, base = web
    answer = httpx.get(f"{base}/healthz")
    assert "server" not in answer.headers
    process.send(signal.SIGTERM)
    assert process.end() in {0, -signal.SIGTERM}
    assert "Traceback" not in process.output
    assert "GET /healthz" not in process.output


def test_the_collector_looks_through_new_things_alone(settings: Settings, monkeypatch) -> None:
    """A look through the whole schema would hold everybody up for a tenth of a second."""
    kept: list[tuple[int, int]] = []

    def serve(_: uvicorn.Server, sockets: object) -> None:
        del sockets
        kept.append((gc.get_freeze_count(), len(gc.get_objects())))

    monkeypatch.setattr(uvicorn.Server, "run", serve)
    gc.unfreeze()  # what the suite spares
    command.run(replace(settings, port=free_port()), argparse.Namespace())
    ((frozen, others),) = kept
    assert frozen > 20 * others


def test_a_websocket_message_over_64_kib_closes_with_1009(web: tuple[Running, str]) -> None:
    _, base = web
    address = base.replace("http", "ws") + "/graphql"
    with websockets.sync.client.connect(
        address, subprotocols=["graphql-transport-ws"], origin=base, compression="deflate"
    ) as socket:
        assert "Sec-WebSocket-Extensions" not in socket.response.headers
        socket.send("x" * 65_537)
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=60)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


def test_a_taken_port_is_one_line_and_1(web: tuple[Running, str], settings: Settings) -> None:
    port = web[1].rpartition(":")[2]
    environ = bare_environ(**(urls(settings) | {"SISE_PORT": port}))
    with running(sise("serve"), environ) as second:
        assert second.end() == 1
    assert f"Port {port} on 127.0.0.1 is taken" in second.output
    assert "Traceback" not in second.output
