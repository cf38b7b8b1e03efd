"""The calendar part of the schema: corrections of trading days, and the days to come."""

from __future__ import annotations

from datetime import date, datetime

import strawberry

from app.domain.trading_days import DayNote
from app.graphql.context import Context, Info
from app.graphql.describing import described
from app.graphql.instrument import From, To
from app.graphql.paging import clamp
from app.graphql.permissions import require_market, require_operator
from app.services.market.session_overrides import (
    OverrideDraft,
    OverrideRow,
    list_session_overrides,
    remove_session_override,
    restore_session_override,
    save_session_override,
)
from app.services.market.trading_days import DayRow, list_trading_days
from app.translations import load_translations


@described
@strawberry.type
class SessionOverride:
    """A dated correction of the calendar library: closed all day, or other hours, and why."""

    mic: str
    day: date
    closed: bool
    open_at: datetime | None
    close_at: datetime | None
    reason: str
    active: bool = strawberry.field(description="One that is not counts for nothing.")
    edited_at: datetime | None = strawberry.field(
        description="When the operator wrote it; releases leave it alone since."
    )
    shipped: bool = strawberry.field(description="Whether the release has one for that day.")
    confirmed: bool = strawberry.field(
        description="False while it is only expected by the rule of other years."
    )

    @classmethod
    def of(cls, row: OverrideRow, context: Context) -> SessionOverride:
        """From a service's row; the reasons that ship are in the reader's language."""
        own = row.edited_at is not None
        reason = row.reason if own else load_translations(context.locale).gettext(row.reason)
        return cls(
            mic=row.mic,
            day=row.day,
            closed=row.closed,
            open_at=row.open_at,
            close_at=row.close_at,
            reason=reason,
            active=row.active,
            edited_at=row.edited_at,
            shipped=row.shipped,
            confirmed=row.confirmed,
        )


strawberry.enum(DayNote, description="How a day relates to the usual hours of its market.")


@described
@strawberry.type
class TradingDay:
    """A day of a market: its hours, null when it is closed, and why where a correction says so."""

    mic: str
    day: date
    open_at: datetime | None
    close_at: datetime | None
    note: DayNote
    reason: str | None

    @classmethod
    def of(cls, row: DayRow, context: Context) -> TradingDay:
        """From a service's row; the reasons that ship are in the reader's language."""
        reason = row.reason and load_translations(context.locale).gettext(row.reason)
        return cls(
            mic=row.mic,
            day=row.day,
            open_at=row.open_at,
            close_at=row.close_at,
            note=row.note,
            reason=reason,
        )


@strawberry.input(
    description="A correction: closed, or opens and closes such as 09:30 on the market's clock."
)
class SessionOverrideInput:
    """What the operator wants to be true of one day of some markets."""

    mics: list[str]
    day: date
    closed: bool
    reason: str
    opens: str | None = None
    closes: str | None = None


@described
@strawberry.type
class CalendarQuery:
    """Corrections of the trading calendars."""

    @strawberry.field
    async def session_overrides(
        self,
        info: Info,
        mic: str | None = None,
        start: From = None,
        end: To = None,
        first: int | None = 100,
    ) -> list[SessionOverride]:
        """Corrections of a market or of all, those out of force too, the newest day first."""
        context = require_market(info)
        rows = await list_session_overrides(context.env, mic, start, end, clamp(first, 100))
        return [SessionOverride.of(row, context) for row in rows]

    @strawberry.field
    async def trading_days(
        self, info: Info, mic: str, first: int | None = 10, *, exceptions: bool | None = False
    ) -> list[TradingDay]:
        """The coming days of a market, closed weekdays too.

        With `exceptions` those alone that are not as usual: half days, late openings, holidays.
        """
        context = require_market(info)
        size = clamp(first, 10)
        rows = await list_trading_days(context.env, mic, size, exceptions=bool(exceptions))
        return [TradingDay.of(row, context) for row in rows]


@described
@strawberry.type
class CalendarMutation:
    """What the operator may correct in the trading calendars."""

    @strawberry.mutation
    async def save_session_override(
        self,
        info: Info,
        input: SessionOverrideInput,  # noqa: A002 - the contract's name
    ) -> list[SessionOverride]:
        """Writes a correction for each of the markets; it holds at once."""
        context = require_operator(info)
        draft = OverrideDraft(
            mics=input.mics,
            day=input.day,
            closed=input.closed,
            opens=input.opens,
            closes=input.closes,
            reason=input.reason,
        )
        rows = await save_session_override(context.env, draft)
        return [SessionOverride.of(row, context) for row in rows]

    @strawberry.mutation
    async def remove_session_override(self, info: Info, mic: str, day: date) -> SessionOverride:
        """Puts a correction out of force: the hours of the calendar library hold again."""
        context = require_operator(info)
        row = await remove_session_override(context.env, mic, day)
        return SessionOverride.of(row, context)

    @strawberry.mutation
    async def restore_session_override(self, info: Info, mic: str, day: date) -> SessionOverride:
        """Puts a correction into force again; a shipped one as it ships."""
        context = require_operator(info)
        row = await restore_session_override(context.env, mic, day)
        return SessionOverride.of(row, context)
