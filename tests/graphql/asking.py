"""Asking the schema directly, and counting the statements that an answer takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event, text
from strawberry.types import ExecutionResult

from app.env import Env
from app.graphql.context import Context
from app.graphql.schema import schema
from app.services.feed.live import QuoteHub


def make_context(env: Env, **changes: Any) -> Context:
    """The operator's context, with a hub that listens to nothing."""
    return Context(**({"env": env, "hub": QuoteHub(env), "operator": True} | changes))


async def execute(
    env: Env,
    query: str,
    variables: dict[str, Any] | None = None,
    *,
    operation_name: str | None = None,
    **changes: Any,
) -> ExecutionResult:
    """The result of one operation; `changes` are fields of the context."""
    return await schema.execute(
        query,
        variable_values=variables,
        context_value=make_context(env, **changes),
        operation_name=operation_name,
    )


async def ask(
    env: Env, query: str, variables: dict[str, Any] | None = None, **changes: Any
) -> dict[str, Any]:
    """The data of one operation that succeeds."""
    result = await execute(env, query, variables, **changes)
    assert result.errors is None, result.errors
    assert result.data is not None
    return result.data


async def fail(
    env: Env, query: str, variables: dict[str, Any] | None = None, **changes: Any
) -> dict[str, Any]:
    """The first error of one operation, as the client sees it."""
    result = await execute(env, query, variables, **changes)
    assert result.errors, result.data
    return dict(result.errors[0].formatted)


@contextmanager
def counting_statements(env: Env) -> Iterator[list[str]]:
    """Every SQL statement of the block, in order."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    engine = env.db.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def choose_source(env: Env, name: str = "yahoo") -> None:
    """Writes the choice of the source."""
    async with env.db.write() as db:
        await db.execute(
            text("INSERT INTO setting VALUES ('source', to_jsonb(CAST(:name AS text)))"),
            {"name": name},
        )
