"""Types of the schema on files of transactions: reports, presets, and what they are told."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Final

import strawberry

from app.domain.portfolio.book import Problem, Trouble
from app.domain.records.cells import DayOrder
from app.domain.records.columns import RecordField
from app.domain.records.duplicates import MatchedRow, RowState
from app.domain.records.kinds import RecordKind
from app.domain.records.mapping import ColumnMapping
from app.domain.records.rows import RecordFormat, RowFault
from app.domain.records.writing import ExportFormat
from app.domain.transactions import CorporateAction, TransactionKind
from app.errors import BadInput
from app.graphql.describing import described
from app.graphql.enums import register_enum
from app.graphql.paging import clamp
from app.services.records.record_import import ImportReport as Report
from app.services.records.record_presets import PresetRow
from app.translations import N_, Locale, load_translations, translate_error

for _cls in (DayOrder, ExportFormat, RecordField, RecordFormat, RecordKind, RowState):
    register_enum(_cls)

MOST_LISTED: Final = 200
_PROBLEMS: Final = {
    Trouble.OVERSOLD: N_("%(symbol)s, %(day)s: %(quantity)s more shares are sold than are held"),
    Trouble.SPLIT_MISMATCH: N_(
        "%(symbol)s, %(day)s: the shares that the split adds differ from its ratio by %(quantity)s"
    ),
    Trouble.NOT_HELD: N_("%(symbol)s, %(day)s: a corporate action on shares that are not held"),
}


@described
@strawberry.type
class ImportRow:
    """A row that was understood; `line` is where it begins in the file."""

    line: int
    state: RowState
    kind: TransactionKind
    action: CorporateAction | None
    day: date
    symbol: str | None
    quantity: Decimal | None
    price: Decimal | None
    currency: str | None
    amount: Decimal
    fee: Decimal
    tax: Decimal
    reversal: bool

    @classmethod
    def of(cls, match: MatchedRow) -> ImportRow:
        """From a service's row."""
        row = match.row
        names = ("kind", "action", "day", "symbol", "quantity", "price", "currency", "amount")
        facts = {name: getattr(row.entry, name) for name in (*names, "fee", "tax")}
        return cls(line=row.line, state=match.state, reversal=row.reverses is not None, **facts)


@described
@strawberry.type
class ImportFault:
    """A row that was not understood: its line, the column as the file calls it, what stands there.

    `column` is empty when the row as a whole is wrong.
    """

    line: int
    column: str
    value: str
    message: str

    @classmethod
    def of(cls, fault: RowFault, locale: Locale) -> ImportFault:
        """From a service's fault, in the reader's language."""
        message = translate_error(fault.reason, locale)
        return cls(line=fault.line, column=fault.column, value=fault.value, message=message)


@described
@strawberry.type
class ImportColumn:
    """Which columns of the file were taken for a field; their figures are added."""

    field: str
    names: list[str]


@described
@strawberry.type
class ImportHolding:
    """How much of a currency or of a symbol there is with the rows of the file."""

    name: str
    quantity: Decimal


