"""The message of Yahoo's price stream, as yfinance defines it: an encoder that is not ours."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType


def _load_pricing() -> ModuleType:
    """yfinance's protobuf message, without the package around it (which imports pandas)."""
    package = importlib.util.find_spec("yfinance")
    assert package is not None
    assert package.submodule_search_locations is not None
    path = Path(package.submodule_search_locations[0]) / "pricing_pb2.py"
    spec = importlib.util.spec_from_file_location("sise_test_pricing_pb2", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PricingData = _load_pricing().PricingData
