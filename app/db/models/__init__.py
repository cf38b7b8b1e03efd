"""All tables, one file per area; importing this package fills `Base.metadata`."""

from app.db.base import Base
from app.db.models.fundamental import Fundamental
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
from app.db.models.portfolio import (
    Account,
    Fill,
    Order,
    OrderEvent,
    OrderTransition,
    Portfolio,
    Posting,
    Txn,
    TxnNote,
)
from app.db.models.records import RecordPreset
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
    "Account",
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
    "Fill",
    "Fundamental",
    "FxRate",
    "IndicatorDaily",
    "Instrument",
    "Invitation",
    "Job",
    "Mail",
    "OidcIdentity",
    "Order",
    "OrderEvent",
    "OrderTransition",
    "PasswordReset",
    "Portfolio",
    "Posting",
    "Quarantine",
    "RecordPreset",
    "RecoveryCode",
    "RefreshToken",
    "SessionOverride",
    "Setting",
    "SigningKey",
    "Split",
    "TokenFamily",
    "Txn",
    "TxnNote",
    "User",
    "UserSession",
]
