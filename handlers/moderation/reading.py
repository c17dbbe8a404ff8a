"""What a reviewer reads beside the card: every word of a report, its cleaned files, and it beside one like it."""

from __future__ import annotations

from dataclasses import dataclass

from content.calendar import local_date, official_day_month
from content.message import Media
from content.search import ALIKE_PERCENT, similar_texts
from db import queue, submissions, units
from db.models import Submission, Track
from handlers.dialogue import Command, Move
from handlers.moderation.flow import role_of
from handlers.talk import Talk

STORY = ("field", "before", "after", "applied", "results", "recognised", "secret", "captions", "display")
GOOD_DEED = ("what", "where_when", "witness", "captions", "publish")
NAMED = ("field", "applied", "display", "publish")
COMPARED = ("before", "after", "what")
LONGEST = 280
"""Characters of one answer on the card; a card that has to be scrolled is read by nobody."""
BESIDE = 600
"""Characters of one answer where two reports stand side by side."""
LIKELY = 3


@dataclass(frozen=True, slots=True)
class Likely:
    """A report that says nearly the same; `submission` is there to be read only within one's own reach."""

    code: str
    percent: int
    submission: Submission
    readable: bool


def cut(text: str, longest: int) -> str:
    """A text with its end left out where it is too long."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def _value(talk: Talk, key: str, story: dict[str, object]) -> str:
    value = story.get(key, "unasked" if key == "display" else "")
    if key in NAMED and value:
        shown = talk.words(f"report.{key}_{value}")
        return f"{shown}, {story['since']}" if key == "applied" and story.get("since") else shown
    if key == "results" and isinstance(value, dict):
        parts = []
        for kind, detail in value.items():
            label = talk.words(f"report.result_{kind}")
            told = talk.words("report.a_year", amount=detail) if kind == "money" else detail
            parts.append(f"{label}: {told}" if told else label)
        return "; ".join(parts)
    return str(value)


def _label(talk: Talk, key: str) -> str:
    return talk.words("report.label_result" if key == "results" else f"report.label_{key}")


def lines(talk: Talk, submission: Submission, longest: int) -> list[tuple[str, str]]:
    """What the author answered, with labels, each answer up to so many characters."""
    keys = GOOD_DEED if submission.track == Track.GOOD_DEED else STORY
    found = [(key, _value(talk, key, submission.story)) for key in keys]
    return [(_label(talk, key), cut(value, longest)) for key, value in found if value]


async def alike(talk: Talk, submission: Submission) -> list[tuple[str, int]]:
    """(code, percent) of the reports that are most like it, the likest first."""
    others = await submissions.texts_to_compare(talk.session, talk.now, without=submission.id)
    mine = submissions.compared(submission.title, submission.story)
    return similar_texts(mine, others, ALIKE_PERCENT)[:LIKELY]


async def likely(talk: Talk, submission: Submission) -> list[Likely]:
    """The same, each with the report itself."""
    found = []
    for code, percent in await alike(talk, submission):
        other = await queue.find_any(talk.session, code)
        if other is not None:
            found.append(Likely(code, percent, other, await queue.in_reach(talk.session, talk.me.id, other)))
    return found


async def show_full(talk: Talk, arg: str) -> Move | None:
    """Every word: the answers uncut, then what was said and noted since."""
    submission = await queue.get_visible(talk.session, talk.me.id, arg)
    events = await submissions.list_events(talk.session, submission.id, internal=True)
    history = []
    for event in events:
        history.append(
            talk.words(
                "moderation.history",
                day=official_day_month(local_date(event.at)),
                role=talk.words("moderation.role_coauthor")
                if event.action.startswith("coauthor_")
                else await role_of(talk, event.actor_id, submission),
                action=talk.words(f"moderation.action_{event.action}"),
                text=event.text,
            )
        )
    talk.say(
        "moderation.full",
        code=submission.code,
        title=submission.title,
        lines=lines(talk, submission, 10_000),
        history=[talk.house.words.unescape(each) for each in history],
    )
    return None


async def show_files(talk: Talk, arg: str) -> Move | None:
    """The cleaned pictures and papers of a report."""
    submission = await queue.get_visible(talk.session, talk.me.id, arg)
    files = await submissions.list_files(talk.session, submission.id)
    if not files:
        talk.say("moderation.no_files", code=submission.code)
        return None
    media = [
        Media("photo" if f.kind == "photo" else "document", f.file, f.name or f"{submission.code}-{f.id}")
        for f in files
    ]
    talk.say("moderation.files", media=media, code=submission.code)
    return None


async def compare(talk: Talk, arg: str) -> Move | None:
    """A report beside one that is like it, answer by answer; `arg` is its code, or "code.n" for the n-th likest.

    Of a report beyond one's reach only title and unit are shown: a workplace's story is for its own line of the union.
    """
    code, _, place = arg.partition(".")
    submission = await queue.get_visible(talk.session, talk.me.id, code)
    alike = await likely(talk, submission)
    if not alike:
        talk.say("moderation.no_likely", code=submission.code)
        return None
    at = (int(place) if place.isdigit() else 0) % len(alike)
    other = alike[at]
    pairs = [
        (_label(talk, key), *(cut(str(each.story.get(key, "")), BESIDE) for each in (submission, other.submission)))
        for key in COMPARED
        if other.readable and (submission.story.get(key) or other.submission.story.get(key))
    ]
    unit_id = other.submission.unit_id
    talk.say(
        "moderation.compare",
        without=() if len(alike) > 1 else ("another",),
        a=submission.code,
        b=other.code,
        percent=other.percent,
        titles=(submission.title, other.submission.title),
        sent=(submission.sent_at, other.submission.sent_at),
        unit=(await units.get(talk.session, unit_id)).name if unit_id is not None else "",
        pairs=pairs,
        readable=other.readable,
        following=at + 1,
    )
    return None


COMMANDS = (Command("docdu", show_full), Command("xemtep", show_files), Command("sosanh", compare))
