"""Screening in the schema: hits of presets and filters, the figures there are, saved screens."""

from __future__ import annotations

import strawberry

from app.domain.screening import FIELDS, Filter, NumberField, ScreenPreset, Term, WordField
from app.graphql.context import Info
from app.graphql.describing import described
from app.graphql.paging import Connection, clamp, make_connection
from app.graphql.permissions import require_market, require_trader, require_user
from app.graphql.screen_hit import ScreenHit
from app.graphql.signal_types import SignalWorth
from app.services.screening import hits, saved
from app.services.screening.hits import SYMBOL, Screen
from app.services.signals.signal_worth import find_worth


@strawberry.input(description="A range of a figure, both ends allowed, or words of a field.")
class ScreenTermInput:
    """One term of a filter; the names of fields are those of `screenFields`."""

    field: str
    min: float | None = None
    max: float | None = None
    words: list[str] | None = None


@strawberry.input(description="Terms of which any one is enough.")
class ScreenGroupInput:
    """One group of a filter."""

    any: list[ScreenTermInput]


@strawberry.input(description="Groups, all of which are asked for: at most 50 terms together.")
class ScreenFilter:
    """A filter: and over groups, or within one."""

    all: list[ScreenGroupInput]

    def to_groups(self) -> Filter:
        """As the service takes it."""
        return tuple(
            tuple(Term(t.field, t.min, t.max, tuple(t.words or ())) for t in group.any)
            for group in self.all
        )


@strawberry.input(description="The order of hits: by `symbol` or a field of `screenFields`.")
class ScreenSort:
    """Unknown figures come last in either direction."""

    field: str = SYMBOL
    descending: bool = False


def make_screen(
    preset: ScreenPreset | None, wanted: ScreenFilter | None, sort: ScreenSort | None
) -> Screen:
    """A screen as the services take it."""
    sort = sort or ScreenSort()
    groups = wanted.to_groups() if wanted else ()
    return Screen(preset, groups, sort.field, sort.descending)


@described
@strawberry.type
class ScreenTerm:
    """One term of a saved filter."""

    field: str
    min: float | None
    max: float | None
    words: list[str]


@described
@strawberry.type
class ScreenGroup:
    """Terms of which any one is enough."""

    any: list[ScreenTerm]


@described
@strawberry.type
class ScreenField:
    """What may be asked for: a figure from `low` to `high`, or one of `words`."""

    key: str
    low: float | None
    high: float | None
    words: list[str]

    @classmethod
    def of(cls, field: NumberField | WordField, words: list[str]) -> ScreenField:
        """From the domain, with the words that instruments have now."""
        if isinstance(field, NumberField):
            return cls(key=field.key, low=field.low, high=field.high, words=[])
        return cls(key=field.key, low=None, high=None, words=list(field.words or words))


@described
@strawberry.type
class SavedScreen:
    """One's own screen: a preset and a filter, both to be fulfilled, and an order."""

    id: strawberry.ID
    name: str
    preset: ScreenPreset | None
    filter: list[ScreenGroup]
    sort: str
    descending: bool

    @classmethod
    def of(cls, row: saved.SavedScreenRow) -> SavedScreen:
        """From a service's row."""
        screen = row.screen
        return cls(
            id=strawberry.ID(str(row.id)),
            name=row.name,
            preset=screen.preset,
            filter=[
                ScreenGroup(
                    any=[
                        ScreenTerm(field=t.field, min=t.low, max=t.high, words=list(t.words))
                        for t in group
                    ]
                )
                for group in screen.groups
            ],
            sort=screen.sort,
            descending=screen.descending,
        )


@described
@strawberry.type
class ScreenQuery:
    """What the newest figures say of all instruments."""

    @strawberry.field
    async def screen(  # noqa: PLR0913, PLR0917 - arguments of the schema
        self,
        info: Info,
        preset: ScreenPreset | None = None,
        filter: ScreenFilter | None = None,  # noqa: A002
        sort: ScreenSort | None = None,
        first: int | None = 50,
        after: str | None = None,
    ) -> Connection[ScreenHit]:
        """Instruments whose newest figures fulfil the preset and the filter.

        An instrument whose newest session is missing or under review has its mark: `current`.
        """
        env = require_market(info).env
        screen = make_screen(preset, filter, sort)
        page = await hits.list_hits(env, screen, clamp(first, 50), after)
        return make_connection(page, ScreenHit.of, lambda: hits.count_hits(env, screen))

    @strawberry.field
    async def screen_fields(self, info: Info) -> list[ScreenField]:
        """Everything that may be screened by, with its bounds or its words."""
        words = await hits.list_words(require_market(info).env)
        return [ScreenField.of(field, words.get(field.key, [])) for field in FIELDS.values()]

    @strawberry.field
    async def signal_worth(self, info: Info) -> list[SignalWorth]:
        """What signals of each strength were worth in each market, measured on stored prices."""
        found = await find_worth(require_market(info).env)
        locale = info.context.locale
        return [SignalWorth.tell(row, locale) for rows in found.values() for row in rows]

    @strawberry.field
    async def saved_screens(self, info: Info) -> list[SavedScreen]:
        """One's own screens, by name."""
        rows = await saved.list_screens(info.context.env, require_user(info).user.id)
        return [SavedScreen.of(row) for row in rows]


@described
@strawberry.type
class ScreenMutation:
    """Keeping screens."""

    @strawberry.mutation
    async def save_screen(
        self,
        info: Info,
        name: str,
        preset: ScreenPreset | None = None,
        filter: ScreenFilter | None = None,  # noqa: A002
        sort: ScreenSort | None = None,
    ) -> SavedScreen:
        """Keeps a screen under a name, in the place of one that has it."""
        user_id = require_trader(info).user.id
        screen = make_screen(preset, filter, sort)
        return SavedScreen.of(await saved.save_screen(info.context.env, user_id, name, screen))

    @strawberry.mutation
    async def delete_screen(self, info: Info, id: strawberry.ID) -> bool:  # noqa: A002
        """Forgets a screen."""
        await saved.delete_screen(info.context.env, require_trader(info).user.id, id)
        return True
