"""What is shared about an automatic message: who may see it, how it stands, and the buttons that still make sense."""

from __future__ import annotations

import re
from datetime import timedelta

from content.agenda import asked, asked_from, entries_of
from db import automatic, people, policy, units
from db.errors import NotFound
from db.models import AutomaticMessage, AutomaticState
from db.policy import Action
from handlers.dialogue import Dialogue
from handlers.talk import Talk

dialogue = Dialogue("automatic", officers=True)


async def may_see(talk: Talk) -> bool:
    """Whether this person answers for what goes out by itself."""
    return await talk.may(Action.DECIDE_AUTOMATIC)


async def waiting(talk: Talk) -> str:
    """The officer's line about tomorrow's messages that nobody has decided about."""
    if not await may_see(talk):
        return ""
    new = [
        row
        for row in await automatic.list_open(talk.session, talk.today)
        if row.send_on > talk.today
        or (await is_lost(talk, row) and not await automatic.has_begun(talk.session, row.key))
    ]
    return talk.words("automatic.waiting", n=len(new)) if new else ""


async def is_lost(talk: Talk, row: AutomaticMessage) -> bool:
    """Whether it is held because what was decided may be lost."""
    return await automatic.is_lost(talk.session, row.key, asked_from(row.send_on))


def is_over(talk: Talk, row: AutomaticMessage) -> bool:
    """Whether it is too late to decide: the day is over, or the round whose end it asks about."""
    entries = entries_of(talk.house.words, talk.house.packs, row.key, row.send_on)
    last = entries[0].day if entries and entries[0].kind == "check" else row.send_on
    return last < talk.today


async def row_of(talk: Talk, arg: str) -> tuple[AutomaticMessage, int]:
    """The message of a button and the version it was shown in. Raises NotFound."""
    found = re.fullmatch(r"([0-9]{1,9})\.([0-9]{1,9})", arg)
    if found is None:
        raise NotFound("common.not_found")
    return await automatic.get(talk.session, int(found[1])), int(found[2])


async def top_of(talk: Talk) -> int | None:
    top = await units.top(talk.session)
    return top.id if top is not None else None


async def show(talk: Talk, row: AutomaticMessage, late: str = "") -> None:
    """A message as it stands, with the buttons that still make sense."""
    entries = entries_of(talk.house.words, talk.house.packs, row.key, row.send_on)
    if not entries:
        raise NotFound("common.not_found")
    top = await top_of(talk)
    options: list[str] = []
    if not await automatic.has_begun(talk.session, row.key) and not is_over(talk, row):
        if row.state != AutomaticState.RELEASED and await automatic.may_release(talk.session, row, talk.me.id, top):
            options.append("send")
        if row.state != AutomaticState.STOPPED and await automatic.may_stop(talk.session, row, talk.me.id, top):
            options.append("stop")
        if not row.key.startswith("check") and await policy.may(talk.session, talk.me.id, Action.DECIDE_AUTOMATIC, top):
            options.append("edit")
    message = asked(
        talk.house.words, entries, number=row.id, version=row.version, text=row.text, state=await state_of(talk, row),
        options=options, tomorrow=row.send_on == talk.today + timedelta(days=1), late=late,
    )  # fmt: skip
    talk.out.append((message, None, 0.0))


async def state_of(talk: Talk, row: AutomaticMessage) -> str:
    if await automatic.has_begun(talk.session, row.key):
        return talk.house.words.plain("automatic.state_begun")
    if await is_lost(talk, row):
        return talk.house.words.plain("automatic.state_lost")
    if row.state == AutomaticState.ASKED:
        return talk.house.words.plain(f"automatic.state_asked_{talk.house.silence}")
    by = row.edited_by if row.state == AutomaticState.EDITED else row.decided_by
    who = (await people.get(talk.session, by)).name if by is not None else ""
    return talk.house.words.plain(f"automatic.state_{row.state.value}", who=who)
