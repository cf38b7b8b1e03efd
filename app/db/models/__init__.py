"""All tables, one file per area; importing this package fills `Base.metadata`."""

from app.db.base import Base
from app.db.models.job import Job, Mail, Setting
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
from app.db.models.user import (
    ApiToken,
    EmailConfirmation,
    Invitation,
    OidcIdentity,
    PasswordReset,
    RecoveryCode,
    RefreshToken,
    SigningKey,
    TokenFamily,
    User,
    UserSession,
)

__all__ = [
    "ApiToken",
    "Bar",
    "Base",
    "CrossCheck",
    "DataRevision",
    "DataVersion",
    "Dividend",
    "EmailConfirmation",
    "Exchange",
    "ExchangeSession",
    "FxRate",
    "IndicatorDaily",
    "Instrument",
    "Invitation",
    "Job",
    "Mail",
    "OidcIdentity",
    "PasswordReset",
    "Quarantine",
    "RecoveryCode",
    "RefreshToken",
    "SessionOverride",
    "Setting",
    "SigningKey",
    "Split",
    "TokenFamily",
    "User",
    "UserSession",
]
