"""People who wander through every dialogue at random, and type what nobody should: always an answer, never an error."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from random import Random

import pytest
from sqlalchemy import select

from content.message import Message, choices_from_json, to_json
from db import broadcasts, outbox, people, submissions
from db.audiences import Rule
from db.models import (
    Account,
    BroadcastState,
    BroadcastTarget,
    Conversation,
    Draft,
    OutboxRow,
    OutState,
    Role,
    Status,
    TargetState,
    Track,
)
from db.submissions import Report
from handlers.course import OUT
from handlers.dialogue import File, Kind
from tests.fakes.botapi.entities import parse, units
from tests.people import Heard, TestPerson, World
from tests.prove import cases, note

HOSTILE = (
    "x" * 10_000, "chữ " * 1_000, "9" * 4_096, "9" * 400, "\u202egnạb\u202c đảo", "\x00", "a\x00b", "\u200b\u200d\ufeff", "\ud83d",
    "nửa \udc00 chữ", "<b>", "<b>đậm</i> & <script>", "{{ 7 * 7 }} {% raw %} %s {0}", "👍", "👨‍👩‍👧‍👦 " * 40, "e" + "\u0301" * 300,
    "²", "１２", "٣", "-1", "1e9", "0", "9", "b", "?", "/", "/khongco", "/menu@bot", "/start " + "u-" * 40, "/start u-\x00", "//", "c:menu:",
    "s:1:yes", "'; DROP TABLE persons; --", "NULL", "true", "=1+1", "\r\n\t", "\u3164", "1,3", "1,1,1,1", "99999999999999999999, 1",
    "99999999999999999999 tỷ", "12345678901234567890%", "31/2/2025", "25 giờ 61", "SK-25-99999999999999999999",
)  # fmt: skip
"""What a keyboard, a broken phone or a malicious client may send; 1 to 10,000 characters."""
PLAUSIBLE = (
    "Bùi Thị Hoa", "may hoa phat", "truong", "Công ty May Hòa Phát, xã Cao Sơn", "Giá gá giúp thay dao cắt nhanh gấp đôi",
    "Trước đây cứ hết cuộn vải là phải dừng máy gần mười phút để chỉnh lại dao, rất vướng.",
    "Nay dùng giá gá tự chế, người đứng máy thay dao trong ba phút mà không phải chờ thợ cơ điện.",
    "tháng 3/2025, chuyền 5", "12 triệu", "20 tỷ", "mỗi ca bớt 20 phút", "Quách Văn An 60%\nBùi Thị Hoa 40%", "chưa", "không", "có", "xong",
    "XOA", "8h sáng mai", "19 giờ 30 hôm nay", "12/KH-LĐLĐ ngày 20/7/2025", "SK-25-0001", "1,3", "1", "2", "3", "4", "MAYHOA",
    "Mời anh/chị dự họp tổ lúc 16 giờ thứ Sáu tại nhà ăn ca.", "Tăng năng suất thêm năm phần trăm", "sang kien", "thi dua", "on luat",
)  # fmt: skip
WORDS = (
    "menu",
    "lui",
    "huy",
    "giup",
    "bo qua",
    "0",
    "9",
    "thoi",
    "quay lai",
    "/start",
    "/menu",
    "/start u-DIENTU",
    "/start i-khongco",
)
FORGED = ("", ":", "c", "c:", "s", "s:", "s:1", "s:²:x", "s:-1:a", "s:99999999999999999999999:yes", "s:1:" + "x" * 200, "c:khongco:1",
          "c::", "x:1:2", "c:menu:" + "9" * 200, "c:hoso:\x00", "c:start:u-\x00", "c:start:t-KHONG", "s:{}:_keep", "s:{}:_save", "s:{}:_drop",
          "s:{}:khong-co", "s:{}:")  # fmt: skip
ARGUMENTS = ("", "SK-25-0001", "SK-25-0001.1", "SK-25-0001.2", "SK-25-0001.²", "SK-25-0001.99999999999999999999", "TB-25-0001",
             "TB-25-0001.1", "TB-25-0001.-1", "1", "99999999999999999999", "-1", "²", "report", "onboarding", "khong-co", "on", ".", "..",
             "TD-25-0001.done", "TD-25-0001.\x00", "'")  # fmt: skip
MEANT = ("", "SK-25-0001.1", "SK-25-0002.1", "SK-25-0003.1", "SK-25-0004", "SK-25-0005", "TB-25-0001.1", "TB-25-0002", "TB-25-0002.1",
         "KN-25-0001", "KN-25-0001.1", "report", "1", "2")  # fmt: skip
"""What stands on the buttons of the house that `furnish` makes."""
WHOLE_TEXTS = (
    "moderation.card",
    "moderation.compare",
    "moderation.full",
    "announcing.preview",
    "announcing.approve_notice",
    "announcing.pushed",
)
"""Where somebody else's words are shown in full: up to one Telegram message."""
HARD_STOP, LABEL, DATA = 1_000, 24, 64
"""Characters of a screen and of a label (4-conversation 4.0); bytes of a button's data (Bot API)."""


