"""Files of transactions in the schema: importing, exporting, and presets of mappings."""

from __future__ import annotations

import strawberry

from app.domain.records.writing import ExportFormat
from app.graphql.context import Info
from app.graphql.describing import described
from app.graphql.permissions import require_trader, require_user
from app.graphql.record_types import ColumnMappingInput, ImportReport, RecordPreset
from app.services.records import record_presets
from app.services.records.record_export import export_text
from app.services.records.record_import import import_records


@described
@strawberry.type
class RecordQuery:
    """One's own presets."""

    @strawberry.field
    async def record_presets(self, info: Info) -> list[RecordPreset]:
        """What one has said about brokers' files, by name."""
        user_id = require_user(info).user.id
        rows = await record_presets.list_presets(info.context.env, user_id)
        return [RecordPreset.of(row) for row in rows]


@described
@strawberry.type
class RecordMutation:
    """Importing transactions, and keeping what one has said about a broker's files."""

    @strawberry.mutation
    async def import_transactions(  # noqa: PLR0913, PLR0917 - arguments of the schema
        self,
        info: Info,
        portfolio: strawberry.ID,
        csv: str,
        dry_run: bool | None = True,  # noqa: FBT001, FBT002 - an argument of the schema
        duplicates: bool | None = False,  # noqa: FBT001, FBT002 - an argument of the schema
        preset: strawberry.ID | None = None,
        mapping: ColumnMappingInput | None = None,
    ) -> ImportReport:
        """Reads a CSV or JSON text and, unless it is a dry run, records all its rows or none.

        Rows that are there already are left out, unless `duplicates` are wished. A broker's file is
        read by a `preset` or a `mapping`, or by what is recognised. Larger files go by the form
        of the portfolio's page.
        """
        env, user_id = info.context.env, require_trader(info).user.id
        report = await import_records(
            env,
            user_id,
            portfolio,
            csv.encode("utf-8", "replace"),
            mapping=None if mapping is None else mapping.to_mapping(),
            preset=preset,
            duplicates=bool(duplicates),
            dry_run=dry_run is not False,
        )
        return ImportReport.of(report, info.context.locale, dry_run=dry_run is not False)

    @strawberry.mutation
    async def save_record_preset(
        self, info: Info, name: str, mapping: ColumnMappingInput
    ) -> RecordPreset:
        """Keeps a mapping under a name, in the place of one that has it."""
        user_id = require_trader(info).user.id
        said = mapping.to_mapping()
        return RecordPreset.of(
            await record_presets.save_preset(info.context.env, user_id, name, said)
        )

    @strawberry.mutation
    async def delete_record_preset(self, info: Info, id: strawberry.ID) -> bool:  # noqa: A002
        """Forgets a preset."""
        user_id = require_trader(info).user.id
        await record_presets.delete_preset(info.context.env, user_id, id)
        return True


@strawberry.type
class PortfolioRecords:
    """What a portfolio has of its records; part of `Portfolio`."""

    user_id: strawberry.Private[int]
    id: strawberry.ID

    @strawberry.field
    async def export(self, info: Info, format: ExportFormat | None = ExportFormat.CSV) -> str:  # noqa: A002
        """All its transactions in this program's own format, which can be imported again.

        Large ones come as a file: `/portfolios/{id}/export.csv` or `.json`.
        """
        chosen = format or ExportFormat.CSV
        return await export_text(info.context.env, self.user_id, self.id, chosen)
