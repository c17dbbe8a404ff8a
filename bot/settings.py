"""Settings from the environment, `.env` or systemd's credentials; all that is missing or wrong is told at once, before any start."""

from __future__ import annotations

import difflib
import os
import re
import stat
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, DotEnvSettingsSource, SettingsConfigDict

PREFIX = "CONGDOAN_"
ENV_FILE = Path(".env")
SQLITE = "sqlite+aiosqlite:///"
POSTGRESQL = "postgresql+psycopg://"
TOKEN = re.compile(r"\d+:[A-Za-z0-9_-]{20,}")
"""A bot token. What is accepted here is what `bot.logs` blanks: the two must not differ."""

DAY_NAME = re.compile(r"[a-z0-9]+=[a-z]+")


class Settings(BaseSettings):
    """The settings; the table in the README says the same in words."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=ENV_FILE,
        env_file_encoding="utf-8-sig",  # Notepad puts a mark in front, and the first name would be lost
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        str_strip_whitespace=True,
    )

    data_dir: Path = Path("data")
    database_url: str = ""
    telegram_token: SecretStr = SecretStr("")
    telegram_api: str = "https://api.telegram.org"
    telegram_webhook: bool = False
    webchat: bool = False
    web_host: str = "127.0.0.1"
    web_port: Annotated[int, Field(ge=0, le=65535)] = 8080
    web_address: str = ""
    organisation: str = ""
    hotline: str = ""
    duty_line: str = ""
    watch_address: str = ""
    day_names: str = ""
    silence: Literal["send", "hold"] = "send"
    log: Literal["text", "json"] = "text"
    unreviewed: Literal["mark", "hide"] = "mark"
    rate_per_second: Annotated[float, Field(gt=0, le=1000)] = 29.5

    @field_validator("telegram_token")
    @classmethod
    def _token(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value() and not TOKEN.fullmatch(value.get_secret_value()):
            raise ValueError
        return value

    @field_validator("telegram_api", "web_address")
    @classmethod
    def _address(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in ("http", "https") or not parts.hostname or parts.query):
            raise ValueError
        return value.rstrip("/")

    @field_validator("day_names")
    @classmethod
    def _names(cls, value: str) -> str:
        if not all(DAY_NAME.fullmatch(pair) for pair in value.split()):
            raise ValueError
        return value

    @field_validator("watch_address")
    @classmethod
    def _watch(cls, value: str) -> str:
        parts = urlsplit(f"//{value}")
        if value and (not parts.hostname or parts.port is None or parts.netloc != value):
            raise ValueError
        return value

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: str) -> str:
        if value.startswith("postgresql://"):  # as everybody else writes it
            value = POSTGRESQL + value.removeprefix("postgresql://")
        if value.startswith(POSTGRESQL):
            if not urlsplit(value).path.strip("/"):
                raise ValueError
            return value
        path = value.removeprefix(SQLITE)
        if value and (path == value or not path or path.startswith((":", "?"))):
            raise ValueError
        return value

    @property
    def database(self) -> str:
        """The database's address: the one given, or SQLite in the data folder."""
        return self.database_url or f"{SQLITE}{self.data_dir / 'congdoan.db'}"

    @property
    def watch(self) -> tuple[str, int | None]:
        """Host and port for health and metrics; no port when nothing is to listen."""
        parts = urlsplit(f"//{self.watch_address}")
        return parts.hostname or "", parts.port

    @property
    def names_of_days(self) -> dict[str, str]:
        """By key of an anniversary, the word of the name to use."""
        return dict(pair.split("=") for pair in self.day_names.split())

    @property
    def database_file(self) -> Path | None:
        """The file behind that address; None where it is a server's."""
        path = self.database.removeprefix(SQLITE)
        return Path(path) if path != self.database else None

    @property
    def folders(self) -> list[Path]:
        """Where something is kept: the data folder and, where it is another, that of the database's file."""
        file = self.database_file
        return list(dict.fromkeys([self.data_dir, *([file.parent] if file is not None else [])]))

    @property
    def database_name(self) -> str:
        """The address as it may be shown: a password in it is a secret."""
        if self.database_file is not None:
            return str(self.database_file)
        parts = urlsplit(self.database)
        return f"postgresql://{parts.netloc.rpartition('@')[2]}{parts.path}"


EXPECTED = {
    "data_dir": "a folder",
    "database_url": f"{SQLITE}PATH or postgresql://USER:PASSWORD@HOST/NAME",
    "telegram_token": "the token BotFather gave, such as 123456789:AA…",
    "telegram_api": "an address such as https://api.telegram.org",
    "telegram_webhook": "true or false",
    "webchat": "true or false",
    "web_host": "an address to listen on, such as 127.0.0.1",
    "web_port": "a whole number from 0 to 65535; 0 takes any free port",
    "web_address": "the address people open, such as https://trolyxa.example.vn, or nothing",
    "organisation": "the full name of the federation that keeps the data",
    "hotline": "a telephone number where a person answers in office hours",
    "duty_line": "a telephone number that is really staffed, or nothing",
    "watch_address": "host:port for health and metrics, such as 127.0.0.1:9464; empty for none",
    "day_names": "days and the names to use, such as 3004=central 2212=both (content/packs/anniversaries.yaml has them)",
    "silence": "send or hold",
    "log": "text or json",
    "unreviewed": "mark or hide",
    "rate_per_second": "a number above 0 and at most 1000, such as 29.5",
}
"""What each setting should be. A wrong value itself is never repeated: it may be a secret."""


