"""The address of the web process."""

from __future__ import annotations

import os
import socket
from dataclasses import replace

import pytest

from app.config import Settings, load_settings
from app.errors import ConfigError, Conflict
from app.listen import address, answers, bind
from tests.processes import free_port


@pytest.fixture
def here() -> Settings:
    """Settings with a free port on this machine."""
    return load_settings({"SISE_PORT": str(free_port())})


def test_a_bound_socket_takes_connections_only_once_it_listens(here: Settings) -> None:
    with bind(here) as bound:
        assert not answers(here)
        bound.listen()
        assert answers(here)
    assert not answers(here)


def test_a_taken_port_names_the_setting_and_another_port(here: Settings) -> None:
    with socket.create_server((here.host, here.port)):
        with pytest.raises(Conflict, match=rf"SISE_PORT={here.port + 1}"):
            bind(here)
        assert answers(here)


def test_a_port_just_left_can_be_bound_again(here: Settings) -> None:
    with bind(here) as bound:
        bound.listen()
        with socket.create_connection((here.host, here.port)) as client:
            server, _ = bound.accept()
            server.close()
            client.recv(1)
    bind(here).close()


@pytest.mark.parametrize("host", ["no.such.host.invalid", "203.0.113.7"])
def test_a_host_that_is_not_this_machine_names_the_setting(here: Settings, host: str) -> None:
    with pytest.raises(ConfigError, match="SISE_HOST"):
        bind(replace(here, host=host))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may use every port")
def test_a_port_below_1024_needs_root(here: Settings) -> None:
    with pytest.raises(ConfigError, match="only root may use"):
        bind(replace(here, port=81))


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("localhost", "http://localhost:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("::1", "http://[::1]:8000"),
    ],
)
def test_the_address_opens_in_a_browser(here: Settings, host: str, shown: str) -> None:
    assert address(replace(here, host=host, port=8000)) == shown
