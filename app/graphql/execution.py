"""How a document is executed: limits before validation, caches, a deadline, presented errors.

parse (cached, 1,000 tokens) → one operation is named → limits (cached) → validate (cached)
→ points of the caller → execute within the deadline → errors presented
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from functools import lru_cache
from typing import Any, Final

import strawberry
from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    Undefined,
    Visitor,
    visit,
)
from graphql.execution import Executor
from strawberry.extensions import (
    DisableIntrospection,
    MaxTokensLimiter,
    ParserCache,
    SchemaExtension,
    ValidationCache,
)
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext, StreamResult
from strawberry.types import ExecutionContext, ExecutionResult
from strawberry.utils.aio import aclosing

from app.errors import AppError, BadInput, Unavailable
from app.graphql.context import Context
from app.graphql.errors import REFUSALS, present_errors
from app.graphql.limits import DocumentLimits, document_cost
from app.translations import DEFAULT_LOCALE, Locale

MAX_TOKENS: Final = 1_000
CACHED_DOCUMENTS: Final = 64
"""Few: the largest document that is taken weighs 0.4 MB once it is parsed."""

DEADLINE: Final = 2.0
DEADLINES: Final = {
    "leadLag": 60.0,
    "register": 10.0,
    "signIn": 10.0,
    "changePassword": 10.0,
    "changeEmail": 10.0,
    "deleteAccount": 10.0,
    "resetPassword": 10.0,
    "linkProvider": 10.0,
    "startDemo": 10.0,
    "unlinkProvider": 10.0,
    "importTransactions": 10.0,
    "portfolio": 10.0,
    "trackInstrument": 10.0,
    "trackInstruments": 10.0,
    "trackList": 10.0,
    "removeInstrument": 10.0,
    "searchSource": 10.0,
    "collect": 10.0,
    "switchSource": 10.0,
    "useSource": 10.0,
    "series": 5.0,
}
"""Seconds for fields that may have to ask the source, wait for a turn to hash a password, or fold a
ledger of many years into its book."""

TOO_SLOW: Final = "The answer took longer than %(seconds)g s. Ask for less, or try again."


class KeptDocuments(ParserCache):
    """The parser's cache; a syntax error is left to the parser, which reports it in its place."""

    def on_parse(self) -> Iterator[None]:
        """Takes the document from the cache, or parses and keeps it."""
        execution = self.execution_context
        try:
            execution.graphql_document = self.cached_parse_document(
                execution.query, **execution.parse_options
            )
        except GraphQLError:
            execution.graphql_document = None
        yield


class KeptVerdicts(ValidationCache):
    """The cache of verdicts; the limits come first: a document over them is not validated."""

    def on_validate(self) -> Iterator[None]:
        """Leaves the errors that forbid execution, none when it may run."""
        self.execution_context.pre_execution_errors = self._find_errors(self.execution_context)
        yield

    def _find_errors(self, execution: ExecutionContext) -> list[GraphQLError]:
        schema, document = execution.schema._schema, execution.graphql_document  # noqa: SLF001
        if document is None:
            return []
        errors: list[GraphQLError] = _find_ambiguity(execution, document)
        for rules in ((DocumentLimits,), execution.validation_rules):
            errors = errors or self.cached_validate_document(schema, document, rules)
        context: Context | None = execution.context
        if errors or context is None or context.budget is None:
            return errors
        try:
            cost = document_cost(schema, document)
            context.budget.spend(context.caller, cost, context.env.clock.now())
        except AppError as error:
            return [GraphQLError(str(error), original_error=error)]
        return []


class NoIntrospection(DisableIntrospection):
    """The schema is not told to clients, unless SISE_DEV is on; `/schema.graphql` gives it."""

    def on_operation(self) -> Iterator[None]:
        """Adds the rule."""
        context: Context | None = self.execution_context.context
        if context is not None and context.env.settings.dev:
            yield
        else:
            yield from super().on_operation()


