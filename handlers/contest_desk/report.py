"""The report by unit: what the leader asks for on Monday morning, as a workbook made by a job."""

from __future__ import annotations

from db import audit, contests, jobs
from handlers.contest_desk.after import published
from handlers.dialogue import Command, Move
from handlers.talk import Talk


async def begin(talk: Talk, arg: str) -> Move | None:
    """Queues the workbook of a round whose result is out."""
    found = await published(talk, arg)
    if found is None:
        return None
    round_, contest = found
    if await jobs.add(
        talk.session, "contest_report", {"round": round_.id, "person": talk.me.id}, talk.account.id, talk.now
    ):
        audit.note(talk.session, talk.me.id, "contest_report", f"round {round_.id}", talk.now, contest.unit_id)
    talk.say("contest_desk.report_started", week=await contests.week_of(talk.session, round_))
    return None


COMMANDS = (Command("baocaothi", begin),)
