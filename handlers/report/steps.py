"""The questions about a piece of work: what it is called, how it was, how it is now, since when."""

from __future__ import annotations

from content.message import Message
from content.text import clean_line, letters, sentence_case_if_shouting
from content.times import is_future, parse_past_date
from db.models import Track
from handlers.dialogue import Again, Answer, Kind, Move
from handlers.report.files import tell_story
from handlers.report.flow import ask, dialogue, onward, short, track
from handlers.talk import Talk


@dialogue.ask("title", Kind.TEXT)
async def ask_title(talk: Talk) -> Message:
    return ask(talk, "title", practice=track(talk) == Track.PRACTICE)


@dialogue.take("title")
async def take_title(talk: Talk, answer: Answer) -> Move | str:
    title = sentence_case_if_shouting(clean_line(answer.text))
    if not 10 <= letters(title) <= 120:
        raise Again("report.title_length", n=letters(title))
    talk.put(title=title)
    return onward(talk, "title")


@dialogue.ask("field")
async def ask_field(talk: Talk) -> Message:
    return ask(talk, "field", recall=False)


@dialogue.take("field")
async def take_field(talk: Talk, answer: Answer) -> Move | str:
    talk.put(field=answer.choice)
    return onward(talk, "field")


@dialogue.ask("before", Kind.FILES)
async def ask_before(talk: Talk) -> Message:
    talk.drop("open")
    return ask(talk, "before")


@dialogue.take("before")
async def take_before(talk: Talk, answer: Answer) -> Move | str:
    return await tell_story(talk, "before", answer)


@dialogue.ask("after", Kind.FILES)
async def ask_after(talk: Talk) -> Message:
    talk.drop("open")
    return ask(talk, "after")


@dialogue.take("after")
async def take_after(talk: Talk, answer: Answer) -> Move | str:
    return await tell_story(talk, "after", answer)


@dialogue.ask("applied")
async def ask_applied(talk: Talk) -> Message:
    return ask(talk, "applied", recall=False)


@dialogue.take("applied")
async def take_applied(talk: Talk, answer: Answer) -> Move | str:
    talk.put(applied=answer.choice)
    if answer.choice == "idea":
        talk.drop("since")
        return onward(talk, "applied")
    return "since"


@dialogue.question("since", "report.since", Kind.TEXT)
async def take_since(talk: Talk, answer: Answer) -> Move | str:
    since = short(answer.text, "since_length", 3, 200)
    when = parse_past_date(since, talk.today)
    if when is not None and is_future(when, talk.today):
        raise Again("report.since_future")
    talk.put(since=since)
    return onward(talk, "applied")
