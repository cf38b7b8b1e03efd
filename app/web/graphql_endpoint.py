"""`/graphql` over HTTP: a guard before the schema, one operation, its result as JSON.

The guard refuses in this order: not POST (405), not application/json (415), a foreign Origin (403),
a body over 65,536 bytes, counted while it is read (413), not one object with a text `query` (400).
Errors of the schema come with 200; 503 when the answer took too long or a server is away, 429 when
the caller has spent its points.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from app.errors import AppError, BadInput, Forbidden, RateLimited, Unavailable
from app.graphql.context import Context, is_operator
from app.graphql.execution import Schema
from app.graphql.schema import print_sdl
from app.translations import Locale, translate_error
from app.web.auth import caller_of
from app.web.middleware import refuse_origin
from app.web.preferences import read_preferences

MAX_BODY: Final = 65_536
FORWARDED: Final = frozenset({"forwarded", "x-forwarded-for", "x-real-ip"})
"""Headers by which a proxy says that somebody else is asking."""

_OVER_HTTP: Final = frozenset({OperationType.QUERY, OperationType.MUTATION})
_STATUS: Final = {Unavailable.code: 503, RateLimited.code: 429}


@dataclass(frozen=True, slots=True)
class Operation:
    """What a client sends: a document, which of its operations, and the variables."""

    query: str
    operation_name: str | None
    variables: dict[str, Any] | None


class Refused(AppError):
    """A request that does not come as far as the schema; `status` is the answer's."""

    code = BadInput.code

    def __init__(self, status: int, message: str, *, code: str = BadInput.code) -> None:
        super().__init__(message)
        self.refusal_status = status
        self.refusal_code = code


class GraphQLEndpoint:
    """The ASGI application at `/graphql`; what it needs stands in the state of the app."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one HTTP request."""
        response = await self.answer(Request(scope, receive))
        await response(scope, receive, send)

    async def answer(self, request: Request) -> Response:
        """Guards, executes and renders."""
        try:
            operation = await read_operation(request)
        except Refused as error:
            locale = read_preferences(request).locale
            return _refusal(error, locale)
        result = await self.schema.execute(
            operation.query,
            variable_values=operation.variables,
            context_value=make_context(request),
            operation_name=operation.operation_name,
            allowed_operation_types=_OVER_HTTP,
        )
        return _render(result)


def make_context(connection: HTTPConnection) -> Context:
    """The surroundings of an operation that came over this connection."""
    state, caller = connection.app.state, caller_of(connection)
    address = connection.client.host if connection.client else None
    here = is_operator(address, forwarded=not FORWARDED.isdisjoint(connection.headers))
    operator = here and caller.first_run
    context = Context(
        env=state.env,
        hub=state.hub,
        books=state.books,
        operator=operator,
        locale=read_preferences(connection).locale,
        budget=None if here else state.budget,
        caller=address or "",
        address=address or "",
        user_agent=connection.headers.get("user-agent", ""),
    )
    return context.signed_in(caller.identity)


async def read_operation(request: Request) -> Operation:
    """The operation in a request that may be executed.

    Raises:
        Refused: with the status of the answer.
    """
    if request.method != "POST":
        raise Refused(405, "Send the query by POST.")
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Refused(415, "Send the query as application/json.")
    trusted = request.app.state.settings.allowed_hosts
    why = refuse_origin(request.headers, trusted)
    if why is not None:
        raise Refused(403, why, code=Forbidden.code)
    return parse_operation(await _read_body(request))


def parse_operation(body: bytes) -> Operation:
    """The operation in a JSON body.

    Raises:
        Refused: 400; not JSON, not one object, or a part of the wrong kind.
    """
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Refused(400, "The body is not JSON.") from None
    if not isinstance(data, dict):
        raise Refused(400, "The body must be one JSON object; a list of them is not taken.")
    return check_operation(data)


def check_operation(data: Mapping[str, Any]) -> Operation:
    """The operation in an object that a client sent.

    Raises:
        Refused: 400; a part of the wrong kind.
    """
    query, name = data.get("query"), data.get("operationName")
    variables = data.get("variables")
    if not isinstance(query, str) or not query.strip():
        raise Refused(400, "query must be a text with a GraphQL document.")
    if name is not None and not isinstance(name, str):
        raise Refused(400, "operationName must be a text.")
    if variables is not None and not isinstance(variables, dict):
        raise Refused(400, "variables must be an object.")
    return Operation(query, name, variables)


async def give_sdl(_: Request) -> Response:
    """`GET /schema.graphql`: the schema in its own language."""
    headers = {"Cache-Control": "public, max-age=300"}
    return PlainTextResponse(print_sdl(), headers=headers)


async def _read_body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise Refused(413, "The body is larger than 65,536 bytes.")
    return bytes(body)


def _render(result: ExecutionResult) -> Response:
    payload: dict[str, Any] = {"data": result.data}
    status = 200
    if result.errors:
        payload["errors"] = [error.formatted for error in result.errors]
        if result.data is None:
            code = (result.errors[0].extensions or {}).get("code")
            status = _STATUS.get(str(code), 200)
    return _json(payload, status)


def _refusal(error: Refused, locale: Locale) -> Response:
    message = translate_error(error, locale)
    extensions = {"code": error.refusal_code}
    response = _json({"errors": [{"message": message, "extensions": extensions}]}, 400)
    response.status_code = error.refusal_status
    if error.refusal_status == 405:
        response.headers["Allow"] = "POST"
    return response


def _json(payload: Mapping[str, Any], status: int) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(orjson.dumps(payload), status, headers, media_type="application/json")
