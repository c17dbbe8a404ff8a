"""Backup and restore: whole while everything moves, proved, never over something, and nothing is announced twice after."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import random
import shutil
import sqlite3
import tarfile
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from bot import backup as backups
from bot.app import build_app
from bot.backup import BadBackup
from bot.clock import Clock
from bot.lock import AlreadyRunning, hold
from bot.settings import Settings
from bot.watch import LAST_BACKUP
from db import accounts, audit, automatic, erasure, house, migrate, people, snapshot, versions
from db.models import (
    Alarm,
    AuditRow,
    AutomaticMessage,
    Base,
    Broadcast,
    BroadcastState,
    Complaint,
    Entry,
    Grant,
    OutboxRow,
    OutState,
    Policy,
    Prize,
    QuestionReport,
    Round,
)
from db.session import Database
from db.trouble import Kind, Trouble
from scheduler import anniversaries
from tests.databases import Template
from tests.people import START, World, work_of
from tests.power.files import watched

pytestmark = pytest.mark.sqlite


def quiet(done: int, total: int) -> None:
    """Progress that nobody watches."""


@pytest.fixture
def settings(tmp_path: Path, template: Template) -> Settings:
    """A house with units, a cleaned file, an upload on its way and one half written."""
    folder = tmp_path / "data"
    for name, content in (("files/a.jpg", b"clean"), ("uploads/b", b"raw"), ("files/c.jpg.part", b"half")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    shutil.copyfile(template.path, folder / "congdoan.db")
    return Settings.model_construct(data_dir=folder)


def open_database(settings: Settings) -> Database:
    return Database(settings.database)


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "congdoan.lock"
    }


async def test_a_backup_under_load_holds_one_moment_of_the_database_and_every_file(
    settings: Settings, tmp_path: Path
) -> None:
    database = open_database(settings)
    begun, stop = asyncio.Event(), asyncio.Event()
    count = 0

    async def load() -> None:
        nonlocal count
        while not stop.is_set():
            count += 1
            async with database.write() as session:
                await house.remember(session, "left", {"n": count}, START)
                await house.remember(session, "right", {"n": count}, START)
            begun.set()
            await asyncio.sleep(0)

    loading = asyncio.create_task(load())
    await begun.wait()
    before = count
    assert await backups.backup(settings, tmp_path / "b.tar.gz", START, quiet) == 3
    stop.set()
    await loading
    await database.close()
    assert (tmp_path / "b.tar.gz").stat().st_mode & 0o077 == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.tar.gz", "data"]

    other = Settings.model_construct(data_dir=tmp_path / "other")
    assert await backups.restore(other, tmp_path / "b.tar.gz", START, quiet) == (None, 0)
    assert {name: data for name, data in tree(other.data_dir).items() if "db" not in name} == {
        "files/a.jpg": b"clean", "uploads/b": b"raw",
    }  # fmt: skip
    restored = open_database(other)
    async with restored.read() as session:
        left, right = await house.know(session, "left"), await house.know(session, "right")
    await snapshot.verify(restored)
    await restored.close()
    assert left is not None and left == right and left["n"] >= before - 1


async def test_a_backup_never_overwrites_and_leaves_nothing_behind_when_it_fails(
    settings: Settings, tmp_path: Path
) -> None:
    target = tmp_path / "b.tar.gz"
    target.write_bytes(b"last year's")
    with pytest.raises(FileExistsError):
        await backups.backup(settings, target, START, quiet)
    assert target.read_bytes() == b"last year's"
    with pytest.raises(FileNotFoundError):
        await backups.backup(Settings.model_construct(data_dir=tmp_path / "none"), tmp_path / "c", START, quiet)
    with pytest.raises(FileNotFoundError) as caught:
        await backups.backup(settings, tmp_path / "no such folder" / "c", START, quiet)
    assert caught.value.filename == str(tmp_path / "no such folder")  # not a name of our own making
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.tar.gz", "data"]


async def test_a_backup_outlives_a_power_cut_once_it_is_made(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "backups").mkdir()
    with watched(tmp_path / "backups") as folder:
        file = tmp_path / "backups" / "b.tar.gz"
        await backups.backup(settings, file, START, quiet)
        assert folder.left()["b.tar.gz"] == file.read_bytes()


async def made(settings: Settings, tmp_path: Path) -> Path:
    await backups.backup(settings, tmp_path / "b.tar.gz", START, quiet)
    return tmp_path / "b.tar.gz"


def tar_of(path: Path, **members: bytes) -> None:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name.replace("__", "/"))
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


async def refused(settings: Settings, file: Path) -> str:
    before = tree(settings.data_dir)
    with pytest.raises(BadBackup) as caught:
        await backups.restore(settings, file, START, quiet)
    assert tree(settings.data_dir) == before
    assert {path.name for path in settings.data_dir.iterdir()} - {LAST_BACKUP} == {
        "congdoan.db",
        "congdoan.lock",
        "files",
        "uploads",
    }
    return str(caught.value)


async def test_a_broken_backup_is_refused_wherever_it_is_broken_and_nothing_is_touched(
    settings: Settings, tmp_path: Path
) -> None:
    whole = (await made(settings, tmp_path)).read_bytes()
    broken = tmp_path / "broken.tar.gz"
    rng = random.Random(7)
    for _ in range(12):
        broken.write_bytes(whole[: rng.randrange(len(whole) - 8)])
        await refused(settings, broken)
    for _ in range(12):
        at = rng.randrange(10, len(whole) - 8)  # the head and the tail of a gzip file hold bytes that mean nothing
        broken.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        await refused(settings, broken)


async def test_a_foreign_file_is_refused_with_what_it_is(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "foreign"
    for content in (b"", b"PK\x03\x04 a workbook", b"\x1f\x8b not really gzip", bytes(5000)):
        file.write_bytes(content)
        assert "not a whole backup" in await refused(settings, file)
    tar_of(file, photo=b"holiday")
    assert "not ours ('photo')" in await refused(settings, file)
    tar_of(file, **{"..__..__evil": b"x"})
    assert "not ours" in await refused(settings, file)
    tar_of(file, **{"congdoan.db": b"x", "manifest.json": b'{"sums": ["odd"]}'})
    await refused(settings, file)


async def test_a_backup_of_a_newer_version_is_refused(settings: Settings, tmp_path: Path) -> None:
    shutil.copytree(settings.data_dir, tmp_path / "newer")
    newer = Settings.model_construct(data_dir=tmp_path / "newer")
    file = await made(newer, tmp_path)
    with tarfile.open(file) as tar:
        tar.extractall(tmp_path / "open", filter="data")
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/open/congdoan.db")
    async with database.write() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = 'from-2031'"))
    await database.close()
    content = (tmp_path / "open/congdoan.db").read_bytes()
    sums = json.dumps(
        {"made_at": START.isoformat(), "sums": {"congdoan.db": hashlib.sha256(content).hexdigest()}}
    ).encode()
    tar_of(file, **{"congdoan.db": content, "manifest.json": sums})
    assert "newer version" in await refused(settings, file)


@pytest.fixture
def next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program of next year, with one more migration."""
    folder = tmp_path / "next"
    folder.mkdir()
    (folder / "a1_workers.py").write_text(
        "from alembic import op\nrevision, down_revision = 'a1', '6247cf5ca1d5'\n"
        "branch_labels = depends_on = None\ndef upgrade():\n    op.execute('UPDATE units SET workers = 9')\n"
    )
    config = versions._config

    def with_one_more(connection: Any) -> Any:
        made = config(connection)
        made.set_main_option("path_separator", "os")
        made.set_main_option("version_locations", f"{made.get_main_option('script_location')}/versions:{folder}")
        return made

    monkeypatch.setattr(versions, "_config", with_one_more)
    monkeypatch.setattr(migrate, "NEWEST", "a1")