class Deadline(SchemaExtension):
    """Ends an operation that takes too long; of a subscription, only its beginning."""

    async def on_execute(self) -> AsyncIterator[None]:
        """Waits for the execution, no longer than its fields may take.

        Raises:
            Unavailable: it took longer; what had begun was cancelled.
        """
        document = self.execution_context.graphql_document
        seconds = find_deadline(document) if document else DEADLINE
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError as error:
            raise Unavailable(TOO_SLOW, seconds=seconds) from error


class EventExecutor(StrawberryGraphQLCoreExecutionContext):
    """graphql-core's executor; what it notes for one event of a subscription goes with the event.

    graphql-core shares these notes between all events and adds to them at each, without end.
    """

    def build_per_event_executor(self, payload: Any) -> Executor[Any]:
        """The executor of one event."""
        executor = super().build_per_event_executor(payload)
        executor._relevant_sub_fields = {}  # noqa: SLF001
        return executor


class Schema(strawberry.Schema):
    """Strawberry's schema: refusals come as results, and errors as the client may see them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _drop_null_defaults(self._schema)

    @property
    def graphql_schema(self) -> GraphQLSchema:
        """graphql-core's schema, for what works on it without Strawberry."""
        return self._schema

    async def execute(self, *args: Any, **kwargs: Any) -> ExecutionResult:
        """Runs a query or a mutation; `kwargs` as Strawberry has them."""
        try:
            result = await super().execute(*args, **kwargs)
        except REFUSALS as error:
            result = ExecutionResult(None, [GraphQLError(str(error), original_error=error)])
        result.errors = present_errors(result.errors, _locale(kwargs.get("context_value")))
        return result

    async def stream(self, *args: Any, **kwargs: Any) -> StreamResult:
        """Runs any operation as a stream of results, each operation with loaders of its own."""
        context: Context | None = kwargs.get("context_value")
        if context is not None:
            kwargs["context_value"] = context.renewed()
        return _presented(await super().stream(*args, **kwargs), _locale(context))

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Nothing: what was not expected is logged where it is masked."""


EXTENSIONS: Final = (
    lambda: MaxTokensLimiter(MAX_TOKENS),
    NoIntrospection,
    lambda: KeptDocuments(CACHED_DOCUMENTS),
    lambda: KeptVerdicts(2 * CACHED_DOCUMENTS),
    Deadline,
)


@lru_cache(maxsize=CACHED_DOCUMENTS)
def find_deadline(document: DocumentNode) -> float:
    """The seconds an operation may take: the most that one of the document's fields is allowed."""
    finder = _FieldNames()
    visit(document, finder)
    return max((DEADLINES.get(name, DEADLINE) for name in finder.names), default=DEADLINE)


class _FieldNames(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_field(self, node: FieldNode, *_args: Any) -> None:
        self.names.add(node.name.value)


def _find_ambiguity(execution: ExecutionContext, document: DocumentNode) -> list[GraphQLError]:
    """Several operations need a name: Strawberry would run the first of them."""
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    if len(operations) < 2 or execution._provided_operation_name is not None:  # noqa: SLF001
        return []
    error = BadInput(
        "The document has %(value)d operations: operationName must say which one to run.",
        field="operationName",
        value=len(operations),
    )
    return [GraphQLError(str(error), original_error=error)]


async def _presented(results: StreamResult, locale: Locale) -> StreamResult:
    async with aclosing(results):
        async for result in results:
            if isinstance(result, ExecutionResult):
                result.errors = present_errors(result.errors, locale)
            yield result


def _drop_null_defaults(schema: GraphQLSchema) -> None:
    """An optional argument has no default: `= null` behind each would tell a reader nothing."""
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLObjectType):
            for field in kind.fields.values():
                for argument in field.args.values():
                    if argument.default_value is None:
                        argument.default_value = Undefined


def _locale(context: Context | None) -> Locale:
    return context.locale if context is not None else DEFAULT_LOCALE
