"""Settings from the environment or `.env`; every missing or wrong value is reported at once, before anything starts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """The settings; the table in the README says the same in words."""

    model_config = SettingsConfigDict(env_prefix="CONGDOAN_", env_file=".env", extra="ignore", frozen=True)

    data_dir: Path = Path("data")
    database_url: str = ""
    telegram_token: SecretStr = SecretStr("")
    telegram_api: str = "https://api.telegram.org"
    webchat: bool = False
    web_host: str = "127.0.0.1"
    web_port: Annotated[int, Field(ge=0, le=65535)] = 8080
    organisation: str = ""
    hotline: str = ""
    duty_line: str = ""
    rate_per_second: Annotated[float, Field(gt=0, le=1000)] = 29.5

    @field_validator("telegram_token")
    @classmethod
    def _token(cls, value: SecretStr) -> SecretStr:
        token = value.get_secret_value()
        number, colon, secret = token.partition(":")
        if token and not (colon and number.isdigit() and len(secret) >= 20):
            raise ValueError("expected the token BotFather gave, such as 123456789:AA…")
        return value

    @field_validator("telegram_api")
    @classmethod
    def _address(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("expected an address that begins with http:// or https://")
        return value.rstrip("/")

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: str) -> str:
        if value and not value.startswith("sqlite+aiosqlite:///"):
            raise ValueError("expected sqlite+aiosqlite:///PATH; other databases are not supported yet")
        return value

    @property
    def database(self) -> str:
        """The database's address: the one given, or SQLite in the data folder."""
        return self.database_url or f"sqlite+aiosqlite:///{self.data_dir / 'congdoan.db'}"


class SettingsError(Exception):
    """Some settings are missing or wrong; `problems` names each with what is expected, and never a secret's value."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def load_settings(**overrides: Any) -> Settings:
    """Reads the settings. Raises SettingsError."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise SettingsError(
            [f"CONGDOAN_{'_'.join(map(str, part['loc'])).upper()}: {part['msg']}" for part in error.errors()]
        ) from None


def missing_for_run(settings: Settings) -> list[str]:
    """What `congdoan run` still needs."""
    problems = []
    if not settings.organisation:
        problems.append("CONGDOAN_ORGANISATION: expected the full name of the federation that keeps the data")
    if not settings.hotline:
        problems.append("CONGDOAN_HOTLINE: expected a telephone number where a person answers in office hours")
    if not settings.telegram_token.get_secret_value() and not settings.webchat:
        problems.append("CONGDOAN_TELEGRAM_TOKEN or CONGDOAN_WEBCHAT=true: expected at least one open door")
    return problems
