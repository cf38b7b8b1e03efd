"""Oracles that take a second to import: by the test that asks, not by every process at its start."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def stats() -> ModuleType:
    """`scipy.stats`."""
    return import_module("scipy.stats")


@pytest.fixture(scope="session")
def stattools() -> ModuleType:
    """`statsmodels.tsa.stattools`."""
    return import_module("statsmodels.tsa.stattools")
