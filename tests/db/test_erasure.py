"""Erasing a person: nothing of them is found anywhere, what was given to others goes on, and nothing breaks a day later."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from bot.web.reading import shown
from content.message import Message, to_json
from db import accounts, attachments, erasure, jobs, outbox, people, policy, rights, submissions, unsent, webchat
from db.driver import Cursor
from db.models import (
    Account,
    Attachment,
    Audience,
    Base,
    Broadcast,
    BroadcastState,
    BroadcastTarget,
    CoAuthor,
    Consent,
    Conversation,
    Draft,
    FileState,
    Grant,
    InboxRow,
    InboxState,
    Job,
    Membership,
    OutboxRow,
    OutState,
    Person,
    Policy,
    PracticeAnswer,
    Registration,
    Role,
    Status,
    Submission,
    TargetState,
    UnitRequest,
)
from db.session import Session
from tests.db.test_submissions import DUE, sent, unit_id
from tests.people import START, World

CANARY = "Quách Thị Canari"
ADDRESS = "phone-4711"


async def joined(session: Session, name: str, address: str, role: Role | None = None) -> Person:
    chat = await accounts.enter(session, "webchat", address, START)
    person = await people.join(session, chat.account, "2", START)
    person.name, person.unit_id, person.audience = name, await unit_id(session, "MAYHOA"), Audience.ENTERPRISE
    person.membership, person.confirmed, person.news = Membership.YES, True, True
    if role is not None:
        session.add(Grant(person_id=person.id, role=role, unit_id=person.unit_id, granted_at=START, confirmed_at=START))
    await session.flush()
    return person


async def account_of(session: Session, person: Person) -> Account:
    return (await session.execute(select(Account).where(Account.person_id == person.id))).scalar_one()


async def attach(session: Session, person: Person, file: str, **values: Any) -> None:
    account = await account_of(session, person)
    row = await attachments.add(
        session, person_id=person.id, account_id=account.id, channel="webchat", draft_id=None, kind="photo", ref=file,
        unique_ref=file, name=f"{CANARY}.jpg", size=1, now=START,
    )  # fmt: skip
    assert row is not None
    row.state, row.file = FileState.CLEAN, file
    for key, value in values.items():
        setattr(row, key, value)
    await session.flush()


async def a_life(session: Session) -> Person:
    """Somebody who has used everything there is."""
    person = await joined(session, CANARY, ADDRESS)
    other = await joined(session, "Trần Văn Nam", "phone-2")
    account = await account_of(session, person)
    conversation = await session.get_one(Conversation, account.id)
    conversation.dialogue, conversation.step, conversation.data = "campaign", "own", {"own": CANARY}
    conversation.pending, conversation.choices = {"arg": CANARY}, [[CANARY, "x", "", "", []]]
    session.add(Draft(person_id=person.id, dialogue="report", step="title", data={"t": CANARY}, updated_at=START))
    for status in Status:
        third = "Đỗ Thị Lan" if status == Status.VERIFIED else CANARY
        report = await sent(session, person, (third, 10, None), title=CANARY, status=status)
        report.story = {} if status == Status.VERIFIED else {"before": CANARY}
        if status == Status.VERIFIED:
            report.title = "Giá gá thay dao"
        submissions.note_event(
            session, report, person.id, "supplemented", START, f"{CANARY} kể" * (status != "verified")
        )
        await attach(session, person, f"{status.value}.jpg", submission_id=report.id)
    await attach(session, person, "draft.jpg")
    await sent(session, other, (CANARY, 30, person.id))
    for row in (
        Registration(code="TD-1", person_id=person.id, year=2025, round=2, goals=[CANARY], created_at=START, updated_at=START),
        PracticeAnswer(person_id=person.id, question="q1", right=False, at=START),
        UnitRequest(person_id=person.id, text=CANARY, created_at=START),
        InboxRow(channel="webchat", bot="", ext_id="1", digest="d", lane=f"webchat:{ADDRESS}", raw=CANARY, received_at=START,
                 state=InboxState.DONE, error=CANARY),
    ):  # fmt: skip
        session.add(row)
    await outbox.put(session, account, to_json(Message(CANARY)), now=START, key="a")
    about = await outbox.put(session, await account_of(session, other), to_json(Message(f"{CANARY} vào")), now=START)
    (await session.get_one(OutboxRow, about)).state = OutState.SENT
    await webchat.add(session, ADDRESS, {"text": CANARY}, START, mine=True)
    await jobs.add(session, "export", {"person": person.id, "files": ["export.zip"]}, account.id, START)
    return person


async def announced(session: Session, to: Person, state: OutState) -> int:
    """A broadcast that this person got, or is about to get. Returns its row of the outbox."""
    account = await account_of(session, to)
    made = Broadcast(
        code=f"TB-{state.value}", kind="notice", state=BroadcastState.SENDING, unit_id=to.unit_id or 0, text="Mời họp.",
        timing="now", send_at=START, created_at=START,
    )  # fmt: skip
    session.add(made)
    await session.flush()
    row = OutboxRow(
        policy=Policy.AMO, lane=2, kind="notice", account_id=account.id, person_id=to.id, channel="webchat",
        address=ADDRESS, broadcast_id=made.id, payload=to_json(Message(CANARY)), state=state, not_before=START,
        created_at=START,
    )  # fmt: skip
    session.add(row)
    await session.flush()
    session.add(BroadcastTarget(broadcast_id=made.id, person_id=to.id, state=TargetState.PLANNED, outbox_id=row.id))
    await session.flush()
    return row.id


async def to_delete(session: Session, what: str) -> list[str]:
    """What the job that erasing leaves will delete."""
    found = await session.execute(select(Job.data).where(Job.kind == "delete_files"))
    return [name for data in found.scalars() for name in data[what]]


async def everything(session: Session) -> dict[str, str]:
    names = Base.metadata.tables
    return {name: repr((await session.execute(text(f"SELECT * FROM {name}"))).all()) for name in names}


async def test_after_erasing_nothing_of_a_person_is_found_in_any_table(world: World) -> None:
    async with world.database.write() as session:
        person = await a_life(session)
        await announced(session, person, OutState.SENT)
        before = await everything(session)
        await erasure.erase(session, person.id, START)
        files = await to_delete(session, "files")
    assert "Canari" in before["drafts"] and "Canari" in before["web_messages"] and ADDRESS in before["outbox"]
    assert "export.zip" in files and "draft.jpg" in files and "verified.jpg" in files and len(files) == 2 + len(Status)
    async with world.database.read() as session:
        after = await everything(session)
        row = await session.get_one(Person, person.id)
        accounts_left = (await session.execute(select(Account).where(Account.address == ADDRESS))).scalar_one()
    assert not [name for name, rows in after.items() if "Canari" in rows]
    assert [name for name, rows in after.items() if ADDRESS in rows] == ["accounts"]  # until the chat is a day old
    assert accounts_left.person_id is None
    assert (row.membership, row.confirmed, row.audience, row.unit_id, row.news) == (
        Membership.UNKNOWN, False, None, None, False,
    )  # fmt: skip


async def test_what_reviewers_typed_or_were_told_about_a_report_goes_with_its_author(world: World) -> None:
    async with world.database.write() as session:
        hoa, lan = await joined(session, CANARY, ADDRESS), await joined(session, "Đỗ Thị Lan", "phone-3")
        ha = await joined(session, "Lê Thu Hà", "phone-4", Role.GRASSROOTS_CHAIR)
        gone, stays = await sent(session, hoa, title=CANARY), await sent(session, lan)
        accepted = await sent(session, hoa, title="Giá gá thay dao", status=Status.VERIFIED)
        for about, words in (
            (f"ask {gone.code}", CANARY), (f"contact {accepted.code}", CANARY), (f"ask {gone.code} {stays.code}", "Thêm ảnh"),
            (f"reject {stays.code}", "Chưa làm thử"),
        ):  # fmt: skip
            await unsent.keep(session, ha.id, "moderation", about, words, START)
        submissions.note_event(session, accepted, ha.id, "note", START, f"hỏi {CANARY}", internal=True)
        talk = await session.get_one(Conversation, (await account_of(session, ha)).id)
        talk.dialogue, talk.step, talk.screen = "moderation", "preview", 7
        talk.data = {"code": gone.code, "args": [f"{gone.code}.1"], "text": CANARY}
        other = await session.get_one(Conversation, (await account_of(session, lan)).id)
        other.dialogue, other.step = "moderation", "batch"
        args = [f"{gone.code}.1", f"{stays.code}.1"]
        other.data = {"code": gone.code, "args": args, "picked": args, "text": "Thêm ảnh"}
        told = Message(f"{gone.code}: {CANARY}")
        waits = await outbox.tell(session, ha.id, to_json(told), now=START)
        for text in (told.text, f"{CANARY} vào", f"{stays.code}: Hay lam"):
            await webchat.add(session, "phone-4", to_json(Message(text)), START, mine=False)
        before = await everything(session)
        stopped = await erasure.erase(session, hoa.id, START)
    assert {"drafts", "conversations", "outbox", "web_messages", "submission_events"} <= {
        name for name, rows in before.items() if "Canari" in rows
    }
    assert all(report.title == "" for report in stopped.reports)
    async with world.database.read() as session:
        after = await everything(session)
        assert not [name for name, rows in after.items() if "Canari" in rows]
        draft = (await session.execute(select(Draft).where(Draft.person_id == ha.id))).scalar_one()
        assert draft.data == {f"ask {stays.code}": "Thêm ảnh", f"reject {stays.code}": "Chưa làm thử"}
        talk = await session.get_one(Conversation, talk.account_id)
        assert (talk.dialogue, talk.data, talk.screen) == ("", {}, 8)
        other = await session.get_one(Conversation, other.account_id)
        left = [f"{stays.code}.1"]
        assert other.data == {"code": stays.code, "args": left, "picked": left, "text": "Thêm ảnh"}
        assert (await session.get_one(OutboxRow, waits)).state == OutState.CANCELLED
        page = [shown(row) for row in await webchat.since(session, "phone-4", 0)]
        assert [(row.get("quiet"), row["text"]) for row in page] == [
            (None, f"{stays.code}: Hay lam"), (True, ""), (None, "… vào"),
        ]  # fmt: skip
        assert "Hay lam" in after["web_messages"] and (await session.get_one(Submission, accepted.id)).title


async def test_the_originals_of_what_was_sent_go_with_their_sender(world: World) -> None:
    async with world.database.write() as session:
        hoa, lan = await joined(session, CANARY, ADDRESS), await joined(session, "Đỗ Thị Lan", "phone-3")
        await attach(session, hoa, "a.jpg", unique_ref="a" * 32)
        await attach(
            session, hoa, "poster.jpg", unique_ref="b" * 32, broadcast_id=(await announced(session, lan, OutState.SENT))
        )
        await attach(session, lan, "d.jpg", unique_ref="d" * 32)
        for n, lane in (("1", ADDRESS), ("2", "phone-3")):
            raw = json.dumps({"address": lane, "files": [["photo", n * 32, "a.jpg", 1]]})
            session.add(InboxRow(channel="webchat", bot="", ext_id=n, digest="d", lane=f"webchat:{lane}", raw=raw,
                                 received_at=START, state=InboxState.DONE))  # fmt: skip
        await session.flush()
        await erasure.erase(session, hoa.id, START)
        assert await to_delete(session, "uploads") == ["1" * 32, "a" * 32]


@pytest.mark.sqlite
async def test_nobody_waits_while_all_that_was_said_is_looked_through(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer's transaction runs its statements in everybody's own thread."""
    here: dict[str, bool] = {}
    execute = Cursor.execute_there

    def watched(cursor: Cursor, sql: str, *more: Any) -> None:
        here[sql] = threading.current_thread() is threading.main_thread()
        execute(cursor, sql, *more)

    async with world.database.write() as session:
        person = await joined(session, CANARY, ADDRESS)
    monkeypatch.setattr(Cursor, "execute_there", watched)
    async with world.database.write(brief=True) as session:
        await erasure.erase(session, person.id, world.now)
    looked = [ran for sql, ran in here.items() if sql.startswith("UPDATE outbox") and "outbox.payload" in sql]
    assert looked == [False] and any(here.values())


