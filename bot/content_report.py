"""What the command line prints about the packs: the calendar of automatic messages, the questions, what waits for whom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from content import cards
from content.agenda import FIRST, LAST, Entry, agenda
from content.anniversaries import planned
from content.drawing import png
from content.packs import Packs
from content.words import Words

__all__ = ["FIRST", "LAST", "agenda", "calendar", "draw", "shown", "summary"]


def calendar(words: Words, packs: Packs, start: date, days: int) -> list[dict[str, Any]]:
    """The calendar of content in the form others script against: days and hours in ISO form."""
    return [
        asdict(entry) | {"at": entry.at.isoformat(), "day": entry.day.isoformat()}
        for entry in agenda(words, packs, start, days)
    ]


def draw(words: Words, packs: Packs, start: date, days: int, folder: Path) -> Iterator[Path]:
    """Draws the cards of those days and their months into a folder, for whoever proofreads a year; yields each file."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = agenda(words, packs, start, days)
    pictures = {
        f"{entry.key.replace(':', '-')}.png": cards.card_svg(words, packs.anniversaries, entry.key)
        for entry in entries
        if entry.card
    }
    for year, month in dict.fromkeys((entry.at.year, entry.at.month) for entry in entries):
        pictures[f"{year}-{month:02d}.png"] = cards.month_svg(words, packs, year, month)
    for name, svg in pictures.items():
        (folder / name).write_bytes(png(svg))
        yield folder / name


def shown(entry: Entry) -> list[str]:
    """An entry of the calendar as it is printed: when, what, to whom; who released it or must; its text."""
    if entry.left_out:
        state = f"left out by {entry.approved_by}"
    elif entry.approved:
        state = f"read by {entry.proofread_by}, released by {entry.approved_by}"
    else:
        state = "waits for approval"
    with_it = (["card"] if entry.card else []) + ([f"{entry.days_off} day(s) off"] if entry.days_off else [])
    head = f"{entry.at.isoformat()}  {entry.key}  {entry.audience}  {entry.name}"
    return [f"{head}  ({', '.join(with_it)})" if with_it else head, f"[{state}]", *entry.text.splitlines()]


def summary(packs: Packs, on: date) -> list[str]:
    """What the packs hold and what waits for a person, a line each."""
    bank = packs.bank
    topics = Counter(question.topic for question in bank.questions)
    shown = bank.shown_topics(on)
    waiting = sum(not (item.approved or item.left_out) for item in planned(packs.anniversaries, on, 365))
    return [
        f"questions: {len(bank.questions)}, on {len(packs.law.facts)} facts of {len(packs.law.documents)} documents",
        *(f"  {fact.id} ends on {fact.valid_to}" for fact in packs.law.next_to_end(on)),
        *(
            f"  {topic}: {count}, usable today: {len(bank.usable(topic, on))}"
            + ("" if topic in shown else " (too few, not offered)")
            for topic, count in topics.items()
        ),
        *(
            f"campaign {campaign.year}: {len(campaign.movements)} movements, "
            + (f"released by {campaign.approved_by}" if campaign.approved else "waits for approval")
            for campaign in packs.campaigns
        ),
        f"automatic messages of the next 365 days that wait for approval: {waiting}",
    ]
