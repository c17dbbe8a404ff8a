"""The yearly emulation campaign as data: theme, rounds, contents for each audience, movements, the plan's own text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from content.source import ROOT, ContentError, Problem, Source, parse, read

CARD = 700
"""Characters of a card: a screen of a small phone, with its heading."""
PAGE = 900
"""Characters of a page of [Đọc đủ] (5-voice §5.5)."""
AUDIENCES = ("officer", "enterprise", "public", "nonmember", "levels")

MISPRINTS = (
    r"LĐLD", r"TULĐTT", r"đổi thoại", r"mắt trong,", r"hoàn tốt", r"học tập, đẩy mạnh suốt đời", r"nâng cao thương lượng",
    r"văn hoá\b", r"QHLD\b",
)  # fmt: skip
"""What the plan of 2025 misprints (1-process §1.6); no pack may bring it back."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Round(_Frozen):
    """One round; both days belong to it."""

    name: str
    starts_on: date
    ends_on: date
    celebrates: str = ""


class Movement(_Frozen):
    """A movement, spelled as in the plan; `audiences` empty means everybody."""

    name: str
    launched_by: str = ""
    audiences: tuple[str, ...] = ()


class Content(_Frozen):
    """What a group is asked to do: the card, and the whole text in pages."""

    card: str
    pages: tuple[str, ...] = ()


class Campaign(_Frozen):
    """One year."""

    year: int
    theme: str
    plan: str
    rounds: tuple[Round, ...]
    contents: dict[str, Content]
    movements: tuple[Movement, ...]
    goals: tuple[str, ...]
    pages: tuple[str, ...] = ()
    proofread_by: str = ""
    proofread_on: str = ""
    approved_by: str = ""
    approved_on: str = ""

    @property
    def approved(self) -> bool:
        """Read and released by named persons; without it nothing is broadcast (1-process §1.6)."""
        return all((self.proofread_by, self.proofread_on, self.approved_by, self.approved_on))

    def round_on(self, day: date) -> int:
        """The number (from 1) of the round that runs on a day, 0 between rounds."""
        for number, each in enumerate(self.rounds, 1):
            if each.starts_on <= day <= each.ends_on:
                return number
        return 0

    def movements_for(self, audience: str) -> list[tuple[int, Movement]]:
        """The movements open to a group, with their numbers from 0."""
        return [(n, m) for n, m in enumerate(self.movements) if not m.audiences or audience in m.audiences]


@dataclass(frozen=True, slots=True)
class _Finder:
    """Writes problems down with the line of what they are about."""

    source: Source
    problems: list[Problem]

    def wrong(self, where: tuple[str | int, ...], text: str) -> None:
        self.problems.append(Problem(self.source.file, self.source.line(where), text))


def load_campaigns(folder: Path = ROOT / "packs") -> tuple[Campaign, ...]:
    """Loads every campaign, oldest first. Raises ContentError with all problems."""
    campaigns: list[Campaign] = []
    problems: list[Problem] = []
    for path in sorted(folder.glob("campaign-*.yaml")):
        try:
            source = read(path)
            campaign = parse(Campaign, source)
        except ContentError as error:
            problems += error.problems
            continue
        campaigns.append(campaign)

        wrong = _Finder(source, problems).wrong
        for audience in AUDIENCES:
            if audience not in campaign.contents:
                wrong(("contents",), f"the audience {audience} has no content")
        for audience, content in campaign.contents.items():
            if audience not in AUDIENCES:
                wrong(("contents", audience), f"unknown audience {audience}")
            if len(content.card) > CARD:
                wrong(
                    ("contents", audience, "card"), f"the card has {len(content.card)} characters, at most {CARD} fit"
                )
            for n, page in enumerate(content.pages):
                if len(page) > PAGE:
                    wrong(
                        ("contents", audience, "pages", n), f"the page has {len(page)} characters, at most {PAGE} fit"
                    )
        for n, page in enumerate(campaign.pages):
            if len(page) > PAGE:
                wrong(("pages", n), f"the page has {len(page)} characters, at most {PAGE} fit")
        for n, (before, after) in enumerate(zip(campaign.rounds, campaign.rounds[1:], strict=False)):
            if after.starts_on <= before.ends_on:
                wrong(("rounds", n + 1), "the round begins before the one before it ends")
        for n, each in enumerate(campaign.rounds):
            if each.ends_on < each.starts_on or each.starts_on.year != campaign.year:
                wrong(("rounds", n), "the round's days are not in order or not of the campaign's year")
        names = [movement.name for movement in campaign.movements]
        for n, name in enumerate(names):
            if name in names[:n]:
                wrong(("movements", n), f"the movement '{name}' stands here twice")
        text = path.read_text(encoding="utf-8")
        for number, line in enumerate(text.splitlines(), 1):
            if not line.lstrip().startswith("#"):
                problems += [
                    Problem(source.file, number, f"a known misprint: '{found.group()}'")
                    for pattern in MISPRINTS
                    if (found := re.search(pattern, line))
                ]
    if problems:
        raise ContentError(problems)
    return tuple(sorted(campaigns, key=lambda campaign: campaign.year))


def campaign_for(campaigns: Sequence[Campaign], day: date) -> Campaign | None:
    """The campaign of a day's year, else the latest one before it."""
    past = [campaign for campaign in campaigns if campaign.year <= day.year]
    return past[-1] if past else None