@described
@strawberry.type
class ImportReport:
    """What a file holds and what became of it.

    `recorded` rows are in the ledger now: none after a dry run, and none while there are faults.
    `balances` and `positions` are those of the portfolio with the rows in it, `problems` what would
    not be right then. `unknownSymbols` are watched by nobody: without prices. Of each list the
    first 200 are here; its count is of all.
    """

    report: strawberry.Private[Report]
    locale: strawberry.Private[Locale]
    dry_run: bool
    format: RecordFormat
    recorded: int
    understood: int
    fresh: int
    known: int
    repeated: int
    skipped: int
    fault_count: int
    columns: list[ImportColumn]
    unused_columns: list[str]
    unknown_symbols: list[str]
    unknown_count: int
    balances: list[ImportHolding]
    positions: list[ImportHolding]
    position_count: int
    problems: list[str]
    problem_count: int

    @classmethod
    def of(cls, report: Report, locale: Locale, *, dry_run: bool) -> ImportReport:
        """From a service's report, in the reader's language."""
        records = report.records
        return cls(
            report=report,
            locale=locale,
            dry_run=dry_run,
            format=records.format,
            recorded=report.recorded,
            understood=len(report.rows),
            fresh=report.count(RowState.NEW),
            known=report.count(RowState.RECORDED),
            repeated=report.count(RowState.REPEATED),
            skipped=records.skipped,
            fault_count=len(records.faults),
            columns=[ImportColumn(field=f, names=list(n)) for f, n in records.columns.items()],
            unused_columns=list(records.unused),
            unknown_symbols=list(report.unknown[:MOST_LISTED]),
            unknown_count=len(report.unknown),
            balances=[ImportHolding(name=n, quantity=q) for n, q in report.balances.items()],
            positions=[
                ImportHolding(name=name, quantity=quantity)
                for name, quantity in list(report.positions.items())[:MOST_LISTED]
            ],
            position_count=len(report.positions),
            problems=[_say(problem, locale) for problem in report.problems[:MOST_LISTED]],
            problem_count=len(report.problems),
        )

    @strawberry.field
    def rows(self, first: int | None = 50) -> list[ImportRow]:
        """The first rows that were understood, in the order in which they are stored."""
        return self.list_rows(clamp(first, 50))

    @strawberry.field
    def faults(self, first: int | None = 50) -> list[ImportFault]:
        """The first rows that were not understood, in the file's order."""
        return self.list_faults(clamp(first, 50))

    def list_rows(self, most: int) -> list[ImportRow]:
        """As many rows."""
        return [ImportRow.of(match) for match in self.report.rows[:most]]

    def list_faults(self, most: int) -> list[ImportFault]:
        """As many faults."""
        faults = self.report.records.faults[:most]
        return [ImportFault.of(fault, self.locale) for fault in faults]


@described
@strawberry.type
class RecordColumn:
    """Names of columns that hold a field."""

    field: RecordField
    names: list[str]


@described
@strawberry.type
class RecordWord:
    """A broker's word for a kind of transaction; SKIP passes its lines over."""

    word: str
    kind: RecordKind


@described
@strawberry.type
class RecordPreset:
    """What somebody has said about a broker's files, under a name."""

    id: strawberry.ID
    name: str
    columns: list[RecordColumn]
    kinds: list[RecordWord]
    currency: str | None
    decimal_comma: bool | None
    day_order: DayOrder | None

    @classmethod
    def of(cls, row: PresetRow) -> RecordPreset:
        """From a service's row."""
        said = row.mapping
        return cls(
            id=strawberry.ID(str(row.id)),
            name=row.name,
            columns=[RecordColumn(field=f, names=list(n)) for f, n in said.columns.items()],
            kinds=[RecordWord(word=word, kind=kind) for word, kind in said.kinds.items()],
            currency=said.currency,
            decimal_comma=said.decimal_comma,
            day_order=said.day_order,
        )


@strawberry.input(description="Names of columns that hold a field: several only of FEE and TAX.")
class RecordColumnInput:
    """Names of columns that hold a field."""

    field: RecordField
    names: list[str]


@strawberry.input(description="A broker's word for a kind of transaction.")
class RecordWordInput:
    """A broker's word for a kind of transaction."""

    word: str
    kind: RecordKind


@strawberry.input(description="What is not recognised by itself in a broker's file.")
class ColumnMappingInput:
    """What is not recognised by itself in a broker's file."""

    columns: list[RecordColumnInput] = strawberry.field(default_factory=list)
    kinds: list[RecordWordInput] = strawberry.field(default_factory=list)
    currency: str | None = None
    decimal_comma: bool | None = None
    day_order: DayOrder | None = None

    def to_mapping(self) -> ColumnMapping:
        """The mapping it says.

        Raises:
            BadInput: a field stands twice.
        """
        columns = {one.field: tuple(one.names) for one in self.columns}
        if len(columns) != len(self.columns):
            raise BadInput("A field of the mapping stands twice.", field="columns")
        words = {one.word: one.kind for one in self.kinds}
        return ColumnMapping(columns, words, self.currency, self.decimal_comma, self.day_order)


def _say(problem: Problem, locale: Locale) -> str:
    sentence = load_translations(locale).gettext(_PROBLEMS[problem.trouble])
    quantity = f"{problem.quantity.normalize():f}"
    return sentence % {"symbol": problem.symbol, "day": problem.day, "quantity": quantity}
