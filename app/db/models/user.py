"""Tables of people: who they are, where they are signed in, and the tokens of their programs.

Of every secret only its SHA-256 is stored, of what must be read again the sealed bytes
(`app.adapters.vault`). Tables with `user_id` have row-level security: the app's role sees the rows
of the user that the transaction was opened for (`Database.read(uid=…)`), and none without one.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    String,
    and_,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import At, Base


class User(Base):
    """A person. `username_key` is the name as it is compared: NFC, case folded.

    A deleted one keeps its row without anything that names a person: what it owned in the ledger
    still has an owner. A disabled one keeps everything, and cannot sign in. `totp_step` is the last
    time step whose code was taken: none is twice.
    """

    __tablename__ = "user"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    username: Mapped[str]
    username_key: Mapped[str] = mapped_column(unique=True)
    email: Mapped[str]
    email_verified: Mapped[bool] = mapped_column(server_default=text("false"))
    password_hash: Mapped[str | None]
    role: Mapped[str] = mapped_column(server_default=text("'USER'"))
    locale: Mapped[str | None]
    colours: Mapped[str | None]
    theme: Mapped[str | None]
    base_currency: Mapped[str] = mapped_column(server_default=text("'KRW'"))
    time_zone: Mapped[str] = mapped_column(server_default=text("'Asia/Seoul'"))
    privacy: Mapped[bool] = mapped_column(server_default=text("false"))
    totp_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    totp_since: Mapped[At | None]
    totp_step: Mapped[int | None] = mapped_column(BigInteger)
    disclaimer_at: Mapped[At | None]
    created_at: Mapped[At]
    disabled_at: Mapped[At | None]
    deleted_at: Mapped[At | None]

    __table_args__ = (
        CheckConstraint("role IN ('ADMIN', 'USER')", name="role"),
        Index(
            "ix_user_email_verified",
            text("lower(email)"),
            unique=True,
            postgresql_where=text("email_verified AND deleted_at IS NULL"),
        ),
    )

    @classmethod
    def in_force(cls) -> ColumnElement[bool]:
        """Neither deleted nor disabled: who may sign in, and whose sign-ins and tokens count."""
        return and_(cls.deleted_at.is_(None), cls.disabled_at.is_(None))


class UserSession(Base):
    """A signed-in browser. It ends at `idle_at` unless it is seen again, and at `ends_at`."""

    __tablename__ = "user_session"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    sha256: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[At]
    seen_at: Mapped[At]
    idle_at: Mapped[At]
    ends_at: Mapped[At]
    user_agent: Mapped[str]
    address: Mapped[str]


class TokenFamily(Base):
    """A program that is signed in: all refresh tokens that came of one sign-in."""

    __tablename__ = "token_family"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[At]
    seen_at: Mapped[At]
    revoked_at: Mapped[At | None]
    user_agent: Mapped[str]
    address: Mapped[str]


class RefreshToken(Base):
    """One refresh token: used once, for its only child, which outlives it."""

    __tablename__ = "refresh_token"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    family_id: Mapped[int] = mapped_column(
        ForeignKey("token_family.id", ondelete="CASCADE"), index=True
    )
    parent_id: Mapped[int | None] = mapped_column(
        ForeignKey("refresh_token.id", ondelete="SET NULL"), unique=True
    )
    sha256: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[At]
    used_at: Mapped[At | None]
    expires_at: Mapped[At]


class ApiToken(Base):
    """A token that a person has made for a program. `expires_on`: the last day that it works."""

    __tablename__ = "api_token"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(String))
    created_at: Mapped[At]
    expires_on: Mapped[date | None]
    last_used_at: Mapped[At | None]
    revoked_at: Mapped[At | None]


class RecoveryCode(Base):
    """A code that takes the place of the second factor, once."""

    __tablename__ = "recovery_code"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("user.id", ondelete="CASCADE"), primary_key=True
    )
    sha256: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    used_at: Mapped[At | None]


class OidcIdentity(Base):
    """A person at a provider: the key is what the provider calls itself and the person."""

    __tablename__ = "oidc_identity"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), unique=True)
    iss: Mapped[str] = mapped_column(primary_key=True)
    sub: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[At]


class Invitation(Base):
    """Leave to register once, while registration is by invitation."""

    __tablename__ = "invitation"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    sha256: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    created_at: Mapped[At]
    expires_at: Mapped[At]
    used_at: Mapped[At | None]


class PasswordReset(Base):
    """Leave to choose a new password once, sent to a verified address."""

    __tablename__ = "password_reset"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    sha256: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[At]
    expires_at: Mapped[At]
    used_at: Mapped[At | None]


class EmailConfirmation(Base):
    """Leave to make an address one's verified one, sent to it."""

    __tablename__ = "email_confirmation"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    email: Mapped[str]
    sha256: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[At]
    expires_at: Mapped[At]
    used_at: Mapped[At | None]


class SigningKey(Base):
    """A key that signs access tokens: the private half sealed, the public one as PEM."""

    __tablename__ = "signing_key"

    kid: Mapped[str] = mapped_column(primary_key=True)
    private: Mapped[bytes] = mapped_column(LargeBinary)
    public: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[At]
