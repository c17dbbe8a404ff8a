"""Contests' longer work: a plan read from a document, and news of a round for everybody whom it concerns."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from content.calendar import local_date
from content.contest_file import ContestFile, plan, read_contest
from content.contest_plan import Fault
from content.contest_rules import context_of, fault_text, reviewed, too_long
from content.message import to_json
from content.sheets import SheetError
from content.source import ContentError
from db import contests, jobs, outbox, policy, units, verdicts
from db.contests import Settings
from db.contests.rounds import RUN
from db.models import Account, EntryState, Job
from db.session import Session
from scheduler import notices
from scheduler.delivery import Rejected

if TYPE_CHECKING:
    from scheduler.timetable import Work

CHUNK = 200
"""People told in one transaction."""
SHOWN = 8
"""Faults of a file that are said at once."""


async def round_news(work: Work, job: Job) -> None:
    """Tells everybody who took part, some in a transaction; a key each makes it once, however often the job runs."""
    number, what, version = int(job.data["round"]), str(job.data["what"]), int(job.data["version"])
    after, more = 0, True
    while more:
        async with work.database.write() as session:
            round_ = await contests.get_round(session, number)
            found = await contests.list_taking_part(session, number, after, CHUNK)
            said = {
                "week": await contests.week_of(session, round_),
                "closes": round_.closes_at,
                "reason": job.data["reason"],
            }
            message = work.words.message(f"contest_desk.news_{what}", **said)
            for person_id in found:
                key = f"round-news:{number}:{version}:{what}:{person_id}"
                await notices.tell(session, person_id, message, work.now(), key)
            more = len(found) == CHUNK
            after = found[-1] if found else after
            if not more:
                await jobs.done(session, job.id)


async def given_back(work: Work, job: Job) -> None:
    """Tells whose paper goes on after a downtime until when, and whose attempt is theirs again; a key each makes it once."""
    number, after, more = int(job.data["downtime"]), 0, True
    while more:
        async with work.database.write() as session:
            downtime, now = await contests.get_downtime(session, number), work.now()
            found = await contests.list_given_back(session, downtime, after, CHUNK)
            for entry in found:
                key = f"given-back:{entry.id}:{entry.extended}"
                if entry.state == EntryState.RETURNED:
                    message = work.words.message("contest.attempt_given_back")
                    await notices.tell(session, entry.person_id, message, now, key, kind="result")
                    continue
                left = int(max(timedelta(0), entry.due_at - now).total_seconds()) // 60  # it runs out while they sleep
                said = to_json(work.words.message("contest.time_given_back", minutes=left))
                await outbox.tell(session, entry.person_id, said, now=now, kind="result", key=key)
            more = len(found) == CHUNK
            after = found[-1].id if found else after
            if not more:
                await jobs.done(session, job.id)


async def read_plan(work: Work, job: Job) -> None:
    """A contest from the document an officer sent: all of it as drafts, or what is wrong with it."""
    name = str(job.data["name"])
    try:
        data = await work.fetch(str(job.data["channel"]), str(job.data["ref"]))
        file = await asyncio.to_thread(_read, name, data)
    except Rejected:
        await _answer(work, job, "contest_desk.file_gone", name=name)
        return
    except SheetError as error:
        why = work.words.text(f"unit_import.unreadable_{error.kind}")
        await _answer(work, job, "contest_desk.file_unreadable", name=name, why=why)
        return
    except ContentError as error:
        await _answer(work, job, "contest_desk.file_unreadable", name=name, why=error.problems[0].text)
        return
    async with work.database.write() as session:
        key, said = await _write(work, session, file, int(job.data["person"]))
        await _say(work, session, job, key, name=name, **said)


def _read(name: str, data: bytes) -> ContestFile:
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"plan{PurePath(name).suffix.lower()}"
        path.write_bytes(data)
        return read_contest(path)


async def _write(work: Work, session: Session, file: ContestFile, person_id: int) -> tuple[str, dict[str, Any]]:
    bank, now = work.packs.bank, work.now()
    counts = reviewed(bank, local_date(now), bank.standing(await verdicts.list_verdicts(session)))
    found = plan(file, counts, context_of(bank, now))
    unit = await units.find_by_code(session, str(found.contest.get("unit", "")))
    if unit is None and "unit" in found.contest:
        found.faults.append(Fault(0, "unit", "no_unit"))
    rounds = [Settings(**values) for values in found.rounds] if not found.faults else []
    if unit is not None:
        found.faults.extend(too_long(work.words, rounds, unit.name if unit.parent_id is not None else ""))
    if found.faults or unit is None:
        lines = [(file.line(each), fault_text(work.words, bank, each)) for each in found.faults]
        return "contest_desk.file_faults", {"n": len(lines), "faults": lines[:SHOWN]}
    if not await policy.may(session, person_id, RUN, unit.id):
        return "contest_desk.file_refused", {"unit": unit.code}
    given = {each: found.contest[each] for each in ("legal_basis", "organiser", "one_prize")}
    title = str(found.contest["name"])
    contest, new = await contests.create_plan(session, unit.id, title, rounds, person_id, now, **given)
    return "contest_desk.file_done", {"contest": contest.name, "added": len(new), "same": len(rounds) - len(new)}


async def _answer(work: Work, job: Job, key: str, **said: Any) -> None:
    async with work.database.write() as session:
        await _say(work, session, job, key, **said)


async def _say(work: Work, session: Session, job: Job, key: str, **said: Any) -> None:
    account = await session.get(Account, job.account_id) if job.account_id is not None else None
    if await jobs.done(session, job.id) and account is not None and account.person_id == job.data["person"]:
        message = work.words.message(key, **said)
        await outbox.put(session, account, to_json(message), now=work.now(), key=f"job:{job.id}")


KINDS = {"round_news": round_news, "given_back": given_back, "read_contest": read_plan}
