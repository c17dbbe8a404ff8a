"""What people send while Telegram is out of reach is answered once what that cost them is given back, by the real house."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import select

from db import accounts, contests, people, units
from db.models import Audience, Cause, Downtime, Purpose, Round, Shift
from scheduler.timetable import LOST_TIME
from tests.bot.test_watch import Outside, watched
from tests.databases import Template
from tests.fakes.botapi.faults import Chosen
from tests.weeks import QUESTIONS, SETTINGS

pytestmark = pytest.mark.sqlite


@pytest.fixture
async def outside(tmp_path: Path, template: Template) -> AsyncIterator[Outside]:
    async with watched(tmp_path, template) as found:
        yield found


async def sitting(outside: Outside) -> None:
    """A round is open, and somebody on Telegram has an hour for their paper."""
    now, app = outside.clock.now(), outside.app
    outside.fake.person(42, "Bùi Thị Hoa")
    async with app.database.write() as session:
        account = (await accounts.enter(session, "telegram", "42", now)).account
        person, home = await people.join(session, account, "1", now), await units.find_by_code(session, "MAYHOA")
        top = await units.top(session)
        assert home is not None and top is not None
        person.name, person.unit_id, person.confirmed = "Bùi Thị Hoa", home.id, True
        person.audience, person.shift, person.news = Audience.ENTERPRISE, Shift.OFFICE, True
        await people.consent(session, person.id, Purpose.CONTESTS, "2", "telegram", now)
        contest = await contests.create_contest(session, top.id, "Thi", 0, now)
        hours = {
            "opens_at": now - timedelta(days=1),
            "closes_at": now + timedelta(days=1),
            "result_at": now + timedelta(days=2),
        }
        round_ = await contests.create_round(session, contest, replace(SETTINGS, minutes=60, **hours), 0, now)
        await contests.fix_questions(session, round_, QUESTIONS)
        await contests.approve(session, round_, round_.version, 0, now)
        await contests.open_paper(session, round_, person, QUESTIONS, Random(1), now - timedelta(minutes=2))


async def lost(outside: Outside) -> list[Downtime]:
    async with outside.app.database.read() as session:
        return list((await session.execute(select(Downtime).order_by(Downtime.id))).scalars())


async def test_what_is_sent_during_an_outage_is_answered_with_the_time_given_back(outside: Outside) -> None:
    await sitting(outside)
    fake, app = outside.fake, outside.app
    await outside.until(lambda: app.doors.settled)
    await app.timetable.look(LOST_TIME)
    fake.plan.add(["404_page"], Chosen(("getUpdates",)), forever=True)
    fake.person(42).says("menu")  # ends the long poll under way
    await outside.until(lambda: app.polling and app.polling.failing() is not None, moving=0.2)
    fake.person(42).says("/thi")
    outside.clock.later(60)
    await app.timetable.look(LOST_TIME)
    assert not app.doors.settled
    outside.clock.later(7200)
    fake.plan.clear()
    # What "menu" got may come now too, and the notice of what is given back before or after: the answer to /thi is this.
    await outside.until(lambda: any("Làm tiếp" in "".join(m.labels[:1]) for m in fake.messages(42)), moving=0.5)
    [row] = await lost(outside)
    assert row.cause == Cause.POLLING and row.seconds > 7200
    async with app.database.read() as session:
        round_ = (await session.execute(select(Round))).scalar_one()
    assert round_.closes_at - outside.clock.now() > timedelta(hours=23)
    assert app.doors.settled


async def test_an_answer_that_brings_nothing_gives_the_lost_time_back_at_once_too(outside: Outside) -> None:
    """It used to wait for the next look, up to a quarter of a minute, in which a result could have been made."""
    await sitting(outside)
    app = outside.app
    await outside.until(lambda: app.doors.settled)
    await app.timetable.look(LOST_TIME)
    polling = app.polling
    assert polling is not None
    polling._missed()
    outside.clock.later(7200)
    await app.timetable.look(LOST_TIME)
    assert not app.doors.settled
    await polling._polled([])
    assert app.doors.settled and [row.cause for row in await lost(outside)] == [Cause.POLLING]


async def test_until_telegram_has_answered_a_process_makes_up_for_nothing(outside: Outside) -> None:
    """Its answer opens the door, and its date proves the clock."""
    app = outside.app
    await outside.until(lambda: app.doors.settled)
    assert app.polling is not None
    app.doors.begin()
    app.polling.heard = False
    await app.timetable.look(LOST_TIME)
    assert not app.doors.settled
    outside.fake.person(42).says("menu")
    await outside.until(lambda: app.doors.settled, moving=0.1)
    assert await lost(outside) == []


async def test_the_date_of_telegrams_answers_proves_a_clock_wrong_before_anything_is_made_up(
    outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a start with a clock that is ahead: nothing has jumped, and nobody has written yet."""
    app = outside.app
    assert app.telegram is not None and app.polling is not None
    await outside.until(lambda: app.doors.settled)
    true = outside.clock.now()
    outside.clock.set_by = timedelta(hours=5)
    app.polling._skew._true += 5 * 3600  # it was so from the beginning
    assert await outside.red() == []
    monkeypatch.setattr(type(app.telegram), "dated", int(true.timestamp()))
    app.doors.begin()
    outside.fake.person(42).says("menu")
    await outside.until(lambda: outside.app.watch.red())
    assert await outside.red() == ["clock"] and not app.doors.settled
    assert abs(app.watch.facts().skew - 5 * 3600) < 60


async def test_a_date_that_a_server_of_our_own_may_have_written_proves_nothing(outside: Outside) -> None:
    """The fake is spoken to without TLS, as a Bot API server on this machine is."""
    telegram = outside.app.telegram
    assert telegram is not None
    await outside.until(lambda: telegram._poll.request.dated)  # type: ignore[attr-defined]
    assert telegram.dated is None
    telegram._sure = True
    assert telegram.dated is not None and abs(telegram.dated - outside.clock._began.timestamp()) < 3600
    for said in ("", "soon", f"Sat, 26 Jul {'9' * 20} 01:00:00 GMT"):
        telegram._poll.request.dated = said  # type: ignore[attr-defined]
        assert telegram.dated is None
