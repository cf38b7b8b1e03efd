"""No deadline that one test has set is kept for the next."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.graphql.execution import find_deadline


@pytest.fixture(autouse=True)
def deadlines_anew() -> Iterator[None]:
    """What was found for a document is forgotten."""
    find_deadline.cache_clear()
    yield
    find_deadline.cache_clear()
