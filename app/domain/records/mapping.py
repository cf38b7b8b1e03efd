"""What somebody has said about the columns and words of a broker's files; kept as a preset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from app.domain.market import currency_digits
from app.domain.records.cells import DayOrder
from app.domain.records.columns import ADDED, LONGEST_NAME, RecordField
from app.domain.records.kinds import RecordKind, simplify_word
from app.errors import BadInput, argument

MOST_NAMES: Final = 10
"""Columns that one field may be added of."""

MOST_WORDS: Final = 200


@dataclass(frozen=True)
class ColumnMapping:
    """Names of columns by field, words by kind, and how numbers and days are written.

    What is left out is recognised. `currency` is that of lines which name none.
    """

    columns: Mapping[RecordField, tuple[str, ...]] = field(default_factory=dict)
    kinds: Mapping[str, RecordKind] = field(default_factory=dict)
    currency: str | None = None
    decimal_comma: bool | None = None
    day_order: DayOrder | None = None

    def dump(self) -> dict[str, Any]:
        """As JSON values, for `load_mapping`."""
        return {
            "columns": {name.value: list(columns) for name, columns in self.columns.items()},
            "kinds": {word: kind.value for word, kind in self.kinds.items()},
            "currency": self.currency,
            "decimal_comma": self.decimal_comma,
            "day_order": self.day_order and self.day_order.value,
        }


RECOGNISED: Final = ColumnMapping()
"""Nothing is said: everything is recognised or refused."""


def load_mapping(stored: Mapping[str, Any]) -> ColumnMapping:
    """The mapping that `ColumnMapping.dump` has written."""
    order = stored["day_order"]
    return ColumnMapping(
        {RecordField(name): tuple(columns) for name, columns in stored["columns"].items()},
        {word: RecordKind(kind) for word, kind in stored["kinds"].items()},
        stored["currency"],
        stored["decimal_comma"],
        order and DayOrder(order),
    )


def check_mapping(mapping: ColumnMapping) -> ColumnMapping:
    """The mapping, its words as they are compared.

    Raises:
        BadInput: too many or too long names or words, a field that is given several columns and
            cannot be added, or a currency that is not traded here.
    """
    for name, columns in mapping.columns.items():
        most = MOST_NAMES if name in ADDED else 1
        if not 1 <= len(columns) <= most:
            message = "%(name)s is given %(value)d columns; it may have 1 to %(bound)d"
            values = {"name": argument(name.lower()), "value": len(columns), "bound": most}
            raise BadInput(message, field="columns", **values)
        for column in columns:
            _check_word(column, "columns")
    if len(mapping.kinds) > MOST_WORDS:
        message = "%(value)d words are given; at most %(bound)d are allowed"
        raise BadInput(message, field="kinds", value=len(mapping.kinds), bound=MOST_WORDS)
    for word in mapping.kinds:
        _check_word(word, "kinds")
    if mapping.currency is not None:
        currency_digits(mapping.currency)
    words = {simplify_word(word): kind for word, kind in mapping.kinds.items()}
    return ColumnMapping(
        mapping.columns, words, mapping.currency, mapping.decimal_comma, mapping.day_order
    )


def _check_word(text: str, name: str) -> None:
    if not text.strip() or len(text) > LONGEST_NAME or not text.isprintable():
        message = "%(name)s is %(value).40r; it may have 1 to %(bound)d printable characters"
        raise BadInput(message, field=name, name=name, value=text, bound=LONGEST_NAME)
