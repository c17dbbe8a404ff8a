"""The house itself: floors, words only in content, every key used exists, no clock or chance below the top floor."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from content.text import shorthand
from content.words import load_words
from handlers.meaning import joined_up
from handlers.registry import build_registry
from tests.people import FACTS

ROOT = Path(__file__).parent.parent
FLOORS = ("bot", "handlers", "scheduler", "content", "db")
VIETNAMESE = re.compile("[ăâđêôơưĂÂĐÊÔƠƯ\u00c0-\u00c3\u00c8-\u00ca\u00cc\u00cd\u00d2-\u00d5\u00d9\u00da\u00dd"
                        "\u00e0-\u00e3\u00e8-\u00ea\u00ec\u00ed\u00f2-\u00f5\u00f9\u00fa\u00fd\u0102-\u01b0\u1ea0-\u1ef9]")  # fmt: skip
KEY = re.compile(r"^[a-z_]+\.[a-z0-9_]+$")
BANNED_CALLS = {
    "datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.sleep", "asyncio.sleep",
    "random.random", "random.choice", "random.randint", "random.shuffle", "uuid.uuid4", "secrets.token_urlsafe",
}  # fmt: skip
ALLOWED_CALLS = {("scheduler/timetable.py", "datetime.now")}
"""APScheduler itself runs on real time: its first tick is given in it."""


def sources(*floors: str) -> list[Path]:
    return [path for floor in floors for path in sorted((ROOT / floor).rglob("*.py")) if "versions" not in path.parts]


def test_only_what_the_house_names_stands_at_the_top() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    tops = {name.partition("/")[0] for name in listed if "/" in name and not name.startswith(".")}
    assert tops == {*FLOORS, "tests"}
    files = {name for name in listed if "/" not in name and not name.startswith(".") and not name.endswith(".lock")}
    assert files == {"pyproject.toml", "README.md", "Makefile", "CHANGELOG.md"}


def test_the_floors_hold() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


SQLITES_OWN = re.compile(
    r"\bPRAGMA\b|\bVACUUM\b|\bsqlite_(?!errorname)|dialects\.sqlite|\bINSERT OR\b|\browid\b|\bGLOB\b|\bstrftime\('"
)


def test_sql_that_only_sqlite_knows_stands_in_one_module() -> None:
    """Decision 43: the whole suite runs on PostgreSQL too, but a question nobody asks there would not be noticed."""
    home = ROOT / "db" / "session.py"
    driver = ROOT / "db" / "driver.py"  # the way to SQLite
    assert SQLITES_OWN.search(home.read_text())
    strays = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sources(*FLOORS)
        if path not in (home, driver)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if SQLITES_OWN.search(line)
    ]
    assert not strays


def test_vietnamese_stands_only_in_content() -> None:
    found = []
    for path in [*sources("bot", "handlers", "scheduler", "db"), *(ROOT / "bot/web").rglob("*.[hjc][ts]*")]:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            text = line.replace("Công đoàn", "") if '"""' in line or line.lstrip().startswith("#") else line
            if VIETNAMESE.search(text):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
    assert not found, "\n".join(found)


