"""What the law says of a question in somebody's own words: facts quoted with their article and day, and a person one tap away."""

from __future__ import annotations

from content.text import clean
from db import contests, people, policy
from db.models import Role
from handlers.dialogue import END, Answer, Command, Dialogue, Kind, Move, Place
from handlers.talk import Talk

dialogue = Dialogue("law_answers")

OFFICERS = (Role.TEAM_LEADER, Role.GRASSROOTS_CHAIR, Role.UPPER_OFFICER)
NAMED = 3
"""Officers that are named at most."""


def hears(talk: Talk, text: str) -> bool:
    """Whether a message nobody else understood is one about the law; where buttons wait, only a question that has an answer.

    So it is with somebody's very first words, which may as well greet.
    """
    search, first = talk.house.packs.search, not talk.joined and not talk.conversation.dialogue
    if first or _is_busy(talk):
        return search.is_question(text) and bool(search.ask(text, talk.today).facts)
    return search.is_for_us(text, talk.today)


def _is_busy(talk: Talk) -> bool:
    """Whether something is on the screen that one may want to go on with."""
    return talk.conversation.dialogue not in ("", "menu", dialogue.name)


async def show(talk: Talk, arg: str) -> Move | None:
    """The answer to what was asked with the command, or the question what is to be asked."""
    if not arg:
        return dialogue.go("ask")
    await _answer(talk, arg)
    return None


@dialogue.question("ask", "law_answers.ask", Kind.TEXT)
async def take_ask(talk: Talk, answer: Answer) -> Move | str:
    await _answer(talk, answer.text)
    return END


async def _answer(talk: Talk, text: str) -> None:
    """Nothing is said of the law but what a fact says; where none answers, that is said. Who sits a paper sits it alone."""
    paper = await contests.find_running(talk.session, talk.person.id) if talk.person is not None else None
    if paper is not None and contests.in_time(paper, talk.now):
        talk.say("law_answers.paper")
        return
    search, text = talk.house.packs.search, clean(text)
    found = search.ask(text, talk.today)
    without = () if _is_busy(talk) else ("on",)
    if not found.facts:
        talk.say("law_answers.none", urgent=found.urgent, without=without)
        return
    lines = [(fact.says, fact.citation) for fact in found.facts]
    talk.say("law_answers.found", lines=lines, asked=search.is_question(text), urgent=found.urgent, without=without)


async def show_person(talk: Talk, arg: str) -> Move | None:
    """Who can be asked: the officers of one's own union, and a line where somebody answers."""
    names: list[str] = []
    if talk.person is not None and talk.person.unit_id is not None:
        for person_id in await policy.nearest_holders(talk.session, OFFICERS, talk.person.unit_id):
            officer = await people.get(talk.session, person_id)
            if officer.name and person_id != talk.person.id:
                names.append(officer.name)
    talk.say("law_answers.person", names=names[:NAMED])
    return None


DIALOGUES = (dialogue,)
COMMANDS = (
    Command("hoiluat", show, place=Place.MORE, joined=False, slash=True, hears=hears),
    Command("gapcanbo", show_person, joined=False),
)
