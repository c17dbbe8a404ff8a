"""Writing a round step by step: three questions, everything else as usual, and each setting a press away until it is right."""

from __future__ import annotations

from typing import Any

from content.contest_plan import (
    BANK,
    BY_NAME,
    CONTEST,
    ROUND,
    WEEK,
    Fault,
    Setting,
    Unreadable,
    check_round,
    read_settings,
    stored,
    usual_week,
)
from content.contest_rules import rules_text, too_long
from content.message import Choice, Message
from content.text import clean, fold
from db import accounts, contests, policy, units
from db.contests import Settings
from db.contests.rounds import RUN
from db.errors import Conflict
from db.models import Contest, Round, RoundState
from handlers.contest_desk import approving
from handlers.contest_desk.flow import check, context, counts, explain, may_run, named, place, texts_of, too_late
from handlers.dialogue import AGAIN, END, Again, Answer, Command, Dialogue, Kind, Move
from handlers.paging import page, turn
from handlers.talk import Talk

dialogue = Dialogue("contest_form", officers=True, keeps_draft=True, allowed=may_run)
PAGE = 5
SIZE = 10
"""Questions of a usual paper."""
EDITED = ("name", "organiser", "legal_basis", "one_prize")
"""What is set of a contest beside its rounds, until one is approved; its unit is where the officer's role is."""


async def _in_the_way(talk: Talk, what: str) -> bool:
    """Whether another round is being written: it is not overwritten, its author decides about it first."""
    draft = await accounts.find_draft(talk.session, talk.me.id, dialogue.name)
    if draft is None or not (draft.data.get("contest") or draft.data.get("texts", {}).get("name")):
        return False  # nothing was written yet
    talk.say("contest_form.draft_first", what=what)
    return True


async def drop_draft(talk: Talk, arg: str) -> Move | None:
    """Throws away what is being written and begins what was wanted."""
    draft = await accounts.find_draft(talk.session, talk.me.id, dialogue.name)
    if draft is not None:
        draft.data, draft.history, draft.ahead = {}, [], []
    wanted, _, rest = arg.partition(" ")
    return await {"suathi": edit, "tuansau": next_week}.get(wanted, begin)(talk, rest)


async def begin(talk: Talk, arg: str) -> Move | None:
    """A new contest, in the officer's part of the tree."""
    await check(talk)
    top = (await talk.tops(RUN))[0]
    if await _in_the_way(talk, "lapthi"):
        return None
    texts = usual_week(talk.now) | {"quota": usual_quota(await counts(talk))}
    return dialogue.go("name", texts=texts, unit=top)


