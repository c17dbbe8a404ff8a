"""Composing: what kind, for whom, the words and files, and the checks they must pass."""

from __future__ import annotations

from datetime import datetime, time

from content.anniversaries import check_ordinals
from content.calendar import LOCAL
from content.message import Choice, Message
from content.placeholders import unknown_placeholders
from content.search import UnitName, search_units
from content.text import broadcast_warnings, clean, clean_line, letters, secrecy_stamps
from db import attachments, audiences, broadcasts, policy, units
from db.audiences import Rule
from db.errors import Refused
from db.models import Audience, Unit
from db.policy import Action
from handlers.announcing.flow import MOST, MOST_CAPTION, as_read, change, count, dialogue, rule, text
from handlers.dialogue import AGAIN, STAY, Again, Answer, Command, Kind, Move, Place
from handlers.paging import page
from handlers.report.files import LARGEST
from handlers.talk import Talk

PHOTOS = 4
SHOWN = 5
DOCUMENT = {"doc_number": (5, 80), "doc_subject": (5, 200), "doc_summary": (20, 400), "doc_due": (3, 80)}
"""Fewest and most characters of a document's parts."""


async def may_broadcast(talk: Talk) -> bool:
    """Whether there is any part of the tree this person may write to."""
    return talk.person is not None and bool(await policy.scopes(talk.session, talk.me.id, Action.BROADCAST))


async def begin(talk: Talk, arg: str) -> Move | None:
    """A new message, or the one begun before."""
    scopes = await policy.scopes(talk.session, talk.me.id, Action.BROADCAST)
    if not scopes:
        raise Refused("common.refused")
    return dialogue.go("start")


@dialogue.ask("start")
async def start(talk: Talk) -> Message | str:
    assert talk.draft is not None
    if talk.data.get("kind") and talk.draft.step != "start":
        return talk.draft.step
    if await broadcasts.only_leads_team(talk.session, talk.me.id):
        midnight = datetime.combine(talk.today, time(0), LOCAL)
        if await broadcasts.sent_today(talk.session, talk.me.id, midnight):
            raise Again("announcing.team_once")
    return "type"


@dialogue.ask("type")
async def ask_type(talk: Talk) -> Message | str:
    if await broadcasts.only_leads_team(talk.session, talk.me.id):
        talk.say("announcing.team_only_text")
        await _set_audience(talk)
        talk.put(kind="notice", team=True)
        return "audience"
    return talk.screen("announcing.type")


@dialogue.take("type")
async def take_type(talk: Talk, answer: Answer) -> Move | str:
    talk.put(kind=answer.choice)
    if "audience" not in talk.data:
        await _set_audience(talk)
    return "audience"


async def _set_audience(talk: Talk) -> None:
    top = (await policy.scopes(talk.session, talk.me.id, Action.BROADCAST))[0]
    confirmed = await broadcasts.is_unit_only(talk.session, talk.me.id, top)
    talk.put(audience=Rule(top, confirmed=confirmed).to_json(), unit_name=(await units.get(talk.session, top)).name)


# ---------------------------------------------------------------------------------------------------- audience


@dialogue.ask("audience")
async def ask_audience(talk: Talk) -> Message:
    here = rule(talk)
    found = await count(talk)
    reasons = [member.reason for member in found]
    groups = ", ".join(talk.words(f"announcing.group_{group}") for group in here.groups)
    below = await units.children(talk.session, here.unit_id)
    without = [] if below or talk.data.get("moved") else ["unit", "whole"]
    without += [] if len(await audiences.sectors(talk.session, here.unit_id)) > 1 or here.sector else ["sector"]
    return talk.screen(
        "announcing.audience",
        without=without,
        unit=talk.data["unit_name"],
        whole=here.whole,
        groups=groups or talk.words("announcing.audience_all"),
        sector=here.sector,
        officers=here.officers,
        n=reasons.count(""),
        units=await audiences.count_units(talk.session, found),
        muted=reasons.count("muted") + reasons.count("withdrawn"),
        blocked=reasons.count("blocked"),
        unconfirmed=reasons.count("unconfirmed"),
        capped=reasons.count("capped"),
    )


