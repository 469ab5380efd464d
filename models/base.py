"""The declarative base: naming convention, column types, and the guard against bulk changes of audited tables."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeEngine

# Times are aware UTC in storage, and this for people.
SHANGHAI = ZoneInfo("Asia/Shanghai")

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


def timestamp(moment: datetime) -> str:
    """``YYYY-MM-DDTHH:MM:SS.ffffffZ`` of an aware time: the one spelling in the log and in SQLite.

    Raises ValueError for a naive time, whose zone nobody knows any more.
    """
    if moment.utcoffset() is None:
        raise ValueError("naive time")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def parse_timestamp(text: str) -> datetime:
    """Aware UTC time of the spelling that ``timestamp`` writes; raises ValueError for any other spelling."""
    moment = datetime.fromisoformat(text)
    if timestamp(moment) != text:
        raise ValueError("another spelling of a time")
    return moment


class UtcTime(sa.types.TypeDecorator[datetime]):
    """Aware UTC time: ``timestamptz`` on PostgreSQL, text in one fixed spelling on SQLite (sorts as time)."""

    impl = sa.String(27)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The column type of each database."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(sa.DateTime(timezone=True))
        return dialect.type_descriptor(sa.String(27))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Refuses a naive time with ValueError."""
        if value is None:
            return None
        text = timestamp(value)
        return value if dialect.name == "postgresql" else text

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Always aware, always UTC."""
        if value is None:
            return None
        if dialect.name == "postgresql":
            moment: datetime = value
            return moment.astimezone(UTC)
        return parse_timestamp(value)


class Base(DeclarativeBase):
    """Base of all tables."""

    metadata = sa.MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcTime(),
        str: sa.Text(),
        bytes: sa.LargeBinary(),
        int: sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
    }