@dataclass
class Walk:
    """One person's way: what they did, for the report of a failure, and which steps they saw."""

    world: World
    person: TestPerson
    chance: Random
    did: list[str] = field(default_factory=list)
    seen: set[tuple[str, str]] = field(default_factory=set)

    async def go(self, moves: int) -> None:
        for _ in range(moves):
            before, heard = len(self.person.transcript), len(self.person.heard)
            await self._move()
            self.world.later(seconds=4)
            await self.world.deliver()
            assert len(self.person.transcript) > before, f"no answer to {self.did[-1]}"
            for each in self.person.heard[heard:]:
                check(each)
            await self._look()

    async def _move(self) -> None:
        what = self.chance.random()
        if what < 0.70:
            await self._answers()
        elif what < 0.76:
            await self._types(self.chance.choice(WORDS))
        elif what < 0.82:
            await self._types(self.chance.choice(HOSTILE))
        elif what < 0.86:
            await self._sends()
        elif what < 0.90:
            await self._forges()
        else:
            name = self.chance.choice(list(self.world.house.registry.commands))
            await self._presses(f"c:{name}:{self.chance.choice(MEANT)}")

    async def _answers(self) -> None:
        """What somebody would do who follows the talk: words where words are asked for, else a button."""
        stands = await conversation(self.person) if self.person.heard else None
        asked = stands.screen_kind if stands is not None else ""
        if (
            asked in (Kind.TEXT, Kind.NUMBER, Kind.FILES) and self.chance.random() < 0.6
        ) or self.chance.random() < 0.05:
            await self._types(self.chance.choice(PLAUSIBLE))
        else:
            await self._chooses()

    async def _presses(self, data: str) -> None:
        self.did.append(f"presses {data[:60]!r}")
        await self.person.presses(data)

    async def _types(self, text: str) -> None:
        self.did.append(f"types {text[:60]!r}")
        await self.person.says(text)

    async def _chooses(self) -> None:
        """Presses a button that can be seen, mostly of the newest message, or types its number."""
        shown = [heard for heard in self.person.heard[-6:] if heard.choices]
        if not shown:
            await self._types("menu")
            return
        heard = shown[-1] if self.chance.random() < 0.85 else self.chance.choice(shown)
        onward = [n for n, choice in enumerate(heard.choices) if choice.command != "menu"] or [0]
        place = self.chance.choice(onward)
        if self.chance.random() < 0.2:
            await self._types(str(place + 1))
            return
        self.did.append(f"presses [{heard.choices[place].label}] under {heard.key}")
        for _ in range(2 if self.chance.random() < 0.1 else 1):
            await self.person.presses(heard.choices[place].data(heard.message.screen))

    async def _sends(self) -> None:
        kind, name, size = self.chance.choice(
            [
                ("photo", "", 2e5),
                ("document", "a.pdf", 1e5),
                ("video", "<b>.mp4", 4e7),
                ("voice", "", 0),
                ("sticker", "", 0),
                ("other", "", 0),
            ]
        )
        ref = f"f{next(self.world.serial)}"
        self.did.append(f"sends {kind}")
        await self.person.sends(
            File(kind, ref, ref, name, int(size)), text=self.chance.choice(("", "ảnh trước", "<i>"))
        )

    async def _forges(self) -> None:
        if self.chance.random() < 0.4:
            screen = (await conversation(self.person)).screen if self.person.heard else 0
            data = self.chance.choice(FORGED).replace("{}", str(screen))
        else:
            name = self.chance.choice(list(self.world.house.registry.commands))
            data = f"c:{name}:{self.chance.choice(ARGUMENTS)}"
        await self._presses(data)

    async def _look(self) -> None:
        """Where the conversation stands makes sense."""
        stands = await conversation(self.person)
        dialogues = self.world.house.registry.dialogues
        assert stands.dialogue in ("", *dialogues)
        assert not stands.dialogue or stands.step in dialogues[stands.dialogue].steps
        assert stands.screen_kind in ("", *Kind)
        if stands.dialogue:
            keys = {choice.key or choice.command for choice in choices_from_json(stands.choices)}
            assert keys, f"{stands.dialogue}.{stands.step} has no button"
            assert not Kind(stands.screen_kind).typed or keys & OUT, f"no way out of {stands.step}: {keys}"
        if stands.draft_id is not None:
            async with self.world.database.read() as session:
                draft = await session.get_one(Draft, stands.draft_id)
            assert draft.dialogue == stands.dialogue
        self.seen.add((stands.dialogue, stands.step))


async def conversation(person: TestPerson) -> Conversation:
    async with person.world.database.read() as session:
        query = select(Conversation).join(Account).where(Account.address == person.address)
        return (await session.execute(query)).scalar_one()


