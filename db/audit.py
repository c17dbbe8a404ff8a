"""The record of who did what, written in the transaction that did it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from db.models import AuditRow
from db.session import Session

SYSTEM = 0
"""The actor when nobody pressed anything: a clock or the command line."""


def note(
    session: Session, actor_id: int, action: str, target: str, now: datetime, unit_id: int | None = None, **detail: Any
) -> None:
    """Adds one row. `target` names the object ("submission SK-26-0123"); `detail` holds ids and values, no free text."""
    session.add(AuditRow(at=now, actor_id=actor_id, action=action, object=target, unit_id=unit_id, detail=detail))
