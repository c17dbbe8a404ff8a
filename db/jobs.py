"""Long work waiting to be done outside the writer's transaction (decisions 8)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, or_, select, update

from db.models import Job, JobState
from db.session import Session

TRIES = 5
PAUSES = tuple(timedelta(minutes=5**n) for n in range(TRIES - 1))
"""Between attempts."""


async def add(session: Session, kind: str, data: dict[str, Any], account_id: int | None, now: datetime) -> bool:
    """Queues a job; False when the same one of this account is waiting already."""
    if account_id is not None:
        query = select(Job).where(Job.kind == kind, Job.account_id == account_id, Job.state == JobState.READY)
        if any(job.data == data for job in (await session.execute(query)).scalars()):
            return False
    session.add(
        Job(
            kind=kind,
            data=data,
            account_id=account_id,
            state=JobState.READY,
            next_at=now,
            created_at=now,
            error="",
            attempts=0,
        )
    )
    await session.flush()
    return True


async def due(session: Session, now: datetime, limit: int = 10) -> list[Job]:
    """Jobs whose time has come, oldest first. One put off by more than any pause was so by a clock that was ahead."""
    come = or_(Job.next_at <= now, Job.next_at > now + max(PAUSES))
    query = select(Job).where(Job.state == JobState.READY, come).order_by(Job.id).limit(limit)
    return list((await session.execute(query)).scalars())


async def done(session: Session, job_id: int, files: Sequence[str] = ()) -> bool:
    """Marks a job done, with the files it made; False when it was done already, so that its result is said once."""
    changed = await session.execute(
        update(Job).where(Job.id == job_id, Job.state == JobState.READY).values(state=JobState.DONE).returning(Job.id)
    )
    if changed.scalar() is None:
        return False
    job = await session.get_one(Job, job_id)
    job.data = {"files": list(files), **job.data}
    return True


async def finished(session: Session, before: datetime) -> list[Job]:
    """Jobs made before a moment that are done or given up."""
    query = select(Job).where(Job.state != JobState.READY, Job.created_at < before)
    return list((await session.execute(query)).scalars())


async def files(session: Session) -> tuple[set[int], set[str]]:
    """Jobs that may be making a file at this moment, and the files that the others have made."""
    found = (await session.execute(select(Job.id, Job.state, Job.data))).all()
    open_jobs = {number for number, state, _ in found if state == JobState.READY}
    return open_jobs, {str(file) for _, _, data in found for file in data.get("files", ())}


async def forget(session: Session, job_ids: Sequence[int]) -> None:
    """Deletes jobs whose files are gone from the data folder."""
    await session.execute(delete(Job).where(Job.id.in_(list(job_ids))))


async def failed(session: Session, job_id: int, error: str, now: datetime) -> bool:
    """Sets the next attempt, later each time. True when it is given up, or is gone because its person was erased."""
    job = await session.get(Job, job_id)
    if job is None:
        return True
    job.attempts += 1
    job.error = error[:300]
    if job.attempts >= TRIES:
        job.state = JobState.FAILED
    else:
        job.next_at = now + PAUSES[job.attempts - 1]
    return job.state == JobState.FAILED
