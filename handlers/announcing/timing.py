"""When a message goes, who has to look at it a second time, and the confirmation that prevents slips."""

from __future__ import annotations

from datetime import datetime, timedelta

from content.calendar import LOCAL, day_start, local_date
from content.message import Message
from content.text import fold
from content.times import parse_when
from content.windows import is_daytime, is_quiet, next_daytime, rests
from db import audiences, broadcasts
from handlers.announcing.approving import ask_second
from handlers.announcing.flow import TOPICS, count, dialogue, files, rule, text, whom, why_nobody, writing_step
from handlers.dialogue import END, Again, Answer, Kind, Move
from handlers.talk import Talk

TYPED_FROM = 200
SECOND_FROM = 500
"""Recipients above which the number is typed, and above which a second person is needed (4-conversation §4.12)."""
FURTHEST = timedelta(days=366)
"""How far ahead a message may be given its hour: what is further is a year that was mistyped."""


@dialogue.ask("when", free=True)
async def ask_when(talk: Talk) -> Message:
    return talk.screen("announcing.when", without=("window",) if talk.data["kind"] == "urgent" else ())


@dialogue.take("when")
async def take_when(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "later":
        return "later"
    if not answer.choice:  # the hour itself, without asking to be asked for it
        return await take_later(talk, answer)
    talk.put(timing=answer.choice, at="", kept=False)
    return "quiet" if _hour_is_gone(talk) else "confirm"


@dialogue.ask("later", Kind.TEXT)
async def ask_later(talk: Talk) -> Message:
    without = [] if talk.data.get("at") else ["same"]
    without += ["window"] if talk.data["kind"] == "urgent" else []
    known = time_words(talk, "at", moment_of(talk)) if talk.data.get("at") else ""
    return talk.screen("announcing.later", without=without, known=known)


@dialogue.take("later")
async def take_later(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice in ("now", "window"):
        return await take_when(talk, answer)
    if answer.choice != "same":
        moment = parse_when(answer.text, talk.local)
        if moment is None:
            raise Again("announcing.later_unclear")
        if moment > talk.now + FURTHEST:
            raise Again("announcing.later_far", at=moment)
        talk.put(timing="at", at=moment.isoformat(), kept=False)
    return "quiet" if _hour_is_gone(talk) else "confirm"


def _should_wait(talk: Talk, moment: datetime) -> bool:
    return talk.data["kind"] != "urgent" and is_quiet(moment)


def moment_of(talk: Talk) -> datetime:
    """The hour asked for; now, where none was."""
    return datetime.fromisoformat(talk.data["at"]) if talk.data.get("at") else talk.now


def _better(talk: Talk) -> datetime:
    """The hour that is offered instead of one that has passed or is one of rest."""
    moment = max(moment_of(talk), talk.now)
    passed = moment_of(talk) < talk.now
    return next_daytime(moment) if is_quiet(moment) or passed else moment


def _hour_is_gone(talk: Talk) -> bool:
    """Whether the hour has passed, perhaps since it was chosen, or it is one of rest and nobody insisted on it."""
    if talk.data["timing"] == "window":
        return False
    passed = talk.data["timing"] == "at" and moment_of(talk) < talk.now
    return passed or (not talk.data.get("kept") and _should_wait(talk, moment_of(talk)))


@dialogue.ask("quiet", aside=True, free=True)
async def ask_quiet(talk: Talk) -> Message | str:
    if not _hour_is_gone(talk):
        return "confirm"
    moment = moment_of(talk)
    passed, rest = moment < talk.now, rests(local_date(moment))
    return talk.screen(
        "announcing.quiet", without=("keep",) if passed or rest else (), passed=passed, rest=rest, at=_better(talk)
    )


@dialogue.take("quiet")
async def take_quiet(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "other":
        return "later"
    if not answer.choice:
        return await take_later(talk, answer)
    if answer.choice == "yes":
        talk.put(timing="at", at=_better(talk).isoformat())
    talk.put(kept=answer.choice == "keep")
    return "confirm"


async def needs_second(talk: Talk, number: int) -> bool:
    """Large, urgent, at an hour of rest, for the whole province or by a content officer: two people look at it.

    A correction needs it where what it corrects did.
    """
    if number > SECOND_FROM or talk.data["kind"] == "urgent":
        return True
    if rule(talk).corrects and await broadcasts.had_second(talk.session, rule(talk).corrects):
        return True
    if talk.data["timing"] != "window" and not is_daytime(moment_of(talk)):
        return True
    if await broadcasts.only_writes_content(talk.session, talk.me.id):
        return True
    return await audiences.is_province_wide(talk.session, rule(talk))


def time_words(talk: Talk, timing: str, at: datetime) -> str:
    """The hour in words."""
    return talk.words(f"announcing.time_{timing}", at=at.astimezone(LOCAL))


@dialogue.ask("confirm", Kind.NUMBER)
async def ask_confirm(talk: Talk) -> Message | str:
    if _hour_is_gone(talk):
        return "quiet"
    talk.drop("editing")
    tally = await count(talk)
    number = tally.reached
    talk.put(n=number)
    return talk.screen(
        "announcing.confirm",
        without=("send",) if number > TYPED_FROM else (),
        kind=talk.words(f"announcing.kind_{talk.data['kind']}"),
        n=number,
        units=tally.units,
        whom=await whom(talk, rule(talk)),
        time=time_words(talk, talk.data["timing"], moment_of(talk)),
        author=talk.me.name,
        second=await needs_second(talk, number),
        many=number > TYPED_FROM,
    )


@dialogue.take("confirm")
async def take_confirm(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "edit":
        return "edit"
    if answer.choice == "drop":
        talk.say("common.dropped")
        return END
    if _hour_is_gone(talk):
        return "quiet"
    agreed = talk.data["n"]
    if answer.choice != "send":
        typed = fold(answer.text).replace(".", "").replace(" ", "").removesuffix("nguoi")
        if typed != str(agreed):
            raise Again("announcing.confirm_number" if agreed > TYPED_FROM else "announcing.confirm_press", n=agreed)
    tally = await count(talk)
    number = tally.reached
    if not number:
        raise await why_nobody(talk, tally)
    if number > agreed:  # never to more people than somebody said yes to
        talk.say("announcing.count_changed", before=agreed, n=number)
        return "confirm"
    await _send(talk, number)
    return END


@dialogue.ask("edit", aside=True)
async def ask_edit(talk: Talk) -> Message:
    return talk.screen("announcing.edit", without=("audience",) if talk.data["kind"] == "correction" else ())


@dialogue.take("edit")
async def take_edit(talk: Talk, answer: Answer) -> Move | str:
    """To the part that is wrong, and from there back to the confirmation."""
    talk.put(editing=True)
    return writing_step(talk) if answer.choice == "text" else answer.choice


async def _send(talk: Talk, number: int) -> None:
    assert talk.draft is not None
    data = talk.data
    media, waiting = await files(talk)
    if waiting:
        raise Again("announcing.files_wait")
    second = await needs_second(talk, number)
    broadcast = await broadcasts.create(
        talk.session,
        author_id=talk.me.id,
        kind=data["kind"],
        topic=TOPICS[data["kind"]],
        unit_id=rule(talk).unit_id,
        audience=rule(talk),
        number=number,
        text=text(talk),
        media=[[each.kind, each.file, each.name] for each in media],
        timing=data["timing"],
        send_at=moment_of(talk),
        second=second,
        year=talk.today.year,
        now=talk.now,
        corrects_id=data.get("corrects"),
        reason=data.get("why", "") if data["kind"] == "urgent" else "",
        answers=dict(data),
        since=day_start(talk.now),
    )
    await broadcasts.attach(talk.session, talk.draft.id, broadcast.id)
    time = time_words(talk, data["timing"], moment_of(talk))
    if not second:
        stopped = await broadcasts.stopped(talk.session)
        talk.say("announcing.sent", code=broadcast.code, n=number, time=time, stopped=stopped)
        return
    asked = await ask_second(talk, broadcast)
    talk.say("announcing.sent_waiting" if asked else "announcing.nobody_approves", code=broadcast.code)
