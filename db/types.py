"""Column types that behave alike on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect
from sqlalchemy.types import TypeDecorator

HUNDRED = Decimal(100)
LARGEST_AMOUNT = Decimal(10) ** 16
"""Above this an amount no longer fits 64 bits of hundredths; `fits` says so and the amount stays in its text."""


def fits(amount: Decimal | None) -> bool:
    """Whether an amount can be stored at all; what cannot is kept as text and flagged."""
    return amount is None or (amount.is_finite() and abs(amount) < LARGEST_AMOUNT)


def to_hundredths(amount: Decimal) -> int:
    """The stored form of an amount: hundredths of the currency's unit, whole.

    >>> to_hundredths(Decimal("21.75"))
    2175
    """
    return int((amount * HUNDRED).to_integral_value(rounding=ROUND_HALF_EVEN))


def from_hundredths(stored: int) -> Decimal:
    """
    >>> from_hundredths(2175), from_hundredths(10000000)
    (Decimal('21.75'), Decimal('100000'))
    """
    whole, rest = divmod(stored, 100)
    return Decimal(whole) if not rest else Decimal(stored) / HUNDRED


class Money(TypeDecorator[Decimal]):
    """An exact amount, stored as whole hundredths: SQLite has no exact decimal, and a float is no amount."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> int | None:  # noqa: ARG002 - SQLAlchemy's signature
        return None if value is None else to_hundredths(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        return None if value is None else from_hundredths(value)


class UtcTime(TypeDecorator[datetime]):
    """A moment in UTC. A naive time is refused: a time without a zone is a guess."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"time without a zone: {value!r}")
        moment: datetime = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
