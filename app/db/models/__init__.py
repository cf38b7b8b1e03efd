"""All tables, one file per area; importing this package fills `Base.metadata`."""

from app.db.base import Base
from app.db.models.job import Job, Setting
from app.db.models.market import (
    Bar,
    Dividend,
    Exchange,
    ExchangeSession,
    FxRate,
    IndicatorDaily,
    Instrument,
    SessionOverride,
    Split,
)
from app.db.models.trust import CrossCheck, DataRevision, DataVersion, Quarantine

__all__ = [
    "Bar",
    "Base",
    "CrossCheck",
    "DataRevision",
    "DataVersion",
    "Dividend",
    "Exchange",
    "ExchangeSession",
    "FxRate",
    "IndicatorDaily",
    "Instrument",
    "Job",
    "Quarantine",
    "SessionOverride",
    "Setting",
    "Split",
]
