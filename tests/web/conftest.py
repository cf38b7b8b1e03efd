"""The local providers of sign-ins, started once for a module."""

from __future__ import annotations

import pytest

from tests.fakes.oidc import run_providers


@pytest.fixture(scope="module")
def provider_server():
    with run_providers() as fake:
        yield fake


@pytest.fixture
def providers(provider_server):
    provider_server.reset()
    return provider_server
