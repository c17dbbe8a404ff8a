"""The emulation campaign as people read it, what they registered, and what they say became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from content.campaigns import Campaign, campaign_for
from content.message import Message
from content.text import clean_line, letters
from db import accounts, campaigns
from handlers.dialogue import END, Again, Answer, Command, Dialogue, Kind, Move, Place
from handlers.paging import page, turn
from handlers.talk import Talk

if TYPE_CHECKING:
    from db.models import Registration

dialogue = Dialogue("campaign")

PAGE = 5
OUTCOMES = ("done", "doing", "notyet")
OUTCOME_TEXT = (5, 300)
"""Fewest and most letters of what somebody adds about the outcome."""


def current(talk: Talk) -> Campaign:
    """The campaign of today. Raises Again when there is none."""
    found = campaign_for(talk.house.packs.campaigns, talk.today)
    if found is None:
        raise Again("campaign.none")
    return found


def audience(talk: Talk) -> str:
    """The group whose content and movements somebody sees first."""
    if talk.person is None or talk.me.audience is None:
        return "enterprise"
    return talk.me.audience.value


def quoted(talk: Talk, campaign: Campaign, numbers: list[int], most: int = 4) -> str:
    """The names of some movements, as many as fit a small screen."""
    names = [f'"{campaign.movements[n].name}"' for n in numbers if n < len(campaign.movements)]
    rest = [talk.words("campaign.and_more", n=len(names) - most)] if len(names) > most else []
    return "; ".join([*names[:most], *rest])


async def show(talk: Talk, arg: str) -> Move | None:
    """This year's campaign, or by its code what one registered."""
    return dialogue.go("registration" if arg and await is_mine(talk, arg) else "home")


async def is_mine(talk: Talk, code: str) -> bool:
    """Whether a receipt code is of this person's registration of this year."""
    campaign = campaign_for(talk.house.packs.campaigns, talk.today)
    rows = await _registered(talk, campaign) if campaign is not None else []
    return any(row.code == code for row in rows)


async def _registered(talk: Talk, campaign: Campaign) -> list[Registration]:
    if talk.person is None:
        return []
    return await campaigns.list_registrations(talk.session, talk.me.id, campaign.year)


# ---------------------------------------------------------------------------------------------------- reading


@dialogue.ask("home")
async def ask_home(talk: Talk) -> Message:
    campaign = current(talk)
    number = campaign.last_begun(talk.today)
    shown = campaign.rounds[number - 1]
    rows = await _registered(talk, campaign)
    registered = None
    if talk.person is not None:
        count = sum(len(row.movements) for row in rows if row.round == number)
        registered = talk.words("campaign.registered_some" if count else "campaign.registered_none", n=count)
        begun = await accounts.find_draft(talk.session, talk.me.id, "registration")
        if begun is not None and begun.data.get("movements"):
            registered += "\n" + talk.words("campaign.registering")
    without = [] if campaign.open_round(talk.today) else ["register"]
    without += [] if rows else ["registration"]
    without += [] if campaign.pages else ["plan"]
    return talk.screen(
        "campaign.home",
        without=without,
        year=campaign.year,
        theme=campaign.theme,
        round=shown.name,
        starts=shown.starts_on,
        ends=shown.ends_on,
        left=_left(talk, campaign, number),
        registered=registered,
        approved=campaign.approved,
    )


def _left(talk: Talk, campaign: Campaign, number: int) -> str:
    """What is left of a round, its last day included."""
    shown = campaign.rounds[number - 1]
    days = (shown.ends_on - talk.today).days
    if talk.today < shown.starts_on:
        return talk.words("campaign.ahead")
    if days < 0:
        return talk.words("campaign.over")
    return talk.words("campaign.left_days", n=days) if days else talk.words("campaign.left_today")


