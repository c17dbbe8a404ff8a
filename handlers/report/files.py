"""Photos and files of a report: taken at their own question and while the story is told, counted, never fetched here."""

from __future__ import annotations

from collections.abc import Sequence

from content.message import Message
from content.text import clean, letters
from db import attachments, submissions
from db.models import Track
from handlers.dialogue import STAY, Again, Answer, File, Kind, Move
from handlers.files import is_photo, note
from handlers.report.flow import ask, brief, dialogue, finish_story, onward, tell, track
from handlers.talk import Talk

PHOTOS, OTHERS = 5, 1
CAPTIONS = 500
"""Characters that may be said beside the pictures."""


async def keep(talk: Talk, files: Sequence[File], submission_id: int | None = None) -> tuple[int, int]:
    """Notes files with the draft and says which could not be taken; the good ones stay whatever the others are.

    Returns (photos, others) there are now, counting those of the submission that the draft mends.
    """
    assert talk.draft is not None
    for file in files:
        photos, others = await attachments.count(talk.session, talk.draft.id, submission_id)
        photo = is_photo(file)
        most = PHOTOS if photo else OTHERS
        if not await note(talk, file, room=(photos if photo else others) < most):
            what = talk.words("report.files_photo" if photo else "report.files_other")
            slot = f"full-{talk.conversation.screen}"
            talk.say("report.files_full", slot=slot, after=1.5, most=most, what=what)
    return await attachments.count(talk.session, talk.draft.id, submission_id)


async def mended(talk: Talk) -> int | None:
    """The submission that this draft will be sent as again, if it is one."""
    if not talk.data.get("resend"):
        return None
    return (await submissions.find_own(talk.session, talk.me.id, talk.data["resend"])).id


async def tell_story(talk: Talk, step: str, answer: Answer) -> Move | str:
    """Joins the messages of a story until [Xong]; pictures that come with it are kept as well."""
    if answer.choice == "done":
        return finish_story(talk, step)
    if answer.text:
        tell(talk, step, answer.text)
    photos, others = await keep(talk, answer.files, await mended(talk))
    talk.say("report.noted", slot=talk.conversation.quiet, after=1.5, photos=photos, others=others)
    return STAY


@dialogue.ask("files", Kind.FILES, beside=True)
async def ask_files(talk: Talk) -> Message:
    assert talk.draft is not None
    photos, others = await attachments.count(talk.session, talk.draft.id, await mended(talk))
    return ask(
        talk,
        "files",
        without=["skip"] if photos + others else [],
        photos=photos,
        others=others,
        good_deed=track(talk) == Track.GOOD_DEED,
    )


@dialogue.take("files")
async def take_files(talk: Talk, answer: Answer) -> Move | str:
    assert talk.draft is not None
    if answer.choice in ("next", "skip"):
        return onward(talk, "files")
    if answer.text:
        said = f"{talk.data.get('captions', '')}\n{clean(answer.text)}".strip()
        if letters(said) > CAPTIONS:
            raise Again("report.files_words", most=CAPTIONS)
        talk.put(captions=said)
        if not answer.files:
            if not any(await attachments.count(talk.session, talk.draft.id, await mended(talk))):
                raise Again("report.files_none_yet")
            talk.say("report.files_words_noted", words=brief(clean(answer.text)))
            return STAY
    photos, others = await keep(talk, answer.files, await mended(talk))
    # An album comes picture by picture: one answer after 1.5 s of quiet says how many there are now.
    talk.say("report.files_got", slot=talk.conversation.quiet, after=1.5, photos=photos, others=others)
    return STAY
