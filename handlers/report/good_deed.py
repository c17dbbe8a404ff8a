"""Five questions about somebody's good deed: light, without a score, verified by asking (1-process §1.5)."""

from __future__ import annotations

from content.message import Message
from handlers.dialogue import Answer, Kind, Move
from handlers.report.files import tell_story
from handlers.report.flow import ask, dialogue, onward, short
from handlers.talk import Talk


@dialogue.ask("who", Kind.TEXT)
async def ask_who(talk: Talk) -> Message:
    return ask(talk, "who")


@dialogue.take("who")
async def take_who(talk: Talk, answer: Answer) -> Move | str:
    talk.put(who=short(answer.text, "short_length", 3, 200))
    return onward(talk, "who")


@dialogue.ask("what", Kind.FILES)
async def ask_what(talk: Talk) -> Message:
    talk.drop("open")
    return ask(talk, "what")


@dialogue.take("what")
async def take_what(talk: Talk, answer: Answer) -> Move | str:
    return await tell_story(talk, "what", answer)


@dialogue.ask("where_when", Kind.TEXT)
async def ask_where_when(talk: Talk) -> Message:
    return ask(talk, "where_when")


@dialogue.take("where_when")
async def take_where_when(talk: Talk, answer: Answer) -> Move | str:
    talk.put(where_when=short(answer.text, "short_length", 3, 200))
    return onward(talk, "where_when")


@dialogue.ask("witness", Kind.TEXT)
async def ask_witness(talk: Talk) -> Message:
    return ask(talk, "witness")


@dialogue.take("witness")
async def take_witness(talk: Talk, answer: Answer) -> Move | str:
    talk.put(witness="" if answer.choice == "skip" else short(answer.text, "short_length", 3, 200))
    return onward(talk, "witness")


@dialogue.question("publish", "report.publish")
async def take_publish(talk: Talk, answer: Answer) -> Move | str:
    talk.put(publish=answer.choice)
    talk.drop("editing")
    return "preview"
