"""Files that come with a message: noted with the draft that is being written, by reference; nothing is fetched here."""

from __future__ import annotations

from db import attachments
from handlers.dialogue import File
from handlers.talk import Talk

LARGEST = 20 * 1024 * 1024
PICTURE_NAMES = (".jpg", ".jpeg", ".png", ".webp")


def is_photo(file: File) -> bool:
    """Whether it is a picture, though it may have been sent as a file."""
    return file.kind == "photo" or file.name.lower().endswith(PICTURE_NAMES)


async def note(talk: Talk, file: File, *, room: bool) -> bool:
    """Notes a file with the draft, once; one that is too large is said. False where only room was missing."""
    assert talk.draft is not None
    if file.size > LARGEST:
        talk.say("report.files_too_big", slot=f"big-{talk.conversation.screen}")
    elif await attachments.has(talk.session, talk.draft.id, file.unique_ref):
        pass  # albums are sent again by nervous thumbs
    elif not room:
        return False
    else:
        await attachments.add(
            talk.session,
            person_id=talk.me.id,
            account_id=talk.account.id,
            channel=talk.account.channel,
            draft_id=talk.draft.id,
            kind="photo" if is_photo(file) else "document",
            ref=file.ref,
            unique_ref=file.unique_ref,
            name=file.name,
            size=file.size,
            now=talk.now,
        )
    return True
