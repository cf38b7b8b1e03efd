"""`/graphql` over WebSocket: graphql-transport-ws alone, with limits for each connection.

At most 20 operations at once, 65,536 bytes a message (uvicorn closes with 1009), three seconds for
`connection_init`; what is no message of the protocol closes with 4400. An address and a person have
only so many connections; foreign origins are refused at the handshake (`middleware.OriginCheck`).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final, cast

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import (
    BaseGraphQLTransportWSHandler,
)
from strawberry.subscriptions.protocols.graphql_transport_ws.types import ConnectionInitMessage
from strawberry.types.unset import UNSET, UnsetType

from app.errors import Unavailable
from app.graphql.context import Context
from app.graphql.execution import Schema
from app.graphql.permissions import may_read_market
from app.web.auth import check_again, sign_in_by_token
from app.web.graphql_endpoint import Refused, check_operation, make_context

MAX_OPERATIONS: Final = 20
INIT_WAIT: Final = timedelta(seconds=3)
RECHECK: Final = 30.0
"""Seconds between two looks whether a connection's sign-in still is one."""

_WITH_ID: Final = frozenset({"subscribe", "complete"})
_SEATS: Final = "sise.seats"


class Handler(BaseGraphQLTransportWSHandler[Context, None]):
    """Strawberry's handler, which takes every message for a well-formed one, with a watch.

    Who has signed in is looked up again and again: a connection outlives a sign-in by
    `RECHECK` seconds at most.
    """

    async def handle(self) -> None:
        """Serves the connection and watches over its sign-in."""
        watch = asyncio.create_task(self._watch())
        try:
            await super().handle()
        finally:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch

    async def handle_connection_init(self, message: ConnectionInitMessage) -> None:
        """Signs in by the `authorization` of the payload, or closes with 4403; 1013 if too many."""
        payload = message.get("payload")
        if isinstance(payload, dict) and "authorization" in payload:
            context = await sign_in_by_token(self.context, payload["authorization"])
            if context is None:
                await self._end(4403, "Forbidden")
                return
            view, adapter = cast("GraphQLSocket", self.view), cast("Any", self.websocket)
            if not view.seat_person(adapter.ws.scope, context):
                await self._end(1013, "Too many connections")
                return
            self.context = context
        await super().handle_connection_init(message)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(RECHECK)
            with suppress(Unavailable):
                context = await check_again(self.context)
                if context is None:
                    await self._end(4401, "Unauthorized")
                    return
                self.context = context

    async def _end(self, code: int, reason: str) -> None:
        """Closes; nothing more is sent."""
        if self.connection_init_timeout_task is not None:
            self.connection_init_timeout_task.cancel()
        for operation in list(self.operations):
            await self.cleanup_operation(operation)
        await self.websocket.close(code=code, reason=reason)

    async def handle_task_exception(self, error: Exception) -> None:
        """Logs a fault of an operation; that the client has left in the middle is none."""
        if not isinstance(error, WebSocketDisconnected):
            await super().handle_task_exception(error)

    async def handle_message(self, message: Any) -> None:
        """Handles one message, or closes with 4400."""
        fault = find_fault(message)
        if fault is None:
            await super().handle_message(message)
        else:
            await self.handle_invalid_message(fault)


class GraphQLSocket(GraphQL[Context, None]):
    """The ASGI application behind WebSocket `/graphql`."""

    graphql_transport_ws_handler_class = Handler

    def __init__(self, schema: Schema, *, per_address: int, per_person: int) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            allow_queries_via_get=False,
            subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL],
            connection_init_wait_timeout=INIT_WAIT,
            max_subscriptions_per_connection=MAX_OPERATIONS,
        )
        self.per_address = per_address
        self.per_person = per_person
        self._open: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one connection until it ends."""
        websocket = WebSocket(scope, receive, send)
        address = scope["client"][0] if scope.get("client") else ""
        taken: list[str] = []
        scope[_SEATS] = taken
        try:
            free = self._seat(scope, f"address {address}", self.per_address)
            if free and self.seat_person(scope, make_context(websocket)):
                await super().__call__(scope, receive, send)
            else:
                await websocket.close(code=1013)  # before it is accepted: 403
        finally:
            self._open -= Counter(taken)

    def seat_person(self, scope: Scope, context: Context) -> bool:
        """Whether the person may have this connection, too; a stranger's is the address's."""
        if context.user is None:
            return True
        return self._seat(scope, context.caller, self.per_person)

    def _seat(self, scope: Scope, name: str, most: int) -> bool:
        """Counts the connection under a name, once, unless that has as many as it may."""
        if name in scope[_SEATS]:
            return True
        if self._open[name] >= most:
            return False
        self._open[name] += 1
        scope[_SEATS].append(name)
        return True

    async def get_context(
        self, request: Request | WebSocket, response: Response | WebSocket
    ) -> Context:
        """The surroundings; each operation gets loaders of its own from the schema."""
        del response
        return make_context(request)

    async def on_ws_connect(self, context: Context) -> UnsetType | dict[str, object] | None:
        """Lets in who may read the market.

        Raises:
            ConnectionRejectionError: closes with 4403.
        """
        if not may_read_market(context):
            raise ConnectionRejectionError
        return cast("UnsetType", UNSET)

    def is_websocket_origin_allowed(self, request: WebSocket, origin: str) -> bool:
        """True: `OriginCheck` has judged the origin, and by the same names for all routes."""
        del request, origin
        return True

    def decode_json(self, data: str | bytes) -> object:
        """Reads a message; nesting beyond measure is an error like any other."""
        return orjson.loads(data)

    def encode_json(self, data: object) -> str:
        """Writes a message as text: bytes would go out as a binary frame."""
        return orjson.dumps(data).decode()


def find_fault(message: object) -> str | None:
    """What is wrong with a message of graphql-transport-ws, None when it can be handled."""
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        return "A message must be an object with a type"
    kind, payload = message["type"], message.get("payload")
    if kind in _WITH_ID and not (isinstance(message.get("id"), str) and message["id"]):
        return "A message of this type must have an id"
    if kind == "subscribe":
        return _find_operation_fault(payload)
    return None


def _find_operation_fault(payload: object) -> str | None:
    if not isinstance(payload, Mapping):
        return "The payload must be an object"
    try:
        check_operation(payload)
    except Refused as error:
        return str(error)
    return None
