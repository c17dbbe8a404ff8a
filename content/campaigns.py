"""The yearly emulation campaign as data: theme, rounds, contents for each audience, movements, the plan's own text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

from content.release import Day, DayOrNone, Frozen, Release, spelling_faults, texts
from content.source import ROOT, ContentError, Problem, Source, parse, read

CARD = 540
"""Characters of a card: with its heading a screen has 600 (5-voice §5.2)."""
PAGE = 900
"""Characters of a page of [Đọc đủ] (5-voice §5.5)."""
GOALS = 5
"""Goals that are offered; the sixth place on the screen is for one's own."""
PEOPLE = ("officer", "enterprise", "public", "nonmember")
"""Groups of people; each has its content."""
AUDIENCES = (*PEOPLE, "levels")
"""`levels` is for the unions themselves, not for a group of people."""
ASKED = timedelta(days=10)
"""How long before a round ends those who registered are asked how it is going (4-conversation §4.4)."""

MISPRINTS = (
    r"\bLĐLD\b", r"\bTULĐTT\b", r"QHLD\b", r"(?i:\bđổi thoại\b)", r"(?i:\bmắt trong,)", r"(?i:\bhoàn tốt\b)",
    r"(?i:\bđẩy mạnh suốt đời\b)", r"(?i:\bnâng cao thương lượng\b)", r"\bQuốc khánh Nước\b", r"\bLuật thực hiện dân chủ\b",
    r"\bphát động\. Ban Thường vụ\b",
)  # fmt: skip
"""What the paper plan of 2025 misprints (1-process §1.6), as patterns; no pack may bring it back."""

_TAG = re.compile(r"</?[bi]>")


class Round(Frozen):
    """One round; both days belong to it. `register_by` is the last day to register, if that is before its end."""

    name: str
    starts_on: Day
    ends_on: Day
    register_by: DayOrNone = None
    celebrates: str = ""

    @property
    def closes_on(self) -> date:
        """The last day on which one may register."""
        return self.register_by or self.ends_on

    @property
    def asks_on(self) -> date:
        """The day on which people are asked how it is going: ten days before the end, never on a Sunday."""
        day = self.ends_on - ASKED
        return day - timedelta(days=1) if day.weekday() == 6 else day


class Movement(Frozen):
    """A movement, spelled as in the plan; `audiences` empty means everybody. `whom`: for whom it is, where that is said."""

    name: str
    launched_by: str = ""
    audiences: tuple[str, ...] = ()
    whom: str = ""


class Content(Frozen):
    """What a group is asked to do: the card as plain text, and the whole text in pages (b and i allowed)."""

    card: str
    pages: tuple[str, ...] = ()


class Campaign(Release):
    """One year. `plan` is the title of the plan it comes from, `pages` that plan's own text."""

    year: int
    theme: str
    plan: str
    rounds: tuple[Round, ...]
    contents: dict[str, Content]
    movements: tuple[Movement, ...]
    goals: tuple[str, ...]
    pages: tuple[str, ...] = ()

    @property
    def approved(self) -> bool:
        """Read and released by named persons; without it nothing is broadcast (1-process §1.6)."""
        return self.complete

    def round_on(self, day: date) -> int:
        """The number (from 1) of the round that runs on a day, 0 between rounds."""
        for number, each in enumerate(self.rounds, 1):
            if each.starts_on <= day <= each.ends_on:
                return number
        return 0

    def open_round(self, day: date) -> int:
        """The number of the first round that one may still register for, 0 when all are closed."""
        for number, each in enumerate(self.rounds, 1):
            if day <= each.closes_on:
                return number
        return 0

    def last_begun(self, day: date) -> int:
        """The number of the newest round that has begun, the first one before that."""
        return max(1, sum(each.starts_on <= day for each in self.rounds))

    def movements_for(self, audience: str) -> list[tuple[int, Movement]]:
        """The movements open to a group, with their numbers from 0."""
        return [(n, m) for n, m in enumerate(self.movements) if not m.audiences or audience in m.audiences]


def campaign_for(campaigns: Sequence[Campaign], on: date) -> Campaign | None:
    """The campaign of a day's year, else the latest one before it."""
    past = [campaign for campaign in campaigns if campaign.year <= on.year]
    return max(past, key=lambda campaign: campaign.year) if past else None


