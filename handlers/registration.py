"""Registering for emulation in a few taps: movements, what to strive for, a look at the whole, sent."""

from __future__ import annotations

from content.campaigns import Campaign, Round
from content.message import Choice, Message
from content.text import clean_line, letters
from db import accounts, campaigns, units
from db.models import Level
from handlers.campaign import audience, current, quoted
from handlers.dialogue import AGAIN, CANCEL, END, Again, Answer, Command, Dialogue, Kind, Move
from handlers.meaning import words_of
from handlers.onboarding.oneself import workplace_name
from handlers.paging import page, turn
from handlers.profile import read_name
from handlers.talk import Talk

dialogue = Dialogue(
    "registration", keeps_draft=True, begun=lambda data: bool(data.get("movements") or data.get("goals"))
)

PAGE = 5
MOST = 3
"""Goals of one registration."""
OWN = (10, 200)
"""Fewest and most letters of a goal in one's own words."""


async def begin(talk: Talk, arg: str) -> Move | None:
    """Goes on where it was left; "early" begins for a round that is still ahead."""
    draft = await accounts.find_draft(talk.session, talk.me.id, dialogue.name)
    if draft is not None and draft.data.get("movements") is not None and not arg:
        return dialogue.go("")
    return dialogue.go("start", early=True) if arg == "early" else dialogue.go("start")


def _round(talk: Talk) -> Round:
    number: int = talk.data["round"]
    return current(talk).rounds[number - 1]


def _still_open(talk: Talk) -> bool:
    """Whether what was begun can still be sent: a draft may have waited longer than its round."""
    campaign = current(talk)
    return (
        talk.data.get("year") == campaign.year
        and talk.data["round"] <= len(campaign.rounds)
        and talk.today <= _round(talk).closes_on
    )


@dialogue.ask("start")
async def start(talk: Talk) -> Message | Move | str:
    campaign = current(talk)
    number = campaign.open_round(talk.today)
    if not number:
        talk.say("registration.closed", ends=campaign.rounds[-1].closes_on)
        return END
    running = campaign.round_on(talk.today)
    if running and number != running and not talk.data.get("early"):
        ends, following = campaign.rounds[running - 1].closes_on, campaign.rounds[number - 1].name
        return talk.screen("registration.late", ends=ends, round=following)
    await _fill(talk, campaign, number)
    return "movements" if talk.me.name else "name"


async def _fill(talk: Talk, campaign: Campaign, number: int) -> None:
    """What is registered already, else what was chosen for a round that has closed meanwhile."""
    row = await campaigns.find_registration(talk.session, talk.me.id, campaign.year, number)
    same_year = talk.data.get("year") == campaign.year
    if same_year and talk.data["round"] < number:
        closed = campaign.rounds[talk.data["round"] - 1]
        talk.say(
            "registration.moved", closed=closed.name, ends=closed.closes_on, round=campaign.rounds[number - 1].name
        )
    chosen = talk.data.get("movements") or [] if same_year else []  # places in another year's list mean nothing here
    talk.put(
        year=campaign.year, round=number, start=0,
        movements=list(row.movements) if row else chosen,
        goals=list(row.goals) if row else talk.data.get("goals") or [],
    )  # fmt: skip


@dialogue.take("start")
async def take_start(talk: Talk, answer: Answer) -> Move | str:
    talk.put(early=True)
    return "start"


@dialogue.question("name", "registration.name", Kind.TEXT)
async def take_name(talk: Talk, answer: Answer) -> Move | str:
    talk.me.name = read_name(answer.text)
    return "movements"


# ---------------------------------------------------------------------------------------------------- movements


@dialogue.ask("movements", Kind.MANY)
async def ask_movements(talk: Talk) -> Message | str:
    if not _still_open(talk):
        return "start"
    shown, without = page(talk, current(talk).movements_for(audience(talk)), PAGE)
    chosen = talk.data["movements"]
    choices = [
        Choice(_mark(n in chosen, i), f"m-{n}", words=words_of(movement.name)) for i, (n, movement) in enumerate(shown)
    ]
    lines = [(movement.name, movement.whom, n in chosen) for n, movement in shown]
    return talk.screen("registration.movements", *choices, without=without, lines=lines, k=len(chosen))


def _mark(chosen: bool, place: int) -> str:
    return f"✅ {place + 1}" if chosen else str(place + 1)


