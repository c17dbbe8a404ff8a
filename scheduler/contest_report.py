"""The workbook of a round by unit (2-contests §2.5): every grassroots union of the contest, those without anybody too."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

from content import disk
from content.leaderboard import FEWEST, band_name
from content.message import Media, to_json
from content.names import sort_key
from content.sheets import Sheet, Value, write_workbook
from db import contests, jobs, outbox, units
from db.models import Account, Job, Level, PrizeState, Unit
from db.session import Session
from scheduler.files import name_for_job

if TYPE_CHECKING:
    from scheduler.timetable import Work


async def report(work: Work, job: Job) -> None:
    """Reads, writes the file, says it once."""
    async with work.database.read() as session:
        facts = await _facts(session, int(job.data["round"]))
    name = name_for_job(job, ".xlsx")
    data = await asyncio.to_thread(book, work, facts)
    await asyncio.to_thread(disk.write, work.files / name, data)
    async with work.database.write() as session:
        account = await session.get(Account, job.account_id) if job.account_id is not None else None
        if await jobs.done(session, job.id, [name]) and account is not None and account.person_id == job.data["person"]:
            media = [Media("document", name, work.words.plain("contest_desk.report_file", week=facts["round"].number))]
            message = work.words.message("contest_desk.report_ready", media=media, week=facts["week"])
            await outbox.put(session, account, to_json(message), now=work.now(), kind="export", key=f"job:{job.id}")


async def _facts(session: Session, round_id: int) -> dict[str, Any]:
    round_ = await contests.get_round(session, round_id)
    contest = await contests.get_contest(session, round_.contest_id)
    known = {unit.id: row for row, unit in await contests.list_units(session, round_id)}
    found = await contests.list_of_level(session, contest.unit_id, Level.GRASSROOTS)
    prizes: Counter[int] = Counter()
    for prize, who, _ in await contests.list_prizes(session, round_id):
        if prize.state != PrizeState.PASSED and who.unit_id is not None:
            prizes.update({who.unit_id, *await units.ancestors(session, who.unit_id)})
    above = {unit.id: await units.parent_name(session, unit) for unit in found}
    week = await contests.week_of(session, round_)
    return {
        "round": round_,
        "week": week,
        "contest": contest,
        "units": found,
        "known": known,
        "prizes": prizes,
        "above": above,
    }


def book(work: Work, facts: dict[str, Any]) -> bytes:
    """The workbook; small numbers do not speak (decisions 19)."""
    word, round_ = work.words.plain, facts["round"]
    rows = [
        [n, *_row(work, unit, facts)]
        for n, unit in enumerate(sorted(facts["units"], key=lambda unit: sort_key(unit.name)), 1)
    ]
    above = word(
        "contest_desk.report_above",
        contest=facts["contest"].name, week=round_.number, theme=round_.theme, at=round_.published_at or round_.result_at,
        revision=round_.revision, people=round_.people, papers=round_.papers, actual=round_.actual,
    )  # fmt: skip
    head = word("contest_desk.report_head").split(";")
    return write_workbook([Sheet(word("contest_desk.report_sheet", week=round_.number), head, rows, [above])])


def _row(work: Work, unit: Unit, facts: dict[str, Any]) -> list[Value]:
    word, row = work.words.plain, facts["known"].get(unit.id)
    few, members = word("contest_desk.report_few"), row.members if row is not None else unit.members or None
    dated = (row.members_on if row is not None else unit.figures_on) if members else None
    known = row.members_from if row is not None else unit.figures_from
    source = (known or word("contest_desk.report_no_source")) if members else ""
    size: list[Value] = [members or word("contest_desk.report_unknown"), dated, source, _band(facts, members)]
    head: list[Value] = [unit.name, facts["above"][unit.id]]
    if row is None:
        return [*head, *size, 0, 0, 0.0 if members else word("contest_desk.report_unknown"), 0, None, 0, 0]
    if row.people < FEWEST:
        return [*head, *size, few, few, few if members else word("contest_desk.report_unknown"), few, few, few, None]
    share = round(min(100.0, row.people * 100 / members), 1) if members else word("contest_desk.report_unknown")
    small = [value if value >= FEWEST or not value else few for value in (row.workers, row.all_right)]
    mean = round(row.points / row.people, 1)
    return [*head, *size, row.people, small[0], share, row.papers, mean, small[1], facts["prizes"][unit.id]]


def _band(facts: dict[str, Any], members: int | None) -> str:
    if not members:
        return ""
    bands = facts["round"].bands
    least, most = band_name(bands, max(each for each in bands if each <= members))
    return f"{least}–{most}" if most is not None else f"≥ {least}"


KINDS = {"contest_report": report}
