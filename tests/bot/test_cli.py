"""The command line as an operator meets it: what is wrong, where, what to do; nothing half done, never a traceback."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot import reports
from bot.cli import main
from db.models import OutState
from tests.databases import Template

pytestmark = pytest.mark.sqlite

RUN = {"CONGDOAN_ORGANISATION": "LĐLĐ tỉnh Thử Nghiệm", "CONGDOAN_HOTLINE": "0218 000", "CONGDOAN_WEBCHAT": "true",
       "CONGDOAN_WEB_PORT": "0"}  # fmt: skip
DATABASE = Path("data/congdoan.db")


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder and no settings from outside."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.upper().startswith("CONGDOAN_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def house(template: Template, bare: None) -> Path:
    """A data folder with the test province in it."""
    DATABASE.parent.mkdir()
    shutil.copyfile(template.path, DATABASE)
    return DATABASE


def congdoan(*args: str, ok: bool = True, **env: str) -> Result:
    result = CliRunner(catch_exceptions=True).invoke(main, args, env=env)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert (result.exit_code == 0) is ok, result.output
    return result


def ask(question: str, path: Path = DATABASE) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(question).fetchall()
    finally:
        connection.close()


def tree() -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(Path().rglob("*")) if path.is_file()}


class Bot:
    """The real `congdoan run` in a process of its own, over the web chat."""

    def __init__(self, **env: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bot", "run"], env=os.environ | RUN | env, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            # Whoever runs the tests under nohup has it ignored, and so would the bot.
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
        )  # fmt: skip

    def address(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def end(self, how: signal.Signals = signal.SIGTERM) -> str:
        self.process.send_signal(how)
        return self.process.communicate(timeout=30)[1]


# ---------------------------------------------------------------------------------------------------- settings


@pytest.mark.parametrize(
    "command", [("run",), ("status",), ("backup", "x"), ("invite", "--role", "leader", "--unit", "A")]
)
def test_a_wrong_setting_stops_every_command_before_anything_is_made(command: tuple[str, ...]) -> None:
    result = congdoan(*command, ok=False, **RUN | {"CONGDOAN_WEB_PORT": "many"})
    assert "CONGDOAN_WEB_PORT: expected a whole number" in result.stderr
    assert not list(Path().iterdir())


@pytest.mark.parametrize(
    "command",
    [
        ("content", "law", "Điều 27"),
        ("content", "questions", "--json"),
        ("calendar", "--from", "2025-07-01", "--days", "40", "--json"),
    ],
)
def test_what_only_reads_content_needs_no_settings(command: tuple[str, ...]) -> None:
    congdoan(*command, CONGDOAN_WEB_PORT="many")
    assert not list(Path().iterdir())


def test_a_wrong_option_is_answered_with_an_example() -> None:
    assert "2026-02-03" in congdoan("calendar", "--from", "3/2/2026", ok=False).stderr
    assert "2025-07-28T07:00" in congdoan("demo", "--at", "tomorrow", ok=False).stderr


# ---------------------------------------------------------------------------------------------------- check


def test_check_names_settings_content_and_database_problems_at_once(
    house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bot import app
    from content.source import ContentError, Problem

    def broken(*_: object, checked: bool = False) -> None:
        raise ContentError([Problem("content/vi/menu.yaml", 7, "planted")])

    monkeypatch.setattr(app, "load_words", broken)
    monkeypatch.setattr(app, "load_packs", broken)
    house.write_bytes(b"not a database at all" * 100)
    said = congdoan("check", ok=False, CONGDOAN_HOTLINE="1").stderr
    assert "CONGDOAN_ORGANISATION: missing" in said and "CONGDOAN_WEBCHAT=true: missing" in said
    assert said.count("content/vi/menu.yaml:7: planted") == 2
    assert "data/congdoan.db: the database is damaged" in said and "congdoan restore FILE" in said
    assert "5 problem(s)" in said


def test_check_of_a_sound_house_changes_nothing_and_says_what_is_still_to_do(house: Path) -> None:
    before = tree()
    result = congdoan("check", **RUN)
    assert "in order" in result.output and "congdoan invite --role system_admin" in result.output
    assert tree() == before


def test_a_folder_that_cannot_be_written_is_named_with_the_remedy() -> None:
    Path("data").write_text("a file where the folder should be")
    assert "data: cannot be written" in congdoan("check", ok=False, **RUN).stderr
    for command in (("run",), ("invite", "--role", "leader", "--unit", "TINH")):
        assert "data" in congdoan(*command, ok=False, **RUN).stderr


def test_a_damaged_database_and_one_from_a_newer_version_end_every_command_with_a_clear_line(house: Path) -> None:
    connection = sqlite3.connect(house)
    connection.execute("UPDATE alembic_version SET version_num = 'from-2031'")
    connection.commit()
    connection.close()
    commands = (
        ("run",),
        ("status",),
        ("backup", "b.tar.gz"),
        ("invite", "--role", "leader", "--unit", "TINH"),
        ("check",),
    )
    for command in commands:
        said = congdoan(*command, ok=False, **RUN).stderr
        assert "made by a newer version" in said and "from-2031" in said, command
    house.write_bytes(house.read_bytes()[:4096] + b"\xff" * 60000)
    for command in commands:
        assert "is damaged" in congdoan(*command, ok=False, **RUN).stderr, command
    assert not Path("b.tar.gz").exists()


def test_damage_where_a_start_does_not_look_is_found_while_it_answers_and_ends_it(house: Path) -> None:
    root = ask("SELECT rootpage FROM sqlite_master WHERE name = 'ix_coauthors_submission_id'")[0][0]
    assert isinstance(root, int)
    with house.open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xff" * 4096)
    said = congdoan("run", ok=False, **RUN).stderr
    assert "ready" in said and "data/congdoan.db: the database is damaged" in said


# ---------------------------------------------------------------------------------------------------- status


def test_status_has_exactly_its_parts_and_writes_nothing(house: Path) -> None:
    before = tree()
    found = json.loads(congdoan("status", "--json").output)
    assert list(found) == [
        "process", "troubles", "inbox", "outbox", "deliveries", "broadcasts", "stopped", "last_poll", "now",
    ]  # fmt: skip
    assert set(found["outbox"]) == set(found["deliveries"]) == {state.value for state in OutState}
    assert set(found["inbox"]) == {"new", "done", "dead"}
    assert found["broadcasts"] == [] and found["last_poll"] is None and found["now"].endswith("+07:00")
    assert found["process"] == "stopped" and found["troubles"] == []
    assert congdoan("status").output.startswith("process: ")
    assert tree() == before


def test_tables_of_an_older_version_are_named_as_such_and_can_be_backed_up_before_the_update(house: Path) -> None:
    house.unlink()
    sqlite3.connect(house).execute("CREATE TABLE units (id INTEGER)").connection.close()
    assert "older version" in congdoan("status", ok=False).stderr
    assert "brings them up to date" in congdoan("check", **RUN).output
    congdoan("backup", "before-update.tar.gz")


def test_check_warns_before_the_disk_is_full(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "ROOM", 2**62)
    assert "make room before the disk is full" in congdoan("check", **RUN).output


def test_status_without_a_house_says_so() -> None:
    assert "no database here yet" in congdoan("status", ok=False).stderr
    assert not list(Path().iterdir())


# ---------------------------------------------------------------------------------------------------- processes


def test_a_second_process_on_the_same_folder_refuses_and_says_which_one_has_it(house: Path) -> None:
    first = Bot()
    try:
        address = first.address()
        assert address.startswith("http://127.0.0.1:")
        second = Bot()
        said = second.process.communicate(timeout=30)[1]
        assert second.process.returncode == 1
        assert f"another process (number {first.process.pid}) is using this data folder" in said
        assert "Traceback" not in said
        congdoan("backup", "b.tar.gz")
        assert "is using this data folder" in congdoan("restore", "b.tar.gz", ok=False).stderr
        assert json.loads(congdoan("status", "--json").output)["inbox"]["dead"] == 0
        link = congdoan("invite", "--role", "leader", "--unit", "TINH", CONGDOAN_WEBCHAT="true").output
        assert link.startswith(f"{address}chat#start=i-")
    finally:
        said = first.end(signal.SIGHUP)  # the window was closed: as good a way to end it as Ctrl-C
    assert first.process.returncode == 0, said


def test_a_running_bot_never_has_its_tables_changed_by_a_command_beside_it(house: Path) -> None:
    from bot.lock import hold

    house.unlink()
    with hold(Path("data")):
        said = congdoan("invite", "--role", "leader", "--unit", "TINH", ok=False).stderr
    assert "is using this data folder" in said
    assert not house.exists() or not ask("SELECT name FROM sqlite_master")


PORTS = ("CONGDOAN_WEB_PORT", "CONGDOAN_WATCH_ADDRESS")


@pytest.mark.parametrize(("setting", "other"), [PORTS, PORTS[::-1]])
def test_a_port_that_is_taken_is_named_with_its_setting(house: Path, setting: str, other: str) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        value = port if setting == "CONGDOAN_WEB_PORT" else f"127.0.0.1:{port}"
        said = congdoan("run", ok=False, **RUN | {setting: value}).stderr
    assert f"127.0.0.1:{port}" in said and "in use" in said
    assert setting in said and other not in said


def test_a_port_that_the_demo_cannot_have_is_named_with_its_option(furnished: Path) -> None:
    import socket

    shutil.copytree(furnished, "demo-data")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = congdoan("demo", "--port", port, ok=False).stderr
    assert f"127.0.0.1:{port} (choose another with congdoan demo --port N" in said and "in use" in said
    assert "CONGDOAN" not in said


# ---------------------------------------------------------------------------------------------------- invite


def test_an_invitation_is_printed_once_kept_as_a_hash_and_audited(house: Path) -> None:
    link, code = congdoan("invite", "--role", "grassroots_chair", "--unit", "mayhoa").output.splitlines()[-2:]
    assert link.endswith(f"/chat#start={code}") and code.startswith("i-") and len(code) <= 64
    [(digest, role, born)] = ask("SELECT token_hash, role, born_confirmed FROM invitations")
    assert (role, born) == ("grassroots_chair", 1) and code[2:] not in str(digest)
    assert ask("SELECT action, actor_id FROM audit") == [("invite", 0)]
    assert code[2:].encode() not in house.read_bytes()


def test_an_invitation_names_the_public_address_and_the_bot_where_they_are_known(house: Path) -> None:
    said = congdoan(
        "invite", "--role", "leader", "--unit", "TINH", CONGDOAN_WEBCHAT="true", CONGDOAN_TELEGRAM_TOKEN="1:" + "a" * 30,
        CONGDOAN_WEB_ADDRESS="https://chat.example.vn/",
    ).output  # fmt: skip
    assert "https://t.me/YOUR_BOT?start=i-" in said and "https://chat.example.vn/chat#start=i-" in said
    assert "a" * 30 not in said


def test_an_invitation_to_nowhere_says_how_to_get_units(house: Path) -> None:
    said = congdoan("invite", "--role", "leader", "--unit", "NOPE", ok=False).stderr
    assert "--unit NOPE" in said and "congdoan units import" in said
    assert congdoan("invite", "--role", "worker", "--unit", "TINH", ok=False).exit_code == 2
    assert ask("SELECT count(*) FROM invitations") == [(0,)]


# ---------------------------------------------------------------------------------------------------- audit


def test_the_audit_is_proved_from_outside_and_the_first_broken_row_named(house: Path) -> None:
    """An invitation leaves a row; whoever edits the file must take its triggers away first."""
    for _ in range(3):
        congdoan("invite", "--role", "leader", "--unit", "TINH", **RUN)
    said = congdoan("audit", "verify", **RUN).output
    assert said.startswith("3 row(s)") and "No anchor was given yet" in said
    mark = said.partition("the end is ")[2].partition(".")[0]
    congdoan("audit", "verify", "--anchor", mark[:40], "--anchor", mark, **RUN)
    assert "expected a row's number" in congdoan("audit", "verify", "--anchor", "3", ok=False, **RUN).output
    connection = sqlite3.connect(DATABASE)
    connection.execute("DROP TRIGGER audit_delete")
    connection.execute("DELETE FROM audit WHERE id = 3")
    connection.commit()
    assert "triggers" in congdoan("audit", "verify", ok=False, **RUN).output
    assert "row 3 is missing" in congdoan("audit", "verify", "--anchor", mark, ok=False, **RUN).output
    connection.execute("DROP TRIGGER audit_update")
    connection.execute("UPDATE audit SET actor_id = 7 WHERE id = 2")
    connection.commit()
    connection.close()
    assert "row 2 does not say what was written" in congdoan("audit", "verify", ok=False, **RUN).output


def test_a_round_that_is_not_there_or_not_published_is_not_written(house: Path) -> None:
    for number in ("1", "99"):
        said = congdoan("contest", "export", number, "x.json", ok=False, **RUN).output
        assert f"round {number}:" in said and "Nothing was written" in said
    assert not Path("x.json").exists()
    assert congdoan("contest", "list", **RUN).output == ""
