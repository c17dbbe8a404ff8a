"""What the command line prints about the packs: the calendar of automatic messages, the questions, what waits for whom."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, time, timedelta
from typing import Any

from content.anniversaries import YEARS, planned
from content.calendar import LOCAL
from content.campaigns import Campaign
from content.packs import Packs
from content.windows import next_slot
from content.words import Words

FIRST, LAST = date(YEARS[0], 1, 1), date(YEARS[-1], 12, 31)
"""The days that can be asked about."""


def calendar(words: Words, packs: Packs, start: date, days: int) -> list[dict[str, Any]]:
    """Every planned automatic message of `days` days; `at` is the default shift's hour, other shifts get it in theirs."""
    end = min(start + timedelta(days=min(days, (LAST - FIRST).days + 1)), LAST + timedelta(days=1))
    entries = [
        {
            "at": _hour(item.on, "morning" if item.variant == "t0" else "evening"),
            "key": item.key,
            "kind": "anniversary",
            "ordinal": item.ordinal,
            "audience": item.audience,
            "text": item.text,
            "approved": item.approved,
        }
        for item in planned(packs.anniversaries, start, (end - start).days)
    ]
    for campaign in packs.campaigns:
        entries += _checks(words, campaign, start, end)
    return sorted(entries, key=lambda entry: (str(entry["at"]), str(entry["key"]), str(entry["audience"])))


def _hour(day: date, timing: str) -> str:
    return next_slot("office", datetime.combine(day, time(), LOCAL), timing).isoformat()


def _checks(words: Words, campaign: Campaign, start: date, end: date) -> list[dict[str, Any]]:
    """The question before the end of each round; of each person's own goals only dots can be shown here."""
    return [
        {
            "at": _hour(each.asks_on, "window"),
            "key": f"check:{campaign.year}:{number}",
            "kind": "check",
            "ordinal": None,
            "audience": "registered",
            "text": words.plain(
                "campaign.check", round=each.name, left=(each.ends_on - each.asks_on).days, goals="…", code=""
            ),
            "approved": campaign.approved,
        }
        for number, each in enumerate(campaign.rounds, 1)
        if start <= each.asks_on < end
    ]


def questions(packs: Packs) -> list[dict[str, Any]]:
    """Every law question in the form others script against."""
    return [question.to_dict() for question in packs.bank.questions]


def summary(packs: Packs, on: date) -> list[str]:
    """What the packs hold and what waits for a person, a line each."""
    bank = packs.bank
    topics = Counter(question.topic for question in bank.questions)
    shown = bank.shown_topics(on)
    waiting = sum(not item.approved for item in planned(packs.anniversaries, on, 365))
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
