"""The words and files of a message, and the checks they must pass before anybody sees them."""

from __future__ import annotations

import re

from content import placeholders
from content.anniversaries import check_ordinals
from content.message import Message
from content.names import union_of
from content.text import broadcast_warnings, clean, clean_line, is_trusted, letters, secrecy_stamps, subject_of
from content.times import format_partial, parse_past_date
from db import attachments
from handlers.announcing.flow import MOST, MOST_CAPTION, after, as_read, attached, dialogue, files, text, writing_step
from handlers.dialogue import AGAIN, STAY, Again, Answer, File, Kind, Move
from handlers.files import is_photo, note
from handlers.talk import Talk

PHOTOS = 4
FROM = (5, 120)
DOCUMENT = {"doc_number": (5, 80), "doc_date": (5, 40), "doc_subject": (5, 200), "doc_summary": (20, 400), "doc_due": (3, 80)}  # fmt: skip
"""Fewest and most letters of a document's parts."""
SIGN = re.compile(r"\d\w*\s*[/-].*[^\W\d_]")
"""What every number and sign has: a number, then a stroke and letters, "12/KH-ABC". Who insists may write it otherwise."""


def refuse_secrets(given: str) -> None:
    """What may never go out, whatever an officer thinks of it, and what nobody could fill in."""
    stamps = secrecy_stamps(given)
    if stamps:
        raise Again("announcing.secret", found=", ".join(stamps))
    strange = placeholders.unknown_placeholders(given)
    if strange:
        raise Again("announcing.placeholder", found=", ".join(strange), typed=given)
    if placeholders.count_placeholders(given) > placeholders.MOST:
        raise Again("announcing.placeholders_many", most=placeholders.MOST, typed=given)


# ---------------------------------------------------------------------------------------------------- a document


@dialogue.ask("doc_from", Kind.TEXT, to_many=True)
async def ask_from(talk: Talk) -> Message:
    known, (own, above) = talk.data.get("doc_from", ""), _offices(talk)
    without = [key for key, there in (("same", known), ("above", above)) if not there]
    return talk.screen("announcing.doc_from", without=without, own=own, above=above, known=known)


def _offices(talk: Talk) -> tuple[str, str]:
    """Who may have issued what an officer sends: their own union, and the federation where it is another."""
    top = talk.house.organisation
    own = union_of(talk.data.get("unit_name", "")) or top
    return own, "" if own == top else top


