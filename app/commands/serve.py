"""`sise serve`: the web process."""

from __future__ import annotations

import argparse
import gc
from typing import Final

import uvicorn

from app.commands.reach import reached
from app.config import Settings
from app.listen import bind
from app.main import build_app
from app.parent import wait_for_go

LARGEST_MESSAGE: Final = 65_536  # bytes of one WebSocket message; a longer one closes with 1009
LOGGED: Final = {"debug": "debug", "error": "error"}  # the server's own steps tell a user little
PATIENCE: Final = 3  # seconds that open requests have when the process is told to stop


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None: the address is a setting."""
    parser.epilog = "SISE_HOST and SISE_PORT say where."


def run(settings: Settings, options: argparse.Namespace) -> int:
    """Serves until SIGINT or SIGTERM; 1 when it could not begin."""
    del options
    with reached(settings, start=False) as ready:
        server = uvicorn.Server(server_config(ready))
        spare_what_lasts()
        wait_for_go()
        with bind(ready) as listening:
            server.run(sockets=[listening])
    return 0 if server.started else 1


def spare_what_lasts() -> None:
    """Has the collector of garbage look no more through what was made up to here.

    It lives as long as the process, and each look took a tenth of a second, in which nobody was
    answered.
    """
    gc.freeze()


def server_config(settings: Settings) -> uvicorn.Config:
    """The server: one process, plain HTTP, small WebSocket messages, no banner, no access log."""
    return uvicorn.Config(
        build_app(settings),
        ws="websockets-sansio",
        ws_max_size=LARGEST_MESSAGE,
        ws_per_message_deflate=False,
        log_config=None,  # `set_up_logging` did it
        log_level=LOGGED.get(settings.log_level, "warning"),
        access_log=False,
        server_header=False,
        proxy_headers=True,  # of a proxy on this machine: else all its callers would seem local
        timeout_graceful_shutdown=PATIENCE,
        lifespan="on",
    )
