"""Files that come in and go out: uploads of transactions, and a portfolio's export.

An upload is read as it comes, up to its bound, on disk beyond a megabyte; an export is sent as it
is read. Both answer what was wrong as `{code, field, message}` in the reader's language.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import date
from decimal import Decimal
from typing import Any, Final, NoReturn

import orjson
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from strawberry.types import get_object_definition
from strawberry.utils.str_converters import to_camel_case

from app.errors import AppError, BadInput, Forbidden, Unauthenticated
from app.graphql.context import Context
from app.graphql.record_types import ImportReport
from app.graphql.scalars import decimal_text
from app.services.records.record_export import export_records, find_format
from app.services.records.record_import import MOST_UPLOADED, import_records
from app.translations import N_, translate_error
from app.web.graphql_endpoint import make_context

MULTIPART: Final = "multipart/form-data"
ENVELOPE: Final = 64 * 1024
"""Bytes that the fields and boundaries around a file may take."""

SHOWN: Final = 200
_PRIVATE: Final = frozenset({"report", "locale"})
_WITHOUT: Final = frozenset({"", "false", "0", "off"})
_MEDIA_TYPES: Final = {"csv": "text/csv", "json": "application/json"}


class UploadTooLarge(BadInput):
    """More was sent than is taken."""

    status = 413


async def import_file(request: Request) -> Response:
    """`POST /portfolios/{id}/import`: reads the field `file`, records it unless `dryRun`.

    The other fields are `dryRun` (true unless it is `false`), `duplicates` and `preset`, an id. The
    answer is the schema's `ImportReport`, with up to 200 rows and faults.
    """
    context = make_context(request)
    try:
        return _json(await take_upload(request, context))
    except AppError as error:
        return _refusal(error, context)


async def export_file(request: Request) -> Response:
    """`GET /portfolios/{id}/export.csv` or `.json`: all transactions, as a download."""
    context, suffix = make_context(request), request.path_params["suffix"]
    try:
        user_id = _require(context, "READ")
        portfolio = request.path_params["id"]
        pieces = await export_records(context.env, user_id, portfolio, find_format(suffix))
    except AppError as error:
        return _refusal(error, context)
    headers = {
        "Content-Disposition": f'attachment; filename="sise-{int(portfolio)}.{suffix}"',
        "Cache-Control": "no-store",
    }
    return StreamingResponse(pieces, headers=headers, media_type=_MEDIA_TYPES[suffix])


async def read_upload(request: Request) -> tuple[bytes, dict[str, str]]:
    """The bytes of the field `file`, and the other fields.

    Raises:
        UploadTooLarge: more than 10 MB.
        BadInput: it is no upload, or cannot be read.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != MULTIPART:
        raise BadInput("A file must be sent as %(type)s.", field="file", type=MULTIPART)
    parser = MultiPartParser(request.headers, _bounded(request), max_files=1, max_fields=10)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        message = "The upload cannot be read: %(detail)s"
        raise BadInput(message, field="file", detail=error.message) from None
    try:
        return await _read_form(form)
    finally:
        await form.close()


async def _read_form(form: FormData) -> tuple[bytes, dict[str, str]]:
    upload = form.get("file")
    if not isinstance(upload, UploadFile):
        raise BadInput("The upload has no file.", field="file")
    data = await upload.read(MOST_UPLOADED + 1)
    if len(data) > MOST_UPLOADED:
        _refuse_size()
    return data, {name: value for name, value in form.items() if isinstance(value, str)}


async def _bounded(request: Request) -> AsyncGenerator[bytes]:
    """The body as it comes; refused at once when it says that it is too large."""
    said = request.headers.get("content-length", "")
    if said.isdigit() and int(said) > MOST_UPLOADED + ENVELOPE:
        _refuse_size()
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MOST_UPLOADED + ENVELOPE:
            _refuse_size()
        yield chunk


def _refuse_size() -> NoReturn:
    message = N_("The upload is larger than %(bound)d bytes.")
    raise UploadTooLarge(message, field="file", bound=MOST_UPLOADED)


async def take_upload(request: Request, context: Context) -> dict[str, Any]:
    """What became of an uploaded file, as the schema would answer it.

    Raises:
        UploadTooLarge, BadInput: the upload, or one of its fields.
        NotFound: the portfolio is not there or not the caller's.
        Conflict: the portfolio takes no records.
        Unauthenticated, Forbidden: nobody, or a token that only reads.
    """
    user_id = _require(context, "TRADE")
    data, fields = await read_upload(request)
    dry_run = fields.get("dryRun", "true").strip().lower() not in _WITHOUT
    report = await import_records(
        context.env,
        user_id,
        request.path_params["id"],
        data,
        preset=fields.get("preset") or None,
        duplicates=fields.get("duplicates", "").strip().lower() not in _WITHOUT,
        dry_run=dry_run,
    )
    shown = ImportReport.of(report, context.locale, dry_run=dry_run)
    lists = {"rows": shown.list_rows(SHOWN), "faults": shown.list_faults(SHOWN)}
    answer: dict[str, Any] = _plain(shown) | _plain(lists)
    return answer


def _require(context: Context, scope: str) -> int:
    """Whose portfolios these are.

    Raises:
        Unauthenticated: nobody has signed in.
        Forbidden: a token without the scope.
    """
    if context.identity is None:
        raise Unauthenticated("Sign in first.")
    if scope not in context.identity.scopes:
        raise Forbidden("This token only reads. Make one with the scope TRADE.")
    return context.identity.user.id


def _plain(value: Any) -> Any:
    """What the schema would answer, as JSON values."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, Decimal):
        return decimal_text(value)
    if isinstance(value, date):
        return value.isoformat()
    definition = get_object_definition(type(value))
    if definition is None:
        return value
    names = {field.python_name for field in definition.fields if field.base_resolver is None}
    return {to_camel_case(name): _plain(getattr(value, name)) for name in names - _PRIVATE}


def _json(body: dict[str, Any], status: int = 200) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(orjson.dumps(body), status, headers, media_type="application/json")


def _refusal(error: AppError, context: Context) -> Response:
    field = {"field": error.field} if isinstance(error, BadInput) else {}
    body = {"code": error.code, "message": translate_error(error, context.locale)} | field
    return _json(body, error.status)
