"""A Dask cluster as an executor: the optional extra `sise[dask]`, loaded when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from importlib import import_module
from typing import Any

from app.errors import ConfigError

CONNECT_WITHIN = 10.0  # seconds


def open_cluster(address: str) -> tuple[Executor, int, Callable[[], None]]:
    """An executor on the workers behind a scheduler's address, their threads, and what leaves it.

    Raises:
        ConfigError: the extra is not installed, or nobody answers there.
    """
    try:
        distributed: Any = import_module("distributed")
    except ImportError as error:
        message = "SISE_RUNNER is %(address)s, which needs the extra: pip install 'sise[dask]'"
        raise ConfigError(message, address=address) from error
    try:
        client = distributed.Client(address, timeout=CONNECT_WITHIN, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        message = "SISE_RUNNER is %(address)s, where no Dask scheduler answers: %(why)s"
        raise ConfigError(message, address=address, why=error) from error
    executor: Executor = client.get_executor(pure=False)
    return executor, max(1, sum(client.nthreads().values())), client.close
