"""Docstrings as the API's documentation: of a class for its type, of a resolver for its field."""

from __future__ import annotations

import inspect
from typing import TypeVar

from strawberry.types import get_object_definition

T = TypeVar("T", bound=type)


def described(cls: T) -> T:
    """Gives a Strawberry type and its resolvers their docstrings as descriptions.

    Only the part before `Raises:` and its like is for the reader of the schema.
    """
    definition = get_object_definition(cls, strict=True)
    definition.description = _text(cls)
    for field in definition.fields:
        if field.description is None and field.base_resolver is not None:
            field.description = _text(field.base_resolver.wrapped_func)
    return cls


def _text(source: object) -> str | None:
    text = inspect.getdoc(source)
    return text.split("\n\nRaises:")[0].split("\n\nArgs:")[0] if text else None
