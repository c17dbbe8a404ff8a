"""Where a report goes, who may not judge it, and that its status moves once and only from where it stands."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from db import attachments, audit, policy, submissions, units
from db.errors import Conflict, NotFound, Refused
from db.models import (
    Account,
    Attachment,
    AuditRow,
    CoAuthor,
    Draft,
    Grant,
    Person,
    Reach,
    Role,
    Status,
    Submission,
    Track,
)
from db.session import Session
from db.submissions import Report, reading
from tests.people import START, World

DUE = START + timedelta(days=7)


async def person(session: Session, name: str, unit: str | None = "MAYHOA", role: Role | None = None) -> Person:
    home = await units.find_by_code(session, unit) if unit else None
    row = Person(name=name, unit_id=home.id if home else None, joined_at=START, seen_at=START, muted_topics=[])
    session.add(row)
    await session.flush()
    session.add(Account(channel="test", address=f"chat-{row.id}", person_id=row.id, created_at=START, seen_at=START))
    await session.flush()
    if role is not None:
        assert home is not None
        session.add(Grant(person_id=row.id, role=role, unit_id=home.id, granted_at=START, confirmed_at=START))
        await session.flush()
    return row


async def sent(
    session: Session, author: Person, *coauthors: tuple[str, int, int | None], **values: object
) -> Submission:
    report = Report(values.pop("track", Track.INITIATIVE), "Giá gá thay dao", {"before": "Lâu"}, 1000, None, coauthors)  # type: ignore[arg-type]
    submission = await submissions.submit(session, author, report, draft_id=None, due_at=DUE, year=2025, now=START)
    for key, value in values.items():
        setattr(submission, key, value)
    await session.flush()
    return submission


async def unit_id(session: Session, code: str) -> int:
    found = await units.find_by_code(session, code)
    assert found is not None
    return found.id


async def test_each_track_has_its_own_series_of_codes(world: World) -> None:
    async with world.database.write() as session:
        hoa = await person(session, "Bùi Thị Hoa")
        codes = [(await sent(session, hoa, track=track)).code for track in (*Track, Track.INITIATIVE)]
    assert codes == ["SK-25-0001", "MH-25-0001", "GT-25-0001", "SK-25-0002"]


async def test_the_unit_itself_reviews_else_the_nearest_above_with_somebody_else_than_the_authors(world: World) -> None:
    async with world.database.write() as session:
        chair = await person(session, "Trần Văn Nam", "MAYHOA", Role.GRASSROOTS_CHAIR)
        await person(session, "Lê Thu Hà", "CAOSON", Role.UPPER_OFFICER)
        await person(session, "Phạm Thị Dung", "CHUYEN5", Role.TEAM_LEADER)  # reads, decides nothing
        hoa = await person(session, "Bùi Thị Hoa", "CHUYEN5")
        assert (await sent(session, hoa)).queue_unit_id == await unit_id(session, "MAYHOA")
        assert (await sent(session, chair)).queue_unit_id == await unit_id(session, "CAOSON")
        together = await sent(session, hoa, (chair.name, 40, chair.id))
        assert together.queue_unit_id == await unit_id(session, "CAOSON")


async def test_with_nobody_to_review_it_goes_to_the_top_and_so_does_what_has_no_unit(world: World) -> None:
    async with world.database.write() as session:
        top = await unit_id(session, "TINH")
        assert (await sent(session, await person(session, "Bùi Thị Hoa"))).queue_unit_id == top
        assert (await sent(session, await person(session, "Đỗ Thị Lan", None))).queue_unit_id == top


async def test_a_grant_that_is_taken_away_or_not_confirmed_reviews_nothing(world: World) -> None:
    async with world.database.write() as session:
        for name, values in (("Trần Văn Nam", {"revoked_at": START}), ("Lê Thu Hà", {"confirmed_at": None})):
            officer = await person(session, name, "MAYHOA", Role.REVIEWER)
            grant = (await session.execute(select(Grant).where(Grant.person_id == officer.id))).scalar_one()
            for key, value in values.items():
                setattr(grant, key, value)
        await session.flush()
        submission = await sent(session, await person(session, "Bùi Thị Hoa"))
        assert submission.queue_unit_id == await unit_id(session, "TINH")


async def test_only_the_unit_that_reviews_is_told_though_those_above_may_decide_too(world: World) -> None:
    async with world.database.write() as session:
        chair = await person(session, "Trần Văn Nam", "MAYHOA", Role.GRASSROOTS_CHAIR)
        ha = await person(session, "Lê Thu Hà", "CAOSON", Role.UPPER_OFFICER)
        mayhoa = await unit_id(session, "MAYHOA")
        assert await submissions.receivers(session, mayhoa, set()) == [chair.id]
        assert await submissions.receivers(session, mayhoa, {chair.id}) == []
        assert await policy.may(session, ha.id, policy.Action.DECIDE_SUBMISSIONS, mayhoa)


async def test_a_reviewer_who_stopped_the_bot_reviews_nothing(world: World) -> None:
    async with world.database.write() as session:
        chair = await person(session, "Trần Văn Nam", "MAYHOA", Role.GRASSROOTS_CHAIR)
        await person(session, "Lê Thu Hà", "CAOSON", Role.UPPER_OFFICER)
        hoa = await person(session, "Bùi Thị Hoa")
        chat = (await session.execute(select(Account).where(Account.person_id == chair.id))).scalar_one()
        chat.reach = Reach.BLOCKED
        await session.flush()
        assert (await sent(session, hoa)).queue_unit_id == await unit_id(session, "CAOSON")
        chat.reach = Reach.OK  # any message from the chat does this
        await session.flush()
        assert (await sent(session, hoa)).queue_unit_id == await unit_id(session, "MAYHOA")


async def test_naming_a_reviewer_as_coauthor_is_no_way_to_be_rid_of_them(world: World) -> None:
    async with world.database.write() as session:
        ha = await person(session, "Lê Thu Hà", "CAOSON", Role.UPPER_OFFICER)
        hoa = await person(session, "Bùi Thị Hoa")
        submission = await sent(session, hoa, (ha.name, 10, ha.id))
        assert await submissions.involved(session, submission) == {hoa.id, ha.id}
        await submissions.answer_coauthor(session, submission.code, ha.id, False, START)
        assert await submissions.involved(session, submission) == {hoa.id}
        with pytest.raises(Refused):
            await submissions.answer_coauthor(session, submission.code, ha.id, True, START)


async def test_colleagues_are_those_of_the_same_workplace_and_its_teams(world: World) -> None:
    async with world.database.write() as session:
        hoa = await person(session, "Bùi Thị Hoa", "CHUYEN5")
        await person(session, "Quách Văn An", "MAYHOA")
        await person(session, "Quách Văn An", "DIENTU")
        gone = await person(session, "Đỗ Thị Lan", "CHUYEN5")
        gone.erased_at = START
        await session.flush()
        assert [name for _, name in await submissions.list_colleagues(session, hoa)] == ["Quách Văn An"]


async def test_somebody_elses_report_looks_like_none(world: World) -> None:
    async with world.database.write() as session:
        submission = await sent(session, await person(session, "Bùi Thị Hoa"))
        other = await person(session, "Đỗ Thị Lan")
        with pytest.raises(NotFound):
            await submissions.find_own(session, other.id, submission.code)
        with pytest.raises(NotFound):
            await submissions.answer_coauthor(session, submission.code, other.id, True, START)


async def asked(session: Session, lapses_at: datetime) -> tuple[Submission, Person]:
    hoa = await person(session, "Bùi Thị Hoa")
    ha = await person(session, "Lê Thu Hà", "CAOSON", Role.UPPER_OFFICER)
    values = {"status": Status.NEED_INFO, "holder_id": ha.id, "lapses_at": lapses_at, "ask": "Xin ảnh"}
    return await sent(session, hoa, **values), ha


async def test_a_supplement_goes_back_to_the_holder_while_the_claim_lives(world: World) -> None:
    async with world.database.write() as session:
        submission, ha = await asked(session, START + timedelta(hours=1))
        await submissions.supplement(session, submission, "Ảnh đây", None, DUE + timedelta(days=9), START)
        assert (submission.status, submission.holder_id, submission.unseen) == (Status.CLAIMED, ha.id, True)
        assert submission.due_at == DUE
        events = await submissions.list_events(session, submission.id, internal=False)
        assert [(event.action, event.text) for event in events] == [("sent", ""), ("supplemented", "Ảnh đây")]


async def test_after_the_claim_a_supplement_goes_to_the_queue_with_a_deadline_that_can_be_met(world: World) -> None:
    async with world.database.write() as session:
        submission, _ = await asked(session, START)
        now, due = DUE + timedelta(days=1), DUE + timedelta(days=8)
        await submissions.supplement(session, submission, "Ảnh đây", None, due, now)
        assert (submission.status, submission.holder_id, submission.lapses_at) == (Status.SENT, None, None)
        assert submission.unseen and submission.due_at == due


async def test_a_status_that_moved_meanwhile_is_never_overwritten(world: World) -> None:
    async with world.database.write() as session:
        submission, _ = await asked(session, START)
        await session.commit()
    async with world.database.write() as session:
        row = await session.get_one(Submission, submission.id)
        row.status, row.version = Status.CLOSED_NO_INFO, row.version + 1
    async with world.database.write() as session:
        for act in (
            submissions.supplement(session, submission, "Ảnh đây", None, DUE, START),
            submissions.withdraw(session, submission, START),
            submissions.reopen(session, submission, DUE, START),
        ):
            with pytest.raises(Conflict):
                await act
    async with world.database.read() as session:
        assert (await session.get_one(Submission, submission.id)).status == Status.CLOSED_NO_INFO


@pytest.mark.parametrize("status", list(Status))
async def test_a_report_is_withdrawn_only_before_it_is_published_or_refused(world: World, status: Status) -> None:
    async with world.database.write() as session:
        submission = await sent(session, await person(session, "Bùi Thị Hoa"), status=status)
        if status in (Status.NOT_SELECTED, Status.DUPLICATE, Status.WITHDRAWN):
            with pytest.raises(Conflict):
                await submissions.withdraw(session, submission, START)
            assert submission.status == status
            return
        await submissions.withdraw(session, submission, START)
        assert submission.status == Status.WITHDRAWN and submission.holder_id is None
        row = (await session.execute(select(AuditRow).where(AuditRow.action == "withdrawn"))).scalar_one()
        assert row.object == f"submission {submission.code}" and row.actor_id != audit.SYSTEM


async def test_opened_again_it_is_routed_anew(world: World) -> None:
    async with world.database.write() as session:
        submission = await sent(session, await person(session, "Bùi Thị Hoa"), status=Status.CLOSED_NO_INFO)
        await person(session, "Lê Thu Hà", "CAOSON", Role.UPPER_OFFICER)
        await submissions.reopen(session, submission, DUE + timedelta(days=30), START)
        assert submission.status == Status.SENT and submission.due_at == DUE + timedelta(days=30)
        assert submission.queue_unit_id == await unit_id(session, "CAOSON")


async def test_sent_again_it_keeps_its_code_its_files_and_the_answers_of_unchanged_coauthors(world: World) -> None:
    async with world.database.write() as session:
        hoa = await person(session, "Bùi Thị Hoa")
        an, lan = await person(session, "Quách Văn An"), await person(session, "Đỗ Thị Lan")
        submission = await sent(
            session, hoa, (an.name, 30, an.id), (lan.name, 20, lan.id), ("Vũ Thị Ly", 10, None),
            status=Status.NOT_SELECTED, reason="Chưa áp dụng", decided_at=START,
        )  # fmt: skip
        await submissions.answer_coauthor(session, submission.code, an.id, True, START)
        await submissions.answer_coauthor(session, submission.code, lan.id, True, START)
        account = Account(channel="test", address="1", created_at=START, seen_at=START)
        draft = Draft(person_id=hoa.id, dialogue="report", step="preview", data={}, updated_at=START)
        session.add_all([account, draft])
        await session.flush()
        await attachments.add(
            session, person_id=hoa.id, account_id=account.id, channel="test", draft_id=draft.id, kind="photo", ref="r",
            unique_ref="u", name="", size=1, now=START,
        )  # fmt: skip
        report = Report(Track.INITIATIVE, "Giá gá mới", {"before": "Rất lâu"}, 2000, True, [
            (an.name, 30, an.id), (lan.name, 30, lan.id),
        ])  # fmt: skip
        code = submission.code
        await submissions.send_again(session, submission, report, draft.id, DUE, START)
        assert (submission.code, submission.status, submission.title) == (code, Status.SENT, "Giá gá mới")
        assert (submission.reason, submission.decided_at, submission.money) == ("", None, 2000)
        rows = (await session.execute(select(CoAuthor.name, CoAuthor.percent, CoAuthor.confirmed))).all()
        assert sorted(rows) == [("Quách Văn An", 30, True), ("Đỗ Thị Lan", 30, None)]
        file = (await session.execute(select(Attachment))).scalar_one()
        assert file.submission_id == submission.id and file.draft_id is None


async def test_what_is_compared_is_recent_waiting_or_accepted_and_carries_no_name(world: World) -> None:
    async with world.database.write() as session:
        hoa = await person(session, "Bùi Thị Hoa")
        kept = [await sent(session, hoa), await sent(session, hoa, status=Status.VERIFIED)]
        await sent(session, hoa, status=Status.WITHDRAWN)
        await sent(session, hoa, sent_at=START - timedelta(days=366))
        found = await submissions.texts_to_compare(session, START)
        assert list(found) == [each.code for each in kept]
        assert found[kept[0].code] == "Lâu  Giá gá thay dao"
        assert kept[0].code not in await submissions.texts_to_compare(session, START, without=kept[0].id)


async def test_of_other_units_only_the_newest_are_compared_of_the_own_unit_all(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "COMPARED", 1)
    async with world.database.write() as session:
        hoa, lan = await person(session, "Bùi Thị Hoa"), await person(session, "Đỗ Thị Lan", "DIENTU")
        own = await sent(session, hoa)
        far = await sent(session, lan)
        newest = await sent(session, lan)
        found = await submissions.texts_to_compare(session, START, unit_id=hoa.unit_id)
        assert list(found) == [own.code, newest.code] and far.code not in found


async def test_internal_notes_are_not_in_the_authors_history(world: World) -> None:
    async with world.database.write() as session:
        submission = await sent(session, await person(session, "Bùi Thị Hoa"))
        submissions.note_event(session, submission, 1, "note", START, "Hỏi lại tổ trưởng", internal=True)
        await session.flush()
        assert [e.action for e in await submissions.list_events(session, submission.id, internal=False)] == ["sent"]
        assert len(await submissions.list_events(session, submission.id, internal=True)) == 2
