"""The base of every table, the ids as types, and how an enum is stored."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any, NewType

from sqlalchemy import JSON, BigInteger, MetaData
from sqlalchemy import Date as SqlDate
from sqlalchemy import Enum as SqlEnum
from sqlalchemy.orm import DeclarativeBase

from db.session import UTCDateTime

PersonId = NewType("PersonId", int)
UnitId = NewType("UnitId", int)
AccountId = NewType("AccountId", int)
SubmissionId = NewType("SubmissionId", int)
BroadcastId = NewType("BroadcastId", int)


class Base(DeclarativeBase):
    """Names every constraint, so that migrations can find them on any database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012
        datetime: UTCDateTime,
        date: SqlDate,
        dict[str, Any]: JSON,
        list[Any]: JSON,
        PersonId: BigInteger().with_variant(BigInteger(), "postgresql"),
    }


def enum(kind: type[StrEnum]) -> SqlEnum:
    """A column that stores the values of `kind` as text, at most 24 characters."""
    return SqlEnum(kind, native_enum=False, values_callable=lambda e: [m.value for m in e], length=24)
