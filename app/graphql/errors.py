"""Errors as the client sees them: expected ones in the reader's language, all others masked.

AppError                      its message, translated, with its extensions
the document or a variable    graphql-core's own message, BAD_INPUT with the field if known
anything else                 "Unexpected error.", INTERNAL with the errorId of the log
"""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Sequence
from typing import Any, Final

from graphql import FieldNode, GraphQLError, Node, VariableDefinitionNode
from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError

from app.errors import AppError, BadInput
from app.translations import N_, Locale, translate_error

LOGGER: Final = logging.getLogger(__name__)

UNEXPECTED: Final = AppError("Unexpected error.")
ON_A_PAGE: Final = N_("Unexpected error. The log has it as %(id)s.")
REFUSALS: Final = (MissingQueryError, CannotGetOperationTypeError, InvalidOperationTypeError)
"""How Strawberry says that a document holds nothing that may be run here."""

_UNREADABLE: Final = {
    "Decimal": N_("%(name)s is %(value).40r; it must be a number"),
    "Date": N_("%(name)s is %(value).40r; it must be a day such as 2026-01-05"),
}
"""What is said of a value that is none of its scalar."""

_PLACE: Final = re.compile(r"Variable '\$(\w+)' has invalid value(?: at (\S+))?: ")
_NAMES: Final = re.compile(r"\.(\w+)")
_SUGGESTION: Final = re.compile(r"\s*Did you mean .*$", re.DOTALL)


def present_errors(
    errors: Sequence[GraphQLError] | None, locale: Locale
) -> list[GraphQLError] | None:
    """What goes to the client in place of these errors; None stays None.

    New objects: a verdict of validation is kept for the next caller, who may read another language.
    """
    return [_present(error, locale) for error in errors] if errors else None


def raise_first(errors: Sequence[GraphQLError]) -> None:
    """Raises the first error as an `AppError`, as pages want it.

    Raises:
        AppError: always; what was not expected is logged with its errorId and masked.
    """
    cause = _find_cause(errors[0])
    if isinstance(cause, AppError):
        raise cause
    if cause is None:
        raise _read_refusal(errors[0])
    raise AppError(ON_A_PAGE, id=_log(errors[0], cause))


def _present(error: GraphQLError, locale: Locale) -> GraphQLError:
    cause = _find_cause(error)
    extensions: dict[str, Any]
    if isinstance(cause, AppError):
        message, extensions = translate_error(cause, locale), cause.extensions
    elif cause is None:
        field = _field_of(error)
        message = _SUGGESTION.sub("", error.message)
        extensions = {"code": BadInput.code} | ({"field": field} if field else {})
    else:
        message = translate_error(UNEXPECTED, locale)
        extensions = {"code": UNEXPECTED.code, "errorId": _log(error, cause)}
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions=extensions,
    )


def _find_cause(error: GraphQLError) -> BaseException | None:
    """The exception that is no GraphQLError; None when the document itself is at fault.

    A document nested beyond the interpreter's stack is the document's fault too.
    """
    cause: BaseException | None = error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    if isinstance(cause, InvalidOperationTypeError):
        return BadInput("A subscription needs the WebSocket at /graphql.", field="query")
    if isinstance(cause, REFUSALS):
        message = "The document has no operation of that name."
        return BadInput(message, field="operationName")
    return None if isinstance(cause, RecursionError) else cause


def _read_refusal(error: GraphQLError) -> BadInput:
    """What graphql-core refuses, as a page says it: in the reader's words where it is a value."""
    field = _field_of(error) or "query"
    inner = error.original_error
    given = inner.extensions if isinstance(inner, GraphQLError) else None
    message = _UNREADABLE.get((given or {}).get("scalar", ""))
    if message is None or given is None:
        return BadInput("%(why)s", field=field, why=error.message)
    return BadInput(message, field=field, name=field, value=given["value"])


def _field_of(error: GraphQLError) -> str | None:
    """The argument, or the field of an input, that is at fault; None where that is not known."""
    if place := _PLACE.match(error.message):
        return str([place[1], *_NAMES.findall(place[2] or "")][-1])
    node: Node | None = error.nodes[0] if error.nodes else None
    if isinstance(node, VariableDefinitionNode):
        return str(node.variable.name.value)
    if isinstance(node, FieldNode):
        return str(node.name.value)
    name = getattr(node, "name", None)
    return getattr(name, "value", None)


def _log(error: GraphQLError, cause: BaseException) -> str:
    error_id = uuid.uuid4().hex
    path = ".".join(str(key) for key in error.path or ())
    LOGGER.error("masked error", exc_info=cause, extra={"errorId": error_id, "path": path})
    return error_id
