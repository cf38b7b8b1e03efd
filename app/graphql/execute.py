"""The pages' own documents: read and validated once, then executed without either.

Each `templates/<page>/<name>.graphql` holds one operation; its name here is `<page>/<name>`. What
several of a page ask alike stands in its `fragments.gql`. They are trusted: the limits of
`limits.py` are for documents that come from outside.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from inspect import isawaitable
from pathlib import Path
from typing import Any, Final

from graphql import (
    DocumentNode,
    ExecutionResult,
    FragmentDefinitionNode,
    GraphQLError,
    OperationDefinitionNode,
    execute,
    parse,
    validate,
)
from strawberry.execution import optimized_is_awaitable

from app.config import resource_dir
from app.errors import ConfigError, Unavailable
from app.graphql.context import Context
from app.graphql.errors import raise_first
from app.graphql.execution import TOO_SLOW, EventExecutor, find_deadline
from app.graphql.schema import schema

SUFFIX: Final = ".graphql"
FRAGMENTS: Final = "fragments.gql"


@dataclass(frozen=True, slots=True)
class TrustedDocument:
    """A document of ours that the schema has accepted, and the seconds it may take."""

    node: DocumentNode
    deadline: float


@cache
def load_documents(templates: Path) -> Mapping[str, TrustedDocument]:
    """All documents under a folder of templates by their names; read once per process.

    Raises:
        ConfigError: one does not parse, does not fit the schema or has not just one operation.
    """
    files = sorted(templates.rglob(f"*{SUFFIX}"))
    nodes = [_parse_whole(file) for file in files]
    parts = {id(part): part for node in nodes for part in node.definitions}
    if validate(schema.graphql_schema, DocumentNode(definitions=tuple(parts.values()))):
        read = [read_document(file) for file in files]  # it says which one, if it is one by itself
    else:  # all at once takes a quarter of the time
        read = list(map(_trust, files, nodes))
    return dict(zip((_name(templates, file) for file in files), read, strict=True))


def read_document(file: Path) -> TrustedDocument:
    """One document, checked.

    Raises:
        ConfigError: as `load_documents`.
    """
    node = _parse_whole(file)
    errors = validate(schema.graphql_schema, node)
    if errors:
        raise _invalid(file, "; ".join(error.message for error in errors))
    return _trust(file, node)


async def run_document(
    name: str, variables: Mapping[str, Any] | None, context: Context
) -> dict[str, Any]:
    """Executes the document of that name and returns its data as JSON values.

    Raises:
        AppError: the first error of the result; what was not expected is logged and masked.
        KeyError: there is no such document.
    """
    document = load_documents(resource_dir("templates"))[name]
    try:
        async with asyncio.timeout(document.deadline):
            result = await _execute(document.node, variables, context)
    except TimeoutError as error:
        raise Unavailable(TOO_SLOW, seconds=document.deadline) from error
    if result.errors:
        raise_first(result.errors)
    return result.data or {}


async def _execute(
    node: DocumentNode, variables: Mapping[str, Any] | None, context: Context
) -> ExecutionResult:
    result = execute(
        schema.graphql_schema,
        node,
        context_value=context,
        variable_values=dict(variables or {}),
        is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]
        executor_class=EventExecutor,
        operation_extensions=None,
    )
    return await result if isawaitable(result) else result


def _parse_whole(file: Path) -> DocumentNode:
    """A document with those of the shared fragments that it spreads."""
    written = file.read_text(encoding="utf-8")
    try:
        node, shared = parse(written), _parse_fragments(file.with_name(FRAGMENTS))
    except GraphQLError as error:
        raise _invalid(file, error.message) from error
    spread = (part for part in shared if f"...{part.name.value}\n" in written)
    return DocumentNode(definitions=(*node.definitions, *spread))


@cache
def _parse_fragments(file: Path) -> list[FragmentDefinitionNode]:
    if not file.exists():
        return []
    parts = parse(file.read_text(encoding="utf-8")).definitions
    return [part for part in parts if isinstance(part, FragmentDefinitionNode)]


def _trust(file: Path, node: DocumentNode) -> TrustedDocument:
    if sum(isinstance(part, OperationDefinitionNode) for part in node.definitions) != 1:
        raise _invalid(file, "it must hold exactly one operation")
    return TrustedDocument(node, find_deadline(node))


def _name(templates: Path, file: Path) -> str:
    return file.relative_to(templates).as_posix().removesuffix(SUFFIX)


def _invalid(file: Path, why: str) -> ConfigError:
    return ConfigError("%(file)s is no document of this schema: %(why)s", file=file.name, why=why)