def check(heard: Heard) -> None:
    """What every message must be, whatever was typed into it."""
    plain, entities = parse(heard.message.text, "HTML")
    assert plain.strip(), heard.key
    assert {each["type"] for each in entities} <= {"bold", "italic", "underline", "text_link"}, heard
    assert units(plain) <= (4_096 if heard.key in WHOLE_TEXTS else HARD_STOP), (heard.key, len(plain), plain)
    assert len(heard.choices) <= 8, heard
    for choice in heard.choices:
        assert 0 < len(choice.label) <= LABEL, (heard.key, choice.label)
        assert len(choice.data(heard.message.screen).encode()) <= DATA, (heard.key, choice)


PEOPLE: dict[str, tuple[Role, str] | None] = {
    "a stranger": None,
    "a worker": None,
    "a team leader": (Role.TEAM_LEADER, "CHUYEN5"),
    "a chair": (Role.GRASSROOTS_CHAIR, "MAYHOA"),
    "a reviewer": (Role.REVIEWER, "TINH"),
    "an upper officer": (Role.UPPER_OFFICER, "TINH"),
    "a leader": (Role.LEADER, "TINH"),
}


async def furnish(world: World, walker: TestPerson) -> None:
    """Something to find on the way: reports in several states, a message that waits for approval, one that went out, one that
    a clock has started.
    """
    an = await world.joined("Quách Văn An")
    tien = await world.joined("Hoàng Minh Tiến", unit="TINH", role=Role.UPPER_OFFICER)
    async with world.database.write() as session:
        ours, other = await people.get(session, await walker.id()), await people.get(session, await an.id())
        officer = await people.get(session, await tien.id())
        told = {
            "field": "technical",
            "before": "Thay dao lâu",
            "after": "Có giá gá",
            "applied": "using",
            "results": {"money": 12_000_000},
        }
        for number, author in enumerate((other, other, other, ours, ours)):
            report = Report(Track.INITIATIVE, f"Giá gá thay dao cắt nhanh số {number}", told)
            made = await submissions.submit(
                session, author, report, draft_id=None, due_at=world.now, year=2025, now=world.now
            )
            made.status = {3: Status.NEED_INFO, 4: Status.NOT_SELECTED}.get(number, Status.SENT)
            made.ask = "Mấy người cùng làm ạ?"
        for second in (True, False):
            sent = await broadcasts.create(
                session, author_id=officer.id, kind="notice", topic="notice", unit_id=officer.unit_id or 0, media=[], text="Mời <b>họp</b> tổ",
                audience=Rule(officer.unit_id or 0), number=2, timing="now", send_at=world.now, second=second, year=2025, now=world.now,
            )  # fmt: skip
        sent.state = BroadcastState.DONE
        await broadcasts.plan_automatic(
            session, key="ngay:2025", topic=broadcasts.CELEBRATION, unit_id=officer.unit_id or 0, audience=Rule(officer.unit_id or 0).to_json(),
            text="Chúc mừng.", timing="morning", send_at=world.now, year=2025, now=world.now,
        )  # fmt: skip
        for person in (ours, other):
            account = (await session.execute(select(Account).where(Account.person_id == person.id))).scalar_one()
            row = await outbox.put(session, account, to_json(Message("Mời <b>họp</b> tổ")), now=world.now)
            doubtful = await session.get_one(OutboxRow, row)
            doubtful.state, doubtful.broadcast_id = OutState.UNKNOWN, sent.id
            target = await session.get(BroadcastTarget, (sent.id, person.id)) or BroadcastTarget(
                broadcast_id=sent.id, person_id=person.id, unit_id=person.unit_id, state=TargetState.PLANNED
            )
            target.outbox_id = row
            session.add(target)


async def wanders(world: World, who: str, seed: int, moves: int) -> Walk:
    role = PEOPLE[who]
    if who == "a stranger":
        person = world.person(who)
    else:
        person = await world.joined("Bùi <b>Hoa</b>", role=role[0] if role else None, at=role[1] if role else "")
        await furnish(world, person)
        person.heard.clear()
    walk = Walk(world, person, Random(seed))
    try:
        await walk.go(moves)
    except BaseException as error:
        error.add_note(f"{who}, seed {seed}:\n" + "\n".join(walk.did[-12:]))
        raise
    return walk


MOVES = int(os.environ.get("CONGDOAN_TEST_MOVES", "50"))
"""How far each walks; a thousand finds what fifty do not."""


@pytest.mark.parametrize("seed", cases(1))
@pytest.mark.parametrize("who", PEOPLE)
async def test_a_walk_of_any_kind_is_answered_step_by_step(world: World, who: str, seed: int) -> None:
    walk = await wanders(world, who, seed=seed + 1, moves=MOVES)
    note(moves=len(walk.did))
