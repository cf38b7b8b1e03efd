"""The address that the web process listens on."""

from __future__ import annotations

import errno
import socket

from app.config import Settings
from app.errors import ConfigError, Conflict


def bind(settings: Settings) -> socket.socket:
    """A TCP socket bound to `SISE_HOST` and `SISE_PORT`, not yet listening.

    Raises:
        Conflict: another program listens there.
        ConfigError: this machine does not have the address, or the port needs more rights.
    """
    host, port = settings.host, settings.port
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as error:
        raise ConfigError("SISE_HOST is %(host)r: no such address", host=host) from error
    family, kind, protocol, _, address = found[0]
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind(address)
    except OSError as error:
        made.close()
        raise _refusal(settings, error) from error
    return made


def address(settings: Settings) -> str:
    """The address to open in a browser on this machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


def answers(settings: Settings) -> bool:
    """Whether something listens there now."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104
    try:
        with socket.create_connection((host, settings.port), timeout=1):
            return True
    except OSError:
        return False


def _refusal(settings: Settings, error: OSError) -> Conflict | ConfigError:
    if error.errno == errno.EADDRINUSE:
        return Conflict(
            "Port %(port)d on %(host)s is taken by another program. Set SISE_PORT to a free one, "
            "for example SISE_PORT=%(other)d.",
            host=settings.host,
            port=settings.port,
            other=settings.port + 1 if settings.port < 65_535 else 8_000,
        )
    if error.errno == errno.EACCES:
        return ConfigError(
            "SISE_PORT is %(port)d, which only root may use. Set it to 1024 or above.",
            port=settings.port,
        )
    return ConfigError(
        "SISE_HOST is %(host)r, which is no address of this machine: %(why)s",
        host=settings.host,
        why=error.strerror or error,
    )
