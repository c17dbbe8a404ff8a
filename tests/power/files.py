"""What of a folder is left after a power cut: content that was synced, under names whose folder was synced since."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_ISDIR
from unittest import mock


class Folder:
    """A folder on a disk that keeps nothing which it was not told to."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._names: dict[int, dict[str, int]] = {}
        self._content: dict[int, bytes] = {}

    def synced(self, number: int) -> None:
        """From here on the disk has this file's content, or this folder's names."""
        about = os.fstat(number)
        if S_ISDIR(about.st_mode):
            self._content.pop(about.st_ino, None)
            self._names[about.st_ino] = {each.name: each.inode() for each in os.scandir(number)}
        else:
            self._names.pop(about.st_ino, None)
            self._content[about.st_ino] = os.pread(number, about.st_size, 0)

    def left(self) -> dict[str, bytes]:
        """Every file after a cut at this moment, by its path. One whose name outlived its content is empty."""
        return dict(self._walk(self.root.stat().st_ino, ""))

    def _walk(self, folder: int, path: str) -> Iterator[tuple[str, bytes]]:
        for name, inode in self._names[folder].items():
            if inode in self._names:
                yield from self._walk(inode, f"{path}{name}/")
            else:
                yield path + name, self._content.get(inode, b"")


@contextmanager
def watched(root: Path) -> Iterator[Folder]:
    """While this holds, what is synced is seen. What is there already has long been on the disk."""
    folder, fsync = Folder(root), os.fsync

    def sync(number: int) -> None:
        fsync(number)
        folder.synced(number)

    with mock.patch("os.fsync", sync):
        for path in (root, *root.rglob("*")):
            number = os.open(path, os.O_RDONLY)
            folder.synced(number)
            os.close(number)
        yield folder
