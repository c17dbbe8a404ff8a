"""The questions about oneself: reminders, audience group, shift; the last words; moving to another unit."""

from __future__ import annotations

from content.message import Message
from db import people, units
from db.models import Audience, Membership, Purpose, Shift
from handlers.dialogue import END, Answer, Move
from handlers.onboarding.flow import dialogue, missing, onward, task
from handlers.onboarding.workplace import settle
from handlers.talk import Talk


@dialogue.question("news", "onboarding.news")
async def take_news(talk: Talk, answer: Answer) -> Move | str:
    talk.put(news=answer.choice)
    if answer.choice == "yes":
        await switch_news_on(talk)
    else:
        await people.stop_news(talk.session, talk.me, talk.now)
    return onward(talk, "news")


async def switch_news_on(talk: Talk) -> None:
    """A yes to reminders, with its proof."""
    talk.me.news = True
    await talk.consent(Purpose.NEWS)


@dialogue.question("group", "onboarding.group")
async def take_group(talk: Talk, answer: Answer) -> Move | str:
    audience = Audience(answer.choice)
    talk.put(group=answer.choice)
    if audience == Audience.PUBLIC:
        return "union_here"
    talk.me.audience = audience
    if audience == Audience.OFFICER:
        talk.me.membership = Membership.YES
        talk.say("onboarding.group_officer")
    elif audience == Audience.NONMEMBER:
        talk.me.membership = Membership.NO
    return onward(talk, "group")


@dialogue.question("union_here", "onboarding.union_here")
async def take_union_here(talk: Talk, answer: Answer) -> Move | str:
    # A union at the workplace does not make somebody a member; its absence since the 2025 change does mean they are none.
    if answer.choice == "no":
        talk.me.membership = Membership.NO
    elif talk.me.audience != Audience.PUBLIC:
        talk.me.membership = Membership.UNKNOWN
    talk.me.audience = Audience.PUBLIC
    return onward(talk, "group")


@dialogue.question("shift", "onboarding.shift")
async def take_shift(talk: Talk, answer: Answer) -> Move | str:
    talk.put(shift=answer.choice)
    if answer.choice != "skip":
        talk.me.shift = Shift(answer.choice)
    return onward(talk, "shift")


@dialogue.ask("done")
async def ask_done(talk: Talk) -> Message | Move:
    me = talk.me
    talk.say(
        "onboarding.done",
        unit=await workplace_name(talk),
        audience=audience_name(talk),
        news=talk.words("onboarding.news_on" if me.news else "onboarding.news_off"),
    )
    command, arg = task(talk)
    talk.conversation.pending = {}
    if command in talk.house.registry.commands:
        talk.say("onboarding.go_on", command=command, arg=arg, what=_task(talk, command))
    return END


def _task(talk: Talk, command: str) -> str:
    """What was asked for before joining: an entry of the menu by its button, anything else in words of its own."""
    words, own = talk.house.words, f"onboarding.go_on_{command}"
    if own in words:
        return words.plain(own)
    known = f"commands.{command}" in words
    label = words.message(f"commands.{command}").choices[0].label if known else ""
    return words.plain("onboarding.go_on_entry", label=label) if label else words.plain("onboarding.go_on_task")


async def workplace_name(talk: Talk) -> str:
    """Where this person works: a team with what it belongs to, what they wrote down, or that it is not known yet."""
    if talk.me.unit_id is None:
        written = await units.find_request(talk.session, talk.me.id)
        plain = talk.house.words.plain
        return plain("onboarding.unit_written", text=written.text) if written else plain("onboarding.unit_later")
    return await units.full_name(talk.session, await units.get(talk.session, talk.me.unit_id))


def audience_name(talk: Talk) -> str:
    """The group whose content this person gets."""
    return talk.words(f"onboarding.audience_{talk.me.audience.value if talk.me.audience else 'none'}")


# ---------------------------------------------------------------------------------------------------- moving


@dialogue.ask("move")
async def ask_move(talk: Talk) -> Message:
    new = await units.get(talk.session, talk.data["unit"])
    return talk.screen("onboarding.move", old=await workplace_name(talk), new=await units.full_name(talk.session, new))


@dialogue.take("move")
async def take_move(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "yes":
        settle(talk, talk.data["unit"])
    left = missing(talk)
    without = ("menu",) if left else ()
    key = "onboarding.moved" if answer.choice == "yes" else "onboarding.kept"
    talk.say(key, without=without, unit=await workplace_name(talk))
    return left[0] if left else END