async def test_a_namesakes_chat_keeps_its_name(world: World) -> None:
    async with world.database.write() as session:
        hoa, _ = await joined(session, CANARY, ADDRESS), await joined(session, CANARY, "phone-3")
        await webchat.add(session, "phone-3", to_json(Message(f"Chào {CANARY}")), START, mine=False)
        await erasure.erase(session, hoa.id, START)
    async with world.database.read() as session:
        assert "Canari" in (await everything(session))["web_messages"]


async def test_what_stays_is_the_proof_of_consent_the_figures_and_the_text_of_verified_reports(world: World) -> None:
    async with world.database.write() as session:
        person = await a_life(session)
        arrived, waits = [await announced(session, person, state) for state in (OutState.SENT, OutState.READY)]
        await erasure.erase(session, person.id, START)
    async with world.database.read() as session:
        consent = (await session.execute(select(Consent).where(Consent.person_id == person.id))).scalar_one()
        assert consent.withdrawn_at is not None and consent.text_version == "2"
        assert (await session.get_one(OutboxRow, arrived)).state == OutState.SENT
        assert (await session.get_one(OutboxRow, waits)).state == OutState.CANCELLED
        query = select(Submission).where(Submission.author_id == person.id, Submission.title != "")
        kept = (await session.execute(query)).scalar_one()
        assert (kept.status, kept.title) == (Status.VERIFIED, "Giá gá thay dao")
        assert (await session.execute(select(CoAuthor.percent).where(CoAuthor.percent == 30))).scalar_one() == 30


