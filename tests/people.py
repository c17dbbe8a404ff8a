"""Talking persons: they type, tap and send pictures at the real engine over a real database, and remember what they heard."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import select

from content.message import Choice, Message, from_json
from content.packs import Packs, load_packs
from content.words import Words, load_words
from db import accounts, migrate, people, units
from db.models import Audience, Grant, Level, OutboxRow, OutState, Purpose, Role, Shift
from db.session import Database
from db.units import UnitRow
from handlers.dialogue import File, Incoming
from handlers.engine import answer
from handlers.meaning import plain_label
from handlers.registry import COMMAND_NAMES, Registry, build_registry
from handlers.talk import House
from scheduler.timetable import Work
from tests.databases import Template

START = datetime(2025, 7, 25, 9, 55, tzinfo=UTC)
"""25/7/2025 16:55 in Vietnam, where the demo begins too."""

FACTS = {"organisation": "Liên đoàn Lao động tỉnh Thử Nghiệm", "hotline": "0200 000 000", "duty_line": ""}


@dataclass
class Heard:
    """One message a person got: the content key, the text, the options."""

    key: str
    text: str
    choices: tuple[Choice, ...]
    message: Message
    provider: str

    @property
    def labels(self) -> list[str]:
        """What its buttons say."""
        return [choice.label for choice in self.choices]

    def offers(self, label: str) -> bool:
        """Whether a button says this, among more."""
        return any(label in each for each in self.labels)


@dataclass
class World:
    """A database, the words and packs, a clock that only moves when told."""

    database: Database
    house: House
    now: datetime = START
    sent: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    serial: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    people: dict[str, TestPerson] = field(default_factory=dict)

    def later(self, **delta: float) -> None:
        """Moves the clock."""
        self.now += timedelta(**delta)

    def person(self, name: str) -> TestPerson:
        """Somebody with a phone who has not said anything yet."""
        return self.people.setdefault(name, TestPerson(self, name))

    async def joined(
        self, name: str, *, unit: str = "MAYHOA", role: Role | None = None, at: str = "", **values: Any
    ) -> TestPerson:
        """Somebody who joined like `joins`, was confirmed and named, with a role where one is asked for.

        Written down, not talked through: what seven messages take, in every second test. tests/test_people.py holds both
        against each other.
        """
        person = self.person(name)
        version = self.house.words.text("onboarding.consent_version")
        async with self.database.write() as session:
            chat = await accounts.enter(session, person.channel, person.address, self.now)
            home = await units.find_by_code(session, unit)
            assert chat.person is None and home is not None
            row = await people.join(session, chat.account, version, self.now)
            await people.consent(session, row.id, Purpose.NEWS, version, person.channel, self.now)
            row.unit_id, row.audience, row.shift, row.news = home.id, Audience.ENTERPRISE, Shift.OFFICE, True
            row.name, row.confirmed = name, True
            for key, value in values.items():
                setattr(row, key, value)
            if role is not None:
                home = await units.find_by_code(session, at or unit)
                assert home is not None
                session.add(
                    Grant(
                        person_id=row.id,
                        role=role,
                        unit_id=home.id,
                        granted_by=None,
                        granted_at=self.now,
                        confirmed_at=self.now,
                    )
                )
        person.heard.clear()
        return person

    async def deliver(self) -> None:
        """Everything that is due reaches its phone; edits replace what they edit."""
        async with self.database.write() as session:
            rows = await session.execute(
                select(OutboxRow)
                .where(OutboxRow.state == OutState.READY, OutboxRow.not_before <= self.now, OutboxRow.body_id.is_(None))
                .order_by(OutboxRow.lane, OutboxRow.id)
            )
            for row in rows.scalars():
                assert row.payload is not None
                message = from_json(row.payload)
                provider = row.edits or str(next(self.sent))
                row.state, row.provider_id, row.finished_at = OutState.SENT, provider, self.now
                for person in self.people.values():
                    if person.address == row.address and person.channel == row.channel:
                        person.hears(Heard(message.key, message.text, message.choices, message, provider))


async def _nothing(channel: str, ref: str) -> bytes:
    raise LookupError


def work_of(world: World, files: Path | None = None, fetch: Callable[[str, str], Awaitable[bytes]] = _nothing) -> Work:
    """What a scheduled job is handed."""
    return Work(
        database=world.database,
        words=world.house.words,
        packs=world.house.packs,
        files=files or world.house.files,
        now=lambda: world.now,
        said=lambda: None,
        fetch=fetch,
    )


class TestPerson:
    """A worker or officer with a phone. `says`, `taps` and `sends` each are one update; `heard` is what came back."""

    __test__ = False

    def __init__(self, world: World, name: str, channel: str = "test") -> None:
        self.world = world
        self.name = name
        self.channel = channel
        self.address = f"chat-{next(world.serial)}"
        self.heard: list[Heard] = []
        self.transcript: list[str] = []

    def hears(self, heard: Heard) -> None:
        assert heard.choices or not heard.message.screen, f"{heard.key} is a dead end: it has no button"
        for i, old in enumerate(self.heard):
            if old.provider == heard.provider:
                self.heard[i] = heard
                self.transcript.append(_quote(heard, edited=True))
                return
        self.heard.append(heard)
        self.transcript.append(_quote(heard))

    @property
    def last(self) -> Heard:
        """The newest message."""
        return self.heard[-1]

    @property
    def keys(self) -> list[str]:
        """The content keys heard, oldest first."""
        return [heard.key for heard in self.heard]

    async def says(self, text: str) -> Heard:
        """Types something."""
        self.transcript.append(f"**{self.name}:** {text}")
        await self._send(Incoming(self.channel, self.address, self.world.now, text=text))
        return self.last

    async def taps(self, label: str) -> Heard:
        """Presses the newest button whose label is this, with or without its icon."""
        for heard in reversed(self.heard):
            for choice in heard.choices:
                if label in (choice.label, choice.key) or plain_label(label) == plain_label(choice.label):
                    self.transcript.append(f"**{self.name}** bấm [{choice.label}]")
                    return await self.presses(choice.data(heard.message.screen))
        raise AssertionError(f"{self.name} sees no button {label!r}; the last message is {self.last}")

    async def presses(self, data: str) -> Heard:
        """Presses a button by what it carries, as an old or forged one would."""
        await self._send(Incoming(self.channel, self.address, self.world.now, choice=data))
        return self.last

    async def sends(self, *files: File, text: str = "", group: str = "", place: str = "private") -> Heard | None:
        """Sends files, an album member by member with the same group, or something from a group chat."""
        await self._send(
            Incoming(self.channel, self.address, self.world.now, text=text, files=files, group=group, place=place)
        )
        return self.heard[-1] if self.heard else None

    async def sends_photo(self, *, text: str = "", group: str = "") -> Heard | None:
        """Sends one photo."""
        n = next(self.world.serial)
        return await self.sends(File("photo", f"photo-{n}", f"unique-{n}", "", 200_000), text=text, group=group)

    async def joins(self, unit: str) -> None:
        """Joins through a unit's QR code, as a worker of an enterprise who wants news."""
        await self.says(f"/start u-{unit}")
        for label in ("Bắt đầu", "Tôi đồng ý", "Có, gửi cho tôi", "Đúng rồi", "NLĐ doanh nghiệp", "Hành chính"):
            await self.taps(label)

    async def id(self) -> int:
        """The person's id in the database."""
        from db.models import Account

        async with self.world.database.read() as session:
            found = await session.execute(select(Account.person_id).where(Account.address == self.address))
            person_id = found.scalar_one()
        assert person_id is not None, f"{self.name} has not joined"
        return person_id

    async def _send(self, incoming: Incoming) -> None:
        async with self.world.database.write() as session:
            await answer(session, self.world.house, incoming)
        await self.world.deliver()