def usual_quota(have: dict[str, int]) -> str:
    """Ten questions over the topics that have enough reviewed ones, as evenly as they allow."""
    room = {topic: number // BANK for topic, number in have.items() if number >= BANK}
    quota = dict.fromkeys(room, 0)
    while sum(quota.values()) < SIZE and any(quota[topic] < room[topic] for topic in room):
        for topic in room:
            if quota[topic] < room[topic] and sum(quota.values()) < SIZE:
                quota[topic] += 1
    return "; ".join(f"{topic}: {number}" for topic, number in quota.items() if number)


async def edit(talk: Talk, arg: str) -> Move | None:
    """A draft once more, as it stands."""
    round_, version, contest = await named(talk, arg)
    await policy.check(talk.session, talk.me.id, RUN, contest.unit_id)
    if round_.state != RoundState.DRAFT or round_.version != version:
        too_late(talk, round_)
        return None
    draft = await accounts.find_draft(talk.session, talk.me.id, dialogue.name)
    if draft is not None and (draft.data.get("round"), draft.data.get("version")) == (round_.id, version):
        return dialogue.go("form")  # where it was left
    if await _in_the_way(talk, f"suathi {arg}"):
        return None
    return dialogue.go("form", round=round_.id, start=0, **await _as_it_stands(talk, round_, contest))


async def _as_it_stands(talk: Talk, round_: Round, contest: Contest) -> dict[str, Any]:
    """What a draft holds by now, as its form begins; `base` tells later what its writer has set, and what others have."""
    texts, whole = texts_of(talk, round_), await contests.is_draft(talk.session, contest.id)
    if whole:
        texts |= {name: stored(BY_NAME[name], getattr(contest, name), context(talk)) for name in EDITED}
    versions = {"version": round_.version, "contest_version": contest.version}
    return {"texts": texts, "base": texts, "contest": contest.id, "of_contest": whole, **versions}


async def next_week(talk: Talk, arg: str) -> Move | None:
    """The week behind a round, with the same settings."""
    round_, _, contest = await named(talk, arg)
    await policy.check(talk.session, talk.me.id, RUN, contest.unit_id)
    if await _in_the_way(talk, f"tuansau {arg}"):
        return None
    last = next(iter(await contests.list_rounds(talk.session, contest.id)), round_)
    texts = texts_of(talk, last)
    weeks = max(0, (talk.now - last.opens_at) // WEEK) + 1  # the next that is not begun
    later = weeks * WEEK
    for name in ("opens_at", "closes_at", "result_at"):
        texts[name] = stored(BY_NAME[name], getattr(last, name) + later, context(talk))
    return dialogue.go("form", texts=texts, contest=contest.id)


def _texts(talk: Talk) -> dict[str, str]:
    texts: dict[str, str] = talk.data["texts"]
    return texts


def _settings(talk: Talk) -> list[Setting]:
    return [*ROUND, *(BY_NAME[name] for name in EDITED)] if _of_contest(talk) else list(ROUND)


def _of_contest(talk: Talk) -> bool:
    """Whether the contest itself can still be set."""
    return not talk.data.get("contest") or bool(talk.data.get("of_contest"))


def _set(talk: Talk, name: str, text: str) -> None:
    """Keeps a value as text that means the same tomorrow. Raises Again with why not."""
    setting = BY_NAME[name]
    try:
        value = setting.read(text, context(talk))
    except Unreadable as error:
        raise Again("contest_form.unclear", what=explain(talk, Fault(0, name, error.key, error.params))) from None
    place = [each.name for each in _settings(talk)].index(name)
    kept = stored(setting, value, context(talk))
    talk.put(texts=_texts(talk) | {name: kept}, start=place // PAGE * PAGE)  # what was set is seen


def _asks(name: str, after: str) -> None:
    """Registers the question of one setting on the way to the form."""

    @dialogue.ask(name, Kind.TEXT)
    async def ask(talk: Talk) -> Message:
        return talk.screen(f"contest_form.ask_{name}", hint=talk.words(f"contest_form.hint_{name}"))

    @dialogue.take(name)
    async def take(talk: Talk, answer: Answer) -> Move | str:
        _set(talk, name, clean(answer.text))
        talk.put(**{name: clean(answer.text)}, start=0)  # whoever comes back may keep it
        return after


for _name, _after in (("name", "theme"), ("theme", "prizes"), ("prizes", "form")):
    _asks(_name, _after)


@dialogue.ask("form", free=True)
async def ask_form(talk: Talk) -> Message:
    texts, said = _texts(talk), context(talk)
    shown, without = page(talk, _settings(talk), PAGE)
    lines = []
    for setting in shown:
        text = texts.get(setting.name, "") or setting.usual or ""
        lines.append((setting.title, setting.write(setting.read(text, said), said) if text else ""))
    choices = [Choice(str(n + 1), f"set-{setting.name}") for n, setting in enumerate(shown)]
    return talk.screen("contest_form.form", *choices, without=without, lines=lines, edits=bool(talk.data.get("round")))


@dialogue.take("form")
async def take_form(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "more":
        return turn(talk)
    if answer.choice == "check":
        return "preview"
    if answer.choice:
        talk.put(setting=answer.choice.removeprefix("set-"))
        return "set"
    name, text = _named(talk, clean(answer.text))
    if not text:
        raise Again("contest_form.which")
    _set(talk, name, text)
    return AGAIN


def _named(talk: Talk, typed: str) -> tuple[str, str]:
    """The setting that a message begins with, by its longest name, and what it is to be; a colon between them may be missing."""
    title, _, rest = typed.partition(":")
    ways = [(title, rest)]
    ways += [(typed[:end], typed[end:]) for end in range(len(typed) - 1, 0, -1) if typed[end].isspace()]
    for title, rest in ways:
        for each in _settings(talk):
            if fold(title.rstrip(" :")) in (fold(each.title), *each.headings):
                return each.name, rest.strip(" :\n")
    return "", ""


@dialogue.ask("set", Kind.TEXT, aside=True)
async def ask_set(talk: Talk) -> Message:
    setting, said = BY_NAME[talk.data["setting"]], context(talk)
    text = _texts(talk).get(setting.name, "") or setting.usual or ""
    have = await counts(talk)
    topics = [(n, title, have[topic]) for n, (topic, title) in enumerate(said.topics.items(), 1) if have.get(topic)]
    return talk.screen(
        "contest_form.set",
        title=setting.title,
        now=setting.write(setting.read(text, said), said) if text else "",
        hint=talk.words(f"contest_form.hint_{setting.name}"),
        topics=topics if setting.name == "quota" else [],
        unread=setting.name == "quota" and not topics,
    )


@dialogue.take("set")
async def take_set(talk: Talk, answer: Answer) -> Move | str:
    _set(talk, talk.data["setting"], clean(answer.text))
    return "form"


async def _values(talk: Talk) -> tuple[dict[str, Any], Settings | None, list[str]]:
    """The contest's values, the round's settings if they are whole, and what is wrong with them."""
    texts, said = _texts(talk), context(talk)
    values, faults = read_settings(ROUND, texts, said)
    of_contest, more = read_settings([each for each in CONTEST if each.name in EDITED], texts, said)
    if _of_contest(talk):
        faults += more
    faults += check_round(values, await counts(talk), talk.now)
    faults += await _taken(talk, values)
    settings = Settings(**values) if not faults else None
    if settings is not None:
        _, unit = await _where(talk)
        faults += [Fault(0, each.name, each.key, each.params) for each in too_long(talk.house.words, [settings], unit)]
    return of_contest, settings, [explain(talk, fault) for fault in faults]


async def _taken(talk: Talk, values: dict[str, Any]) -> list[Fault]:
    """Where another week of the contest opens at the same moment: two officers wrote the next one."""
    if not talk.data.get("contest"):
        return []
    return [
        Fault(0, "opens_at", "taken", {"week": each.number})
        for each in await contests.list_rounds(talk.session, talk.data["contest"])
        if each.opens_at == values.get("opens_at")
        and each.id != talk.data.get("round")
        and each.state != RoundState.CANCELLED
    ]


async def _where(talk: Talk) -> tuple[int, str]:
    """Which week it will be, and whose contest, "" for the whole tree."""
    if talk.data.get("round"):
        round_ = await contests.get_round(talk.session, talk.data["round"])
        return round_.number, await place(talk, await contests.get_contest(talk.session, round_.contest_id))
    if talk.data.get("contest"):
        contest = await contests.get_contest(talk.session, talk.data["contest"])
        known = await contests.list_rounds(talk.session, contest.id)
        return max((each.number for each in known), default=0) + 1, await place(talk, contest)
    unit = await units.get(talk.session, talk.data["unit"])
    return 1, unit.name if unit.parent_id is not None else ""


@dialogue.ask("preview")
async def ask_preview(talk: Talk) -> Message:
    _, settings, faults = await _values(talk)
    if settings is None or faults:
        return talk.screen("contest_form.faults", faults=faults)
    week, unit = await _where(talk)
    return talk.screen("contest_form.preview", rules=rules_text(talk.house.words, settings, week, unit))


@dialogue.take("preview")
async def take_preview(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "form":
        return "form"
    of_contest, settings, faults = await _values(talk)
    if settings is None or faults:
        return "preview"
    try:
        contest, round_ = await _write(talk, of_contest, settings)
    except Conflict:
        return await _moved_on(talk)
    if answer.choice == "save" or not await approving.lay_before(talk, round_, round_.version, contest):
        talk.say("contest_form.saved", id=round_.id, week=await contests.week_of(talk.session, round_))
    return END


async def _moved_on(talk: Talk) -> Move | str:
    """Somebody else was faster: their changes are taken over, what was typed here stays, and nothing is written yet.

    Where nothing can be changed any more, what was typed is said once more, to be used elsewhere.
    """
    round_, _, contest = await named(talk, str(talk.data["round"]))
    known, typed, base = _settings(talk), _texts(talk), talk.data.get("base", {})
    fresh = await _as_it_stands(talk, round_, contest) if round_.state == RoundState.DRAFT else {"texts": {}}
    now: dict[str, str] = fresh["texts"]
    own = {each.name: typed[each.name] for each in known if typed.get(each.name, "") != base.get(each.name, "")}
    lines = [
        (
            each.title,
            _shown(talk, each, now.get(each.name, "")),
            _shown(talk, each, own.get(each.name, "")),
            each.name in now,
        )
        for each in known
        if each.name in own or now.get(each.name, "") != base.get(each.name, "")
    ]
    move = await contests.last_move(talk.session, round_)
    said: dict[str, Any] = {"who": move.who if move else "", "at": move.at if move else talk.now, "lines": lines}
    if not now:
        talk.say("contest_form.moved_on", id=round_.id, **said)
        return END
    kept = {name: text for name, text in own.items() if name in now}
    talk.put(start=0, **fresh | {"texts": now | kept})
    talk.say("contest_form.changed", **said)
    return "form"


def _shown(talk: Talk, setting: Setting, text: str) -> str:
    """What is kept of a setting, as people read it."""
    return setting.write(setting.read(text, context(talk)), context(talk)) if text else ""


async def _write(talk: Talk, of_contest: dict[str, Any], settings: Settings) -> tuple[Contest, Round]:
    """Writes all of it. Raises Conflict before anything is written: half of it would stay."""
    if talk.data.get("round"):
        round_ = await contests.get_round(talk.session, talk.data["round"])
        contest = await contests.get_contest(talk.session, round_.contest_id)
        if (round_.version, round_.state) != (talk.data["version"], RoundState.DRAFT):
            raise Conflict("common.already")
        texts, base = _texts(talk), talk.data.get("base", {})
        own = {name: value for name, value in of_contest.items() if texts.get(name) != base.get(name)}
        if _of_contest(talk) and own:
            version = talk.data["contest_version"]
            await contests.change_contest(talk.session, contest, version, own, talk.me.id, talk.now)
            await talk.session.refresh(round_)
        await contests.change(talk.session, round_, round_.version, settings, talk.me.id, talk.now)
        return contest, round_
    if talk.data.get("contest"):
        contest = await contests.get_contest(talk.session, talk.data["contest"])
    else:
        name = of_contest.pop("name")
        contest = await contests.create_contest(
            talk.session, talk.data["unit"], name, talk.me.id, talk.now, **of_contest
        )
    return contest, await contests.create_round(talk.session, contest, settings, talk.me.id, talk.now)


COMMANDS = (
    Command("lapthi", begin),
    Command("suathi", edit),
    Command("tuansau", next_week),
    Command("bosoanthi", drop_draft),
)
