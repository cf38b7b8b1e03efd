"""Alerts in the schema: one's own rules, what they have told, and being told as it happens."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

import strawberry

from app.domain.alerts.telling import DIGEST_AT
from app.graphql.alert_types import Alert, AlertHours, AlertRule, AlertRuleInput, read_clock
from app.graphql.context import Info
from app.graphql.describing import described
from app.graphql.paging import Connection, clamp, make_connection
from app.graphql.permissions import require_trader, require_user
from app.services.alerts import alert_hours, alert_rules, alerts


@described
@strawberry.type
class AlertQuery:
    """One's own alert rules and alerts."""

    @strawberry.field
    async def alert_rules(self, info: Info) -> list[AlertRule]:
        """One's rules, the newest first; there are at most 500."""
        rows = await alert_rules.list_rules(info.context.env, require_user(info).user.id)
        return [AlertRule.of(row) for row in rows]

    @strawberry.field
    async def alerts(
        self, info: Info, first: int | None = 50, after: str | None = None
    ) -> Connection[Alert]:
        """What one's rules have told, the newest first."""
        env, user_id = info.context.env, require_user(info).user.id
        page = await alerts.list_alerts(env, user_id, first=clamp(first, 50), after=after)
        return make_connection(page, Alert.of, lambda: alerts.count_alerts(env, user_id))

    @strawberry.field
    async def alert_hours(self, info: Info) -> AlertHours:
        """When one is told outside the page."""
        user_id = require_user(info).user.id
        return AlertHours.of(await alert_hours.get_hours(info.context.env, user_id))


@described
@strawberry.type
class AlertMutation:
    """Making, changing and deleting rules; noting that alerts have been seen."""

    @strawberry.mutation
    async def save_alert_rule(self, info: Info, input: AlertRuleInput) -> AlertRule:  # noqa: A002
        """Makes a rule, or changes the one of the id; it fires at the next crossing."""
        env, user_id = info.context.env, require_trader(info).user.id
        return AlertRule.of(await alert_rules.save_rule(env, user_id, input.to_rule(), input.id))

    @strawberry.mutation
    async def pause_alert_rule(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002
        paused: bool = True,  # noqa: FBT001, FBT002 - an argument of the schema
    ) -> AlertRule:
        """Has a rule see nothing, or begin anew; what happened meanwhile fires nothing."""
        env, user_id = info.context.env, require_trader(info).user.id
        return AlertRule.of(await alert_rules.pause_rule(env, user_id, id, paused=paused))

    @strawberry.mutation
    async def delete_alert_rule(self, info: Info, id: strawberry.ID) -> bool:  # noqa: A002
        """Forgets a rule; what it has told stays in the history."""
        await alert_rules.delete_rule(info.context.env, require_trader(info).user.id, id)
        return True

    @strawberry.mutation
    async def acknowledge_alert(self, info: Info, id: strawberry.ID) -> Alert:  # noqa: A002
        """Notes that one has seen an alert."""
        env, user_id = info.context.env, require_trader(info).user.id
        return Alert.of(await alerts.acknowledge(env, user_id, id))

    @strawberry.mutation
    async def acknowledge_alerts(self, info: Info) -> int:
        """Notes that one has seen all of them; how many were unread."""
        env, user_id = info.context.env, require_trader(info).user.id
        return await alerts.acknowledge_all(env, user_id)

    @strawberry.mutation
    async def save_alert_hours(
        self,
        info: Info,
        quiet_from: str | None = None,
        quiet_until: str | None = None,
        digest_at: str | None = None,
    ) -> AlertHours:
        """Chooses when one is told outside the page; without times no hour is quiet."""
        env, user_id = info.context.env, require_trader(info).user.id
        hours = await alert_hours.save_hours(
            env,
            user_id,
            read_clock(quiet_from, "quietFrom"),
            read_clock(quiet_until, "quietUntil"),
            read_clock(digest_at, "digestAt") or DIGEST_AT,
        )
        return AlertHours.of(hours)


@described
@strawberry.type
class AlertSubscription:
    """One's own alerts as they come."""

    @strawberry.subscription
    async def alerts(self, info: Info) -> AsyncGenerator[Alert]:
        """Every alert that is stored from now on, once."""
        context, user_id = info.context, require_user(info).user.id
        rows = alerts.follow_alerts(context.env, context.hub.bell, user_id)
        async with aclosing(rows) as changes:
            async for row in changes:
                yield Alert.of(row)
