"""Ticking several reports for one action: accepting them, or asking their authors the same."""

from __future__ import annotations

from content.message import Choice, Message
from db import queue
from db.models import Submission, Track
from handlers.dialogue import AGAIN, Again, Answer, Kind, Move
from handlers.moderation.deciding import accept
from handlers.moderation.flow import carry_out, dialogue, kind, soon, split, tick, ticked
from handlers.moderation.queue import PAGE, line
from handlers.moderation.reading import cut
from handlers.paging import note, turn
from handlers.talk import Talk

MOST = 20
TITLE = 34


async def _page(talk: Talk) -> tuple[list[tuple[Submission, str]], tuple[str, ...]]:
    """What may be ticked on this page, and the option that a list of one page goes without."""
    for start in (talk.data.get("pick_start", 0), 0):
        found = await queue.list_page(
            talk.session, talk.me.id, kind(talk), "free", "looked_at", soon=soon(talk), start=start, size=PAGE + 1
        )
        if found:
            break
    return found[:PAGE], note(talk, start, PAGE, more=len(found) > PAGE, name="pick_start")


def _key(submission: Submission) -> str:
    return f"{submission.code}.{submission.version}"


@dialogue.ask("pick", Kind.MANY)
async def ask_pick(talk: Talk) -> Message:
    found, without = await _page(talk)
    picked = ticked(talk)
    return talk.screen(
        "moderation.pick",
        *(Choice(str(n + 1), f"code-{_key(submission)}") for n, (submission, _) in enumerate(found)),
        without=without,
        n=len(picked),
        most=MOST,
        lines=[(_key(submission) in picked, line(talk, submission, unit)) for submission, unit in found],
    )


@dialogue.take("pick")
async def take_pick(talk: Talk, answer: Answer) -> Move | str:
    found, _ = await _page(talk)
    picked = ticked(talk)
    if answer.choice == "done":
        if not picked:
            raise Again("moderation.pick_none")
        return "batch"
    if answer.choice == "more":
        return turn(talk)
    here = [_key(submission) for submission, _ in found]
    if answer.choice == "page":
        picked = [*picked, *(key for key in here if key not in picked)]
        turn(talk)
    else:
        for key in (each.removeprefix("code-") for each in answer.many or (answer.choice,)):
            picked = [each for each in picked if each != key] if key in picked else [*picked, key]
    if len(picked) > MOST:
        raise Again("moderation.pick_most", most=MOST)
    tick(talk, picked)
    return AGAIN


@dialogue.ask("batch")
async def ask_batch(talk: Talk) -> Message:
    lines, deeds = [], []
    for code, _ in map(split, ticked(talk)):
        submission = await queue.find_any(talk.session, code)
        if submission is None:
            continue
        lines.append(f"{code} · {cut(submission.title, TITLE)}")
        deeds.append(submission.track == Track.GOOD_DEED)
    talk.put(deed=all(deeds))
    return talk.screen("moderation.batch", n=len(lines), lines=lines)


@dialogue.take("batch")
async def take_batch(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "edit":
        return "pick"
    if answer.choice == "stop":
        tick(talk, [])
        return "queue"
    picked = ticked(talk)
    talk.put(args=picked, code=split(picked[0])[0])
    if answer.choice == "accept":
        return await carry_out(talk, accept, "moderation.accepted")
    talk.put(writes="ask")
    return "words"
