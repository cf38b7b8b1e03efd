"""The schema's enumerations: those of the domain by their own names, and those of the tables."""

from __future__ import annotations

from enum import Enum, StrEnum
from typing import TypeVar

import strawberry

from app.domain.acceptance import Reason
from app.domain.access import Role, Scope
from app.domain.bars import Interval, PriceBasis
from app.domain.correlation.matrix import CorrelationMethod
from app.domain.indicator_columns import IndicatorKind
from app.domain.market import Kind
from app.domain.portfolio.allocation import AllocationKey
from app.domain.portfolio.position_order import PositionSort
from app.domain.portfolio.why import Figure
from app.domain.portfolio.xirr import XirrNote
from app.domain.quotes import QuoteSource, QuoteState
from app.domain.screening import ScreenPreset, SmaCross
from app.domain.signals import SignalStrength, VoteDirection, VoteIndicator
from app.domain.trading.orders import OrderState, OrderType, TimeInForce
from app.domain.trading.preview import Caution
from app.domain.trading.ticks import Side
from app.domain.transactions import CorporateAction, LotMethod, PortfolioKind, TransactionKind
from app.services.portfolio.audit import Finding
from app.services.portfolio.transaction_order import TransactionSort

E = TypeVar("E", bound=Enum)


class CollectionState(StrEnum):
    """How far a collection is: PENDING waits for its turn or for another try."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"


class FreshnessState(StrEnum):
    """How the newest stored day relates to the day that should be there.

    HALTED, PARTIAL and QUARANTINED are of bars that were checked and held back.
    """

    ON_TIME = "ON_TIME"
    LATE = "LATE"
    HOLIDAY = "HOLIDAY"
    HALTED = "HALTED"
    RATE_LIMITED = "RATE_LIMITED"
    PARTIAL = "PARTIAL"
    QUARANTINED = "QUARANTINED"
    HISTORIC = "HISTORIC"
    UNKNOWN = "UNKNOWN"


class DataKind(StrEnum):
    """What a stored or a held row is: a bar, a split, a dividend, or the rate of a day."""

    BAR = "BAR"
    SPLIT = "SPLIT"
    DIVIDEND = "DIVIDEND"
    RATE = "RATE"


class PriceEventKind(StrEnum):
    """What happened to the shares on a day."""

    SPLIT = "SPLIT"
    DIVIDEND = "DIVIDEND"


class QuarantineState(StrEnum):
    """What became of a row that was not believed: HELD rows wait for a decision."""

    HELD = "HELD"
    RELEASED = "RELEASED"
    DROPPED = "DROPPED"
    MENDED = "MENDED"


class SourceName(StrEnum):
    """Where prices come from: YAHOO, or SAMPLE, recorded prices of 2000 to 2013."""

    YAHOO = "YAHOO"
    SAMPLE = "SAMPLE"


class SourceUseOutcome(StrEnum):
    """What came of taking an instrument's prices from another source."""

    STORED = "STORED"
    UNCHANGED = "UNCHANGED"
    HELD = "HELD"
    SUPERSEDED = "SUPERSEDED"


class Locale(StrEnum):
    """The language of pages and messages."""

    KO = "KO"
    EN = "EN"


class Colours(StrEnum):
    """How rising prices are shown: KR red, US green."""

    KR = "KR"
    US = "US"


class Theme(StrEnum):
    """Dark, light, or as the reader's system has it."""

    DARK = "DARK"
    LIGHT = "LIGHT"
    AUTO = "AUTO"


class RegistrationPolicy(StrEnum):
    """Who may make an account: everybody, who has an invitation, or nobody."""

    OPEN = "OPEN"
    INVITE = "INVITE"
    CLOSED = "CLOSED"


class SignInKind(StrEnum):
    """Where somebody is signed in: a browser, or a program with a refresh token."""

    BROWSER = "BROWSER"
    PROGRAM = "PROGRAM"


def register_enum(cls: type[E], name: str | None = None) -> type[E]:
    """Makes an enumeration one of the schema, with the first sentence of its docstring."""
    text = (cls.__doc__ or "").partition("\n\n")[0]
    strawberry.enum(cls, name=name, description=text)
    return cls


for _cls in (
    AllocationKey,
    CollectionState,
    Colours,
    CorporateAction,
    CorrelationMethod,
    DataKind,
    Figure,
    Finding,
    FreshnessState,
    IndicatorKind,
    Interval,
    Locale,
    LotMethod,
    OrderState,
    OrderType,
    PortfolioKind,
    PositionSort,
    PriceBasis,
    PriceEventKind,
    QuarantineState,
    QuoteSource,
    QuoteState,
    RegistrationPolicy,
    Role,
    Scope,
    ScreenPreset,
    SignInKind,
    SignalStrength,
    SmaCross,
    SourceName,
    SourceUseOutcome,
    Theme,
    TimeInForce,
    TransactionKind,
    TransactionSort,
    VoteDirection,
    VoteIndicator,
    XirrNote,
):
    register_enum(_cls)
register_enum(Kind, "InstrumentKind")
register_enum(Reason, "QuarantineReason")
register_enum(Caution, "OrderWarning")
register_enum(Side, "OrderSide")
