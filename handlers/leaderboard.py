"""How units stand in the last round that has a result: by share within size bands, by number; people only if they want to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from content.boards import board_name
from content.leaderboard import Standing, band_name, by_number, by_share
from content.message import Message
from content.money import format_percent
from content.text import whole_number
from db import contests, units
from db.models import Board, Level, Round, RoundState
from handlers.dialogue import AGAIN, Answer, Command, Dialogue, Move, Place
from handlers.talk import Talk

dialogue = Dialogue("leaderboard")
SHOWN = timedelta(days=60)
"""How long after its result a round is the last one."""
PAGE = 10
BEST = 50
"""People looked at for the ten who want to be named."""
LEVELS = {"grassroots": Level.GRASSROOTS, "upper": Level.UPPER}


async def _last(talk: Talk, wanted: int | None = None) -> tuple[Round | None, Round | None]:
    """The last round with a result that this person may see, or the `wanted` one, and the one that is open or counted now."""
    if talk.person is None:
        return None, None
    found = await contests.list_shown(talk.session, talk.me.unit_id, talk.now - SHOWN)
    over = [each for each in found if each.state == RoundState.PUBLISHED]
    runs = [each for each in found if each.state == RoundState.READY and each.opens_at <= talk.now]
    last = max(over, key=lambda each: (each.id == wanted, each.result_at, each.id), default=None)
    return last, (runs[-1] if runs else None)


async def exists(talk: Talk) -> bool:
    """Whether there is anything to look at."""
    return (await _last(talk))[0] is not None


async def show(talk: Talk, arg: str) -> Move | None:
    """The board of the last round, or of one by its id, beginning with the size band of one's own unit."""
    last, runs = await _last(talk, whole_number(arg))
    if last is None:
        talk.say("leaderboard.running" if runs is not None else "leaderboard.nothing", **await _result(talk, runs))
        return None
    return dialogue.go("board", round=last.id, mode="share", band=None, level="", start=0)


async def _result(talk: Talk, runs: Round | None) -> dict[str, Any]:
    if runs is None:
        return {}
    return {"week": await contests.week_of(talk.session, runs), "result": runs.result_at}


async def _standings(talk: Talk, round_: Round, level: str) -> tuple[list[Standing], set[int]]:
    """The units of a level, and those that this person belongs to."""
    found = [
        Standing(unit.id, unit.name, row.people, row.members, row.members_on, row.band)
        for row, unit in await contests.list_units(talk.session, round_.id)
        if unit.level == LEVELS[level]
    ]
    own = set(await units.ancestors(talk.session, talk.me.unit_id)) if talk.me.unit_id is not None else set()
    return found, own | ({talk.me.unit_id} if talk.me.unit_id is not None else set())


@dialogue.ask("board")
async def ask_board(talk: Talk) -> Message | Move:
    round_, runs = await _last(talk, talk.data["round"])
    if round_ is None:
        return talk.screen("leaderboard.gone")
    levels = [each for each in round_.levels if each in LEVELS] or ["grassroots"]
    level = talk.data["level"] if talk.data["level"] in levels else levels[0]
    mode = talk.data["mode"]
    if mode == "people":
        return await _people(talk, round_, runs)
    found, own = await _standings(talk, round_, level)
    mine = next((each for each in found if each.unit in own), None)
    band = talk.data["band"]
    if band not in round_.bands:
        band = mine.band if mine is not None and mine.band is not None else round_.bands[0]
    talk.put(band=band, level=level)
    ranked = by_share(found, band) if mode == "share" else by_number(found)
    lines = [(rank, each.name, *_counts(talk, each, mode)) for rank, each in ranked[:PAGE]]
    least, most = band_name(round_.bands, band)
    dates = [each.members_on for _, each in ranked if each.members_on is not None]
    without: tuple[str, ...] = ("share",) if mode == "share" else ("number", "band")
    if len(levels) == 1:
        without += ("level",)
    return talk.screen(
        "leaderboard.board",
        without=without,
        week=await contests.week_of(talk.session, round_),
        mode=mode,
        level=level,
        least=least,
        most=most,
        lines=lines,
        own=_own(talk, mine, ranked, mode) if mine is not None else "",
        dated=max(dates) if dates and mode == "share" else None,
        **await _running(talk, runs),
    )


async def _running(talk: Talk, runs: Round | None) -> dict[str, Any]:
    return {
        "running": await contests.week_of(talk.session, runs) if runs is not None else None,
        "result": runs.result_at if runs is not None else None,
    }


def _counts(talk: Talk, each: Standing, mode: str) -> tuple[str, str]:
    """Share and counts, where small numbers do not speak."""
    if mode == "number":
        return "", talk.words("leaderboard.number", n=each.people)
    assert each.members is not None and each.share is not None
    if each.close:
        least = max(0, (each.members - 5) * 100 // each.members)
        return talk.words("leaderboard.more_than", percent=least), ""
    return format_percent(each.share * 100), talk.words("leaderboard.of", n=each.people, members=each.members)


def _own(talk: Talk, mine: Standing, ranked: list[tuple[int, Standing]], mode: str) -> str:
    if not mine.shown:
        return talk.words("leaderboard.own_few", name=mine.name)
    place = next((rank for rank, each in ranked if each.unit == mine.unit), None)
    if mode == "share" and mine.share is None:
        return talk.words("leaderboard.own_unknown", name=mine.name, n=mine.people)
    if place is None:  # another size band is shown
        return ""
    share, counts = _counts(talk, mine, mode)
    return talk.words("leaderboard.own", name=mine.name, rank=place, total=len(ranked), share=share, counts=counts)


async def _people(talk: Talk, round_: Round, runs: Round | None) -> Message:
    lines = []
    for result, person in await contests.list_best(talk.session, round_.id, BEST):
        if person.board in (Board.FULL, Board.SHORT) and person.processing:
            unit = await units.get(talk.session, result.unit_id) if result.unit_id is not None else None
            name = board_name(talk.house.words, person.board, person.name, unit.name if unit is not None else "")
            lines.append((result.rank, name, result.score))
    return talk.screen(
        "leaderboard.people",
        without=("people",),
        week=await contests.week_of(talk.session, round_),
        n=round_.size,
        lines=lines[:PAGE],
        **await _running(talk, runs),
    )


@dialogue.take("board")
async def take_board(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice in ("share", "number", "people"):
        talk.put(mode=answer.choice)
    round_, _ = await _last(talk, talk.data["round"])
    if answer.choice == "band" and round_ is not None:
        place = round_.bands.index(talk.data["band"]) if talk.data["band"] in round_.bands else 0
        talk.put(band=round_.bands[(place + 1) % len(round_.bands)])
    if answer.choice == "level":
        talk.put(level="upper" if talk.data["level"] == "grassroots" else "grassroots", band=None)
    return AGAIN


DIALOGUES = (dialogue,)
COMMANDS = (Command("xephang", show, place=Place.MORE, slash=True, visible=exists),)
