"""The emulation campaign: what each group is asked to do, the movements, and registering in four taps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from content.campaigns import Campaign, campaign_for
from content.message import Choice, Message
from content.text import clean_line, letters
from db import campaigns, units
from handlers.dialogue import AGAIN, END, Again, Answer, Command, Dialogue, Kind, Move, Place
from handlers.paging import page
from handlers.profile import read_name
from handlers.talk import Talk

if TYPE_CHECKING:
    from db.models import Registration

dialogue = Dialogue("campaign")
PAGE = 5
LABEL = 22


def current(talk: Talk) -> Campaign:
    """The campaign of today. Raises Again when there is none."""
    found = campaign_for(talk.house.packs.campaigns, talk.today)
    if found is None:
        raise Again("campaign.none")
    return found


def _audience(talk: Talk) -> str:
    if talk.person is None or talk.me.audience is None:
        return "enterprise"
    return talk.me.audience.value


async def show(talk: Talk, arg: str) -> Move | None:
    return dialogue.go("home")


async def _registration(talk: Talk) -> Registration | None:
    campaign = current(talk)
    if talk.person is None:
        return None
    return await campaigns.find_registration(talk.session, talk.me.id, campaign.year, campaign.round_on(talk.today))


@dialogue.ask("home")
async def ask_home(talk: Talk) -> Message:
    campaign = current(talk)
    number = campaign.round_on(talk.today)
    running = campaign.rounds[number - 1] if number else campaign.rounds[-1]
    days = (running.ends_on - talk.today).days
    left = talk.words("campaign.over")
    if number:
        left = talk.words("campaign.left_days", n=days) if days else talk.words("campaign.left_today")
    row = await _registration(talk)
    registered = None
    if talk.person is not None:
        key = "registered_some" if row is not None else "registered_none"
        registered = talk.words(f"campaign.{key}", n=len(row.movements) if row is not None else 0)
    without = [] if talk.person is not None and number else ["register"]
    without += [] if row is not None else ["registration"]
    without += [] if campaign.pages else ["plan"]
    return talk.screen(
        "campaign.home",
        without=without,
        year=campaign.year,
        theme=campaign.theme,
        round=running.name,
        starts=running.starts_on,
        ends=running.ends_on,
        left=left,
        registered=registered,
        approved=campaign.approved,
    )


@dialogue.take("home")
async def take_home(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "mine":
        talk.put(group=_audience(talk))
        return "card"
    if answer.choice == "plan":
        talk.put(pages="plan", start=0)
        return "page"
    if answer.choice == "register":
        return "register"
    return answer.choice


# ---------------------------------------------------------------------------------------------------- reading


@dialogue.ask("card")
async def ask_card(talk: Talk) -> Message:
    group = talk.data["group"]
    content = current(talk).contents[group]
    without = () if content.pages else ("full",)
    title = talk.words(f"campaign.title_{group}")
    return talk.screen("campaign.card", without=without, title=title, card=content.card.strip())


@dialogue.take("card")
async def take_card(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "full":
        talk.put(pages=talk.data["group"], start=0)
        return "page"
    return answer.choice


@dialogue.ask("other")
async def ask_other(talk: Talk) -> Message:
    return talk.screen("campaign.other")


@dialogue.take("other")
async def take_other(talk: Talk, answer: Answer) -> Move | str:
    talk.put(group=answer.choice)
    return "card"


@dialogue.ask("page")
async def ask_page(talk: Talk) -> Message:
    campaign = current(talk)
    what, at = talk.data["pages"], talk.data["start"]
    pages = campaign.pages if what == "plan" else campaign.contents[what].pages
    without = ("next",) if at + 1 >= len(pages) else ()
    message = talk.screen("campaign.page", without=without, text="\x00", i=at + 1, n=len(pages))
    # Packs are written by us and checked at start: their pages may carry the bold of the HTML subset.
    return Message(message.text.replace("\x00", pages[at].strip()), message.choices, (), message.key)


@dialogue.take("page")
async def take_page(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "next":
        talk.put(start=talk.data["start"] + 1)
        return "page"
    return "home"


@dialogue.ask("list")
async def ask_list(talk: Talk) -> Message:
    campaign = current(talk)
    shown = [(m.name, m.launched_by) for m in campaign.movements]
    open_now = talk.person is not None and campaign.round_on(talk.today)
    return talk.screen("campaign.list", without=() if open_now else ("register",), year=campaign.year, movements=shown)


@dialogue.take("list")
async def take_list(talk: Talk, answer: Answer) -> Move | str:
    return answer.choice


# ---------------------------------------------------------------------------------------------------- registering


@dialogue.ask("register")
async def begin_registration(talk: Talk) -> Message | str:
    if not current(talk).round_on(talk.today):
        raise Again("campaign.closed")
    row = await _registration(talk)
    talk.put(movements=list(row.movements) if row else [], goals=list(row.goals) if row else [], start=0)
    return "name" if not talk.me.name else "movements"


@dialogue.ask("name", Kind.TEXT)
async def ask_name(talk: Talk) -> Message:
    return talk.screen("campaign.name")


@dialogue.take("name")
async def take_name(talk: Talk, answer: Answer) -> Move | str:
    talk.me.name = read_name(answer.text)
    return "movements"


def _short(name: str) -> str:
    return name if len(name) <= LABEL else name[: LABEL - 1].rstrip() + "…"


@dialogue.ask("movements", Kind.MANY)
async def ask_movements(talk: Talk) -> Message:
    open_to_me = current(talk).movements_for(_audience(talk))
    shown, after = page(open_to_me, talk.data.get("start", 0), PAGE)
    chosen = talk.data["movements"]
    lines = [talk.words("campaign.chosen", name=m.name) if n in chosen else m.name for n, m in shown]
    choices = [Choice(f"✅ {i + 1}" if n in chosen else str(i + 1), f"m-{n}") for i, (n, _) in enumerate(shown)]
    without = () if after or talk.data.get("start", 0) else ("more",)
    plain = [talk.house.words.unescape(line) for line in lines]
    return talk.screen("campaign.movements", *choices, without=without, lines=plain)


@dialogue.take("movements")
async def take_movements(talk: Talk, answer: Answer) -> Move | str:
    if answer.many:
        picked = [int(key.removeprefix("m-")) for key in answer.many if key.startswith("m-")]
        talk.put(movements=sorted(set(talk.data["movements"]) ^ set(picked)))
        return AGAIN
    if answer.choice == "more":
        open_to_me = current(talk).movements_for(_audience(talk))
        talk.put(start=page(open_to_me, talk.data.get("start", 0), PAGE)[1])
        return AGAIN
    if answer.choice == "done":
        if not talk.data["movements"]:
            raise Again("campaign.movements_none")
        return "goals"
    number = int(answer.choice.removeprefix("m-"))
    talk.put(movements=sorted(set(talk.data["movements"]) ^ {number}))
    return AGAIN


@dialogue.ask("goals", Kind.MANY)
async def ask_goals(talk: Talk) -> Message:
    campaign = current(talk)
    chosen = talk.data["goals"]
    own = [goal for goal in chosen if goal not in campaign.goals]
    shown = [*campaign.goals, *own][:6]
    lines = [f"✅ {goal}" if goal in chosen else goal for goal in shown]
    choices = [Choice(f"✅ {i + 1}" if goal in chosen else str(i + 1), f"g-{i}") for i, goal in enumerate(shown)]
    return talk.screen(
        "campaign.goals", *choices, round=campaign.rounds[campaign.round_on(talk.today) - 1].name, lines=lines
    )


@dialogue.take("goals")
async def take_goals(talk: Talk, answer: Answer) -> Move | str:
    campaign = current(talk)
    chosen = list(talk.data["goals"])
    shown = [*campaign.goals, *(goal for goal in chosen if goal not in campaign.goals)]
    if answer.choice == "own":
        return "own"
    if answer.choice == "done":
        if not 1 <= len(chosen) <= 3:
            raise Again("campaign.goals_count", n=len(chosen))
        return "preview"
    picked = answer.many or (answer.choice,)
    for key in picked:
        if key.startswith("g-"):
            goal = shown[int(key.removeprefix("g-"))]
            chosen = [g for g in chosen if g != goal] if goal in chosen else [*chosen, goal]
    talk.put(goals=chosen)
    return AGAIN


@dialogue.ask("own", Kind.TEXT)
async def ask_own(talk: Talk) -> Message:
    return talk.screen("campaign.own")


@dialogue.take("own")
async def take_own(talk: Talk, answer: Answer) -> Move | str:
    goal = clean_line(answer.text)
    if not 10 <= letters(goal) <= 200:
        raise Again("campaign.own_length", n=letters(goal))
    talk.put(goals=[*talk.data["goals"], goal])
    return "goals"


def _names(talk: Talk, numbers: list[int]) -> str:
    movements = current(talk).movements
    return "; ".join(f'"{movements[n].name}"' for n in numbers if n < len(movements))


@dialogue.ask("preview")
async def ask_preview(talk: Talk) -> Message:
    campaign = current(talk)
    unit = (
        (await units.get(talk.session, talk.me.unit_id)).name
        if talk.me.unit_id
        else talk.words("onboarding.unit_later")
    )
    return talk.screen(
        "campaign.preview",
        name=talk.me.name,
        unit=unit,
        movements=_names(talk, talk.data["movements"]),
        goals="; ".join(talk.data["goals"]),
        ends=campaign.rounds[campaign.round_on(talk.today) - 1].ends_on,
    )


@dialogue.take("preview")
async def take_preview(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "edit":
        return "movements"
    if answer.choice == "drop":
        talk.say("common.cancelled")
        return END
    campaign = current(talk)
    row = await campaigns.register(
        talk.session,
        talk.me,
        campaign.year,
        campaign.round_on(talk.today),
        talk.data["movements"],
        talk.data["goals"],
        talk.now,
    )
    talk.say("campaign.registered", code=row.code)
    return END


@dialogue.ask("registration")
async def ask_registration(talk: Talk) -> Message:
    row = await _registration(talk)
    if row is None:
        raise Again("campaign.registration_none")
    return talk.screen(
        "campaign.registration",
        code=row.code,
        year=row.year,
        round=current(talk).rounds[row.round - 1].name,
        movements=_names(talk, row.movements),
        goals="; ".join(row.goals),
        outcome=talk.words(f"campaign.outcome_{row.outcome}") if row.outcome else "",
    )


@dialogue.take("registration")
async def take_registration(talk: Talk, answer: Answer) -> Move | str:
    return answer.choice


async def report(talk: Talk, arg: str) -> Move | None:
    """The answer to "how is it going?" before a round ends."""
    code, _, outcome = arg.partition(".")
    if outcome not in ("done", "doing", "notyet"):
        raise Again("common.unknown")
    await campaigns.report(talk.session, talk.me.id, code, outcome, talk.now)
    talk.say(f"campaign.thanks_{outcome}")
    return None


DIALOGUES = (dialogue,)
COMMANDS = (
    Command("thidua", show, place=Place.MAIN, joined=False, slash=True),
    Command("ketqua", report),
)
