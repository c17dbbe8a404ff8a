"""Answering what a reviewer asked: words and pictures in any number of messages, kept until they are sent."""

from __future__ import annotations

from content.message import Message
from content.text import clean, letters
from content.windows import this_evening
from db import accounts, attachments, submissions
from db.models import Status
from handlers.dialogue import END, STAY, Again, Answer, Command, Dialogue, Kind, Move
from handlers.report.files import keep
from handlers.report.sending import due, tell_reviewers
from handlers.talk import Talk

dialogue = Dialogue("supplement", keeps_draft=True)
MOST = 3000
"""Characters of all messages together."""


async def begin(talk: Talk, arg: str) -> Move | None:
    """To the question of one submission; words begun for another one come first, they must not get mixed."""
    submission = await submissions.find_own(talk.session, talk.me.id, arg)
    if submission.status != Status.NEED_INFO:
        talk.say("supplement.not_needed")
        return None
    draft = await accounts.find_draft(talk.session, talk.me.id, dialogue.name)
    begun = draft.data.get("code") if draft is not None else None
    if draft is not None and begun not in (None, submission.code):
        other = await submissions.find_own(talk.session, talk.me.id, begun)
        if other.status == Status.NEED_INFO and (draft.data.get("text") or any(await _files(talk, draft.id))):
            talk.say("supplement.other_first", code=other.code)
            return dialogue.go("story")
        draft.data = {}
        await attachments.let_go(talk.session, draft.id)
    return dialogue.go("story", code=submission.code)


async def _files(talk: Talk, draft_id: int) -> tuple[int, int]:
    return await attachments.count(talk.session, draft_id)


@dialogue.ask("story", Kind.FILES)
async def ask_story(talk: Talk) -> Message | Move:
    assert talk.draft is not None
    submission = await submissions.find_own(talk.session, talk.me.id, talk.data["code"])
    if submission.status != Status.NEED_INFO:  # withdrawn or closed meanwhile
        await talk.session.delete(talk.draft)
        return Move("mysubmissions", "detail", {"code": submission.code})
    photos, others = await _files(talk, talk.draft.id)
    return talk.screen(
        "supplement.story",
        code=submission.code,
        ask=submission.ask,
        said=talk.data.get("text", ""),
        files=photos + others,
    )


@dialogue.take("story")
async def take_story(talk: Talk, answer: Answer) -> Move | str:
    assert talk.draft is not None
    if answer.choice == "send":
        return await _send(talk)
    if answer.text:
        said = f"{talk.data.get('text', '')}\n{clean(answer.text)}".strip()
        if letters(said) > MOST:
            raise Again("report.tell_less", n=letters(said), most=MOST)
        talk.put(text=said)
    photos, others = await keep(talk, answer.files)
    talk.say("supplement.noted", slot=talk.conversation.quiet, after=1.5, files=photos + others)
    return STAY


async def _send(talk: Talk) -> Move | str:
    assert talk.draft is not None
    submission = await submissions.find_own(talk.session, talk.me.id, talk.data["code"])
    if submission.status != Status.NEED_INFO:
        return "story"
    if not talk.data.get("text") and not any(await _files(talk, talk.draft.id)):
        raise Again("supplement.empty")
    text = talk.data.get("text", "")
    await submissions.supplement(talk.session, submission, text, talk.draft.id, due(talk, submission.track), talk.now)
    talk.say("supplement.sent", code=submission.code)
    if submission.holder_id is None:
        await tell_reviewers(talk, submission)
    else:
        await talk.tell(
            submission.holder_id,
            "supplement.notice",
            dedup=f"supplement:{submission.id}:{submission.version}",
            code=submission.code,
            title=submission.title,
        )
    return END


async def remind(talk: Talk, arg: str) -> Move | None:
    """Reminds once more this evening, in the author's own hours."""
    submission = await submissions.find_own(talk.session, talk.me.id, arg)
    if submission.status != Status.NEED_INFO:
        talk.say("supplement.not_needed")
        return None
    at = this_evening(talk.me.hours, talk.now)
    await submissions.remind(talk.session, submission, at)
    talk.say("supplement.evening", code=submission.code, at=at)
    return None


DIALOGUES = (dialogue,)
COMMANDS = (Command("bosung", begin), Command("nhactoi", remind))
