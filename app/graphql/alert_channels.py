"""Channels of alerts in the schema: ways to somebody outside the page, and what came of each."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import strawberry

from app.domain.alerts.channels import ChannelKind
from app.graphql.backtest_words import error_sentence
from app.graphql.context import Info
from app.graphql.describing import described
from app.graphql.enums import register_enum
from app.graphql.paging import clamp
from app.graphql.permissions import require_trader, require_user
from app.services.alerts import alert_channels
from app.services.alerts.alert_channels import ChannelRow, NewChannel, NoticeRow
from app.translations import Locale

register_enum(ChannelKind, "AlertChannelKind")


class NoticeState(StrEnum):
    """What became of a notice: DEAD could not be delivered."""

    WAITING = "WAITING"
    SENT = "SENT"
    DEAD = "DEAD"


register_enum(NoticeState)


@described
@strawberry.type
class AlertChannel:
    """A way to somebody outside the page; `place` is what may be shown of its address.

    `endedAt`: since when its receiver says that it is gone; a test tries it again.
    """

    id: strawberry.ID
    kind: ChannelKind
    name: str
    place: str
    created_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, row: ChannelRow) -> AlertChannel:
        """From a service's row."""
        return cls(**vars(row) | {"id": strawberry.ID(str(row.id))})


@described
@strawberry.type
class Notice:
    """An alert on its way by a channel; without an alert it is a test."""

    error_of: strawberry.Private[dict[str, Any] | None]
    id: strawberry.ID
    alert: strawberry.ID | None
    channel: str
    kind: ChannelKind
    state: NoticeState
    due_at: datetime
    sent_at: datetime | None

    @classmethod
    def of(cls, row: NoticeRow) -> Notice:
        """From a service's row."""
        return cls(
            error_of=row.error,
            id=strawberry.ID(str(row.id)),
            alert=None if row.alert_id is None else strawberry.ID(str(row.alert_id)),
            channel=row.channel,
            kind=row.kind,
            state=NoticeState(row.state),
            due_at=row.due_at,
            sent_at=row.sent_at,
        )

    @strawberry.field
    def error(self, info: Info) -> str | None:
        """Why the last try failed."""
        if self.error_of is None:
            return None
        return error_sentence(self.error_of, info.context.locale)


@strawberry.input(
    description="A channel to make. `address`: of a webhook its URL, of a push the JSON of a "
    "browser's PushSubscription; mail goes to the account's own address."
)
class AlertChannelInput:
    """A channel to make."""

    kind: ChannelKind
    name: str | None = None
    address: str | None = None

    def to_channel(self, locale: Locale) -> NewChannel:
        """The channel that is wanted, told in that language."""
        return NewChannel(self.kind, self.name, self.address, locale)


@described
@strawberry.type
class AlertChannelQuery:
    """One's own channels, and what is on its way."""

    @strawberry.field
    async def alert_channels(self, info: Info) -> list[AlertChannel]:
        """One's channels, the oldest first; there are at most 20."""
        user_id = require_user(info).user.id
        return [
            AlertChannel.of(row)
            for row in await alert_channels.list_channels(info.context.env, user_id)
        ]

    @strawberry.field
    async def notices(
        self, info: Info, state: NoticeState | None = None, first: int | None = 50
    ) -> list[Notice]:
        """What is or was on its way, the newest first; DEAD: what was not delivered."""
        env, user_id = info.context.env, require_user(info).user.id
        rows = await alert_channels.list_notices(env, user_id, state, clamp(first, 50))
        return [Notice.of(row) for row in rows]

    @strawberry.field
    async def push_key(self, info: Info) -> str:
        """The key that a browser subscribes to pushes with (`applicationServerKey`)."""
        require_user(info)
        return info.context.env.pusher.public


@described
@strawberry.type
class AlertChannelMutation:
    """Making, trying out and deleting channels."""

    @strawberry.mutation
    async def save_alert_channel(
        self,
        info: Info,
        input: AlertChannelInput,  # noqa: A002
    ) -> AlertChannel:
        """Makes a channel; what is told from now on goes there, too."""
        context, user = info.context, require_trader(info).user
        row = await alert_channels.save_channel(context.env, user, input.to_channel(context.locale))
        return AlertChannel.of(row)

    @strawberry.mutation
    async def delete_alert_channel(self, info: Info, id: strawberry.ID) -> bool:  # noqa: A002
        """Forgets a channel, its address and what was on its way there."""
        user_id = require_trader(info).user.id
        await alert_channels.delete_channel(info.context.env, user_id, id)
        return True

    @strawberry.mutation
    async def test_alert_channel(self, info: Info, id: strawberry.ID) -> Notice:  # noqa: A002
        """Has a test sent at once; `notices` tells what came of it."""
        user_id = require_trader(info).user.id
        return Notice.of(await alert_channels.try_channel(info.context.env, user_id, id))

    @strawberry.mutation
    async def retry_notice(self, info: Info, id: strawberry.ID) -> Notice:  # noqa: A002
        """Has one that could not be delivered sent again."""
        user_id = require_trader(info).user.id
        return Notice.of(await alert_channels.retry_notice(info.context.env, user_id, id))
