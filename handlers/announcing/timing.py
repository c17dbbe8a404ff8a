"""When a message goes, who has to look at it a second time, and the confirmation that prevents slips."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from content.calendar import LOCAL
from content.message import Message
from content.text import clean
from content.times import parse_when
from content.windows import is_daytime, next_daytime
from db import audiences, broadcasts, people
from db.models import Broadcast
from handlers.announcing.flow import TOPICS, count, dialogue, rule, text
from handlers.dialogue import END, Again, Answer, Kind, Move
from handlers.talk import Talk

TYPED_FROM = 200
SECOND_FROM = 500
"""Recipients from which the number is typed, and from which a second person is needed (4-conversation §4.12)."""


@dialogue.ask("when")
async def ask_when(talk: Talk) -> Message:
    return talk.screen("announcing.when")


@dialogue.take("when")
async def take_when(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "later":
        return "later"
    talk.put(timing=answer.choice, at="")
    if answer.choice == "now" and not is_daytime(talk.now) and talk.data["kind"] != "urgent":
        return "quiet"
    return "confirm"


@dialogue.ask("later", Kind.TEXT)
async def ask_later(talk: Talk) -> Message:
    return talk.screen("announcing.later")


@dialogue.take("later")
async def take_later(talk: Talk, answer: Answer) -> Move | str:
    moment = parse_when(answer.text, talk.local)
    if moment is None:
        raise Again("announcing.later_unclear")
    if moment <= talk.now:
        raise Again("announcing.later_past")
    talk.put(timing="at", at=moment.isoformat())
    return "confirm" if is_daytime(moment) or talk.data["kind"] == "urgent" else "quiet"


def _moment(talk: Talk) -> datetime:
    return datetime.fromisoformat(talk.data["at"]) if talk.data.get("at") else talk.now


@dialogue.ask("quiet")
async def ask_quiet(talk: Talk) -> Message:
    return talk.screen("announcing.quiet", at=next_daytime(_moment(talk)))


@dialogue.take("quiet")
async def take_quiet(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "other":
        return "later"
    if answer.choice == "yes":
        talk.put(timing="at", at=next_daytime(_moment(talk)).isoformat())
    return "confirm"


async def needs_second(talk: Talk, number: int) -> bool:
    """Large, urgent, at an hour of rest or for the whole province: two people look at it."""
    if number > SECOND_FROM or talk.data["kind"] == "urgent":
        return True
    if talk.data["timing"] != "window" and not is_daytime(_moment(talk)):
        return True
    return await audiences.is_top(talk.session, rule(talk).unit_id) and rule(talk).whole


def _time_words(talk: Talk, timing: str, at: datetime) -> str:
    return talk.words(f"announcing.time_{timing}", at=at.astimezone(LOCAL))


@dialogue.ask("confirm", Kind.NUMBER)
async def ask_confirm(talk: Talk) -> Message:
    found = await count(talk)
    number = sum(not member.reason for member in found)
    talk.put(n=number)
    typed = number > TYPED_FROM
    return talk.screen(
        "announcing.confirm",
        without=("send",) if typed else (),
        kind=talk.words(f"announcing.kind_{talk.data['kind']}"),
        n=number,
        units=await audiences.count_units(talk.session, found),
        time=_time_words(talk, talk.data["timing"], _moment(talk)),
        author=talk.me.name,
        second=await needs_second(talk, number),
        typed=typed,
    )


@dialogue.take("confirm")
async def take_confirm(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "edit":
        return "correction" if talk.data["kind"] == "correction" else "audience"
    if answer.choice == "drop":
        talk.say("common.dropped")
        return END
    number = talk.data["n"]
    if answer.choice != "send":
        typed = clean(answer.text).replace(".", "").replace(" ", "")
        if typed != str(number):
            raise Again("announcing.confirm_number", n=number)
    await _send(talk, number)
    return END


async def _send(talk: Talk, number: int) -> None:
    assert talk.draft is not None
    data = talk.data
    second = await needs_second(talk, number)
    broadcast = await broadcasts.create(
        talk.session,
        author_id=talk.me.id,
        kind=data["kind"],
        topic=TOPICS[data["kind"]],
        unit_id=rule(talk).unit_id,
        audience=rule(talk).to_json() | {"count": number},
        text=text(talk),
        media=[],
        timing=data["timing"],
        send_at=_moment(talk),
        second=second,
        year=talk.today.year,
        now=talk.now,
        corrects_id=data.get("corrects"),
    )
    files = await broadcasts.attach(talk.session, talk.draft.id, broadcast.id)
    if any(file.state == "waiting" for file in files):
        talk.say("announcing.no_files_yet")
    if not second:
        talk.say("announcing.sent", code=broadcast.code)
        return
    asked = await broadcasts.approvers(talk.session, broadcast)
    for person_id in asked:
        await talk.tell(person_id, "announcing.approve_notice", **await approval(talk, broadcast, number))
    talk.say("announcing.sent_waiting" if asked else "announcing.nobody_approves", code=broadcast.code)


async def approval(talk: Talk, broadcast: Broadcast, number: int) -> dict[str, Any]:
    """What the second person sees."""
    author = await people.get(talk.session, broadcast.author_id or 0)
    return {
        "code": broadcast.code,
        "version": broadcast.version,
        "type": talk.words(f"announcing.kind_{broadcast.kind}"),
        "n": number,
        "time": _time_words(talk, broadcast.timing, broadcast.send_at),
        "author": author.name,
        "text": broadcast.text,
    }
