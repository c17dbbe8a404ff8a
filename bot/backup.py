"""Backup and restore: one file with the database, the cleaned files and the sums that prove them."""

from __future__ import annotations

import hashlib
import json
import shutil
import tarfile
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from bot.lock import hold
from bot.settings import Settings
from db import migrate, snapshot
from db.session import Database

DATABASE = "congdoan.db"
MANIFEST = "manifest.json"
Progress = Callable[[int, int], None]


class BadBackup(Exception):
    """A file that is not a whole backup of ours; the text says what is wrong with it."""


def _sum(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


async def backup(settings: Settings, target: Path, now: datetime, progress: Progress) -> int:
    """Writes a backup beside a running bot and returns how many files it holds. `target` appears only when whole."""
    with tempfile.TemporaryDirectory(dir=target.parent) as name:
        folder = Path(name)
        database = Database(settings.database)
        try:
            await snapshot.copy_to(database, folder / DATABASE)
        finally:
            await database.close()
        copy = Database(f"sqlite+aiosqlite:///{folder / DATABASE}")
        try:
            await snapshot.verify(copy)
        finally:
            await copy.close()
        members = {DATABASE: folder / DATABASE}
        files = settings.data_dir / "files"
        members |= {f"files/{path.name}": path for path in sorted(files.glob("*")) if path.is_file()}
        manifest = {"made_at": now.isoformat(), "sums": {}}
        sums: dict[str, str] = {}
        part = target.with_name(target.name + ".part")
        with tarfile.open(part, "w:gz") as tar:
            for done, (member, path) in enumerate(members.items(), 1):
                sums[member] = _sum(path)
                tar.add(path, member)
                progress(done, len(members))
            (folder / MANIFEST).write_text(json.dumps(manifest | {"sums": sums}), encoding="utf-8")
            tar.add(folder / MANIFEST, MANIFEST)
        part.chmod(0o600)
        part.replace(target)
    return len(members)


async def restore(settings: Settings, source: Path, now: datetime) -> Path | None:
    """Puts a backup in place of the data folder's content and returns where the old content went.

    Checks everything first. Waiting at-most-once messages come back held. Raises BadBackup, AlreadyRunning.
    """
    lock = hold(settings.data_dir)
    try:
        with tempfile.TemporaryDirectory(dir=settings.data_dir) as name:
            folder = Path(name)
            _unpack(source, folder)
            database = Database(f"sqlite+aiosqlite:///{folder / DATABASE}")
            try:
                await snapshot.verify(database)
                await migrate.upgrade(database)
                await snapshot.after_restore(database)
            except snapshot.Unsound as error:
                raise BadBackup(f"the database in {source.name} is damaged: {error}") from None
            finally:
                await database.close()
            aside = _set_aside(settings, now)
            target = Path(settings.database.removeprefix("sqlite+aiosqlite:///"))
            for left in folder.glob(f"{DATABASE}*"):
                shutil.move(left, target.with_name(target.name + left.name.removeprefix(DATABASE)))
            (settings.data_dir / "files").mkdir(exist_ok=True)
            for file in (folder / "files").glob("*"):
                shutil.move(file, settings.data_dir / "files" / file.name)
            return aside
    finally:
        lock.close()


def _unpack(source: Path, folder: Path) -> None:
    try:
        with tarfile.open(source, "r:gz") as tar:
            tar.extractall(folder, filter="data")
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        sums = dict(manifest["sums"])
    except (tarfile.TarError, OSError, KeyError, ValueError) as error:
        raise BadBackup(f"{source.name} is not a backup of this bot ({type(error).__name__})") from None
    if DATABASE not in sums:
        raise BadBackup(f"{source.name} holds no database")
    for member, expected in sums.items():
        path = folder / member
        if not path.is_file() or _sum(path) != expected:
            raise BadBackup(f"{source.name}: {member} is missing or damaged")


def _set_aside(settings: Settings, now: datetime) -> Path | None:
    target = Path(settings.database.removeprefix("sqlite+aiosqlite:///"))
    old = [
        path
        for path in (target, target.with_name(target.name + "-wal"), target.with_name(target.name + "-shm"))
        if path.exists()
    ]
    files = settings.data_dir / "files"
    if not old and not files.exists():
        return None
    aside = settings.data_dir / f"before-restore-{now:%Y%m%d-%H%M%S}"
    aside.mkdir()
    for path in [*old, *([files] if files.exists() else [])]:
        shutil.move(path, aside / path.name)
    return aside