def test_below_the_top_floor_nobody_looks_at_a_clock_or_rolls_dice() -> None:
    found = []
    for path in sources("handlers", "scheduler", "content", "db"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                where = str(path.relative_to(ROOT))
                if name in BANNED_CALLS and (where, name) not in ALLOWED_CALLS:
                    found.append(f"{where}:{node.lineno}: {name}")
    assert not found, "\n".join(found)


FILES_OF_NO_MATTER = {"content/checked.py", "scheduler/contest_work.py"}
"""A note that is only worth something when it is whole, and a document that is deleted once it is read."""


def test_below_the_top_floor_files_are_written_so_that_they_outlive_a_power_cut() -> None:
    """By `content.disk`: a row that names a file is on the disk at once, and must not outlive it."""
    found = []
    for path in sources("handlers", "scheduler", "content", "db"):
        where = str(path.relative_to(ROOT))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            writes = isinstance(node, ast.Attribute) and node.attr in ("write_bytes", "write_text", "rename")
            if writes and where not in FILES_OF_NO_MATTER | {"content/disk.py"}:
                found.append(f"{where}:{node.lineno}")
    assert not found


def used_keys() -> set[str]:
    """Every string in the code that looks like a key of the words, f-strings as patterns."""
    found: set[str] = set()
    for path in sources("bot", "handlers", "scheduler", "db", "content"):
        if path.parent.name == "models":
            continue  # foreign keys look like keys of the words
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and KEY.match(node.value):
                # A key that ends in "_" is the beginning of several.
                found.add(f"~{re.escape(node.value)}.+" if node.value.endswith("_") else node.value)
            if isinstance(node, ast.JoinedStr):
                pattern = "".join(
                    re.escape(part.value) if isinstance(part, ast.Constant) else ".+" for part in node.values
                )
                found.add(f"~{pattern}")
    return found


def test_every_key_that_is_used_exists_and_every_key_that_exists_is_used() -> None:
    words = load_words(FACTS)
    prefixes = {key.partition(".")[0] for key in words}
    used = used_keys()
    missing = {key for key in used if key.partition(".")[0] in prefixes and not key.startswith("~")} - set(words)
    # Names of files and of attributes look like keys: they end in a known suffix.
    missing = {
        key for key in missing if not key.endswith((".py", ".yaml", ".db", ".xlsx", ".csv", ".jpg", ".html", ".js"))
    }
    patterns = [re.compile(key[1:] + "$") for key in used if key.startswith("~") and r"\." in key]
    unused = {
        key
        for key in words
        if key not in used
        and not key.startswith(("commands.", "words.", "webchat."))
        and not any(pattern.match(key) for pattern in patterns)
        and not key.endswith(".draft_name")
    }
    assert not missing, sorted(missing)
    assert not unused, sorted(unused)


def test_every_command_that_a_button_names_exists() -> None:
    words = load_words(FACTS)
    commands = build_registry(words).commands
    lost = set()
    for key in words:
        for option in words.entry(key).options:
            if option.command is not None:
                try:
                    name = option.command.render({})
                except UndefinedError:
                    continue  # which command is known only when it is said
                if name not in commands:
                    lost.add((key, name))
    assert not lost


def test_no_two_commands_mean_the_same_word() -> None:
    words = load_words(FACTS)
    registry = build_registry(words)
    meanings: dict[str, set[str]] = {}
    for name in registry.commands:
        if f"commands.{name}" in words:
            meanings.setdefault(name, set()).add(name)
            for option in words.message(f"commands.{name}").choices:
                for word in option.words:
                    meanings.setdefault(joined_up(shorthand(word)), set()).add(name)
    assert not {word: names for word, names in meanings.items() if len(names) > 1}


def test_labels_fit_a_small_phone() -> None:
    words = load_words(FACTS)
    for key in words:
        entry = words.entry(key)
        if not entry.names:
            for option in entry.options:
                assert len(words.label(key, option.key)) <= 24, (key, option.key)


@pytest.mark.parametrize("new_style", ["hoà", "hoá", "huỷ", "xoá", "khoá", "tuỳ", "uỷ", "thoả"])
def test_one_spelling_style_throughout(new_style: str) -> None:
    for path in (ROOT / "content").rglob("*.yaml"):
        text = path.read_text(encoding="utf-8").lower()
        assert not re.search(rf"\b{new_style}\b", text), f"{path.name}: {new_style}"


def test_nothing_is_written_with_decomposed_letters() -> None:
    import unicodedata

    for path in [*(ROOT / "content").rglob("*.yaml"), *sources(*FLOORS)]:
        text = path.read_text(encoding="utf-8")
        assert unicodedata.is_normalized("NFC", text), path.name
