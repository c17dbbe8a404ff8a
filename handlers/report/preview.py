"""Looking over a report and editing any part of it, with a look at what is like it, before it is sent."""

from __future__ import annotations

from content.message import Choice, Message
from content.search import similar_texts
from db import attachments, submissions, units
from db.models import Track
from handlers.dialogue import END, LEAVE, Answer, Move
from handlers.report import result
from handlers.report.files import mended
from handlers.report.flow import GOOD_DEED, WORK, brief, dialogue, track
from handlers.report.sending import send
from handlers.talk import Talk

LIKELY = 3
"""How many likely duplicates are shown."""


def lines(talk: Talk) -> list[tuple[str, str]]:
    """The answers with their labels, as the preview shows them."""
    data, word = talk.data, talk.words
    found: list[tuple[str, str]] = []
    if track(talk) == Track.GOOD_DEED:
        for key in ("what", "where_when", "witness"):
            found.append((key, brief(data.get(key, "")) or word("report.none")))
        found.append(("publish", word(f"report.publish_{data.get('publish', 'unasked')}")))
    else:
        found.append(("field", word(f"report.field_{data['field']}")))
        found += [(key, brief(data[key])) for key in ("before", "after")]
        applied = word(f"report.applied_{data['applied']}")
        found.append(("applied", f"{applied}, {data['since']}" if data.get("since") else applied))
        found.append(("result", brief("; ".join(result.lines(talk)))))
        found += [(key, brief(data[key])) for key in ("recognised", "secret") if data.get(key)]
        found.append(("display", word(f"report.display_{data.get('display', 'unasked')}")))
    if data.get("captions"):
        found.append(("captions", brief(data["captions"])))
    return [(word(f"report.label_{key}"), value) for key, value in found]


def authors(talk: Talk) -> str:
    """The author and co-authors with their shares."""
    shares = talk.data.get("shares", [])
    if not shares:
        return talk.me.name
    mine = 100 - sum(share[1] for share in shares)
    return ", ".join([f"{talk.me.name} {mine}%", *(f"{share[0]} {share[1]}%" for share in shares)])


@dialogue.ask("preview")
async def ask_preview(talk: Talk) -> Message:
    assert talk.draft is not None
    photos, others = await attachments.count(talk.session, talk.draft.id, await mended(talk))
    unit = await units.get(talk.session, talk.me.unit_id or 0)
    return talk.screen(
        "report.preview",
        track=talk.words(f"report.track_{track(talk).value}"),
        title=talk.data.get("title") or talk.data.get("who", ""),
        authors=authors(talk),
        unit=unit.name,
        lines=lines(talk),
        photos=photos,
        others=others,
        receiver=await _receiver(talk),
        good_deed=track(talk) == Track.GOOD_DEED,
    )


async def _receiver(talk: Talk) -> str:
    """Where it would go now, by the same rule that sends it."""
    without = {talk.me.id} | {share[2] for share in talk.data.get("shares", [])}
    unit_id = await submissions.route(talk.session, talk.me.unit_id, without)
    return (await units.get(talk.session, unit_id)).name if unit_id is not None else ""


@dialogue.take("preview")
async def take_preview(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "edit":
        return "edit"
    if answer.choice == "save":
        talk.say("common.saved")
        return LEAVE
    if answer.choice == "drop":
        talk.say("common.dropped")
        return END
    likely = await _likely(talk)
    if likely:
        talk.put(likely=likely)
        return "duplicates"
    return await send(talk)


@dialogue.ask("edit")
async def ask_edit(talk: Talk) -> Message:
    steps = (*GOOD_DEED, "publish") if track(talk) == Track.GOOD_DEED else WORK
    return talk.screen("report.edit", *(Choice(talk.words(f"report.label_{step}"), step) for step in steps))


@dialogue.take("edit")
async def take_edit(talk: Talk, answer: Answer) -> Move | str:
    talk.put(editing=True)
    return answer.choice


async def _likely(talk: Talk) -> list[list[object]]:
    """Reports that say nearly the same: code, title, percent, and nobody's name."""
    mine = submissions.compared(talk.data.get("title", ""), talk.data)
    others = await submissions.texts_to_compare(talk.session, talk.now, unit_id=talk.me.unit_id)
    others.pop(talk.data.get("resend", ""), None)
    found: list[list[object]] = []
    for code, percent in similar_texts(mine, others)[:LIKELY]:
        title = others[code].rsplit("  ", 1)[-1].strip()
        found.append([code, brief(title), percent])
    return found


@dialogue.ask("duplicates")
async def ask_duplicates(talk: Talk) -> Message:
    shown = [f"{code} ({percent}%): {title}" for code, title, percent in talk.data["likely"]]
    return talk.screen("report.duplicates", lines=shown)


@dialogue.take("duplicates")
async def take_duplicates(talk: Talk, answer: Answer) -> Move | str:
    return "edit" if answer.choice == "edit" else await send(talk)
