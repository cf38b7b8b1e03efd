"""What is screened for, as the address of the screener says it: preset, terms, order, page.

`where=rsi_14:..30` is a term, `where=sector:Energy|trailing_pe:..10` two of which one is enough;
all `where` are asked for. A term without a range or a word is a row of the form that is not filled
in yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from app.errors import BadInput

PERCENT: Final = frozenset(
    {
        *("change", "return_5", "return_20", "from_high", "from_low"),
        *("to_sma_20", "to_sma_50", "to_sma_200", "return_on_equity", "dividend_yield"),
        *("gross_margin", "operating_margin", "net_margin", "debt_to_equity"),
    }
)
"""Figures that are fractions in the data and per cent in the form."""

_MOST: Final = 60  # rows that are read; the service allows 50


@dataclass(frozen=True)
class TermRow:
    """A row of the form; its ends are as in the address. `either`: or, with the row before."""

    field: str
    low: str = ""
    high: str = ""
    words: tuple[str, ...] = ()
    either: bool = False

    @property
    def filled(self) -> bool:
        """Whether it asks for anything."""
        return bool(self.low or self.high or self.words)

    @property
    def shown(self) -> tuple[str, str]:
        """Both ends as the form shows them."""
        scale = Decimal(100) if self.field in PERCENT else Decimal(1)
        return _scaled(self.low, scale), _scaled(self.high, scale)

    def text(self) -> str:
        """As the address has it."""
        said = ",".join(self.words) if self.words else f"{self.low}..{self.high}"
        return f"{self.field}:{said}"

    def term(self) -> dict[str, Any]:
        """As the schema takes it.

        Raises:
            BadInput: an end that is no number.
        """
        if self.words:
            return {"field": self.field, "words": list(self.words)}
        ends = {"min": self._number(self.low), "max": self._number(self.high)}
        return {"field": self.field} | {name: end for name, end in ends.items() if end is not None}

    def _number(self, text: str) -> float | None:
        try:
            return float(text) if text else None
        except ValueError:
            message = "%(key)s is asked for at %(value).40r; it must be a number"
            raise BadInput(message, field="filter", key=self.field, value=text) from None


@dataclass(frozen=True)
class ScreenView:
    """What differs from the default stands in the address."""

    preset: str = ""
    rows: tuple[TermRow, ...] = ()
    sort: str = "symbol"
    descending: bool = False
    after: str = ""

    def query(self, **changes: Any) -> str:
        """The query of the same view with these parts changed, from the first page on."""
        view = replace(self, **({"after": ""} | changes))
        pairs = [("preset", view.preset)] if view.preset else []
        pairs += [("where", "|".join(row.text() for row in group)) for group in view.groups()]
        if (view.sort, view.descending) != ("symbol", False):
            pairs.append(("sort", ("-" if view.descending else "") + view.sort))
        if view.after:
            pairs.append(("after", view.after))
        return urlencode(pairs, safe=":,|.")

    def groups(self) -> list[list[TermRow]]:
        """Rows of which one is enough, together."""
        found: list[list[TermRow]] = []
        for row in self.rows:
            if row.either and found:
                found[-1].append(row)
            else:
                found.append([row])
        return found

    def variables(self) -> dict[str, Any]:
        """What the page's document takes; rows that are not filled in ask for nothing.

        Raises:
            BadInput: an end of a range that is no number.
        """
        groups = [[row.term() for row in group if row.filled] for group in self.groups()]
        return {
            "preset": self.preset or None,
            "filter": {"all": [{"any": terms} for terms in groups if terms]},
            "sort": {"field": self.sort, "descending": self.descending},
            "after": self.after or None,
        }

    def sorted_by(self, key: str) -> str:
        """The query that sorts by a figure, or turns the order if it is sorted by it already."""
        down = not self.descending if key == self.sort else key not in {"symbol", "sector"}
        return "?" + self.query(sort=key, descending=down)

    def direction(self, key: str) -> str:
        """What `aria-sort` says of a column."""
        if key != self.sort:
            return "none"
        return "descending" if self.descending else "ascending"


def read_screen_view(query: QueryParams) -> ScreenView:
    """The view that an address describes."""
    rows: list[TermRow] = []
    for where in query.getlist("where")[:_MOST]:
        for number, text in enumerate(where.split("|")[:_MOST]):
            rows.append(_read_term(text, either=number > 0))
    sort = query.get("sort", "symbol")
    return ScreenView(
        query.get("preset", ""),
        tuple(rows),
        sort.removeprefix("-") or "symbol",
        sort.startswith("-"),
        query.get("after", ""),
    )


def read_screen_form(form: QueryParams) -> ScreenView:
    """The view that the form asks for: its rows, less a removed one, with an added one."""
    columns = (form.getlist(name) for name in ("field", "join", "min", "max", "word"))
    rows = [
        _typed(field, low.strip(), high.strip(), word, either=join == "or")
        for field, join, low, high, word in zip(*columns, strict=False)
    ][:_MOST]
    removed = form.get("remove", "")
    if removed.isascii() and removed.isdigit() and int(removed) < len(rows):
        del rows[int(removed)]
    if added := form.get("add", ""):
        rows.append(TermRow(added))
    sort = form.get("sort", "symbol")
    return ScreenView(
        form.get("preset", ""), tuple(rows), sort.removeprefix("-"), sort.startswith("-")
    )


def view_of(saved: dict[str, Any]) -> ScreenView:
    """The view of a saved screen."""
    rows = [
        TermRow(
            term["field"],
            _plain(term["min"]),
            _plain(term["max"]),
            tuple(term["words"]),
            either=number > 0,
        )
        for group in saved["filter"]
        for number, term in enumerate(group["any"])
    ]
    return ScreenView(saved["preset"] or "", tuple(rows), saved["sort"], saved["descending"])


def _read_term(text: str, *, either: bool) -> TermRow:
    field, _, said = text.partition(":")
    low, dots, high = said.partition("..")
    if dots:
        return TermRow(field, low, high, either=either)
    return TermRow(field, words=_split(said.split(",")), either=either)


def _typed(field: str, low: str, high: str, word: str, *, either: bool) -> TermRow:
    if word:
        return TermRow(field, words=_split(word.split(",")), either=either)
    scale = Decimal("0.01") if field in PERCENT else Decimal(1)
    first, last = (_scaled(end.replace(",", ""), scale) for end in (low, high))
    return TermRow(field, first, last, either=either)


def _scaled(text: str, scale: Decimal) -> str:
    """A number times the scale, without needless zeros; what is none stays as it is."""
    try:
        value = Decimal(text) * scale
    except InvalidOperation:
        return text
    return f"{value.normalize():f}" if value.is_finite() else text


def _plain(value: float | None) -> str:
    return "" if value is None else f"{Decimal(repr(value)).normalize():f}"


def _split(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(word for word in words if word)