def workers(path: Path) -> set[int]:
    with closing(sqlite3.connect(path)) as connection:
        return {number for (number,) in connection.execute("SELECT workers FROM units WHERE workers IS NOT NULL")}


@pytest.mark.usefixtures("next_version")
async def test_older_tables_are_copied_beside_before_a_start_brings_them_up_to_date(settings: Settings) -> None:
    for _ in range(2):
        app = await build_app(settings, Clock())
        await app.stop()
        assert workers(settings.database_file) == {9}
        [copy] = settings.data_dir.glob("before-update-*")
        assert workers(copy) == {620} and copy.stat().st_mode & 0o077 == 0


@pytest.mark.usefixtures("next_version")
async def test_that_copy_outlives_a_power_cut_before_anything_is_changed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgrade = migrate.upgrade

    async def noted(database: Database) -> None:
        [copy] = settings.data_dir.glob("before-update-*")
        assert folder.left()[copy.name] == copy.read_bytes()
        await upgrade(database)

    monkeypatch.setattr(migrate, "upgrade", noted)
    with watched(settings.data_dir) as folder:
        app = await build_app(settings, Clock())
    await app.stop()
    assert workers(settings.database_file) == {9}


@pytest.mark.usefixtures("next_version")
async def test_without_room_for_that_copy_nothing_is_brought_up_to_date(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise Trouble(Kind.FULL, "database or disk is full")

    monkeypatch.setattr(Database, "copy_to", full)
    with pytest.raises(Trouble):
        await build_app(settings, Clock())
    assert workers(settings.database_file) == {620}


async def test_a_first_start_has_nothing_to_copy(tmp_path: Path) -> None:
    app = await build_app(Settings.model_construct(data_dir=tmp_path), Clock())
    await app.stop()
    assert not list(tmp_path.glob("before-*"))


async def test_restoring_sets_the_former_data_aside_and_is_audited(settings: Settings, tmp_path: Path) -> None:
    file = await made(settings, tmp_path)
    (settings.data_dir / "files" / "later.jpg").write_bytes(b"taken after the backup")
    aside, _ = await backups.restore(settings, file, START, quiet)
    assert aside is not None and (aside / "files" / "later.jpg").read_bytes() == b"taken after the backup"
    assert (aside / "congdoan.db").exists() and not (settings.data_dir / "files" / "later.jpg").exists()
    database = open_database(settings)
    async with database.read() as session:
        assert (await session.execute(select(AuditRow.action))).scalars().all() == ["restore"]
        assert (await audit.verify(session)).row == 1  # guarded and bound as before
    await database.close()


async def test_a_restored_house_outlives_a_power_cut_before_it_may_start_again(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = await made(settings, tmp_path)
    (settings.data_dir / "files" / "later.jpg").write_bytes(b"taken after the backup")
    done = backups._done

    def noted(data: Path) -> Path | None:
        now = {str(path.relative_to(data)): path.read_bytes() for path in data.rglob("*") if path.is_file()}
        new = {name for name in now if name.startswith(("congdoan.db", "files/", "uploads/"))}
        assert new == {"congdoan.db", "files/a.jpg", "uploads/b"}
        left = folder.left()
        assert {name: left.get(name) for name in new} == {name: now[name] for name in new}
        return done(data)

    monkeypatch.setattr(backups, "_done", noted)
    with watched(settings.data_dir) as folder:
        aside, _ = await backups.restore(settings, file, START, quiet)
        assert aside is not None and f"{aside.name}/files/later.jpg" in folder.left()


async def test_restores_in_the_same_second_keep_what_each_of_them_took_away(settings: Settings, tmp_path: Path) -> None:
    await backups.backup(settings, tmp_path / "b.tar.gz", START, quiet)
    asides = [(await backups.restore(settings, tmp_path / "b.tar.gz", START, quiet))[0] for _ in range(3)]
    assert len(set(asides)) == 3
    assert all(aside is not None and (aside / "congdoan.db").exists() for aside in asides)


async def test_nothing_is_restored_under_a_running_bot(settings: Settings, tmp_path: Path) -> None:
    file = await made(settings, tmp_path)
    with hold(settings.data_dir), pytest.raises(AlreadyRunning):
        await backups.restore(settings, file, START, quiet)


ON_THE_WAY = (
    (BroadcastState.SCHEDULED, START - timedelta(minutes=1), BroadcastState.HELD),
    (BroadcastState.SCHEDULED, START + timedelta(days=1), BroadcastState.HELD),
    (BroadcastState.PLANNING, START, BroadcastState.HELD),
    (BroadcastState.SENDING, START, BroadcastState.PAUSED),
    (BroadcastState.WAITING, START, BroadcastState.WAITING),
    (BroadcastState.DONE, START, BroadcastState.DONE),
)
"""Announcements before, on and after their way, and where a restore leaves them."""
MESSAGES = (
    (Policy.AMO, OutState.READY, 1, OutState.HELD),
    (Policy.AMO, OutState.SENDING, 1, OutState.HELD),
    (Policy.AMO, OutState.SENT, 1, OutState.SENT),
    (Policy.AMO, OutState.READY, None, OutState.UNKNOWN),
    (Policy.AMO, OutState.SENDING, None, OutState.UNKNOWN),
    (Policy.ALO, OutState.READY, None, OutState.READY),
    (Policy.ALO, OutState.SENDING, None, OutState.SENDING),
)
"""Messages of announcement 1 or of none, and where a restore leaves them: nobody looks at a single reminder again."""


async def furnished(settings: Settings) -> None:
    database = open_database(settings)
    async with database.write() as session:
        account = (await accounts.enter(session, "webchat", "w-1", START)).account
        await people.join(session, account, "test", START)
        for n, (state, due, _) in enumerate(ON_THE_WAY):
            made = Broadcast(code=str(n), kind="notice", state=state, unit_id=1, text="x", timing="now", send_at=due)
            made.created_at, made.audience, made.media = START, {}, []
            session.add(made)
        for policy, out, announced, _ in MESSAGES:
            row = OutboxRow(policy=policy, lane=2, kind="notice", account_id=account.id, channel="webchat", state=out)
            row.address, row.payload, row.not_before, row.created_at = "w-1", {}, START, START
            row.broadcast_id = announced
            session.add(row)
    await database.close()


async def test_after_a_restore_nothing_that_may_have_gone_out_goes_out_by_itself(
    settings: Settings, tmp_path: Path
) -> None:
    await furnished(settings)
    file = await made(settings, tmp_path)
    assert (await backups.restore(settings, file, START, quiet))[1] == 4
    database = open_database(settings)
    async with database.read() as session:
        states = (await session.execute(select(Broadcast.state).order_by(Broadcast.code))).scalars().all()
        rows = (await session.execute(select(OutboxRow.state).order_by(OutboxRow.id))).scalars().all()
    await database.close()
    assert states == [after for _, _, after in ON_THE_WAY]
    assert rows == [after for *_, after in MESSAGES]


@pytest.mark.parametrize(("day", "planned"), [(24, False), (23, True)])
async def test_an_anniversary_that_may_have_been_stopped_before_the_restore_waits_for_a_person(
    world: World, day: int, planned: bool
) -> None:
    """Officers are asked about the 25th on the 24th, from 8 o'clock on."""
    await snapshot.after_restore(world.database, world.now.replace(day=day))
    await anniversaries.run(work_of(world))
    async with world.database.read() as session:
        found = (await session.execute(select(Broadcast.key, Broadcast.state))).all()
    assert found == [("kn:2807:2025:t3", BroadcastState.SCHEDULED)] * planned


async def test_after_a_restore_no_number_is_given_out_that_is_on_somebodys_phone(world: World, tmp_path: Path) -> None:
    """An old button let another announcement go than the one its reader had seen, or answered another question."""
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("menu")
    await world.database.copy_to(tmp_path / "copy.db")
    given: list[tuple[str, int, int]] = []
    restored = Database(f"sqlite+aiosqlite:///{tmp_path / 'copy.db'}")
    await snapshot.after_restore(restored, world.now)
    await hoa.says("/sangkien")
    for database in (world.database, restored):
        async with database.write() as session:
            chat = await accounts.enter(session, "test", hoa.address, world.now)
            row = await automatic.ask(session, "kn:2807:2025:t0", world.now.date(), world.now)
            assert row is not None
            given.append((await house.next_code(session, "TB", 2025), chat.conversation.screen, row.id))
    await restored.close()
    (code, screen, number), (new_code, new_screen, new_number) = given
    assert (code, new_code) == ("TB-25-0001", "TB-25-1001") and new_screen > screen
    assert (number, new_number) == (1, house.SKIPPED_ROWS + 1)


@pytest.mark.parametrize(
    "table",
    [AutomaticMessage, Alarm, Complaint, Entry, Grant, Prize, QuestionReport, Round],
    ids=lambda each: each.__name__,
)
def test_rows_that_buttons_name_by_number_are_among_those_whose_numbers_a_restore_leaves_out(table: type[Base]) -> None:
    """The tables of every `arg: "{{ id }}"` and `{{ tag }}` of the words; a lost time's button holds its moment instead."""
    assert table.metadata.tables[table.__tablename__].dialect_options["sqlite"]["autoincrement"]


@pytest.mark.parametrize("readable", [True, False])
async def test_who_was_erased_or_wanted_silence_since_the_backup_is_not_brought_back(
    settings: Settings, tmp_path: Path, readable: bool
) -> None:
    database = open_database(settings)
    async with database.write() as session:
        for name in ("Hoa", "Lan", "Nam", "Minh"):
            person = await people.join(
                session, (await accounts.enter(session, "webchat", name, START)).account, "1", START
            )
            person.name, person.news = name, True
    file = await made(settings, tmp_path)
    async with database.write() as session:
        await erasure.erase(session, 1, START)
        await people.stop_news(session, await people.get(session, 2), START)
        await erasure.stop_processing(session, 3, START)
    await database.close()
    if not readable:
        (settings.data_dir / "congdoan.db").write_bytes(b"a disk that died")
    await backups.restore(settings, file, START, quiet)
    database = open_database(settings)
    async with database.read() as session:
        found = [await people.get(session, n) for n in (1, 2, 3, 4)]
        text_of_all = repr((await session.execute(text("SELECT * FROM persons"))).all())
    await database.close()
    brought_back = [(person.name, person.news, person.processing) for person in found]
    hoa, lan, nam, minh = ("Hoa", True, True), ("Lan", True, True), ("Nam", True, True), ("Minh", True, True)
    if readable:
        hoa, lan, nam = ("", False, False), ("Lan", False, True), ("Nam", False, False)
    assert brought_back == [hoa, lan, nam, minh] and ("Hoa" in text_of_all) != readable
