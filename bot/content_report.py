"""What the command line prints about the packs: the calendar of automatic messages, the questions, what waits for whom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from content.anniversaries import YEARS, AnniversaryPack, Planned, planned
from content.calendar import LOCAL
from content.campaigns import Campaign
from content.packs import Packs
from content.windows import next_slot
from content.words import Words

FIRST, LAST = date(YEARS[0], 1, 1), date(YEARS[-1], 12, 31)
"""The days that can be asked about."""


Entry = dict[str, Any]


def calendar(words: Words, packs: Packs, start: date, days: int) -> list[Entry]:
    """Every planned automatic message of `days` days; `at` is the default shift's hour, other shifts get it in theirs."""
    end = min(start + timedelta(days=min(days, (LAST - FIRST).days + 1)), LAST + timedelta(days=1))
    entries = [
        _anniversary(packs.anniversaries, item) for item in planned(packs.anniversaries, start, (end - start).days)
    ]
    entries += _silent(packs.anniversaries, start, end)
    for campaign in packs.campaigns:
        entries += _checks(words, campaign, start, end)
    return sorted(entries, key=lambda entry: (str(entry["at"]), str(entry["key"]), str(entry["audience"])))


def _anniversary(pack: AnniversaryPack, item: Planned) -> Entry:
    release = pack.release(item.year)
    return {
        "at": _hour(item.on, "morning" if item.variant == "t0" else "evening"),
        "key": item.key,
        "kind": "anniversary",
        "name": item.name,
        "day": item.day.isoformat(),
        "ordinal": item.ordinal or None,
        "days_off": item.off,
        "audience": item.audience,
        "text": item.text,
        "card": item.has_card,
        "approved": item.approved,
        "left_out": item.left_out,
        "proofread_by": release.proofread_by,
        "approved_by": release.approved_by,
    }


def _silent(pack: AnniversaryPack, start: date, end: date) -> Iterator[Entry]:
    """What is marked without a message of its own, because another day's speaks of it: the months."""
    for anniversary in pack.anniversaries:
        for year in range(start.year, end.year + 1):
            day = anniversary.day(year)
            if not anniversary.together or day is None or not start <= day < end:
                continue
            release = pack.release(year)
            yield {
                "at": datetime.combine(day, time(), LOCAL).isoformat(),
                "key": f"kn:{anniversary.key}:{year}:with:{anniversary.together}",
                "kind": "month",
                "name": anniversary.name,
                "day": day.isoformat(),
                "ordinal": None,
                "days_off": 0,
                "audience": "all",
                "text": "",
                "card": False,
                "approved": pack.approved(year, anniversary.together),
                "left_out": pack.left_out(year, anniversary.together),
                "proofread_by": release.proofread_by,
                "approved_by": release.approved_by,
            }


def _hour(day: date, timing: str) -> str:
    return next_slot("office", datetime.combine(day, time(), LOCAL), timing).isoformat()


def _checks(words: Words, campaign: Campaign, start: date, end: date) -> Iterator[Entry]:
    """The question before the end of each round; of each person's own goals only dots can be shown here."""
    for number, each in enumerate(campaign.rounds, 1):
        if not start <= each.asks_on < end:
            continue
        yield {
            "at": _hour(each.asks_on, "window"),
            "key": f"check:{campaign.year}:{number}",
            "kind": "check",
            "name": each.name,
            "day": each.ends_on.isoformat(),
            "ordinal": None,
            "days_off": 0,
            "audience": "registered",
            "text": words.plain(
                "campaign.check", round=each.name, left=(each.ends_on - each.asks_on).days, goals="…", code=""
            ),
            "card": False,
            "approved": campaign.approved,
            "left_out": False,
            "proofread_by": campaign.proofread_by,
            "approved_by": campaign.approved_by,
        }


def shown(entry: Entry) -> list[str]:
    """An entry of the calendar as it is printed: when, what, to whom; who released it or must; its text."""
    if entry["left_out"]:
        state = f"left out by {entry['approved_by']}"
    elif entry["approved"]:
        state = f"read by {entry['proofread_by']}, released by {entry['approved_by']}"
    else:
        state = "waits for approval"
    with_it = ["card"] if entry["card"] else []
    with_it += [f"{entry['days_off']} day(s) off"] if entry["days_off"] else []
    head = f"{entry['at']}  {entry['key']}  {entry['audience']}  {entry['name']}"
    return [
        f"{head}  ({', '.join(with_it)})" if with_it else head,
        f"[{state}]",
        *entry["text"].splitlines(),
    ]


def questions(packs: Packs) -> list[dict[str, Any]]:
    """Every law question in the form others script against."""
    return [question.to_dict() for question in packs.bank.questions]


def summary(packs: Packs, on: date) -> list[str]:
    """What the packs hold and what waits for a person, a line each."""
    bank = packs.bank
    topics = Counter(question.topic for question in bank.questions)
    shown = bank.shown_topics(on)
    waiting = sum(not (item.approved or item.left_out) for item in planned(packs.anniversaries, on, 365))
    return [
        f"questions: {len(bank.questions)}, on {len(packs.law.facts)} facts",
        *(
            f"  {topic}: {count}, usable today: {len(bank.usable(topic, on))}"
            + ("" if topic in shown else " (too few, not offered)")
            for topic, count in topics.items()
        ),
        *(str(problem) for problem in bank.ended(on)),
        *(
            f"campaign {campaign.year}: {len(campaign.movements)} movements, "
            + (f"released by {campaign.approved_by}" if campaign.approved else "waits for approval")
            for campaign in packs.campaigns
        ),
        f"automatic messages of the next 365 days that wait for approval: {waiting}",
    ]
