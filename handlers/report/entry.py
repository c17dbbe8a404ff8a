"""How a report begins: what was left unfinished, then what is missing, then what it is about."""

from __future__ import annotations

from content.message import Message
from db import accounts, attachments, people, units
from db.models import Purpose, Track
from handlers.dialogue import END, Answer, Command, Kind, Move, Place
from handlers.onboarding import dialogue as onboarding
from handlers.profile import read_name
from handlers.report.flow import dialogue, order, place
from handlers.talk import Talk


async def begin(talk: Talk, arg: str) -> Move | None:
    """A draft first; then whatever is missing; then the question what it is about, unless a button has said so."""
    draft = await accounts.find_draft(talk.session, talk.me.id, dialogue.name)
    if draft is not None and draft.data.get("track"):
        return dialogue.go("resume")
    return dialogue.go("start", wanted=arg) if arg in list(Track) else dialogue.go("start")


@dialogue.ask("start")
async def start(talk: Talk) -> Message | Move | str:
    if not await people.has_consent(talk.session, talk.me.id, Purpose.SUBMISSIONS):
        return "agree"
    if talk.me.unit_id is None and await units.find_request(talk.session, talk.me.id) is None:
        talk.say("report.need_unit")
        talk.conversation.pending = {"answered": ["news", "group", "shift"], "command": "sangkien", "arg": ""}
        return onboarding.go("unit_ask")
    return "track" if talk.me.name else "name"


@dialogue.question("agree", "report.agree")
async def take_agree(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "no":
        talk.say("common.cancelled")
        return END
    await talk.consent(Purpose.SUBMISSIONS)
    return "start"


@dialogue.question("name", "report.name", Kind.TEXT)
async def take_name(talk: Talk, answer: Answer) -> Move | str:
    talk.me.name = read_name(answer.text)
    return "start"


@dialogue.ask("track")
async def ask_track(talk: Talk) -> Message | str:
    if wanted := talk.data.get("wanted"):
        talk.drop("wanted")
        return _about(talk, wanted)
    return talk.screen("report.track")


@dialogue.take("track")
async def take_track(talk: Talk, answer: Answer) -> Move | str:
    return _about(talk, answer.choice)


def _about(talk: Talk, chosen: str) -> str:
    """The first question of what was chosen. Who went back to here from a part to be edited has all of them before them."""
    talk.drop("editing")
    talk.put(track=chosen)
    return order(talk)[0]


def _title(talk: Talk) -> str:
    title: str = talk.data.get("title") or talk.data.get("who") or talk.words("report.untitled")
    return title


@dialogue.ask("resume", aside=True)
async def ask_resume(talk: Talk) -> Message | str:
    assert talk.draft is not None
    if not talk.data.get("track"):  # came back here after starting anew
        return "start"
    at = 0 if talk.data.get("editing") else place(talk, talk.draft.step)  # all was answered: only one is mended
    return talk.screen("report.resume", title=_title(talk), i=at, n=len(order(talk)), saved=talk.draft.updated_at)


@dialogue.take("resume")
async def take_resume(talk: Talk, answer: Answer) -> Move | str:
    assert talk.draft is not None
    if answer.choice == "go":
        return talk.draft.step
    if answer.choice == "drop":
        talk.say("common.dropped")
        return END
    return "anew"


@dialogue.ask("anew", aside=True)
async def ask_anew(talk: Talk) -> Message | str:
    assert talk.draft is not None
    if not talk.data.get("track"):
        return "start"
    photos, others = await attachments.count(talk.session, talk.draft.id)
    return talk.screen("report.anew", title=_title(talk), photos=photos, others=others)


@dialogue.take("anew")
async def take_anew(talk: Talk, answer: Answer) -> Move | str:
    assert talk.draft is not None
    if answer.choice == "go":
        return talk.draft.step
    talk.draft.data, talk.draft.history = {}, []
    await attachments.let_go(talk.session, talk.draft.id)
    return "start"


COMMANDS = (Command("sangkien", begin, place=Place.MAIN, slash=True),)
