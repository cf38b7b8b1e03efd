"""How far prices can be trusted, in the schema: held rows, revisions, events, comparisons."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import strawberry

from app.domain.acceptance import BELIEVABLE, Reason
from app.graphql.context import Info
from app.graphql.describing import described
from app.graphql.enums import DataKind, PriceEventKind, QuarantineState
from app.graphql.paging import clamp
from app.graphql.reasons import said_beside, why_quarantined
from app.graphql.types import Bar, FromRow
from app.services.collect.data_health import CrossCheckRow, RevisionRow
from app.services.collect.quarantine import QuarantineRow


@described
@strawberry.type
class PriceValues:
    """The values of a stored or a held row, as traded; null where it has none.

    A bar has prices and volume, a split numerator and denominator, a dividend its amount, a
    currency pair its rate.
    """

    open: Decimal | None
    high: Decimal | None
    low: Decimal | None
    close: Decimal | None
    adj_close: Decimal | None
    volume: Decimal | None
    numerator: Decimal | None
    denominator: Decimal | None
    amount: Decimal | None
    rate: Decimal | None

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> PriceValues:
        """From a row's values by column; what is no number is null."""
        return cls(
            open=_decimal(values.get("open")),
            high=_decimal(values.get("high")),
            low=_decimal(values.get("low")),
            close=_decimal(values.get("close")),
            adj_close=_decimal(values.get("adj_close")),
            volume=_decimal(values.get("volume")),
            numerator=_decimal(values.get("numerator")),
            denominator=_decimal(values.get("denominator")),
            amount=_decimal(values.get("amount")),
            rate=_decimal(values.get("rate")),
        )


@described
@strawberry.type
class Quarantine:
    """A row of the source that was not believed: HELD until somebody decides or it mends itself.

    RELEASED: it was stored as it is. DROPPED: it never will be. MENDED: the source has given other
    values since, and those are in order.
    """

    id: strawberry.ID
    symbol: str
    kind: DataKind
    day: date
    reason: Reason
    detail: str = strawberry.field(description="What was found, in English, with its figures.")
    row: PriceValues = strawberry.field(description="The values as the source gave them.")
    source: str
    found_at: datetime
    state: QuarantineState
    decided_at: datetime | None
    releasable: bool = strawberry.field(
        description="Whether it can be stored as it is: a row with a missing price cannot."
    )

    @classmethod
    def of(cls, row: QuarantineRow) -> Quarantine:
        """From a service's row."""
        return cls(
            id=strawberry.ID(str(row.id)),
            symbol=row.symbol,
            kind=DataKind(row.kind),
            day=row.day,
            reason=Reason(row.reason),
            detail=row.detail,
            row=PriceValues.of(row.row),
            source=row.source,
            found_at=row.found_at,
            state=QuarantineState(row.state),
            decided_at=row.decided_at,
            releasable=row.state == "HELD" and Reason(row.reason) in _WHOLE,
        )

    @strawberry.field
    async def said(self) -> str | None:
        """What `detail` says beyond `sentence`, in English; null where that is nothing."""
        return said_beside(self.reason, self.detail)

    @strawberry.field
    async def sentence(self, info: Info) -> str:
        """The reason in one sentence, in the reader's language."""
        return why_quarantined(self.reason, info.context.locale)

    @strawberry.field
    async def previous(self, info: Info) -> Bar | None:
        """The last stored bar before that day, as traded; null when there is none."""
        row = await info.context.loaders.bars_before.load((self.symbol, self.day))
        return None if row is None else Bar.of(row)


@described
@strawberry.type
class Revision:
    """A stored row that changed later: `old` became `new`, or went away where that is null.

    `number` is the data version that changed it: the data as of an earlier one still have `old`.
    """

    id: strawberry.ID
    number: strawberry.ID
    kind: DataKind
    symbol: str
    day: date
    old: PriceValues
    new: PriceValues | None
    source: str
    at: datetime

    @classmethod
    def of(cls, row: RevisionRow) -> Revision:
        """From a service's row."""
        return cls(
            id=strawberry.ID(str(row.id)),
            number=strawberry.ID(str(row.number)),
            kind=DataKind(row.kind),
            symbol=row.symbol,
            day=row.day,
            old=PriceValues.of(row.old),
            new=None if row.new is None else PriceValues.of(row.new),
            source=row.source,
            at=row.at,
        )


@described
@strawberry.type
class Difference:
    """A day on which two sources differ by more than the tolerance; `difference` is relative."""

    day: date
    close: Decimal | None
    other: Decimal | None
    difference: float | None


@described
@strawberry.type
class CrossCheck:
    """The last comparison of an instrument's closes with those of another source.

    `days` were compared and `differing` of them are further apart than the tolerance.
    """

    symbol: str
    source: str
    other: str
    checked_at: datetime
    days: int
    differing: int
    found: strawberry.Private[list[dict[str, Any]]]

    @classmethod
    def of(cls, row: CrossCheckRow) -> CrossCheck:
        """From a service's row."""
        return cls(
            symbol=row.symbol,
            source=row.source,
            other=row.other,
            checked_at=row.checked_at,
            days=row.days,
            differing=row.differing,
            found=row.differences,
        )

    @strawberry.field
    async def differences(self, first: int | None = 10) -> list[Difference]:
        """The differing days, the newest first."""
        return [_difference(found) for found in self.found[: max(clamp(first, 10), 0)]]


@described
@strawberry.type
class PriceEvent(FromRow):
    """A split (`numerator` new shares for `denominator` old ones) or a dividend, on its ex-date.

    `factor` is what earlier prices are multiplied by on an adjusted basis: denominator / numerator
    of a split, 1 - amount / close before of a dividend (TOTAL_RETURN alone). `previousClose` is as
    traded.
    """

    day: date
    kind: PriceEventKind
    numerator: Decimal | None
    denominator: Decimal | None
    amount: Decimal | None
    previous_close: Decimal | None
    factor: float | None


@described
@strawberry.type
class StoredData(FromRow):
    """The stored bars, or rates, of an instrument: how many, from when to when, and by whom.

    `version` is the data version that changed them last, `fetchedAt` when the newest row came.
    """

    rows: int
    first_day: date | None
    last_day: date | None
    source: str | None
    version: strawberry.ID
    fetched_at: datetime | None


@described
@strawberry.type
class RecentRevision(FromRow):
    """How many stored rows have changed in the last 30 days, the first of which day, when last."""

    at: datetime
    rows: int
    first_day: date


_WHOLE: Final = frozenset({*BELIEVABLE, Reason.SCALED, Reason.TOO_LARGE})


def _difference(found: Mapping[str, Any]) -> Difference:
    relative = _decimal(found.get("difference"))
    return Difference(
        day=date.fromisoformat(found["day"]),
        close=_decimal(found.get("close")),
        other=_decimal(found.get("other")),
        difference=None if relative is None else float(relative),
    )


def _decimal(value: object) -> Decimal | None:
    """A number of a JSON column, written as text or not; None for what is none."""
    if value is None or isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
