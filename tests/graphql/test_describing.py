"""Docstrings become descriptions, as far as they are meant for the reader of the schema."""

from __future__ import annotations

import strawberry
from strawberry.types import get_object_definition

from app.graphql.describing import described


@described
@strawberry.type
class Thing:
    """What it is.

    And more of it.
    """

    plain: int
    told: int = strawberry.field(description="Said already.")

    @strawberry.field
    def found(self) -> int:
        """What is found.

        Raises:
            Nothing: it is not for readers.
        """
        return 1


def test_a_type_and_its_resolvers_are_described_by_their_docstrings():
    definition = get_object_definition(Thing, strict=True)
    assert definition.description == "What it is.\n\nAnd more of it."
    fields = {field.python_name: field.description for field in definition.fields}
    assert fields == {"plain": None, "told": "Said already.", "found": "What is found."}
