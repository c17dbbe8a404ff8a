"""The questions themselves."""

from __future__ import annotations

from content.message import Message
from content.money import parse_money
from content.text import clean_line, letters, sentence_case_if_shouting
from content.times import is_future, parse_past_date
from db import accounts, attachments, people
from db.models import Purpose, Track
from handlers.dialogue import END, STAY, Again, Answer, Command, Kind, Move, Place
from handlers.onboarding import dialogue as onboarding
from handlers.profile import read_name
from handlers.report.flow import WORK, ask, dialogue, onward, order, short, story, track
from handlers.talk import Talk

PHOTOS, OTHERS = 5, 1
LARGEST = 20 * 1024 * 1024
HUGE = 10_000_000_000
"""From this many VND on an amount is asked about twice."""
RESULTS = ("money", "time", "errors", "safety", "other", "none")


# ---------------------------------------------------------------------------------------------------- entry


async def begin(talk: Talk, arg: str) -> Move | None:
    """A draft first; then whatever is missing; then the question what it is about."""
    draft = await accounts.find_draft(talk.session, talk.me.id, dialogue.name)
    if draft is not None and draft.data.get("track"):
        return dialogue.go("resume")
    return dialogue.go("start")


@dialogue.ask("start")
async def start(talk: Talk) -> Message | Move | str:
    if not await people.has_consent(talk.session, talk.me.id, Purpose.SUBMISSIONS):
        return "agree"
    if talk.me.unit_id is None:
        talk.say("report.need_unit")
        talk.conversation.pending = {"answered": ["news", "group", "shift"], "command": "sangkien", "arg": ""}
        return onboarding.go("unit_ask")
    if not talk.me.name:
        return "name"
    return "track"


@dialogue.ask("agree")
async def ask_agree(talk: Talk) -> Message:
    return talk.screen("report.agree")


