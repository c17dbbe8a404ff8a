"""A file that a row is to name is on the disk before the row can be."""

from __future__ import annotations

from pathlib import Path

import pytest

from content import disk
from tests.power.files import watched


def test_a_file_outlives_a_power_cut_once_it_is_written_and_its_folder_too(tmp_path: Path) -> None:
    with watched(tmp_path) as folder:
        disk.make_folder(tmp_path / "files")
        disk.write(tmp_path / "files" / "a.jpg", b"a photo")
        assert folder.left() == {"files/a.jpg": b"a photo"}


def test_a_file_never_has_its_name_without_its_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk may write a name of its own accord, before anybody asks for it."""
    replace, left = Path.replace, []
    with watched(tmp_path) as folder:

        def cut(part: Path, file: Path) -> None:
            replace(part, file)
            disk.sync(tmp_path)
            left.append(folder.left())

        monkeypatch.setattr(Path, "replace", cut)
        disk.write(tmp_path / "a.jpg", b"a photo")
    assert left == [{"a.jpg": b"a photo"}]


def test_what_is_there_without_being_synced_is_not_left(tmp_path: Path) -> None:
    """Else the other tests that ask what is left are blind."""
    (tmp_path / "old").write_bytes(b"before")
    with watched(tmp_path) as folder:
        (tmp_path / "old").write_bytes(b"after")
        (tmp_path / "new").write_bytes(b"content")
        assert folder.left() == {"old": b"before"}
        disk.sync(tmp_path)
        assert folder.left() == {"old": b"before", "new": b""}
        (tmp_path / "folder").mkdir()
        disk.write(tmp_path / "folder" / "c", b"lost with its folder")
        assert "folder/c" not in folder.left()
