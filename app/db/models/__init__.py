"""All tables, one file per area; importing this package fills `Base.metadata`."""

from app.db.base import Base
from app.db.models.alert import Alert, AlertChannel, AlertHours, AlertRule, Notification
from app.db.models.backtest import Backtest, BacktestData
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
    DismissedAction,
    EquityDaily,
    EquityState,
    Fill,
    Order,
    OrderEvent,
    OrderTransition,
    Portfolio,
    Posting,
    Txn,
    TxnNote,
)
from app.db.models.recommendation import (
    BaselineChoice,
    Recommendation,
    RecommendationIssue,
    RecommendationOutcome,
)
from app.db.models.records import RecordPreset
from app.db.models.screening import SavedScreen, ScreenRow
from app.db.models.signal import Signal, SignalWorth
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
from app.db.models.watchlist import Watchlist

__all__ = [
    "Account",
    "Alert",
    "AlertChannel",
    "AlertHours",
    "AlertRule",
    "ApiToken",
    "Backtest",
    "BacktestData",
    "Bar",
    "Base",
    "BaselineChoice",
    "CrossCheck",
    "DataRevision",
    "DataVersion",
    "DismissedAction",
    "Dividend",
    "EmailConfirmation",
    "EquityDaily",
    "EquityState",
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
    "Notification",
    "OidcIdentity",
    "Order",
    "OrderEvent",
    "OrderTransition",
    "PasswordReset",
    "Portfolio",
    "Posting",
    "Quarantine",
    "Recommendation",
    "RecommendationIssue",
    "RecommendationOutcome",
    "RecordPreset",
    "RecoveryCode",
    "RefreshToken",
    "SavedScreen",
    "ScreenRow",
    "SessionOverride",
    "Setting",
    "Signal",
    "SignalWorth",
    "SigningKey",
    "Split",
    "TokenFamily",
    "Txn",
    "TxnNote",
    "User",
    "UserSession",
    "Watchlist",
]
