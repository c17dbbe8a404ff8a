"""What is wrong with the database itself, told apart so that whoever runs the house can be told what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from sqlalchemy.exc import DatabaseError, OperationalError


class Kind(StrEnum):
    """FULL: no room on the disk. OLD and NEWER: the tables are of another version than the program.
    HALF: a restore was cut off."""

    DAMAGED = "damaged"
    UNREACHABLE = "unreachable"
    FULL = "full"
    BUSY = "busy"
    OLD = "old"
    NEWER = "newer"
    HALF = "half"
    OTHER = "other"


class Trouble(Exception):
    """The database cannot be used; `detail` is its own word for why and holds nothing people wrote."""

    def __init__(self, kind: Kind, detail: str) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind
        self.detail = detail


KINDS = {
    "SQLITE_CORRUPT": Kind.DAMAGED,
    "SQLITE_NOTADB": Kind.DAMAGED,
    "SQLITE_CANTOPEN": Kind.UNREACHABLE,
    "SQLITE_READONLY": Kind.UNREACHABLE,
    "SQLITE_PERM": Kind.UNREACHABLE,
    "SQLITE_FULL": Kind.FULL,
    "SQLITE_IOERR": Kind.FULL,  # a write or a sync that failed; what it says besides stands in `detail`
    "SQLITE_BUSY": Kind.BUSY,
    "SQLITE_LOCKED": Kind.BUSY,
    "SQLITE_ERROR": Kind.OLD,  # our statements are right for our own tables
    "40": Kind.BUSY,  # PostgreSQL's classes of errors: lost a race; rows locked or a transaction that stood still
    "55": Kind.BUSY,
    "25P03": Kind.BUSY,
    "53100": Kind.FULL,
    "58": Kind.FULL,
    "53": Kind.UNREACHABLE,  # no connection is free
    "08": Kind.UNREACHABLE,
    "57P": Kind.UNREACHABLE,  # stopped, or just starting
    "28": Kind.UNREACHABLE,
    "3D": Kind.UNREACHABLE,
    "42": Kind.OLD,
    "XX001": Kind.DAMAGED,
    "XX002": Kind.DAMAGED,
}


@contextmanager
def explained() -> Iterator[None]:
    """Turns the driver's errors into Trouble."""
    try:
        yield
    except DatabaseError as error:
        raise Trouble(kind_of(error), str(error.orig)) from error


def kind_of(error: BaseException) -> Kind:
    """What kind of trouble an error of the driver is; OTHER for anything else."""
    orig = getattr(error, "orig", None)
    name = str(getattr(orig, "sqlite_errorname", None) or getattr(orig, "sqlstate", None) or "")
    if not name and isinstance(error, OperationalError) and hasattr(orig, "sqlstate"):
        return Kind.UNREACHABLE  # PostgreSQL itself did not say anything: there is no connection
    return next((kind for prefix, kind in KINDS.items() if name.startswith(prefix)), Kind.OTHER)


def lost_a_race(error: BaseException) -> bool:
    """Whether PostgreSQL undid a transaction because of another one that it met: done again, it finds things settled."""
    # A number that both gave out (a code, a row of the audit) meets at its unique key before anything else is noticed.
    return getattr(getattr(error, "orig", None), "sqlstate", None) in ("40001", "40P01", "23505")


def passing(error: BaseException) -> Kind | None:
    """Trouble that goes away by itself or with a little help: whatever failed over it is as good as before."""
    kind = kind_of(error)
    return kind if kind in (Kind.FULL, Kind.BUSY, Kind.UNREACHABLE) else None


def of_itself(error: BaseException) -> Kind | None:
    """Trouble of the database itself, its damage too: what failed over it is no worse than before."""
    kind = kind_of(error)
    return kind if kind == Kind.DAMAGED else passing(error)
