"""What the law says of a question in somebody's own words: facts quoted with their article and day, and a person one tap away."""

from __future__ import annotations

from collections.abc import Sequence

from content.law import Fact
from content.message import Choice
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
    """Whether a message nobody else understood is one about the law; where buttons wait, only if there is an answer to it.

    So it is with somebody's very first words, which may as well greet.
    """
    search, first = talk.house.packs.search, not talk.joined and not talk.conversation.dialogue
    if not search.is_for_us(text, talk.today):
        return False
    return not (first or _is_busy(talk)) or search.ask(text, talk.today).answers


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
    """Nothing is said of the law but what a fact says; where none answers, that is said, or what may be meant is offered.

    Where what answers is disputed, that is said, and who knows.
    """
    search, text = talk.house.packs.search, clean(text)
    found = search.ask(text, talk.today)
    if await _sits_a_paper(talk):
        talk.say("law_answers.paper")
    elif found.facts:
        _quote(talk, found.facts, asked=search.is_question(text), urgent=found.urgent)
    elif found.disputed is not None:
        about, without = found.disputed.title, _not_offered(talk)
        talk.say("law_answers.disputed", about=about, urgent=found.urgent, without=without)
    elif found.perhaps:
        choices = (Choice(each.title, command="dieuluat", arg=each.id) for each in found.perhaps)
        talk.say("law_answers.perhaps", *choices, urgent=found.urgent, without=_not_offered(talk))
    else:
        talk.say("law_answers.none", urgent=found.urgent, without=_not_offered(talk))


async def show_fact(talk: Talk, arg: str) -> Move | None:
    """One fact that was offered, as long as it may be quoted."""
    fact = talk.house.packs.law.find(arg)
    if await _sits_a_paper(talk):
        talk.say("law_answers.paper")
    elif fact is None or not fact.quotable(talk.today):
        talk.say("law_answers.none", urgent=False, without=_not_offered(talk))
    else:
        _quote(talk, (fact,), asked=True, urgent=False)
    return None


def _quote(talk: Talk, facts: Sequence[Fact], *, asked: bool, urgent: bool) -> None:
    lines = [(fact.says, fact.citation) for fact in facts]
    talk.say("law_answers.found", lines=lines, asked=asked, urgent=urgent, without=_not_offered(talk))


def _not_offered(talk: Talk) -> tuple[str, ...]:
    return () if _is_busy(talk) else ("on",)


async def _sits_a_paper(talk: Talk) -> bool:
    """Whoever does sits it alone."""
    paper = await contests.find_running(talk.session, talk.person.id) if talk.person is not None else None
    return paper is not None and contests.in_time(paper, talk.now)


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
    Command("dieuluat", show_fact, joined=False),
    Command("gapcanbo", show_person, joined=False),
)
