"""A contest as a document: read as a job, for the file has to be fetched first."""

from __future__ import annotations

from content.message import Message
from db import jobs
from db.contests.rounds import RUN
from handlers.contest_desk.flow import check
from handlers.contest_desk.form import dialogue
from handlers.dialogue import END, Again, Answer, Command, Kind, Move
from handlers.talk import Talk

NAMES = (".xlsx", ".csv", ".yaml", ".yml")
LARGEST = 1024 * 1024
"""Bytes; a contest of sixty weeks has a tenth of that."""


async def begin(talk: Talk, arg: str) -> Move | None:
    """Asks for the document."""
    await check(talk)
    await talk.tops(RUN)  # refuses whoever may nowhere
    return dialogue.go("file")


@dialogue.ask("file", Kind.FILES)
async def ask_file(talk: Talk) -> Message:
    return talk.screen("contest_desk.file")


@dialogue.take("file")
async def take_file(talk: Talk, answer: Answer) -> Move | str:
    if len(answer.files) != 1:
        raise Again("contest_desk.one_file")
    file = answer.files[0]
    if not file.name.lower().endswith(NAMES) or file.size > LARGEST:
        raise Again("contest_desk.bad_file")
    data = {"person": talk.me.id, "channel": talk.account.channel, "ref": file.ref, "name": file.name}
    await jobs.add(talk.session, "read_contest", data, talk.account.id, talk.now)
    talk.say("contest_desk.reading_file", name=file.name)
    return "form" if "texts" in talk.data else END  # what was being written goes on


COMMANDS = (Command("tepthi", begin),)
