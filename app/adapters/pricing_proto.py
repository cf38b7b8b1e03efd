"""Reads Yahoo's `PricingData`, the protobuf message of one streamed price.

Only the wire format that this one message needs: varints, 32- and 64-bit numbers and texts; unknown
fields are skipped. A protobuf `float` has 24 bits, so prices are read as the shortest decimal that
is the same float: 189.53, not 189.529998779.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Final

REGULAR_MARKET: Final = 1
POST_MARKET: Final = 2
EXTENDED_MARKET: Final = 3
"""`market_hours` of a price; before the open it is 0, which protobuf 3 cannot tell from unsaid."""

HEARTBEAT: Final = 7
"""`quote_type` of a message that carries no price."""

_VARINT, _FIXED64, _TEXT, _FIXED32 = 0, 1, 2, 5
_MAX_VARINT: Final = 10
_FLOAT32: Final = struct.Struct("<f")


@dataclass(frozen=True, slots=True)
class PricingData:
    """The fields of use; a field that the message lacks has its default, as protobuf 3 wants it.

    `time` is in milliseconds since 1970, `price_hint` the number of decimals of the price.
    """

    id: str = ""
    price: float = 0.0
    time: int = 0
    currency: str = ""
    exchange: str = ""
    quote_type: int = 0
    market_hours: int = 0
    day_volume: int = 0
    change: float = 0.0
    previous_close: float = 0.0
    price_hint: int = 0


_NUMBERS: Final = {
    1: "id",
    2: "price",
    3: "time",
    4: "currency",
    5: "exchange",
    6: "quote_type",
    7: "market_hours",
    9: "day_volume",
    12: "change",
    16: "previous_close",
    27: "price_hint",
}
_ZIGZAG: Final = frozenset({"time", "day_volume", "price_hint"})
_TYPES: Final = {field.name: type(field.default) for field in fields(PricingData)}
_WIRE: Final = {_VARINT: int, _TEXT: str, _FIXED32: float}


def read_pricing(data: bytes) -> PricingData:
    """Decodes one message; of a field that is there twice the last one counts.

    Raises:
        ValueError: the bytes are no such message; says at which field.
    """
    values: dict[str, str | float | int] = {}
    for number, wire, raw in _fields(data):
        name = _NUMBERS.get(number)
        if name is None:
            continue
        if _WIRE.get(wire) is not _TYPES[name]:
            msg = f"field {number} ({name}) has wire type {wire}"
            raise ValueError(msg)
        values[name] = _value(name, raw)
    return PricingData(**values)  # type: ignore[arg-type]


def _value(name: str, raw: int | bytes) -> str | float | int:
    if isinstance(raw, int):
        if name in _ZIGZAG:
            return (raw >> 1) ^ -(raw & 1)
        return raw
    if _TYPES[name] is str:
        return raw.decode()
    return shortest_float32(raw)


def shortest_float32(raw: bytes) -> float:
    """The number of fewest digits that is the float of these four bytes (little-endian)."""
    (value,) = _FLOAT32.unpack(raw)
    for digits in range(6, 9):
        short = float(f"{value:.{digits}g}")
        if abs(short) < 3e38 and _FLOAT32.pack(short) == raw:
            return short
    return float(f"{value:.9g}")


def _fields(data: bytes) -> Iterator[tuple[int, int, int | bytes]]:
    """Field number, wire type and raw value of each field."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if number == 0:
            raise ValueError("field number 0")
        if wire == _VARINT:
            value, at = _varint(data, at)
            yield number, wire, value
            continue
        if wire == _TEXT:
            size, at = _varint(data, at)
        else:
            size = {_FIXED64: 8, _FIXED32: 4}.get(wire, -1)
        if size < 0 or at + size > len(data):
            msg = f"field {number} has wire type {wire} or is cut off"
            raise ValueError(msg)
        yield number, wire, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A varint that begins at `at`, and where it ends."""
    value = 0
    for index in range(_MAX_VARINT):
        if at + index >= len(data):
            raise ValueError("the message is cut off in a number")
        byte = data[at + index]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at + index + 1
    raise ValueError("a number has more than ten bytes")
