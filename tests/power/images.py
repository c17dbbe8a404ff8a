"""What a disk may hold after a cut: all that was synced, and of the rest any part, in any order, torn between sectors."""

from __future__ import annotations

from pathlib import Path
from random import Random

from tests.power.recorder import Deed, Record

SECTOR = 512
"""Bytes that a disk writes whole or not at all."""


def left_by(record: Record, cut: int, rng: Random) -> dict[str, bytes]:
    """The files after a cut before deed number `cut`. A file that was never synced may be gone."""
    done: dict[str, list[Deed]] = {name: [] for name in record.began}
    safe: dict[str, int] = dict.fromkeys(record.began, 0)
    for deed in record.deeds[:cut]:
        if deed.what == "mark":
            continue
        if deed.what == "delete":
            done.pop(deed.name, None)
            safe.pop(deed.name, None)
            continue
        list_of = done.setdefault(deed.name, [])
        list_of.append(deed)
        if deed.what == "sync":
            safe[deed.name] = len(list_of)
    files = {}
    for name, deeds in done.items():
        if name not in safe and rng.random() < 0.5:
            continue
        synced = safe.get(name, 0)
        content = bytearray(record.began.get(name, b""))
        for deed in deeds[:synced]:
            _apply(content, deed)
        for deed in _some(deeds[synced:], rng):
            _apply(content, deed)
        files[name] = bytes(content)
    return files


def write(files: dict[str, bytes], folder: Path) -> None:
    """Puts an image where SQLite can open it."""
    for old in folder.iterdir():
        old.unlink()
    for name, content in files.items():
        if not name.endswith("-shm"):  # memory that lies in a file: gone with the power
            (folder / name).write_bytes(content)


def _some(deeds: list[Deed], rng: Random) -> list[Deed]:
    """What of the unsynced reached the disk: all, nothing, or each with a share of its own, in another order, torn."""
    deeds = [deed for deed in deeds if deed.what != "sync"]
    share = rng.choice((0.0, 1.0, rng.random()))
    kept = [deed for deed in deeds if rng.random() < share]
    if rng.random() < 0.5:
        rng.shuffle(kept)
    return [_torn(deed, rng) if rng.random() < 0.2 else deed for deed in kept]


def _torn(deed: Deed, rng: Random) -> Deed:
    """The first sectors of a write."""
    if deed.what != "write":
        return deed
    first = -deed.at % SECTOR  # up to the first boundary
    ends = [end for end in range(first, len(deed.data), SECTOR) if end]
    return Deed("write", deed.name, deed.at, deed.data[: rng.choice(ends)]) if ends else deed


def _apply(content: bytearray, deed: Deed) -> None:
    if deed.what == "truncate":
        del content[deed.at :]
    elif deed.what == "write":
        if len(content) < deed.at:
            content.extend(bytes(deed.at - len(content)))
        content[deed.at : deed.at + len(deed.data)] = deed.data
