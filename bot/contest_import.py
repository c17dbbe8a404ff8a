"""`congdoan contest …`: a contest from a file, checked whole; its rounds are drafts until a leader approves them in the chat."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NoReturn

from bot.opening import opened
from bot.settings import Settings
from content.calendar import local_date
from content.contest_file import Plan, plan, read_contest
from content.contest_plan import Fault
from content.contest_rules import context_of, fault_text, request, reviewed, too_long
from content.message import to_json
from content.packs import Packs
from content.sheets import SheetError
from content.source import ContentError
from content.words import Words
from db import audit, contests, outbox, units, verdicts
from db.contests import Settings as RoundSettings
from db.session import Session, settled


async def import_file(
    settings: Settings,
    words: Words,
    packs: Packs,
    file: Path,
    *,
    dry_run: bool,
    now: datetime,
    say: Callable[[str], object],
    fail: Callable[[list[str]], NoReturn],
) -> None:
    """Writes all of a file or nothing, and lays its rounds before the leaders. Names each fault with its line and remedy."""
    try:
        read = read_contest(file)
    except SheetError as error:
        where = f"{file}:{error.row}" if error.row else str(file)
        fail([f"{where}: {words.plain('unit_import.unreadable_' + error.kind)}"])
    except ContentError as error:
        fail([str(problem) for problem in error.problems])

    async def write(session: Session) -> tuple[Plan, int, int]:
        counts = reviewed(packs.bank, local_date(now), packs.bank.standing(await verdicts.list_verdicts(session)))
        found = plan(read, counts, context_of(packs.bank, now))
        unit = await units.find_by_code(session, str(found.contest.get("unit", "")))
        if unit is None and "unit" in found.contest:
            found.faults.append(Fault(0, "unit", "no_unit"))
        if unit is None or found.faults:
            return found, 0, 0
        rounds = [RoundSettings(**values) for values in found.rounds]
        name = unit.name if unit.parent_id is not None else ""
        found.faults.extend(too_long(words, rounds, name))
        if found.faults:
            return found, 0, 0
        given = {each: found.contest[each] for each in ("legal_basis", "organiser", "one_prize")}
        title = found.contest["name"]
        contest, new = await contests.create_plan(session, unit.id, title, rounds, audit.SYSTEM, now, **given)
        asked = 0
        for round_ in new:
            for leader in await contests.ask(session, round_, round_.version, audit.SYSTEM, now):
                card = request(words, round_, round_.id, round_.version, round_.number, contest.name, name)
                await outbox.tell(session, leader, to_json(card), now=now, key=f"round-ask:{round_.id}:{leader}")
                asked += 1
        return found, len(new), asked

    async with opened(settings) as database:

        async def once() -> tuple[Plan, int, int]:
            async with database.write() as session:
                attempt = await session.begin_nested()
                done = await write(session)
                if dry_run:
                    await attempt.rollback()
                return done

        found, added, asked = await settled(once)
    if found.faults:
        lines = [f"{file}:{read.line(fault)}: {fault_text(words, packs.bank, fault)}" for fault in found.faults]
        fail([*lines, words.plain("contest_desk.refused_file", n=len(lines))])
    said = {"name": found.contest["name"], "added": added, "same": len(found.rounds) - added, "asked": bool(asked)}
    say(words.plain("contest_desk.imported", dry=dry_run, **said))
