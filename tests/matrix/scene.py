"""One province with everybody and one of everything at each relation; a deed is tried in a transaction that never commits.

Temporary triggers write down every row that changes, so that what a refused press left behind is seen whatever it was.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import select, text, update

from content.anniversaries import planned
from db import broadcasts, contests, people, submissions, units, verdicts
from db.audiences import Rule
from db.models import (
    Alarm,
    AutomaticMessage,
    AutomaticState,
    Base,
    BroadcastState,
    Cause,
    CoAuthor,
    Complaint,
    Contest,
    Downtime,
    Entry,
    EntryState,
    Grant,
    Level,
    Making,
    OutboxRow,
    OutState,
    Person,
    Policy,
    PrizeState,
    QuestionReport,
    Result,
    Role,
    Round,
    RoundQuestion,
    RoundState,
    Status,
    Submission,
    Track,
    UnitRequest,
    Verdict,
)
from db.session import Session
from db.submissions import Report
from handlers.dialogue import Incoming
from handlers.engine import answer
from tests.matrix.table import NOWHERE, RELATIONS, UNITS
from tests.people import World

TECHNICAL = {"conversations", "accounts"}
"""Where a chat stands: changed by whatever is said."""
SECRET = "Bí mật {}"
"""The beginning of every title and text at a relation, which nobody out of reach may be shown."""
REPORTS = ("sent", "verified", "duplicate", "question", "held", "refused", "closed", "need", "named")
MESSAGES = ("waiting", "sending", "paused", "left", "done", "returned")
ROUNDS = ("draft", "laid", "open", "halted")
REFUSALS = (
    "common.refused", "common.not_found", "moderation.own", "moderation.not_above", "announcing.own",
    "announcing.not_found", "units.unit_unknown", "announcing.unit_unknown",
)  # fmt: skip
"""After these nobody goes on: there is no screen to press on."""
NOBODY = ("stranger", "half_way", "suspended", "member", "unconfirmed", "revoked")
"""People who hold no right, though some of them have, or had, a row for every role at the top of the tree."""
SELF = ("author", "coauthor", "sender")
"""Those whose own things lie there, with every role at the top."""


STANDS = text(
    "SELECT c.screen, c.dialogue, (SELECT json_extract(o.payload, '$.key') FROM outbox o WHERE o.address = :address "
    "ORDER BY o.id DESC LIMIT 1) FROM conversations c JOIN accounts a ON a.id = c.account_id WHERE a.address = :address"
)
"""Where a chat stands, and the key of what was said in it last."""


@dataclass(frozen=True)
class Change:
    """A row as it is after it changed; `row` of a deleted one is what it was."""

    table: str
    how: str
    row: dict[str, Any]


@dataclass
class Tried:
    """What came of it: the rows that changed and what the person heard."""

    changes: list[Change]
    heard: list[tuple[str, str]]

    def audited(self, action: str, actor: int | None) -> list[int | None]:
        """The units at which the audit says that this person did it."""
        audit = [change.row for change in self.changes if change.table == "audit"]
        return [row["unit_id"] for row in audit if row["action"] == action and row["actor_id"] == actor]


@dataclass
class Scene:
    """The world, who is in it by name, and what lies at each relation by kind."""

    world: World
    chats: dict[str, str] = field(default_factory=dict)
    ids: dict[str, int] = field(default_factory=dict)
    things: dict[str, dict[str, str]] = field(default_factory=dict)
    units: dict[str, int] = field(default_factory=dict)

    # ------------------------------------------------------------------------------------------------ furnishing

    async def furnish(self) -> None:
        """Makes everybody and everything, then the triggers."""
        for role in Role:
            for seat in ("MAYHOA", "TINH"):
                await self._person(f"{role.value}@{seat}", "MAYHOA")
        for name in (*NOBODY[1:], *SELF, "gone"):
            await self._person(name, "DIENTU")
        self.chats["stranger"] = "chat-stranger"
        async with self.world.database.write() as session:
            found = {unit.code: unit.id for unit in await units.names(session, teams=True)}
            for role in Role:
                for seat in ("MAYHOA", "TINH"):
                    self._grant(session, f"{role.value}@{seat}", role, found[seat])
                for name in ("suspended", *SELF):
                    self._grant(session, name, role, found["TINH"])
                self._grant(session, "unconfirmed", role, found["TINH"], confirmed_at=None)
                self._grant(session, "revoked", role, found["TINH"], revoked_at=self.world.now)
            (await session.get_one(Person, self.ids["suspended"])).processing = False
            (await session.get_one(Person, self.ids["half_way"])).audience = None
            await session.flush()
            author = await people.get(session, self.ids["author"])
            on = self.world.now.date()
            ahead = planned(self.world.house.packs.anniversaries, on, 366)
            day = next(item.key for item in ahead if item.activity and item.on > on)
            self.units = {relation: found[code] for relation, code in UNITS.items()}
            for relation in RELATIONS:
                self.things[relation] = {"unit": UNITS.get(relation, "KHONGCO"), "day": day}
                await self._reports(session, author, relation, found)
                await self._messages(session, relation, found)
                await self._rounds(session, relation, found)
                await self._people(session, relation, found)
            await self._house(session)
            author.unit_id = found["CHUYEN5"]
        await self._watch()

    async def _person(self, name: str, unit: str) -> None:
        person = await self.world.joined(name, unit=unit)
        self.chats[name], self.ids[name] = person.address, await person.id()

    def _grant(self, session: Session, name: str, role: Role, unit_id: int, **values: Any) -> Grant:
        made = {"granted_at": self.world.now, "confirmed_at": self.world.now} | values
        grant = Grant(person_id=self.ids[name], role=role, unit_id=unit_id, **made)
        session.add(grant)
        return grant

    async def _reports(self, session: Session, author: Person, relation: str, found: dict[str, int]) -> None:
        now, of = self.world.now, self.things[relation]
        for n, kind in enumerate(REPORTS):
            story = {
                "field": "technical",
                "applied": "using",
                "before": "Chưa có",
                "after": f"{SECRET.format(relation)} {kind} {n} {relation[::-1]}",
            }
            made = await submissions.submit(
                session, author, Report(Track.INITIATIVE, f"{SECRET.format(relation)} {kind}", story), draft_id=None,
                due_at=now + timedelta(days=5), year=2025, now=now + timedelta(seconds=n),
            )  # fmt: skip
            made.queue_unit_id = found.get(UNITS.get(relation, ""))
            of[kind], of[f"{kind}_v"] = made.code, f"{made.code}.{made.version}"
            named = CoAuthor(
                submission_id=made.id, person_id=self.ids["coauthor"], name="Đồng Tác Giả", percent=10, confirmed=None
            )
            session.add(named)
            states = {
                "verified": Status.VERIFIED, "duplicate": Status.DUPLICATE, "question": Status.NOT_SELECTED,
                "held": Status.CLAIMED, "refused": Status.NOT_SELECTED, "closed": Status.CLOSED_NO_INFO,
                "need": Status.NEED_INFO,
            }  # fmt: skip
            made.unit_id = found["MAYHOA"]
            made.status = states.get(kind, Status.SENT)
            if kind == "duplicate":
                original = select(Submission.id).where(Submission.code == of["verified"])
                made.duplicate_of = (await session.execute(original)).scalar_one()
            if kind == "question":
                made.question_at = now
            if kind == "held":
                made.claimed_at, made.lapses_at = now, now + timedelta(days=2)
            if kind == "need":
                made.ask, made.asked_at = "Thêm ảnh", now
            await session.flush()

    async def _messages(self, session: Session, relation: str, found: dict[str, int]) -> None:
        now, of = self.world.now, self.things[relation]
        if relation == NOWHERE:
            of |= {kind: "TB-25-9999" for kind in MESSAGES} | {f"{kind}_v": "TB-25-9999.1" for kind in MESSAGES}
            return
        unit_id = found[UNITS[relation]]
        for kind in MESSAGES:
            made = await broadcasts.create(
                session, author_id=self.ids["sender"], kind="notice", topic="notice", unit_id=unit_id, number=2, media=[],
                text=f"{SECRET.format(relation)} {kind}", audience=Rule(unit_id), timing="now", send_at=now, second=True,
                year=2025, now=now,
            )  # fmt: skip
            made.state = {
                "waiting": BroadcastState.WAITING, "sending": BroadcastState.SENDING, "paused": BroadcastState.PAUSED,
                "left": BroadcastState.HELD, "done": BroadcastState.DONE, "returned": BroadcastState.RETURNED,
            }[kind]  # fmt: skip
            if kind == "left":
                made.author_id = self.ids["gone"]
            if kind in ("left", "returned"):
                made.answers = {
                    "kind": "notice",
                    "audience": Rule(unit_id).to_json(),
                    "text": "Mời họp",
                    "unit_name": "",
                }
            of[kind], of[f"{kind}_v"] = made.code, f"{made.code}.{made.version}"
            for state in (OutState.SENT, OutState.UNKNOWN) if kind == "done" else ():
                row = OutboxRow(
                    policy=Policy.AMO, lane=3, kind="broadcast", person_id=self.ids["gone"], channel="test", address="x",
                    state=state, not_before=now, created_at=now, broadcast_id=made.id,
                )  # fmt: skip
                session.add(row)
            await session.flush()

    async def _rounds(self, session: Session, relation: str, found: dict[str, int]) -> None:
        """A contest with a round of each kind, whose questions are all reviewed."""
        of = self.things[relation]
        if relation == NOWHERE:
            kinds = (
                *ROUNDS,
                "held_round",
                "objection",
                "new_prize",
                "ready_prize",
                "own_prize",
                "sent_prize",
                "winner",
                "winner_id",
            )
            of |= {kind: "999999" for kind in kinds} | {f"{kind}_v": "999999.1" for kind in kinds}
            of |= {"paper": "CT-0", "lost": "999999.1"}
            return
        sender, now = self.ids["sender"], self.world.now
        contest = Contest(name=f"Thi {relation}", unit_id=found[UNITS[relation]], created_by=sender, created_at=now)
        session.add(contest)
        await session.flush()
        for number, kind in enumerate(ROUNDS, 1):
            hours = {"opens_at": now + timedelta(days=number), "closes_at": now + timedelta(days=number + 5)}
            settings = contests.Settings(
                f"{SECRET.format(relation)} {kind}", quota={"wages": 2}, result_at=now + timedelta(days=number + 7),
                prizes=[{"key": "nhat", "name": "Nhất", "count": 1, "worth": ""}], **hours,
            )  # fmt: skip
            made = Round(contest_id=contest.id, number=number, created_by=sender, created_at=now, **settings.values())
            made.state = {"open": RoundState.READY, "halted": RoundState.PAUSED}.get(kind, RoundState.DRAFT)
            made.asked_at = now if kind == "laid" else None
            made.paused_at = now if kind == "halted" else None
            session.add(made)
            await session.flush()
            of[kind], of[f"{kind}_v"] = str(made.id), f"{made.id}.{made.version}"
        lost = Downtime(
            round_id=int(of["open"]), from_at=now - timedelta(days=2), until_at=now, seconds=600, closes_at=now,
            cause=Cause.RESTORED, making=Making.ASKED, noted_at=now,
        )  # fmt: skip
        session.add(lost)
        await session.flush()
        of["lost"] = lost.tag
        await self._results(session, relation, contest, found[UNITS[relation]])

    async def _results(self, session: Session, relation: str, contest: Contest, unit_id: int) -> None:
        """A round that is over: a paper, a complaint, prizes of somebody of the unit and of the author."""
        of, now, day = self.things[relation], self.world.now, timedelta(days=1)
        settings = contests.Settings(SECRET.format(relation), now - 9 * day, now - 3 * day, now - day, {"finance": 1})
        round_ = Round(
            contest_id=contest.id, number=9, created_by=self.ids["sender"], created_at=now, **settings.values()
        )
        round_.state, round_.published_at = RoundState.PUBLISHED, now - day
        winner = Person(name=f"{SECRET.format(relation)} giải", unit_id=unit_id, joined_at=now - 20 * day, seen_at=now)
        winner.muted_topics = []
        session.add_all([round_, winner])
        await session.flush()
        entry = Entry(
            code=f"CT-25-W09-{round_.id:06}", round_id=round_.id, person_id=winner.id, number=1, unit_id=unit_id,
            paper=[["cd-57", [0, 1, 2, 3]]], started_at=now - 4 * day, due_at=now - 4 * day, state=EntryState.SUBMITTED,
            submitted_at=now - 4 * day,
        )  # fmt: skip
        session.add(entry)
        await session.flush()
        question = RoundQuestion(
            round_id=round_.id, question="cd-57", topic="finance", stem=f"{SECRET.format(relation)}?",
            options=["a", "b", "c", "d"], answer=0, explanation="", citation="",
        )  # fmt: skip
        result = Result(
            round_id=round_.id, person_id=winner.id, entry_id=entry.id, unit_id=unit_id, score=1, seconds=9, rank=1
        )
        complaint = Complaint(
            round_id=round_.id, person_id=self.ids["gone"], text=SECRET.format(relation), created_at=now, due_at=now
        )
        made = {"key": "nhat", "name": "Nhất"}
        new, ready = (contests.new_prize(round_, who, made, now) for who in (winner.id, self.ids["gone"]))
        own, sent = (contests.new_prize(round_, who, made, now) for who in (self.ids["author"], self.ids["coauthor"]))
        ready.state, ready.phone = PrizeState.VERIFIED, "0912345670"
        sent.state, sent.person_id = PrizeState.SENT, self.ids["author"]
        sent.round_id = int(of["open"])
        session.add_all([question, result, complaint, new, ready, own, sent])
        await session.flush()
        of |= {
            "held_round_v": f"{round_.id}.1", "paper": entry.code, "winner": winner.name, "winner_id": str(winner.id), "objection": str(complaint.id), "new_prize": str(new.id),
            "ready_prize": str(ready.id), "own_prize": str(own.id), "sent_prize": str(sent.id),
        }  # fmt: skip

    async def _people(self, session: Session, relation: str, found: dict[str, int]) -> None:
        """Somebody to confirm, and for each role somebody who holds it and somebody who waits to."""
        of = self.things[relation]
        if relation == NOWHERE:
            of |= {"newcomer": "999999"}
            of |= {f"{kind}_{role.value}": "999999" for role in Role for kind in ("grant", "offer")}
            return
        unit_id = found[UNITS[relation]]
        newcomer = Person(name=f"{SECRET.format(relation)} mới", unit_id=unit_id, joined_at=self.world.now)
        holder = Person(name=f"{SECRET.format(relation)} cũ", unit_id=unit_id, joined_at=self.world.now, confirmed=True)
        for person in (newcomer, holder):
            person.seen_at, person.muted_topics = self.world.now, []
            session.add(person)
        await session.flush()
        self.ids[f"holder {relation}"] = holder.id
        of["newcomer"] = str(newcomer.id)
        for role in Role:
            grant = self._grant(session, f"holder {relation}", role, unit_id)
            offer = self._grant(session, f"holder {relation}", role, unit_id, confirmed_at=None)
            await session.flush()
            of[f"grant_{role.value}"], of[f"offer_{role.value}"] = str(grant.id), str(offer.id)

    async def _house(self, session: Session) -> None:
        bank = self.world.house.packs.bank
        marks = [(question.id, question.text) for question in bank.questions if question.topic == "wages"]
        await verdicts.give(session, marks, Verdict.APPROVED, "Lê Văn Luật", self.world.now)
        request = UnitRequest(person_id=self.ids["gone"], text="Xưởng mộc Bí mật", created_at=self.world.now)
        question = next(iter(self.world.house.packs.bank.questions)).id
        report = QuestionReport(
            person_id=self.ids["gone"], question=question, text="Bí mật: sai điều", created_at=self.world.now,
            due_at=self.world.now,
        )  # fmt: skip
        alarm = Alarm(name="disk_low", opened_at=self.world.now, told_at=self.world.now)
        ahead = planned(self.world.house.packs.anniversaries, self.world.now.date(), 366)
        days = {item.key: item.on for item in ahead if item.approved and item.on > self.world.now.date()}
        automatic = [
            AutomaticMessage(key=key, send_on=days[key], state=state, text=text, edited_by=by, asked_at=self.world.now)
            for key, state, text, by in (
                (next(iter(days)), AutomaticState.ASKED, "", None),
                (list(days)[1], AutomaticState.EDITED, "Bí mật: lời khác", self.ids["gone"]),
            )
        ]
        session.add_all([request, report, alarm, *automatic])
        await session.flush()
        keys = {name: f"{row.id}.1" for name, row in zip(("automatic", "rewritten"), automatic, strict=True)}
        for of in self.things.values():
            of |= keys | {"request": str(request.id), "question_report": str(report.id), "alarm": str(alarm.id)}

    # ------------------------------------------------------------------------------------------------ watching

    async def _watch(self) -> None:
        """Has SQLite note every change of every table on this connection."""
        async with self.world.database.write() as session:
            await session.execute(text("CREATE TEMP TABLE changed (name TEXT, how TEXT, was TEXT)"))
            for table in Base.metadata.sorted_tables:
                if table.name in TECHNICAL:
                    continue
                columns = [column.name for column in table.c]
                other = " OR ".join(f'OLD."{name}" IS NOT NEW."{name}"' for name in columns if name != "seen_at")
                for how, which, when in (
                    ("INSERT", "NEW", ""),
                    ("UPDATE", "NEW", f"WHEN {other}"),
                    ("DELETE", "OLD", ""),
                ):
                    row = ", ".join(f"'{name}', {which}.\"{name}\"" for name in columns)
                    await session.execute(
                        text(
                            f"CREATE TEMP TRIGGER {table.name}_{how.lower()} AFTER {how} ON main.{table.name} {when} "
                            f"BEGIN INSERT INTO changed VALUES ('{table.name}', '{how}', json_object({row})); END"
                        )
                    )

    @asynccontextmanager
    async def trial(self) -> AsyncIterator[Session]:
        """A transaction that is undone, whatever comes of it."""

        class Undone(Exception):
            pass

        try:
            async with self.world.database.write() as session:
                yield session
                raise Undone
        except Undone:
            pass

    async def press(self, session: Session, who: str, steps: Sequence[str]) -> None:
        """Somebody types (or presses, for `c:…` and `>key`) one after the other, until they are told no or led to joining."""
        address = self.chats[who]
        stands = (await session.execute(STANDS, {"address": address})).first()
        screen = stands.screen if stands is not None else 0
        for step in steps:
            incoming = {"text": step}
            if step.startswith("c:"):
                incoming = {"choice": step}
            elif step.startswith((">", "?>")):
                incoming = {"choice": f"s:{screen}:{step.partition('>')[2]}"}
            await answer(session, self.world.house, Incoming("test", address, self.world.now, **incoming))
            await session.flush()
            screen, dialogue, said = tuple((await session.execute(STANDS, {"address": address})).one())
            if dialogue == "onboarding" or said in REFUSALS:
                return
            if said == "common.unknown" and not step.startswith("?"):
                return  # a screen that does not offer it

    async def forget(self, session: Session) -> None:
        """What changed so far was the stage's own doing."""
        await session.flush()
        await session.execute(text("DELETE FROM changed"))

    async def came_of(self, session: Session, who: str) -> Tried:
        """What changed since, without this person's own answers and drafts."""
        await session.flush()
        changes, heard = [], list[tuple[str, str]]()
        for name, how, was in await session.execute(text("SELECT name, how, was FROM changed ORDER BY rowid")):
            row = json.loads(was)
            if name == "outbox" and row["address"] == self.chats[who]:
                payload = json.loads(row["payload"] or "{}")
                heard.append((payload.get("key", ""), payload.get("text", "")))
            elif not (name == "drafts" and row["person_id"] == self.ids.get(who)):
                changes.append(Change(name, how, row))
        return Tried(changes, heard)

    # ------------------------------------------------------------------------------------------------ meanwhile

    async def revoke(self, session: Session, who: str) -> None:
        """The role is taken away between the screen and the press."""
        await session.execute(update(Grant).where(Grant.person_id == self.ids[who]).values(revoked_at=self.world.now))

    async def suspend(self, session: Session, who: str) -> None:
        """The person stopped the processing of their data meanwhile; their roles, against all rules, still stand."""
        await session.execute(update(Person).where(Person.id == self.ids[who]).values(processing=False))

    async def move(self, session: Session, who: str) -> None:
        """The team below is moved into another branch meanwhile."""
        row = units.UnitRow("CHUYEN5", "Tổ chuyền 5", "Chuyền 5", "DIENTU", Level.TEAM)
        await units.write(session, [row], self.world.now)

    async def hold(self, session: Session, who: str, relation: str) -> None:
        """Makes somebody the holder of the report that is held at a relation."""
        code = self.things[relation]["held"]
        await session.execute(
            update(Submission).where(Submission.code == code).values(holder_id=self.ids.get(who, self.ids["gone"]))
        )
        await self.forget(session)
