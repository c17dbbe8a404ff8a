"""What was found right is not checked anew at a start, until anything of it changes."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bot.app import build_app
from bot.clock import Clock
from bot.settings import Settings
from content import quiz
from content.checked import Checked, fingerprint
from content.source import ROOT

CODE = ("bot", "content", "db", "handlers", "scheduler")
START = """
import asyncio, sys
from pathlib import Path
from bot.app import build_app
from bot.clock import Clock
from bot.settings import Settings
from content.source import ContentError
try:
    app = asyncio.run(build_app(Settings.model_construct(data_dir=Path("data")), Clock()))
except ContentError as error:
    sys.exit(str(error))
"""


def test_a_fingerprint_is_of_every_file_and_of_what_a_check_goes_by(tmp_path: Path) -> None:
    folder = tmp_path / "content"
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns("__pycache__"))
    before = fingerprint(["a", "b"], [], folder=folder)
    assert fingerprint(["b", "a"], [], folder=folder) == before == fingerprint(["a", "b"], [], folder=ROOT)
    assert before not in (fingerprint(["a"], ["b"], folder=folder), fingerprint(["a"], [], folder=folder))
    files = [path for path in folder.rglob("*") if path.suffix in (".yaml", ".py")]
    assert len(files) > 100
    for path in files:
        text = path.read_bytes()
        path.write_bytes(text + b"\n")
        assert fingerprint(["a", "b"], [], folder=folder) != before, path
        path.write_bytes(text)
    (folder / "vi" / "one_more.yaml").touch()
    assert fingerprint(["a", "b"], [], folder=folder) != before


def test_only_the_very_mark_counts_and_one_that_cannot_be_written_is_none(tmp_path: Path) -> None:
    file = tmp_path / "mark"
    assert not Checked(file, "1f")
    Checked(file, "1f").note()
    assert Checked(file, "1f") and not Checked(file, "2f")
    file.write_bytes(b"\xff\x00")
    assert not Checked(file, "1f")
    Checked(tmp_path / "no" / "such" / "folder", "1f").note()
    assert not Checked(tmp_path / "no" / "such" / "folder", "1f")


async def test_a_second_start_looks_for_no_faults_and_loads_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked, faults = 0, quiz.faults

    def counted(*of: object) -> object:
        nonlocal looked
        looked += 1
        return faults(*of)  # type: ignore[arg-type]

    monkeypatch.setattr(quiz, "faults", counted)
    settings = Settings.model_construct(data_dir=tmp_path)
    loaded = []
    for _ in range(2):
        app = await build_app(settings, Clock())
        loaded.append((list(app.words), app.packs.bank.questions, [app.words.entry(key).names for key in app.words]))
        await app.stop()
    assert looked == len(app.packs.bank.questions) and loaded[0] == loaded[1]
    (tmp_path / "content-checked").write_text("0" * 64)
    await (await build_app(settings, Clock())).stop()
    assert looked == 2 * len(app.packs.bank.questions)


async def test_what_is_broken_after_a_good_start_keeps_the_next_one_from_starting(tmp_path: Path) -> None:
    for name in CODE:
        shutil.copytree(ROOT.parent / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))

    async def start() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-B", "-c", START]
        return await asyncio.to_thread(
            subprocess.run, command, cwd=tmp_path, capture_output=True, text=True, check=False
        )

    for _ in range(2):
        assert (await start()).returncode == 0
    words = tmp_path / "content" / "vi" / "menu.yaml"
    words.write_text(words.read_text("utf-8") + '\nplanted: "{{ name | no_such_filter }}"\n', "utf-8")
    told = await start()
    assert told.returncode == 1 and "content/vi/menu.yaml:" in told.stderr and "no_such_filter" in told.stderr