@dialogue.take("agree")
async def take_agree(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "no":
        talk.say("common.cancelled")
        return END
    version = talk.words("onboarding.consent_version")
    await people.consent(talk.session, talk.me.id, Purpose.SUBMISSIONS, version, talk.account.channel, talk.now)
    return "start"


@dialogue.ask("name", Kind.TEXT)
async def ask_name(talk: Talk) -> Message:
    return talk.screen("report.name")


@dialogue.take("name")
async def take_name(talk: Talk, answer: Answer) -> Move | str:
    talk.me.name = read_name(answer.text)
    return "start"


@dialogue.ask("track")
async def ask_track(talk: Talk) -> Message:
    return talk.screen("report.track")


@dialogue.take("track")
async def take_track(talk: Talk, answer: Answer) -> Move | str:
    talk.put(track=answer.choice)
    return order(talk)[0]


@dialogue.ask("resume")
async def ask_resume(talk: Talk) -> Message:
    assert talk.draft is not None
    steps = order(talk)
    at = steps.index(talk.draft.step) + 1 if talk.draft.step in steps else 0
    title = talk.data.get("title") or talk.data.get("who") or talk.words("report.untitled")
    return talk.screen("report.resume", title=title, i=at, n=len(steps), saved=talk.draft.updated_at)


@dialogue.take("resume")
async def take_resume(talk: Talk, answer: Answer) -> Move | str:
    assert talk.draft is not None
    if answer.choice == "go":
        return talk.draft.step
    if answer.choice == "drop":
        talk.say("common.dropped")
        return END
    talk.draft.data, talk.draft.history = {}, []
    for file in await attachments.list_for_draft(talk.session, talk.draft.id):
        file.draft_id = None
    return "start"


# ---------------------------------------------------------------------------------------------------- the work


@dialogue.ask("title", Kind.TEXT)
async def ask_title(talk: Talk) -> Message:
    return ask(talk, "title", practice=track(talk) == Track.PRACTICE)


@dialogue.take("title")
async def take_title(talk: Talk, answer: Answer) -> Move | str:
    title = sentence_case_if_shouting(clean_line(answer.text))
    if not 10 <= letters(title) <= 120:
        raise Again("report.title_length", n=letters(title))
    talk.put(title=title)
    return onward(talk, "title")


@dialogue.ask("field")
async def ask_field(talk: Talk) -> Message:
    return ask(talk, "field")


@dialogue.take("field")
async def take_field(talk: Talk, answer: Answer) -> Move | str:
    talk.put(field=answer.choice)
    return onward(talk, "field")


@dialogue.ask("before", Kind.TEXT)
async def ask_before(talk: Talk) -> Message:
    talk.drop("open")
    return ask(talk, "before")


@dialogue.take("before")
async def take_before(talk: Talk, answer: Answer) -> Move | str:
    return story(talk, "before", answer)


@dialogue.ask("after", Kind.TEXT)
async def ask_after(talk: Talk) -> Message:
    talk.drop("open")
    return ask(talk, "after")


@dialogue.take("after")
async def take_after(talk: Talk, answer: Answer) -> Move | str:
    return story(talk, "after", answer)


@dialogue.ask("applied")
async def ask_applied(talk: Talk) -> Message:
    return ask(talk, "applied")


@dialogue.take("applied")
async def take_applied(talk: Talk, answer: Answer) -> Move | str:
    talk.put(applied=answer.choice)
    if answer.choice == "idea":
        talk.drop("since")
        return onward(talk, "applied")
    return "since"


@dialogue.ask("since", Kind.TEXT)
async def ask_since(talk: Talk) -> Message:
    return talk.screen("report.since")


@dialogue.take("since")
async def take_since(talk: Talk, answer: Answer) -> Move | str:
    since = short(answer.text, "since_length", 3, 200)
    when = parse_past_date(since, talk.today)
    if when is not None and is_future(when, talk.today):
        raise Again("report.since_future")
    talk.put(since=since)
    return onward(talk, "applied")


@dialogue.ask("result")
async def ask_result(talk: Talk) -> Message:
    results = talk.data.get("results", {})
    without = ["next"] if not results else ["none"]
    return ask(talk, "result", without=without, lines=result_lines(talk))


def result_lines(talk: Talk) -> list[str]:
    """The results given so far, in the order of the list."""
    results = talk.data.get("results", {})
    lines = []
    for kind in RESULTS:
        if kind == "none" and "none" in results:
            lines.append(talk.words("report.result_none"))
        elif kind in results:
            value = results[kind]
            shown = talk.words("report.a_year", amount=value) if kind == "money" else value
            lines.append(f"{talk.words(f'report.result_{kind}')}: {shown}")
    return lines


@dialogue.take("result")
async def take_result(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "next":
        return onward(talk, "result")
    if answer.choice == "none":
        talk.put(results={"none": ""})
        return onward(talk, "result")
    talk.put(kind=answer.choice)
    return "money" if answer.choice == "money" else "detail"


def _add_result(talk: Talk, kind: str, value: object) -> str:
    talk.put(results={k: v for k, v in talk.data.get("results", {}).items() if k != "none"} | {kind: value})
    return "result"


@dialogue.ask("money", Kind.NUMBER)
async def ask_money(talk: Talk) -> Message:
    return talk.screen("report.money")


@dialogue.take("money")
async def take_money(talk: Talk, answer: Answer) -> Move | str:
    amount = parse_money(answer.text)
    if amount is None or amount <= 0:
        raise Again("report.money_unclear")
    talk.put(amount=amount)
    return "money_ok"


@dialogue.ask("money_ok")
async def ask_money_ok(talk: Talk) -> Message:
    return talk.screen("report.money_ok", amount=talk.data["amount"], huge=talk.data["amount"] > HUGE)


@dialogue.take("money_ok")
async def take_money_ok(talk: Talk, answer: Answer) -> Move | str:
    return _add_result(talk, "money", talk.data["amount"]) if answer.choice == "yes" else "money"


@dialogue.ask("detail", Kind.TEXT)
async def ask_detail(talk: Talk) -> Message:
    return talk.screen("report.detail", what=talk.words(f"report.result_{talk.data['kind']}"))


@dialogue.take("detail")
async def take_detail(talk: Talk, answer: Answer) -> Move | str:
    return _add_result(talk, talk.data["kind"], short(answer.text, "detail_length", 3, 300))


# ---------------------------------------------------------------------------------------------------- files


@dialogue.ask("files", Kind.FILES)
async def ask_files(talk: Talk) -> Message:
    return ask(talk, "files")


@dialogue.take("files")
async def take_files(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice in ("next", "skip"):
        return onward(talk, "files")
    if not answer.files:
        raise Again("report.files_words")
    assert talk.draft is not None
    for file in answer.files:
        if file.size > LARGEST:
            raise Again("report.files_too_big")
        photos, others = await attachments.count(talk.session, talk.draft.id)
        photo = file.kind == "photo"
        if (photos if photo else others) >= (PHOTOS if photo else OTHERS):
            what = talk.words("report.files_photo" if photo else "report.files_other")
            talk.say("report.files_full", slot="full", after=1.5, most=PHOTOS if photo else OTHERS, what=what)
            return STAY
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
    # An album comes picture by picture: one answer after 1.5 s of quiet says how many there are now.
    talk.say("report.files_got", slot=talk.quiet, after=1.5, photos=photos, others=others)
    return STAY


# ---------------------------------------------------------------------------------------------------- good deeds


@dialogue.ask("who", Kind.TEXT)
async def ask_who(talk: Talk) -> Message:
    return ask(talk, "who")


@dialogue.take("who")
async def take_who(talk: Talk, answer: Answer) -> Move | str:
    talk.put(who=short(answer.text, "short_length", 3, 200))
    return onward(talk, "who")


@dialogue.ask("what", Kind.TEXT)
async def ask_what(talk: Talk) -> Message:
    talk.drop("open")
    return ask(talk, "what")


@dialogue.take("what")
async def take_what(talk: Talk, answer: Answer) -> Move | str:
    return story(talk, "what", answer)


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


@dialogue.ask("publish")
async def ask_publish(talk: Talk) -> Message:
    return talk.screen("report.publish")


@dialogue.take("publish")
async def take_publish(talk: Talk, answer: Answer) -> Move | str:
    talk.put(publish=answer.choice)
    talk.drop("editing")
    return "preview"


COMMANDS = (Command("sangkien", begin, place=Place.MAIN, slash=True),)

__all__ = ["COMMANDS", "WORK", "result_lines"]