def _quote(heard: Heard, *, edited: bool = False) -> str:
    lines = [f"> {line}" for line in heard.text.splitlines()]
    buttons = " ".join(f"[{choice.label}]" for choice in heard.choices)
    return "\n".join(
        ([">", "> *(sửa tin trên)*"] if edited else [">"]) + lines + ([">", f"> {buttons}"] if buttons else [])
    )


UNITS = (
    UnitRow("TINH", "Liên đoàn Lao động tỉnh Thử Nghiệm", "LĐLĐ tỉnh", "", Level.PROVINCE),
    UnitRow("CAOSON", "Công đoàn xã Cao Sơn", "CĐ xã Cao Sơn", "TINH", Level.UPPER, "xã Cao Sơn"),
    UnitRow("KCN", "Công đoàn các khu công nghiệp", "CĐ KCN", "TINH", Level.UPPER),
    UnitRow(
        "MAYHOA", "Công ty TNHH May Hòa Phát", "May Hòa Phát", "CAOSON", place="xã Cao Sơn", sector="may", workers=620,
        aliases=("Hòa Phát Garment",), old_names=(("LĐLĐ huyện Đồng Tâm", datetime(2025, 7, 1).date()),),
    ),
    UnitRow("CHUYEN5", "Tổ chuyền 5", "Chuyền 5", "MAYHOA", Level.TEAM),
    UnitRow("DIENTU", "Công ty Điện tử Sao Mai", "Sao Mai", "KCN", place="phường Tân Lập", zone="KCN Tân Lập", sector="điện tử"),
    UnitRow("TRUONG", "Trường Tiểu học Cao Sơn", "TH Cao Sơn", "CAOSON", place="xã Cao Sơn", sector="giáo dục"),
)  # fmt: skip


@cache
def spoken() -> tuple[Words, Packs]:
    """The words and packs, read once: nothing changes them."""
    return load_words(FACTS), load_packs(COMMAND_NAMES)


@cache
def _registry() -> Registry:
    return build_registry(spoken()[0])


async def furnish_units(url: str, rows: Iterable[UnitRow] = UNITS) -> None:
    """Makes the newest schema and some units, for worlds to be copied from."""
    database = Database(url)
    await migrate.upgrade(database)
    async with database.write() as session:
        await units.write(session, list(rows), START)
    await database.close()


def make_world(database: Database, template: Template, files: Path) -> World:
    """A fresh world in a real database. The handle may have served another before: it keeps what it has compiled."""
    template.fresh()
    return World(database, make_house(files))


def make_house(files: Path) -> House:
    """The words, packs and commands of a world."""
    words, packs = spoken()
    return House(
        words=words,
        registry=_registry(),
        packs=packs,
        rng=Random(7),
        organisation=FACTS["organisation"],
        hotline=FACTS["hotline"],
        duty_line="",
        files=files,
        links={"test": "https://chat.example/?start={}"},
    )
