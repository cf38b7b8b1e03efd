"""Time enough: what is asked here is about answers, not about how long a busy machine takes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.graphql import execution
from app.graphql.execution import find_deadline


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An operation may take a minute."""
    monkeypatch.setattr(execution, "DEADLINE", 60.0)
    find_deadline.cache_clear()
    yield
    find_deadline.cache_clear()
