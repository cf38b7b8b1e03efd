"""The libraries that a browser is given."""

from __future__ import annotations

from app.config import resource_dir
from app.web.libraries import list_libraries


def test_each_package_is_named_once_with_its_licence():
    found = list_libraries(resource_dir("static") / "vendor" / "vendor.lock.json")
    licences = {entry["package"]: entry["licence"] for entry in found}
    assert len(licences) == len(found)
    assert licences["graphql-ws"] == "MIT"
    assert licences["htmx.org"] == "0BSD"
    assert licences["lightweight-charts"] == "Apache-2.0"