def load_campaigns(folder: Path = ROOT / "packs") -> tuple[Campaign, ...]:
    """Loads every campaign-<year>.yaml, oldest first. Raises ContentError with the problems of all files."""
    campaigns: list[Campaign] = []
    problems: list[Problem] = []
    for path in sorted(folder.glob("campaign-*.yaml")):
        try:
            source = read(path)
            problems += [*spelling_faults(source), *_misprints(source)]
            campaign = parse(Campaign, source)
        except ContentError as error:
            problems += error.problems
            continue
        campaigns.append(campaign)
        faults = [*_faults(campaign), *(((field,), fault) for field, fault in campaign.faults())]
        if path.stem != f"campaign-{campaign.year}":
            faults.append((("year",), f"the file {path.name} holds the year {campaign.year}"))
        problems += [Problem(source.file, source.line(where), fault) for where, fault in faults]
    if problems:
        raise ContentError(problems)
    return tuple(sorted(campaigns, key=lambda campaign: campaign.year))


def _misprints(source: Source) -> Iterator[Problem]:
    for path, text in texts(source.data):
        flowing = " ".join(text.split())
        for pattern in MISPRINTS:
            if found := re.search(pattern, flowing):
                yield Problem(source.file, source.line(path), f"a known misprint: '{found.group()}'")


Faults = Iterator[tuple[tuple[str | int, ...], str]]
"""(path in the file, what is wrong there)."""


def _faults(campaign: Campaign) -> Faults:
    yield from _wrong_rounds(campaign)
    yield from _wrong_contents(campaign)
    names = [movement.name.casefold() for movement in campaign.movements]
    for n, movement in enumerate(campaign.movements):
        if names[n] in names[:n]:
            yield ("movements", n), f"the movement '{movement.name}' stands here twice"
        for audience in movement.audiences:
            if audience not in PEOPLE:
                yield ("movements", n), f"unknown audience {audience}: {', '.join(PEOPLE)}"
    if not campaign.movements:
        yield ("movements",), "there is no movement to register for"
    if not 1 <= len(set(campaign.goals)) == len(campaign.goals) <= GOALS:
        yield ("goals",), f"one to {GOALS} different goals are offered"
    for field in ("theme", "plan"):
        if not getattr(campaign, field).strip():
            yield (field,), f"the {field} is empty"


def _wrong_rounds(campaign: Campaign) -> Faults:
    if not campaign.rounds:
        yield ("rounds",), "a campaign has at least one round"
    for n, each in enumerate(campaign.rounds):
        if each.ends_on < each.starts_on:
            yield ("rounds", n, "ends_on"), f"{each.name} ends before it begins"
        for field, day in (("starts_on", each.starts_on), ("ends_on", each.ends_on)):
            if day.year != campaign.year:
                yield ("rounds", n, field), f"{day} is not in {campaign.year}"
        if each.register_by and not each.starts_on <= each.register_by <= each.ends_on:
            yield ("rounds", n, "register_by"), f"{each.register_by} is not in {each.name}"
        if n and each.starts_on <= campaign.rounds[n - 1].ends_on:
            yield ("rounds", n, "starts_on"), f"{each.name} begins before {campaign.rounds[n - 1].name} ends"


def _wrong_contents(campaign: Campaign) -> Faults:
    for audience in AUDIENCES:
        if audience not in campaign.contents:
            yield ("contents",), f"the audience {audience} has no content"
    for audience, content in campaign.contents.items():
        here = ("contents", audience)
        if audience not in AUDIENCES:
            yield here, f"unknown audience {audience}: {', '.join(AUDIENCES)}"
        if not content.card.strip() or len(content.card) > CARD:
            yield (*here, "card"), f"the card has {len(content.card)} characters, 1 to {CARD} fit"
        if "<" in content.card or "&" in content.card:
            yield (*here, "card"), "a card is plain text, without tags"
        yield from _wrong_pages(content.pages, (*here, "pages"))
    yield from _wrong_pages(campaign.pages, ("pages",))


def _wrong_pages(pages: Sequence[str], here: tuple[str, ...]) -> Faults:
    for n, page in enumerate(pages):
        if not page.strip() or len(page) > PAGE:
            yield (*here, n), f"the page has {len(page)} characters, 1 to {PAGE} fit"
        # Pages go out as they are: an open tag or a bare & would be refused by the platform.
        if not _closes(page) or re.search(r"[<>]|&(?!amp;|lt;|gt;)", _TAG.sub("", page)):
            yield (*here, n), "only <b>…</b> and <i>…</i>, closed on the same page; & is written &amp;"


def _closes(page: str) -> bool:
    open_tags: list[str] = []
    for tag in _TAG.findall(page):
        if not tag.startswith("</"):
            open_tags.append(tag)
        elif not open_tags or open_tags.pop() != tag.replace("/", ""):
            return False
    return not open_tags
