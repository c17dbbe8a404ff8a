"""Backup and restore: one file with the database, the files beside it, and the sums that prove them."""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
import os
import re
import shutil
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import IO

from bot.lock import hold
from bot.opening import HALF, reading
from bot.settings import SQLITE, Settings
from bot.watch import LAST_BACKUP
from bot.workplace import workplace
from content import disk
from db import migrate, snapshot
from db.session import Database
from db.trouble import Kind, Trouble, explained

log = logging.getLogger(__name__)

DATABASE = "congdoan.db"
MANIFEST = "manifest.json"
FOLDERS = ("files", "uploads")
"""What lies beside the database: cleaned files, and uploads that wait to be fetched and cleaned."""
MEMBER = re.compile(rf"{DATABASE}|(?:{'|'.join(FOLDERS)})/[^/]+")
DUMP = "this is a PostgreSQL server's database: use pg_dump --format=custom, and pg_restore --clean to bring it back"
LOST = (
    "who has erased their data or stopped messages since the backup is not known, nor what officers stopped. "
    "Nothing goes to many, and no contest round opens, until a leader or an administrator says so (/dungkhan)"
)
Progress = Callable[[int, int], None]


class BadBackup(Exception):
    """A file that is not a whole backup of ours; the text says what is wrong with it."""


async def backup(settings: Settings, target: Path, now: datetime, progress: Progress) -> int:
    """Writes a backup beside a running bot, reads it back, and returns how many files it holds.

    `target` appears only when whole. Raises FileExistsError (nothing is ever overwritten), FileNotFoundError, Trouble.
    """
    _only_here(settings)
    if target.exists():
        raise FileExistsError(17, "there is a file of this name already; choose another", str(target))
    if not target.absolute().parent.is_dir():
        raise FileNotFoundError(2, "there is no such folder", str(target.parent))
    with workplace(target.absolute().parent) as folder:
        copy, part = folder / DATABASE, folder / "part"
        with explained():
            async with reading(settings, older=True) as database:  # above all before an update
                await database.copy_to(copy)
            await _prove(copy)
        # 0600 from the first byte: everything that anybody told us is in it.
        with os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w+b") as file:
            _write(file, copy, settings.data_dir, now, progress)
        sums, _ = _check(part)
        disk.place(part, target)
        _note(settings.data_dir, now)
    return len(sums)


def _note(folder: Path, now: datetime) -> None:
    """Writes down that there is a backup, for whoever watches whether one is made every day."""
    try:
        (folder / LAST_BACKUP).write_text(now.isoformat(), encoding="ascii")
    except OSError as error:
        log.warning("that a backup was made could not be written down (%s)", error.strerror)


async def restore(settings: Settings, source: Path, now: datetime, progress: Progress) -> tuple[Path | None, int]:
    """Puts a backup in place of the data folder's content.

    Returns where the old content went and how many announcements were stopped on their way. Everything is checked and
    made ready beside the old content first. Raises BadBackup, AlreadyRunning, OSError (no room): then nothing changed.
    Nothing starts on the half of it (`opening.alone`).
    """
    file = _only_here(settings)
    with hold(settings.data_dir), workplace(settings.data_dir) as folder:
        sums, made_at = _check(source)
        _unpack(source, folder, len(sums), progress)
        held = await _make_ready(folder / DATABASE, now, await _read_former(settings, file), made_at)
        _set_aside(settings, file, now)
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(folder / DATABASE, file)
        for beside in FOLDERS:
            (folder / beside).mkdir(exist_ok=True)
            disk.sync(folder / beside)
            shutil.move(folder / beside, settings.data_dir / beside)
        disk.sync(file, file.parent, settings.data_dir)
        return _done(settings.data_dir), held


def _done(folder: Path) -> Path | None:
    """From here on everything may start again. Returns where the former data is, if there was any."""
    former = []
    for half in sorted(folder.glob(f"*{HALF}")):  # this one, and one before that was cut off
        disk.sync(half)
        former.append(half.rename(half.with_suffix("")))
        with suppress(OSError):
            former[-1].rmdir()  # there was nothing
    disk.sync(folder)
    return next((path for path in former if path.exists()), None)


def _only_here(settings: Settings) -> Path:
    """The database's file. Raises Trouble where it is a server's: that has tools of its own, which also prove a copy."""
    if settings.database_file is None:
        raise Trouble(Kind.OTHER, f"{DUMP}; the folders {' and '.join(FOLDERS)} in {settings.data_dir} belong to it")
    return settings.database_file


# ---------------------------------------------------------------------------------------------------- writing


async def _prove(path: Path) -> None:
    database = Database(f"{SQLITE}{path}")
    try:
        await snapshot.verify(database)
    except snapshot.Unsound as error:
        raise Trouble(Kind.DAMAGED, str(error)) from error
    finally:
        await database.close()


