"""The schema's own scalars: exact decimals, dates, instants with Z, and columns of numbers.

Strawberry's Decimal takes NaN and floats and its DateTime prints `+00:00`; these do neither. A
serializer that is given something impossible raises TypeError, which the client sees as masked.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final, NewType

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

Series = NewType("Series", dict[str, list[Any]])
"""Columns of equal length; `time` holds ISO days, or UNIX seconds within a day."""

Matrix = NewType("Matrix", dict[str, list[Any]])
"""`{"rows": […], "columns": […], "values": [[…]]}`."""

_DECIMAL: Final = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})"
)


def decimal_text(value: Decimal | int) -> str:
    """Every digit, no exponent, no trailing zeros: `71200`, `187.43`.

    Raises:
        TypeError: not a whole number and not a finite Decimal.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, Decimal) or not value.is_finite():
        raise TypeError(f"Decimal cannot represent {value!r}")
    text = format(value, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) if value else "0"


def instant_text(value: datetime) -> str:
    """An instant as `2026-01-05T06:30:00Z`; fractions of a second only where there are any.

    Raises:
        TypeError: not a datetime, or one without a zone.
    """
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise TypeError(f"DateTime cannot represent {value!r}")
    return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def parse_decimal(value: object) -> Decimal:
    """A decimal from a string of digits or a whole number.

    Raises:
        GraphQLError: a float, NaN, an infinity, an exponent, or more than 20 digits on a side.
    """
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _DECIMAL.fullmatch(text):
        raise _refuse("Decimal", value, 'a text of digits such as "187.43"')
    return Decimal(text)


def parse_day(value: object) -> date:
    """A session date from `YYYY-MM-DD`.

    Raises:
        GraphQLError: any other form, or a day that does not exist.
    """
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise _refuse("Date", value, "a day such as 2026-01-05")


def parse_instant(value: object) -> datetime:
    """An instant from ISO 8601 with its zone, as UTC.

    Raises:
        GraphQLError: any other form, no zone, or an instant that does not exist.
    """
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        try:
            return datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise _refuse("DateTime", value, "an instant with its zone such as 2026-01-05T06:30:00Z")


def finite(value: float | None) -> float | None:
    """A number that JSON has: NaN and the infinities are unknown."""
    return value if value is not None and math.isfinite(value) else None


def _day_text(value: date) -> str:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise TypeError(f"Date cannot represent {value!r}")
    return value.isoformat()


def _columns(value: Mapping[str, list[Any]]) -> Mapping[str, list[Any]]:
    """Unchanged: columns are made of JSON values by who makes them."""
    return value


def _output_only(value: object) -> Any:
    raise _refuse("columns", value, "nothing: it is an answer, never an argument")


def _refuse(name: str, value: object, wanted: str) -> GraphQLError:
    given = str(value)[:60]
    message = f"{name} cannot be {given!r}; it must be {wanted}."
    return GraphQLError(message, extensions={"scalar": name, "value": given})


SCALARS: Final[dict[object, ScalarDefinition]] = {
    Decimal: strawberry.scalar(
        name="Decimal",
        description='An exact decimal number as a text: "187.43".',
        serialize=decimal_text,
        parse_value=parse_decimal,
    ),
    date: strawberry.scalar(
        name="Date",
        description="A session date, YYYY-MM-DD, in the exchange's own zone.",
        serialize=_day_text,
        parse_value=parse_day,
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description="An instant in UTC, ISO 8601 with Z.",
        serialize=instant_text,
        parse_value=parse_instant,
    ),
    Series: strawberry.scalar(
        name="Series",
        description=(
            "Columns of equal length, null where unknown. Charts have `time` (days as YYYY-MM-DD,"
            " instants as UNIX seconds), frames have `symbol`. Numbers are for display only."
        ),
        serialize=_columns,
        parse_value=_output_only,
    ),
    Matrix: strawberry.scalar(
        name="Matrix",
        description='A table of numbers: {"rows": […], "columns": […], "values": [[…]]}.',
        serialize=_columns,
        parse_value=_output_only,
    ),
}
