"""The record of who did what, written in the transaction that did it; each row is bound to the one before by its hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import event, select, true
from sqlalchemy.orm import Session as Unit

from db import house
from db.models import AuditRow
from db.session import Session, triggers

SYSTEM = 0
"""The actor when nobody pressed anything: a clock or the command line."""
PAGE = 500
"""Rows looked at in one go."""
GUARDS = 3
"""Triggers that stand before the table: no row is changed, deleted, or written anywhere but at the end."""
ANCHOR = "audit_anchor"
"""The fact under which the last mark is kept that was given to the administrators."""


def note(
    session: Session, actor_id: int, action: str, target: str, now: datetime, unit_id: int | None = None, **detail: Any
) -> None:
    """Adds one row. `target` names the object ("submission SK-26-0123"); `detail` holds ids and values, no free text."""
    session.add(AuditRow(at=now, actor_id=actor_id, action=action, object=target, unit_id=unit_id, detail=detail))


@event.listens_for(Unit, "before_flush")
def _bind(session: Unit, *_: object) -> None:
    """Gives new rows their number and hash where they are written: what is rolled back never was a part of the chain."""
    fresh = [row for row in session.new if isinstance(row, AuditRow)]
    if not fresh:
        return
    last = select(AuditRow.id, AuditRow.hash).order_by(AuditRow.id.desc()).limit(1)
    found = session.execute(last).first()
    number, before = (0, "") if found is None else (found.id, found.hash)
    for row in fresh:
        row.id = number = number + 1
        said = (number, row.at, row.actor_id, row.action, row.object, row.unit_id, row.detail)
        row.hash = before = digest(before, said)


def digest(before: str, said: Sequence[Any]) -> str:
    """The hash of a row (hex): SHA-256 of the hash before it and of all the row says, as JSON with sorted keys.

    `said` is (number, moment, actor, action, object, unit, detail).
    """
    number, at, *rest = said
    plain = [number, at.astimezone(UTC).isoformat(), *rest]
    canonical = json.dumps(plain, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256((before + canonical).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Mark:
    """How far the record had come at some moment: the number of its last row, and that row's hash or the beginning of it."""

    row: int
    hash: str

    def __str__(self) -> str:
        return f"{self.row}:{self.hash}"


class Tampered(Exception):
    """The record is not what was written. `row` is the first number at which that shows, 0 where it is no single row."""

    def __init__(self, row: int, problem: str) -> None:
        super().__init__(problem)
        self.row = row


async def verify(session: Session, marks: Sequence[Mark] = ()) -> Mark:
    """Follows the chain from its first row and holds it against the last anchor and the marks. Returns where it ends.

    Raises Tampered: for what was edited, deleted, put in or exchanged anywhere, for rows cut off at the end or rewritten
    whole as far back as the latest mark, and where the guards of the table were taken away.
    """
    anchor = await last_anchor(session)
    marks = sorted([*marks, *([anchor] if anchor else [])], key=lambda mark: mark.row)
    number, before = 0, ""
    async for row in _rows(session):
        number += 1
        if row is None:
            raise Tampered(number, f"row {number} cannot be read")
        *said, kept = row
        if said[0] != number:
            raise Tampered(number, f"row {number} is missing: row {said[0]} stands in its place")
        if _digest(before, said) != kept:
            raise Tampered(number, f"row {number} does not say what was written, or its place in the order is another")
        before = kept
        for mark in marks:
            if mark.row == number and not kept.startswith(mark.hash):
                raise Tampered(
                    number, f"row {number} is another than the mark {mark} names: it or one before was rewritten"
                )
    if marks and marks[-1].row > number:
        raise Tampered(number + 1, f"row {number + 1} is missing, with all up to {marks[-1].row}: the end was cut off")
    if await triggers(session, "audit") < GUARDS:
        raise Tampered(0, "the triggers that keep rows from being changed are gone; the rows are as they were written")
    return Mark(number, before)


def _digest(before: str, said: Sequence[Any]) -> str:
    try:
        return digest(before, said)
    except (AttributeError, TypeError, ValueError):  # values of another kind than were ever written
        return ""


async def _rows(session: Session) -> AsyncIterator[Sequence[Any] | None]:
    """Every row in order; None, and then nothing more, for one whose values cannot even be read."""
    columns = (
        AuditRow.id, AuditRow.at, AuditRow.actor_id, AuditRow.action, AuditRow.object, AuditRow.unit_id, AuditRow.detail,
        AuditRow.hash,
    )  # fmt: skip
    after: int | None = None
    page = PAGE
    while True:
        try:
            found = (
                await session.execute(
                    select(*columns)
                    .where(true() if after is None else AuditRow.id > after)
                    .order_by(AuditRow.id)
                    .limit(page)
                )
            ).all()
        except (TypeError, ValueError):
            if page == 1:
                yield None
                return
            page = 1
            continue
        for row in found:
            yield row
        if len(found) < page:
            return
        after = found[-1][0]


async def last_anchor(session: Session) -> Mark | None:
    """The mark that was last given to the administrators."""
    known = await house.know(session, ANCHOR)
    return None if known is None else Mark(int(known["row"]), str(known["hash"]))


async def drop_anchor(session: Session, on: date, now: datetime) -> Mark | None:
    """Remembers how far the record has come and returns it; None where this day has its anchor, or nothing was written since."""
    known = await house.know(session, ANCHOR)
    if known is not None and known["on"] == on.isoformat():
        return None
    last = select(AuditRow.id, AuditRow.hash).order_by(AuditRow.id.desc()).limit(1)
    found = (await session.execute(last)).first()
    if found is None or (known is not None and known["row"] == found.id):
        return None
    await house.remember(session, ANCHOR, {"row": found.id, "hash": found.hash, "on": on.isoformat()}, now)
    return Mark(found.id, found.hash)
