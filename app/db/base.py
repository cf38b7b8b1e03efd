"""Declarative base: naming of constraints and the column types that every table shares."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from sqlalchemy import BigInteger, DateTime, MetaData, Numeric, text
from sqlalchemy.orm import DeclarativeBase, mapped_column

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

Price = Annotated[Decimal, mapped_column(Numeric(20, 6))]
Revision = Annotated[int, mapped_column(BigInteger, server_default=text("0"))]
"""The data version that wrote the row's present values."""

At = Annotated[datetime, mapped_column(DateTime(timezone=True))]


class Base(DeclarativeBase):
    """Every table; its metadata is what Alembic compares with the database."""

    metadata = MetaData(naming_convention=NAMING)