async def test_a_day_later_the_chat_is_gone_too_and_the_broadcast_keeps_its_count(world: World) -> None:
    async with world.database.write() as session:
        person = await a_life(session)
        row_id = await announced(session, person, OutState.SENT)
        await attach(session, person, "notice.jpg", broadcast_id=1)
        await erasure.erase(session, person.id, START)
    async with world.database.write() as session:
        assert await accounts.forget_previews(session, START + timedelta(hours=23)) == 0
        assert await accounts.forget_previews(session, START + timedelta(hours=25)) == 1
    async with world.database.read() as session:
        assert (await session.execute(select(Account).where(Account.address == ADDRESS))).first() is None
        row = await session.get_one(OutboxRow, row_id)
        assert (row.state, row.account_id, row.address) == (OutState.SENT, None, "")
        assert (await session.execute(select(Attachment.file))).scalar_one() == "notice.jpg"  # it is the union's paper


async def test_an_officers_work_goes_back_and_what_others_wait_for_is_named(world: World) -> None:
    async with world.database.write() as session:
        chair = await joined(session, "Trần Văn Nam", "phone-2", Role.GRASSROOTS_CHAIR)
        hoa, lan = await joined(session, CANARY, ADDRESS), await joined(session, "Đỗ Thị Lan", "phone-3")
        held = await sent(session, lan, status=Status.CLAIMED, holder_id=chair.id, lapses_at=DUE)
        asked = await sent(session, lan, status=Status.NEED_INFO, holder_id=chair.id, lapses_at=DUE)
        own = await sent(
            session, chair, (CANARY, 30, hoa.id), ("Lan", 10, lan.id), status=Status.CLAIMED, holder_id=hoa.id
        )
        denied = select(CoAuthor).where(CoAuthor.person_id == lan.id)
        (await session.execute(denied)).scalar_one().confirmed = False
        await session.flush()
        stopped = await erasure.erase(session, chair.id, START)
        assert [(r.code, r.holder_id, r.coauthors) for r in stopped.reports] == [(own.code, hoa.id, (hoa.id,))]
        assert [grant.role for grant in stopped.grants] == [Role.GRASSROOTS_CHAIR]
        assert not await policy.roles(session, chair.id)
        for report, status in ((held, Status.SENT), (asked, Status.NEED_INFO)):
            await session.refresh(report)
            assert (report.status, report.holder_id, report.lapses_at) == (status, None, None)


async def test_who_comes_back_begins_anew_and_finds_nothing_of_before(world: World) -> None:
    async with world.database.write() as session:
        old = await a_life(session)
        await erasure.erase(session, old.id, START)
        chat = await accounts.enter(session, "webchat", ADDRESS, START)
        assert chat.person is None and chat.draft is None
        new = await people.join(session, chat.account, "2", START)
        assert new.id != old.id
        copy = await rights.collect(session, new.id)
    assert {name for name, rows in copy.items() if rows} == {
        "persons",
        "accounts",
        "consents",
        "audit",
        "conversations",
    }
    assert [row["action"] for row in copy["audit"]] == ["consent"] and copy["conversations"][0]["data"] == {}