@dialogue.take("home")
async def take_home(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "mine":
        talk.put(view="card", group=audience(talk))
        # Somebody who has not said their group is asked, not guessed at.
        return "card" if talk.person is not None and talk.me.audience is not None else "other"
    if answer.choice == "list":
        talk.put(view="list", group=audience(talk), start=0)
        return "list"
    if answer.choice == "plan":
        talk.put(pages="plan", start=0)
        return "page"
    return answer.choice


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
    return talk.screen("campaign.other", without=("levels",) if talk.data["view"] == "list" else ())


@dialogue.take("other")
async def take_other(talk: Talk, answer: Answer) -> Move | str:
    talk.put(group=answer.choice, start=0)
    return str(talk.data["view"])


@dialogue.ask("page")
async def ask_page(talk: Talk) -> Message:
    campaign = current(talk)
    what = talk.data["pages"]
    pages = campaign.pages if what == "plan" else campaign.contents[what].pages
    (text,), _ = page(talk, pages, 1)
    at = talk.data["start"] + 1
    without = ("more",) if at == len(pages) else ()
    return talk.screen("campaign.page", without=without, text=text.strip(), i=at, n=len(pages))


@dialogue.take("page")
async def take_page(talk: Talk, answer: Answer) -> Move | str:
    return turn(talk) if answer.choice == "more" else "home"


@dialogue.ask("list")
async def ask_list(talk: Talk) -> Message:
    campaign, group = current(talk), talk.data["group"]
    shown, without = page(talk, campaign.movements_for(group), PAGE)
    without += () if campaign.open_round(talk.today) else ("register",)
    return talk.screen(
        "campaign.list",
        without=without,
        year=campaign.year,
        title=talk.words(f"campaign.title_{group}"),
        movements=[(m.name, m.launched_by, m.whom) for _, m in shown],
    )


@dialogue.take("list")
async def take_list(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "more":
        return turn(talk)
    return answer.choice


# ---------------------------------------------------------------------------------------------------- one's own


@dialogue.ask("registration")
async def ask_registration(talk: Talk) -> Message:
    campaign = current(talk)
    rows = await _registered(talk, campaign)
    if not rows:
        raise Again("campaign.registration_none")
    return talk.screen(
        "campaign.registration",
        without=() if campaign.open_round(talk.today) else ("register",),
        year=campaign.year,
        rows=[_lines(talk, campaign, row) for row in rows],
    )


def _lines(talk: Talk, campaign: Campaign, row: Registration) -> dict[str, str]:
    return {
        "code": row.code,
        "round": campaign.rounds[row.round - 1].name if row.round <= len(campaign.rounds) else "",
        "movements": quoted(talk, campaign, row.movements),
        "goals": "; ".join(row.goals),
        "outcome": talk.words(f"campaign.outcome_{row.outcome}") if row.outcome else "",
        "more": row.outcome_text,
    }


@dialogue.take("registration")
async def take_registration(talk: Talk, answer: Answer) -> Move | str:
    return answer.choice


async def report(talk: Talk, arg: str) -> Move | None:
    """The answer to "how is it going?" before a round ends; one line may be added."""
    code, _, outcome = arg.partition(".")
    if outcome not in OUTCOMES:
        raise Again("common.unknown")
    row = await campaigns.report(talk.session, talk.me.id, code, outcome, talk.now)
    return dialogue.go("outcome", code=row.code, outcome=outcome)


@dialogue.ask("outcome", Kind.TEXT)
async def ask_outcome(talk: Talk) -> Message:
    return talk.screen(f"campaign.thanks_{talk.data['outcome']}")


@dialogue.take("outcome")
async def take_outcome(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "skip":
        talk.say("campaign.outcome_kept")
        return END
    text = clean_line(answer.text)
    least, most = OUTCOME_TEXT
    if not least <= letters(text) <= most:
        raise Again("campaign.outcome_length", n=letters(text))
    await campaigns.add_outcome_text(talk.session, talk.me.id, talk.data["code"], text, talk.now)
    talk.say("campaign.outcome_added")
    return END


DIALOGUES = (dialogue,)
COMMANDS = (
    Command("thidua", show, place=Place.MAIN, joined=False, slash=True, opens=is_mine),
    Command("ketqua", report),
)