class SettingsError(Exception):
    """Some settings are missing or wrong; `problems` names each with what is expected, and never a secret's value."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def load_settings(*, for_run: bool = False, **overrides: Any) -> Settings:
    """Reads the settings, with `for_run` also what only a running bot needs. Raises SettingsError with every problem."""
    wrong: list[str] = []
    if ENV_FILE.is_dir():  # so a container leaves it where it was to mount a file that is not there
        raise SettingsError([f"{ENV_FILE}: expected a file, found a folder"])
    if (credentials := Path(os.environ.get("CREDENTIALS_DIRECTORY", ""))).is_absolute() and credentials.is_dir():
        overrides = {"_secrets_dir": credentials, **overrides}  # what systemd has decrypted, a file for each setting
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        found = {str(part["loc"][0]) for part in error.errors()}
        wrong = [name for name in Settings.model_fields if name in found]
        # Read once more without the wrong ones, so that what is missing beside them is named too.
        settings = Settings(**overrides | {name: Settings.model_fields[name].default for name in wrong})
    except UnicodeDecodeError:
        raise SettingsError([f"{ENV_FILE}: expected UTF-8; save the file as UTF-8"]) from None
    except OSError as error:
        raise SettingsError([f"{ENV_FILE}: cannot be read ({error.strerror})"]) from None
    problems = [f"{PREFIX}{name.upper()}: expected {EXPECTED[name]}" for name in wrong]
    if for_run:
        problems += [*_open_to(stat.S_IROTH, "everybody on this machine"), *_missing(settings, wrong)]
    if problems:
        raise SettingsError(problems)
    return settings


def _missing(settings: Settings, wrong: list[str]) -> list[str]:
    """What a running bot needs and does not have, save what is named as wrong already."""
    needed = [name for name in ("organisation", "hotline") if not getattr(settings, name) and name not in wrong]
    problems = [f"{PREFIX}{name.upper()}: missing; expected {EXPECTED[name]}" for name in needed]
    door = settings.telegram_token.get_secret_value() or settings.webchat
    if not door and not {"telegram_token", "webchat"} & set(wrong):
        problems.append(f"{PREFIX}TELEGRAM_TOKEN or {PREFIX}WEBCHAT=true: missing; expected at least one open door")
    if settings.telegram_webhook and not settings.web_address.startswith("https://") and "web_address" not in wrong:
        problems.append(f"{PREFIX}WEB_ADDRESS: expected the https address at which Telegram reaches the webhook")
    if settings.telegram_webhook and not settings.telegram_token.get_secret_value() and "telegram_token" not in wrong:
        problems.append(f"{PREFIX}TELEGRAM_TOKEN: missing; without it Telegram brings nothing to the webhook")
    return problems


def _open_to(who: int, named: str) -> list[str]:
    """That the file with the secrets can be read by whom it should not."""
    if not ENV_FILE.is_file() or not ENV_FILE.stat().st_mode & who:
        return []
    return [f"{ENV_FILE}: {named} can read it, and the token in it; run: chmod 600 {ENV_FILE}"]


HERE = ("127.0.0.1", "localhost", "::1")


def unencrypted(settings: Settings) -> list[str]:
    """Doors through which words, cookies or the token would leave this machine for everybody on the way to read."""
    found = []
    api = urlsplit(settings.telegram_api)
    if settings.telegram_token.get_secret_value() and api.scheme == "http" and api.hostname not in HERE:
        found.append(f"{PREFIX}TELEGRAM_API: not https; the token and every message can be read on the way")
    elsewhere = settings.web_host not in HERE or settings.web_address
    if settings.webchat and elsewhere and not settings.web_address.startswith("https://"):
        found.append(f"{PREFIX}WEB_ADDRESS: no https address; put a TLS proxy in front and name the address it has here, "
                     "or what people write can be read on the way")  # fmt: skip
    return found


def remarks() -> list[str]:
    """What is no error but probably not meant: settings nobody reads, secrets that others on the machine can read."""
    given = {name.upper() for name in os.environ}
    found = []
    if ENV_FILE.is_file():
        with suppress(UnicodeDecodeError, OSError):  # named as an error where the settings are read
            given |= {name.upper() for name in DotEnvSettingsSource(Settings).env_vars}
        if not ENV_FILE.stat().st_mode & stat.S_IROTH:  # that would be an error
            found += _open_to(stat.S_IRGRP, "its group")
    known = [PREFIX + name.upper() for name in Settings.model_fields]
    for name in sorted(given):
        if name.startswith(PREFIX) and not name.startswith(f"{PREFIX}TEST_") and name not in known:
            near = difflib.get_close_matches(name, known, 1, 0.85)
            found.append(f"{name}: no setting of this name" + (f"; is {near[0]} meant?" if near else ""))
    return found
