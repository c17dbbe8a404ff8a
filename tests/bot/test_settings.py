"""Settings: everything wrong or missing is named at once, with what is expected, and no secret is ever repeated."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.logs import Redacting, set_up
from bot.settings import EXPECTED, Settings, SettingsError, load_settings, remarks, unencrypted

TOKEN = "123456:AAF-secret_secret_secret_secret"
GOOD = {"CONGDOAN_ORGANISATION": "LĐLĐ tỉnh", "CONGDOAN_HOTLINE": "0218 000", "CONGDOAN_TELEGRAM_TOKEN": TOKEN}


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder and no settings from outside."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.upper().startswith("CONGDOAN_")]:
        monkeypatch.delenv(name)


def problems(monkeypatch: pytest.MonkeyPatch, **given: str) -> list[str]:
    for name, value in given.items():
        monkeypatch.setenv(f"CONGDOAN_{name.upper()}", value)
    with pytest.raises(SettingsError) as caught:
        load_settings(for_run=True)
    return caught.value.problems


def test_what_is_wrong_and_what_is_missing_is_named_together(monkeypatch: pytest.MonkeyPatch) -> None:
    found = problems(monkeypatch, web_port="many", rate_per_second="0", telegram_api="api.telegram.org")
    assert [line.partition(":")[0] for line in found] == [
        "CONGDOAN_TELEGRAM_API", "CONGDOAN_WEB_PORT", "CONGDOAN_RATE_PER_SECOND", "CONGDOAN_ORGANISATION",
        "CONGDOAN_HOTLINE", "CONGDOAN_TELEGRAM_TOKEN or CONGDOAN_WEBCHAT=true",
    ]  # fmt: skip
    assert all("expected" in line for line in found)


def test_a_webhook_without_an_https_address_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CONGDOAN_TELEGRAM_WEBHOOK", "true")
    with pytest.raises(SettingsError) as found:
        load_settings(for_run=True)
    assert [line.partition(":")[0] for line in found.value.problems] == ["CONGDOAN_WEB_ADDRESS"]
    monkeypatch.setenv("CONGDOAN_WEB_ADDRESS", "https://trolyxa.example.vn")
    assert load_settings(for_run=True).telegram_webhook


def test_a_webhook_of_no_bot_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    given = GOOD | {"CONGDOAN_TELEGRAM_TOKEN": "", "CONGDOAN_WEBCHAT": "true", "CONGDOAN_TELEGRAM_WEBHOOK": "true"}
    for name, value in (given | {"CONGDOAN_WEB_ADDRESS": "https://trolyxa.example.vn"}).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as found:
        load_settings(for_run=True)
    assert [line.partition(":")[0] for line in found.value.problems] == ["CONGDOAN_TELEGRAM_TOKEN"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("telegram_webhook", "perhaps"), ("web_port", "65536"), ("web_port", "-1"), ("web_port", "8080.5"), ("webchat", "perhaps"),
        ("rate_per_second", "nan"), ("rate_per_second", "inf"), ("rate_per_second", "-1"), ("rate_per_second", "1001"),
        ("day_names", "3004"), ("day_names", "3004=central, 2212=both"), ("telegram_token", "abc"), ("telegram_token", "123:short"), ("telegram_token", f"bot{TOKEN}"),
        ("web_address", "chat.example.vn"), ("telegram_api", "ftp://x"), ("telegram_api", "https://"), ("database_url", "mysql://x/y"), ("database_url", "postgresql://x"),
        ("database_url", "sqlite+aiosqlite:///"), ("database_url", "sqlite+aiosqlite:///:memory:"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named_with_what_is_expected(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    for good, text in GOOD.items():
        monkeypatch.setenv(good, text)
    assert problems(monkeypatch, **{name: value}) == [f"CONGDOAN_{name.upper()}: expected {EXPECTED[name]}"]


def test_a_wrong_token_is_never_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "hunter2" not in str(problems(monkeypatch, telegram_token="hunter2 hunter2"))
    monkeypatch.setenv("CONGDOAN_TELEGRAM_TOKEN", TOKEN)
    assert TOKEN not in repr(load_settings()) and TOKEN not in str(load_settings())


def test_empty_values_and_spaces_mean_what_people_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONGDOAN_WEB_PORT", "")
    monkeypatch.setenv("CONGDOAN_ORGANISATION", "  ")
    monkeypatch.setenv("CONGDOAN_TELEGRAM_TOKEN", f" {TOKEN}\n")
    settings = load_settings()
    assert settings.web_port == 8080 and settings.telegram_token.get_secret_value() == TOKEN
    assert any(line.startswith("CONGDOAN_ORGANISATION: missing") for line in problems(monkeypatch))


def test_the_file_is_read_whatever_notepad_puts_in_front_and_the_environment_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(".env").write_text("CONGDOAN_HOTLINE=0218 111\nCONGDOAN_WEB_PORT=9000\n", encoding="utf-8-sig")
    monkeypatch.setenv("CONGDOAN_WEB_PORT", "9001")
    settings = load_settings()
    assert (settings.hotline, settings.web_port) == ("0218 111", 9001)


@pytest.mark.parametrize("encoding", ["utf-16", "cp1258"])
def test_a_file_in_another_encoding_is_answered_with_the_one_that_is_expected(encoding: str) -> None:
    Path(".env").write_bytes("CONGDOAN_ORGANISATION=Tổng công ty ở Hà Nội".encode(encoding, "replace"))
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert caught.value.problems == [".env: expected UTF-8; save the file as UTF-8"]
    remarks()  # which read the file once more


def test_a_folder_in_the_place_of_the_file_is_named() -> None:
    Path(".env").mkdir()
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert caught.value.problems == [".env: expected a file, found a folder"]


def test_a_misspelt_setting_and_a_file_that_its_group_can_read_are_pointed_out() -> None:
    Path(".env").write_text("CONGDOAN_TELEGRM_TOKEN=x\n", encoding="utf-8")
    Path(".env").chmod(0o640)
    rights, name = remarks()
    assert (
        "chmod 600 .env" in rights and "CONGDOAN_TELEGRM_TOKEN" in name and "is CONGDOAN_TELEGRAM_TOKEN meant" in name
    )
    Path(".env").chmod(0o600)
    assert len(remarks()) == 1


def test_a_file_that_everybody_can_read_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("".join(f"{name}={value}\n" for name, value in GOOD.items()), encoding="utf-8")
    Path(".env").chmod(0o604)
    [line] = problems(monkeypatch)
    assert "chmod 600 .env" in line and not remarks()
    Path(".env").chmod(0o600)
    assert load_settings(for_run=True).telegram_token.get_secret_value() == TOKEN


def test_what_systemd_has_decrypted_is_read_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path("credentials").absolute()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    assert not load_settings().telegram_token.get_secret_value()
    folder.mkdir()
    (folder / "congdoan_telegram_token").write_text(f"{TOKEN}\n", encoding="utf-8")
    (folder / "congdoan_hotline").write_text("0218 111", encoding="utf-8")
    monkeypatch.setenv("CONGDOAN_HOTLINE", "0218 222")
    settings = load_settings()
    assert settings.telegram_token.get_secret_value() == TOKEN and settings.hotline == "0218 222"
    (folder / "congdoan_telegram_token").write_text("hunter2", encoding="utf-8")
    [line] = problems(monkeypatch, organisation="X")
    assert line.startswith("CONGDOAN_TELEGRAM_TOKEN: expected") and "hunter2" not in line


@pytest.mark.parametrize(
    ("named", "given"),
    [
        ("", {}),
        ("", {"webchat": True}),
        ("", {"webchat": True, "web_host": "0.0.0.0", "web_address": "https://chat.example.vn"}),
        ("WEB_ADDRESS", {"webchat": True, "web_host": "0.0.0.0"}),
        ("WEB_ADDRESS", {"webchat": True, "web_address": "http://chat.example.vn"}),
        ("", {"web_address": "http://chat.example.vn"}),
        ("", {"telegram_token": TOKEN, "telegram_api": "http://127.0.0.1:8081"}),
        ("TELEGRAM_API", {"telegram_token": TOKEN, "telegram_api": "http://api.example.vn"}),
    ],
)
def test_a_door_that_others_can_listen_at_is_pointed_out(named: str, given: dict[str, Any]) -> None:
    found = [line.partition(":")[0] for line in unencrypted(load_settings(**given))]
    assert found == ([f"CONGDOAN_{named}"] if named else [])
    assert load_settings().telegram_api.startswith("https://")


def test_the_readmes_table_names_every_setting_and_no_other() -> None:
    readme = (Path(__file__).parent.parent.parent / "README.md").read_text(encoding="utf-8")
    table = readme.partition("## Settings")[2].partition("##")[0]
    named = {word.strip("`,") for word in table.split() if word.startswith("`CONGDOAN_")}
    assert (
        named
        == {f"CONGDOAN_{name.upper()}" for name in Settings.model_fields}
        == {f"CONGDOAN_{name.upper()}" for name in EXPECTED}
    )


def test_no_token_that_is_accepted_survives_in_a_log_line_or_a_last_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for token in (TOKEN, "7:" + "x" * 20, "1234567890:" + "A_-9" * 9):
        assert load_settings(telegram_token=token)
        line = Redacting("%(message)s").format(
            logging.LogRecord("x", logging.INFO, "", 0, f"GET https://api.telegram.org/bot{token}/getMe", None, None)
        )
        assert token not in line and "<token>" in line
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    try:
        set_up()
        try:
            raise RuntimeError(f"https://api.telegram.org/file/bot{TOKEN}/photo.jpg")
        except RuntimeError as error:
            sys.excepthook(RuntimeError, error, error.__traceback__)
    finally:
        logging.getLogger().handlers[:] = handlers
        logging.getLogger().setLevel(level)
    said = capsys.readouterr().err
    assert "test_settings.py" in said and "RuntimeError" in said and TOKEN not in said


def test_an_address_of_a_server_is_taken_as_it_is_usually_written_and_shown_without_its_password() -> None:
    settings = load_settings(database_url="postgresql://bot:hunter2@db.example.vn:5432/congdoan")
    assert settings.database == "postgresql+psycopg://bot:hunter2@db.example.vn:5432/congdoan"
    assert settings.database_name == "postgresql://db.example.vn:5432/congdoan" and settings.database_file is None
