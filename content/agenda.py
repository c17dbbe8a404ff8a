"""The calendar of content: every automatic message with its day, audience, text, card, and who released it (pure)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from content.anniversaries import ACTIVITY, LONGEST, YEARS, AnniversaryPack, Planned, planned
from content.calendar import LOCAL
from content.campaigns import Campaign
from content.message import Media, Message
from content.packs import Packs
from content.windows import OFFICE, next_slot
from content.words import Words

FIRST, LAST = date(YEARS[0], 1, 1), date(YEARS[-1], 12, 31)
"""The days that can be asked about."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One message, or a month that another day's message speaks of (`kind` "month", no text).

    `at` is the default shift's hour, other shifts get it in theirs; `day` the day it is about. `audience` is "all", one
    group, or "registered". `approved` lets it go out; `left_out` is what those who released its year chose not to say.
    """

    at: datetime
    key: str
    kind: str
    name: str
    day: date
    ordinal: int | None
    days_off: int
    audience: str
    text: str
    card: bool
    approved: bool
    left_out: bool
    proofread_by: str
    approved_by: str


def agenda(words: Words, packs: Packs, start: date, days: int) -> list[Entry]:
    """Every planned automatic message of `days` days from `start`, by hour."""
    end = min(start + timedelta(days=min(days, (LAST - FIRST).days + 1)), LAST + timedelta(days=1))
    pack = packs.anniversaries
    found = [_anniversary(pack, item) for item in planned(pack, start, (end - start).days)]
    found += _months(pack, start, end)
    for campaign in packs.campaigns:
        found += _checks(words, campaign, start, end)
    return sorted(found, key=lambda entry: (entry.at, entry.key, entry.audience))


def _anniversary(pack: AnniversaryPack, item: Planned) -> Entry:
    release = pack.release(item.year)
    return Entry(
        at=hour_of(item.on, item.timing),
        key=item.key,
        kind="anniversary",
        name=item.name,
        day=item.day,
        ordinal=item.ordinal or None,
        days_off=item.off,
        audience=item.audience,
        text=item.text,
        card=item.has_card,
        approved=item.approved,
        left_out=item.left_out,
        proofread_by=release.proofread_by,
        approved_by=release.approved_by,
    )


def _months(pack: AnniversaryPack, start: date, end: date) -> Iterator[Entry]:
    for anniversary in pack.anniversaries:
        for year in range(start.year, end.year + 1):
            day = anniversary.day(year)
            if not anniversary.together or day is None or not start <= day < end:
                continue
            release = pack.release(year)
            yield Entry(
                at=datetime.combine(day, time(), LOCAL),
                key=f"kn:{anniversary.key}:{year}:with:{anniversary.together}",
                kind="month",
                name=anniversary.name,
                day=day,
                ordinal=None,
                days_off=0,
                audience="all",
                text="",
                card=False,
                approved=pack.approved(year, anniversary.together),
                left_out=pack.left_out(year, anniversary.together),
                proofread_by=release.proofread_by,
                approved_by=release.approved_by,
            )


def _checks(words: Words, campaign: Campaign, start: date, end: date) -> Iterator[Entry]:
    """The question before the end of each round; of each person's own goals only dots can be shown here."""
    for number, each in enumerate(campaign.rounds, 1):
        if not start <= each.asks_on < end:
            continue
        yield Entry(
            at=hour_of(each.asks_on, "window"),
            key=f"check:{campaign.year}:{number}",
            kind="check",
            name=each.name,
            day=each.ends_on,
            ordinal=None,
            days_off=0,
            audience="registered",
            text=words.plain(
                "campaign.check", round=each.name, left=(each.ends_on - each.asks_on).days, goals="…", code=""
            ),
            card=False,
            approved=campaign.approved,
            left_out=False,
            proofread_by=campaign.proofread_by,
            approved_by=campaign.approved_by,
        )


def hour_of(day: date, timing: str) -> datetime:
    """When the default shift gets what is planned for a day."""
    return next_slot("office", datetime.combine(day, time(), LOCAL), timing)


# ---------------------------------------------------------------------------------------------------- one message


def entries_of(words: Words, packs: Packs, key: str, on: date) -> list[Entry]:
    """A message of a day, what all read first and then what single groups do; empty when the packs have it no more."""
    found = [entry for entry in agenda(words, packs, on, 1) if entry.key == key and entry.text]
    return sorted(found, key=lambda entry: entry.audience not in ("all", "registered"))


def asked_from(on: date) -> datetime:
    """From when officers may have been asked about a message of a day."""
    return datetime.combine(on - timedelta(days=1), OFFICE[0], LOCAL)


def extras(entries: Sequence[Entry]) -> dict[str, str]:
    """By group, the line that its people read more."""
    return {each.audience: each.text.removeprefix(entries[0].text).strip() for each in entries[1:]}


def room(entries: Sequence[Entry], *, activity: bool) -> int:
    """How many characters other words for a message may have, so that its longest variant still fits."""
    return LONGEST - max([len(line) + 1 for line in extras(entries).values()], default=0) - activity * (ACTIVITY + 1)


def asked(
    words: Words,
    entries: Sequence[Entry],
    *,
    number: int,
    version: int,
    text: str,
    state: str,
    options: Collection[str],
    tomorrow: bool,
    late: str = "",
    media: Sequence[Media] = (),
) -> Message:
    """What an officer sees of a message the day before: its words, to whom, who released them, and what silence means."""
    first = entries[0]
    groups = [[words.plain(f"automatic.group_{group}"), line] for group, line in extras(entries).items()]
    return words.message(
        "automatic.asked",
        only=[*options, "calendar"],
        media=media,
        id=number,
        version=version,
        on=first.at,
        tomorrow=tomorrow,
        whom=words.plain(f"automatic.whom_{first.audience}"),
        text=text or first.text,
        extras=groups,
        proofread="" if text else first.proofread_by,
        approved=first.approved_by,
        state=state,
        late=late,
    )