@dialogue.take("movements")
async def take_movements(talk: Talk, answer: Answer) -> Move | str:
    picked = answer.many or (answer.choice,)
    numbers = {int(key.removeprefix("m-")) for key in picked if key.startswith("m-")}
    talk.put(movements=sorted(set(talk.data["movements"]) ^ numbers))
    if "done" in picked:
        if not talk.data["movements"]:
            raise Again("registration.movements_none")
        return "goals"
    return turn(talk) if "more" in picked else AGAIN


# ---------------------------------------------------------------------------------------------------- goals


def _own(talk: Talk) -> str:
    """The goal in own words, if there is one."""
    return next((goal for goal in talk.data["goals"] if goal not in current(talk).goals), "")


@dialogue.ask("goals", Kind.MANY)
async def ask_goals(talk: Talk) -> Message | str:
    if not _still_open(talk):
        return "start"
    offered, chosen = current(talk).goals, talk.data["goals"]
    own = _own(talk)
    choices = [Choice(_mark(goal in chosen, i), f"g-{i}", words=words_of(goal)) for i, goal in enumerate(offered)]
    other = own or talk.house.words.plain("registration.goal_own")
    choices.append(Choice(_mark(bool(own), len(offered)), "own", words=words_of(other)))
    lines = [(goal, goal in chosen) for goal in offered]
    return talk.screen(
        "registration.goals",
        *choices,
        round=_round(talk).name,
        lines=lines,
        own=bool(own),
        other=other,
        n=len(offered) + 1,
        k=len(chosen),
    )


@dialogue.take("goals")
async def take_goals(talk: Talk, answer: Answer) -> Move | str:
    picked = answer.many or (answer.choice,)
    chosen = list(talk.data["goals"])
    for key in picked:
        if key.startswith("g-"):
            goal = current(talk).goals[int(key.removeprefix("g-"))]
            chosen = [g for g in chosen if g != goal] if goal in chosen else [*chosen, goal]
    talk.put(goals=chosen)
    if "own" in picked:
        return "own"
    if "done" in picked:
        if not 1 <= len(chosen) <= MOST:
            raise Again("registration.goals_count", n=len(chosen))
        return "preview"
    return AGAIN


@dialogue.ask("own", Kind.TEXT)
async def ask_own(talk: Talk) -> Message | str:
    if not _still_open(talk):
        return "start"
    own = _own(talk)
    return talk.screen("registration.own", without=() if own else ("stays", "off"), own=own)


@dialogue.take("own")
async def take_own(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "stays":
        return "goals"
    others = [goal for goal in talk.data["goals"] if goal != _own(talk)]
    if answer.choice == "off":
        talk.put(goals=others)
        return "goals"
    goal = clean_line(answer.text)
    if not OWN[0] <= letters(goal) <= OWN[1]:
        raise Again("registration.own_length", n=letters(goal))
    talk.put(goals=[*others, goal])
    return "goals"


# ---------------------------------------------------------------------------------------------------- sending


@dialogue.ask("preview")
async def ask_preview(talk: Talk) -> Message | str:
    if not _still_open(talk):
        return "start"
    return talk.screen(
        "registration.preview",
        name=talk.me.name,
        unit=await _workplace(talk),
        movements=quoted(talk, current(talk), talk.data["movements"]),
        goals="; ".join(talk.data["goals"]),
        ends=_round(talk).ends_on,
    )


async def _workplace(talk: Talk) -> str:
    """The unit, and the team in it."""
    if not talk.me.unit_id:
        return await workplace_name(talk)
    unit = await units.get(talk.session, talk.me.unit_id)
    return f"{await units.parent_name(talk.session, unit)} – {unit.name}" if unit.level == Level.TEAM else unit.name


@dialogue.take("preview")
async def take_preview(talk: Talk, answer: Answer) -> Move | str:
    if not _still_open(talk):  # midnight came while the preview stood there
        return "start"
    if answer.choice == "edit":
        return "movements"
    if answer.choice == "drop":
        return CANCEL
    data = talk.data
    row = await campaigns.register(
        talk.session, talk.me, data["year"], data["round"], data["movements"], data["goals"], talk.now
    )
    talk.say("registration.received", code=row.code)
    return END


DIALOGUES = (dialogue,)
COMMANDS = (Command("dangky", begin),)
