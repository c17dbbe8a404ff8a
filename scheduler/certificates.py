"""Draws the confirmation of somebody's contest, outside every transaction, and sends it."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

from content import disk
from content.calendar import local_date
from content.certificates import Confirmed, certificate
from content.message import Media, to_json
from db import contests, house, jobs, outbox
from db.models import Account, Job
from scheduler.files import name_for_job

if TYPE_CHECKING:
    from scheduler.timetable import Work

PAGE = "x/"
"""Where the web server confirms a code."""


async def draw(work: Work, job: Job) -> None:
    """Seals, draws, says it once. Whoever is out of the ranking meanwhile gets none."""
    round_id, person_id = int(job.data["round"]), int(job.data["person"])
    async with work.database.write() as session:
        code = await contests.seal(session, round_id, person_id, secrets.token_hex(16))
        sealed = await contests.find_sealed(session, code)
        web = await house.know(session, "web_address")
        if sealed is None:
            await jobs.done(session, job.id)
    if sealed is None:
        return
    address = f"{web['address']}{PAGE}{code}" if web is not None else ""
    on = local_date(sealed.published_at)
    of = Confirmed(
        sealed.name, sealed.unit, sealed.contest, sealed.week, sealed.score, sealed.size, sealed.code, on, address
    )  # fmt: skip
    data = await asyncio.to_thread(certificate, work.words, of)
    name = name_for_job(job, ".png")
    await asyncio.to_thread(disk.write, work.files / name, data)
    async with work.database.write() as session:
        account = await session.get(Account, job.account_id) if job.account_id is not None else None
        if await jobs.done(session, job.id, [name]) and account is not None and account.person_id == person_id:
            media = [Media("photo", name, work.words.plain("certificate.file", week=sealed.week))]
            message = work.words.message(
                "certificate.ready", media=media, week=sealed.week, name=sealed.name, score=sealed.score, n=sealed.size
            )
            await outbox.put(session, account, to_json(message), now=work.now(), kind="export", key=f"job:{job.id}")


KINDS = {"certificate": draw}