@dialogue.take("doc_from")
async def take_from(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice != "same":
        own, above = _offices(talk)
        given = {"own": own, "above": above}.get(answer.choice) or clean_line(answer.text)
        if not FROM[0] <= letters(given) <= FROM[1]:
            raise Again("announcing.doc_length", least=FROM[0], most=FROM[1], n=letters(given))
        refuse_secrets(given)
        talk.put(doc_from=given)
    return "doc_number"


def _document_step(step: str, after: str) -> None:
    least, most = DOCUMENT[step]

    @dialogue.ask(step, Kind.TEXT, to_many=True)
    async def ask(talk: Talk) -> Message:
        known = talk.data.get(step, "")
        doubted = {"doubted": talk.data.get("doubted", "")} if step == "doc_number" else {}
        return talk.screen(f"announcing.{step}", without=() if known else ("same",), known=known, **doubted)

    @dialogue.take(step)
    async def take(talk: Talk, answer: Answer) -> Move | str:
        doubted = talk.data.get("doubted")
        talk.drop("doubted")
        if answer.choice == "same":
            return after
        if answer.choice == "skip":
            talk.drop(step)
            return after
        given = clean(answer.text)
        if step == "doc_date":
            day = parse_past_date(given, talk.today)
            if day is None or day.day is None:
                raise Again("announcing.doc_date_unclear")
            given = format_partial(day)
        if step == "doc_subject":
            given = subject_of(given)
        if not least <= letters(given) <= most:
            raise Again("announcing.doc_length", least=least, most=most, n=letters(given))
        refuse_secrets(given)
        if step == "doc_number" and not SIGN.search(given) and not doubted:
            talk.put(doubted=given)
            return AGAIN
        talk.put(**{step: given})
        return after


for _step, _after in zip(DOCUMENT, [*list(DOCUMENT)[1:], "body"], strict=True):
    _document_step(_step, _after)


# ---------------------------------------------------------------------------------------------------- words and files


@dialogue.ask("body", Kind.FILES, to_many=True, beside=True)
async def ask_body(talk: Talk) -> Message:
    assert talk.draft is not None
    photos, others = await attachments.count(talk.session, talk.draft.id)
    return talk.screen(
        "announcing.body",
        without=() if photos + others else ("clear",),
        most=MOST,
        document=talk.data["kind"] == "document",
        may_attach=not talk.data.get("team"),
        text=talk.data.get("text", "") if talk.data["kind"] != "document" else "",
        photos=photos,
        others=others,
    )


@dialogue.take("body")
async def take_body(talk: Talk, answer: Answer) -> Move | str:
    assert talk.draft is not None
    if answer.choice == "clear":
        await attachments.let_go(talk.session, talk.draft.id)
        return AGAIN
    if answer.choice == "next":
        await _check_whole(talk)
        return "warnings"
    kept = await _keep_files(talk, answer.files)
    photos, others = await attachments.count(talk.session, talk.draft.id)
    if answer.text:
        _keep_text(talk, placeholders.spelled(clean(answer.text)), beside=bool(photos or others))
    written = letters(talk.data.get("text", "")) if talk.data["kind"] != "document" else 0
    if kept or answer.text:
        talk.say(
            "announcing.body_noted", slot=talk.conversation.quiet, after=1.0, text=written, photos=photos, others=others
        )
    return STAY


def _keep_text(talk: Talk, given: str, *, beside: bool) -> None:
    if talk.data["kind"] == "document":
        raise Again("announcing.body_no_text")
    most = MOST_CAPTION if beside else MOST
    if letters(given) > most:
        raise Again("announcing.body_long", n=letters(given), most=most)
    refuse_secrets(given)
    talk.put(text=given)


async def _keep_files(talk: Talk, given: tuple[File, ...]) -> bool:
    """Notes files with the draft; what cannot go is said beside it, and the good ones stay. Whether there were any."""
    assert talk.draft is not None
    screen, kept = talk.conversation.screen, False
    for file in given:
        if talk.data.get("team"):
            raise Again("announcing.body_text_only")
        if secrecy_stamps(file.name):
            raise Again("announcing.secret", found=file.name)
        photo = is_photo(file)
        photos, others = await attachments.count(talk.session, talk.draft.id)
        full = others or (photo and photos >= PHOTOS) or (not photo and photos)
        if not photo and not file.name.lower().endswith(".pdf"):
            talk.say("announcing.body_kind", slot=f"kind-{screen}", name=file.name)
        elif await note(talk, file, room=not full):
            kept = True
        else:
            talk.say("announcing.body_files", slot=f"full-{screen}", after=1.5)
    return kept


async def _check_whole(talk: Talk) -> None:
    """Words and files together, before they are looked over: each may have come first."""
    media, waiting = await files(talk)
    if waiting:
        raise Again("announcing.files_wait")
    if talk.data["kind"] == "document":
        return
    written = letters(talk.data.get("text", ""))
    if not written:
        raise Again("announcing.body_empty")
    if media and written > MOST_CAPTION:
        raise Again("announcing.body_long_beside", n=written, most=MOST_CAPTION)


# ---------------------------------------------------------------------------------------------------- looking it over


def warnings(talk: Talk, written: str) -> list[str]:
    """What its author should look at again in a text, a line each."""
    lines = []
    for key, params in broadcast_warnings(written):
        if key != "link" or not is_trusted(str(params["host"])):
            lines.append(talk.house.words.plain(f"announcing.warn_{key}", **params))
    pack = talk.house.packs.anniversaries
    for key, said, computed in check_ordinals(pack, written, talk.today):
        name = pack.get(key).name
        lines.append(talk.house.words.plain("announcing.warn_ordinal", written=said, computed=computed, name=name))
    return lines


@dialogue.ask("warnings")
async def ask_warnings(talk: Talk) -> Message | str:
    lines = warnings(talk, text(talk))
    return talk.screen("announcing.warnings", lines=lines) if lines else "preview"


@dialogue.take("warnings")
async def take_warnings(talk: Talk, answer: Answer) -> Move | str:
    return writing_step(talk) if answer.choice == "edit" else "preview"


@dialogue.ask("preview")
async def ask_preview(talk: Talk) -> Message:
    message = await as_read(talk)
    return talk.screen("announcing.preview", text=message.text, files=attached(talk, message.media))


@dialogue.take("preview")
async def take_preview(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "edit":
        return writing_step(talk)
    if answer.choice == "test":
        talk.out.append((await as_read(talk), None, 0.0))
        talk.say("announcing.test_sent")
    return after(talk, "when")