@dialogue.take("audience")
async def take_audience(talk: Talk, answer: Answer) -> Move | str:
    here = rule(talk)
    if answer.choice == "next":
        if not any(not member.reason for member in await count(talk)):
            raise Again("announcing.audience_nobody")
        return "doc_number" if talk.data["kind"] == "document" else "body"
    if answer.choice in ("whole", "officers"):
        change(talk, **{answer.choice: not getattr(here, answer.choice)})
        return AGAIN
    talk.put(start=0)
    return answer.choice


@dialogue.ask("unit", free=True)
async def ask_unit(talk: Talk) -> Message:
    here = rule(talk)
    below = await units.children(talk.session, here.unit_id)
    shown, after = page(below, talk.data.get("start", 0), SHOWN)
    choices = [Choice((unit.short_name or unit.name)[:24], f"unit-{unit.id}") for unit in shown]
    without = () if after or talk.data.get("start", 0) else ("more",)
    return talk.screen("announcing.unit", *choices, without=without, unit=talk.data["unit_name"])


@dialogue.take("unit")
async def take_unit(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "same":
        return "audience"
    if answer.choice == "more":
        below = await units.children(talk.session, rule(talk).unit_id)
        talk.put(start=page(below, talk.data.get("start", 0), SHOWN)[1])
        return "unit"
    if answer.choice:
        await _choose(talk, await units.get(talk.session, int(answer.choice.removeprefix("unit-"))))
        return "audience"
    # Typing reaches any unit, also above where one is now; the right to it is checked.
    named = [
        UnitName(u.id, tuple(filter(None, (u.name, u.short_name, u.code, *u.aliases))), u.old_names, u.place, u.parent)
        for u in await units.names(talk.session, teams=True)
    ]
    for hit in search_units(clean_line(answer.text), named, 10):
        if await policy.may(talk.session, talk.me.id, Action.BROADCAST, hit.id):
            await _choose(talk, await units.get(talk.session, hit.id))
            return "audience"
    raise Again("announcing.unit_unknown")


async def _choose(talk: Talk, unit: Unit) -> None:
    await policy.check(talk.session, talk.me.id, Action.BROADCAST, unit.id)
    change(talk, unit=unit.id, sector="")
    talk.put(unit_name=unit.name, moved=True)


@dialogue.ask("groups", Kind.MANY)
async def ask_groups(talk: Talk) -> Message:
    chosen = rule(talk).groups
    choices = []
    for group in Audience:
        name = talk.words(f"announcing.group_{group.value}")
        shown = talk.words("announcing.group_on" if group.value in chosen else "announcing.group_off", name=name)
        choices.append(Choice(shown, group.value))
    return talk.screen("announcing.groups", *choices)


@dialogue.take("groups")
async def take_groups(talk: Talk, answer: Answer) -> Move | str:
    if answer.many:
        change(talk, groups=[key for key in answer.many if key != "done"])
        return AGAIN
    if answer.choice == "done":
        return "audience"
    change(talk, groups=sorted(set(rule(talk).groups) ^ {answer.choice}))
    return AGAIN


@dialogue.ask("sector")
async def ask_sector(talk: Talk) -> Message:
    found = await audiences.sectors(talk.session, rule(talk).unit_id)
    shown, after = page(found, talk.data.get("start", 0), SHOWN)
    without = () if after or talk.data.get("start", 0) else ("more",)
    return talk.screen(
        "announcing.sector", *(Choice(name[:24], f"sector-{found.index(name)}") for name in shown), without=without
    )


@dialogue.take("sector")
async def take_sector(talk: Talk, answer: Answer) -> Move | str:
    found = await audiences.sectors(talk.session, rule(talk).unit_id)
    if answer.choice == "more":
        talk.put(start=page(found, talk.data.get("start", 0), SHOWN)[1])
        return "sector"
    change(talk, sector="" if answer.choice == "all" else found[int(answer.choice.removeprefix("sector-"))])
    return "audience"


# ---------------------------------------------------------------------------------------------------- words and files


def _document_step(step: str, after: str) -> None:
    least, most = DOCUMENT[step]

    @dialogue.ask(step, Kind.TEXT)
    async def ask(talk: Talk) -> Message:
        return talk.screen(f"announcing.{step}")

    @dialogue.take(step)
    async def take(talk: Talk, answer: Answer) -> Move | str:
        if answer.choice == "skip":
            talk.drop(step)
            return after
        given = clean(answer.text)
        if not least <= letters(given) <= most:
            raise Again("announcing.doc_length", least=least, most=most, n=letters(given))
        refuse_secrets(given)
        talk.put(**{step: given})
        return after


_document_step("doc_number", "doc_subject")
_document_step("doc_subject", "doc_summary")
_document_step("doc_summary", "doc_due")
_document_step("doc_due", "body")


def refuse_secrets(given: str) -> None:
    """What may never go out, whatever an officer thinks of it."""
    stamps = secrecy_stamps(given)
    if stamps:
        raise Again("announcing.secret", found=", ".join(stamps))
    strange = unknown_placeholders(given)
    if strange:
        raise Again("announcing.placeholder", found=", ".join(strange))


@dialogue.ask("body", Kind.FILES)
async def ask_body(talk: Talk) -> Message:
    kind = talk.data["kind"]
    return talk.screen(
        "announcing.body",
        most=MOST,
        document=kind == "document",
        files=not talk.data.get("team"),
        text=talk.data.get("text", ""),
    )


@dialogue.take("body")
async def take_body(talk: Talk, answer: Answer) -> Move | str:
    assert talk.draft is not None
    if answer.choice == "next":
        if not talk.data.get("text") and talk.data["kind"] != "document":
            raise Again("announcing.body_empty")
        return "warnings"
    for file in answer.files:
        if talk.data.get("team"):
            raise Again("announcing.body_text_only")
        if file.size > LARGEST:
            raise Again("report.files_too_big")
        stamps = secrecy_stamps(file.name.rpartition(".")[0].upper())
        if stamps:
            raise Again("announcing.secret", found=file.name)
        photos, others = await attachments.count(talk.session, talk.draft.id)
        photo = file.kind == "photo"
        if others or (photo and photos >= PHOTOS) or (not photo and photos):
            raise Again("announcing.body_files")
        await attachments.add(
            talk.session,
            person_id=talk.me.id,
            account_id=talk.account.id,
            channel=talk.account.channel,
            draft_id=talk.draft.id,
            kind="photo" if photo else "document",
            ref=file.ref,
            unique_ref=file.unique_ref,
            name=file.name,
            size=file.size,
            now=talk.now,
        )
    photos, others = await attachments.count(talk.session, talk.draft.id)
    if answer.text and talk.data["kind"] != "document":
        given = clean(answer.text)
        most = MOST_CAPTION if photos or others else MOST
        if letters(given) > most:
            raise Again("announcing.body_long", n=letters(given), most=most)
        refuse_secrets(given)
        talk.put(text=given)
    written = letters(talk.data.get("text", ""))
    talk.say("announcing.body_noted", slot=talk.quiet, after=1.0, text=written, files=photos + others)
    return STAY


@dialogue.ask("warnings")
async def ask_warnings(talk: Talk) -> Message | str:
    written = text(talk)
    lines = []
    for key, params in broadcast_warnings(written):
        lines.append(talk.house.words.plain(f"announcing.warn_{key}", **params))
    pack = talk.house.packs.anniversaries
    for key, said, computed in check_ordinals(pack, written, talk.today):
        name = pack.get(key).name
        lines.append(talk.house.words.plain("announcing.warn_ordinal", written=said, computed=computed, name=name))
    return talk.screen("announcing.warnings", lines=lines) if lines else "preview"


@dialogue.take("warnings")
async def take_warnings(talk: Talk, answer: Answer) -> Move | str:
    return "body" if answer.choice == "edit" else "preview"


@dialogue.ask("preview")
async def ask_preview(talk: Talk) -> Message:
    return talk.screen("announcing.preview", text=talk.house.words.unescape(as_read(talk).text))


@dialogue.take("preview")
async def take_preview(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "edit":
        return "correction" if talk.data["kind"] == "correction" else "body"
    if answer.choice == "test":
        talk.out.append((as_read(talk), None, 0.0))
        talk.say("announcing.test_sent")
    return "when"


COMMANDS = (Command("guitin", begin, place=Place.OFFICER, slash=True, visible=may_broadcast),)