def _write(file: IO[bytes], copy: Path, data_dir: Path, now: datetime, progress: Progress) -> None:
    """The database was copied first: a file it names is still there, or its owner had it erased meanwhile."""
    members = [(DATABASE, copy), *_beside(data_dir)]
    sums: dict[str, str] = {}
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        for done, (member, path) in enumerate(members, 1):
            try:
                with path.open("rb") as source:
                    info = tar.gettarinfo(arcname=member, fileobj=source)
                    sums[member] = _sum(source)
                    source.seek(0)
                    tar.addfile(info, source)
            except FileNotFoundError:
                continue
            finally:
                progress(done, len(members))
        manifest = copy.with_name(MANIFEST)
        manifest.write_text(json.dumps({"made_at": now.isoformat(), "sums": sums}), encoding="utf-8")
        tar.add(manifest, MANIFEST)


def _beside(data_dir: Path) -> Iterator[tuple[str, Path]]:
    for folder in FOLDERS:
        for path in sorted((data_dir / folder).glob("*")):
            if path.is_file() and path.suffix != ".part":
                yield f"{folder}/{path.name}", path


def _sum(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while block := file.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


# ---------------------------------------------------------------------------------------------------- reading


def _check(source: Path) -> tuple[dict[str, str], datetime]:
    """Reads a whole backup and returns the sums of its list, and when it was made. Raises BadBackup."""
    found: dict[str, str] = {}
    listed: dict[str, str] = {}
    made_at = None
    try:
        with tarfile.open(source, "r:gz") as tar:
            for member in tar:
                content = tar.extractfile(member) if member.isfile() else None
                if content is not None and member.name == MANIFEST:
                    manifest = json.loads(content.read())
                    listed, made_at = dict(manifest["sums"]), datetime.fromisoformat(manifest["made_at"])
                elif content is not None and MEMBER.fullmatch(member.name):
                    found[member.name] = _sum(content)
                else:
                    raise BadBackup(f"holds something that is not ours ({member.name[:60]!a})")
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, KeyError, ValueError, TypeError) as error:
        raise BadBackup("not a whole backup of this bot") from error
    wrong = sorted(name for name in listed.keys() | found.keys() if listed.get(name) != found.get(name))
    if wrong or made_at is None or DATABASE not in found:
        raise BadBackup(f"{(wrong or [DATABASE])[0]} is missing or damaged")
    return listed, made_at


def _unpack(source: Path, folder: Path, total: int, progress: Progress) -> None:
    with tarfile.open(source, "r:gz") as tar:
        for done, member in enumerate(tar):
            tar.extract(member, folder, filter="data")
            disk.sync(folder / member.name)
            progress(min(done + 1, total), total)


async def _read_former(settings: Settings, file: Path) -> snapshot.Former | None:
    """What people have asked for and officers have stopped since the backup; None where the former database cannot say it."""
    there = [path for path in (file, *settings.data_dir.glob(f"*{HALF}/{file.name}")) if path.exists()]
    if not there:
        log.warning("there is no former database: %s", LOST)
        return None
    database = Database(f"{SQLITE}{there[0]}")
    try:
        with explained():
            return await snapshot.read_former(database)
    except Trouble as trouble:
        log.warning("the former database cannot be read (%s): %s", trouble, LOST)
        return None
    finally:
        await database.close()


async def _make_ready(path: Path, now: datetime, former: snapshot.Former | None, made_at: datetime) -> int:
    database = Database(f"{SQLITE}{path}")
    try:
        with explained():
            await snapshot.verify(database)
            await migrate.upgrade(database)
            return await snapshot.after_restore(database, now, former, made_at)
    except snapshot.Unsound as error:
        raise BadBackup(f"the database in it is damaged ({error})") from None
    except Trouble as trouble:
        newer = trouble.kind == Kind.NEWER
        raise BadBackup("made by a newer version of the bot" if newer else f"the database in it: {trouble}") from None
    finally:
        await database.close()


def _set_aside(settings: Settings, file: Path, now: datetime) -> None:
    """Moves what is there out of the way, into a folder whose name says that only half is done."""
    old = [file, file.with_name(file.name + "-wal"), file.with_name(file.name + "-shm")]
    there = [path for path in (*old, *(settings.data_dir / name for name in FOLDERS)) if path.exists()]
    name = settings.data_dir / f"before-restore-{now:%Y%m%d-%H%M%S}"
    # Whoever begins again in the same second, after one that was cut off, would move the new content over the former.
    names = (name if not number else name.with_name(f"{name.name}-{number}") for number in count())
    aside = next(path for path in names if not path.exists() and not path.with_suffix(HALF).exists()).with_suffix(HALF)
    aside.mkdir(mode=0o700)
    disk.sync(settings.data_dir)
    for path in there:
        shutil.move(path, aside / path.name)
