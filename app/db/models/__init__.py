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

__all__ = [
    "Bar",
    "Base",
    "Dividend",
    "Exchange",
    "ExchangeSession",
    "FxRate",
    "IndicatorDaily",
    "Instrument",
    "Job",
    "SessionOverride",
    "Setting",
    "Split",
]
