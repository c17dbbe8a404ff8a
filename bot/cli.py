"""`congdoan …`: the commands, each saying what is wrong, where, and what to do about it."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Coroutine
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NoReturn

import click

from bot import backup as backups
from bot import reports
from bot.app import build_app, load_content
from bot.clock import Clock
from bot.lock import AlreadyRunning
from bot.logs import set_up
from bot.settings import Settings, SettingsError, load_settings, missing_for_run
from content.source import ContentError
from db.models import Role


def _fail(lines: list[str]) -> NoReturn:
    for line in lines:
        click.echo(line, err=True)
    sys.exit(1)


def _settings(**overrides: Any) -> Settings:
    try:
        return load_settings(**overrides)
    except SettingsError as error:
        _fail(error.problems)


def _finish(work: Coroutine[Any, Any, None]) -> None:
    """Runs a command; what operators can cause becomes a line that says what to do, not a traceback."""
    try:
        asyncio.run(work)
    except AlreadyRunning as error:
        _fail([f"{error.folder}: another process (number {error.pid or 'unknown'}) is using this data folder. "
               "Stop it first, or give this one its own CONGDOAN_DATA_DIR."])  # fmt: skip
    except ContentError as error:
        _fail([*map(str, error.problems), f"{len(error.problems)} problem(s) in the content; nothing was started."])
    except OSError as error:
        _fail([f"{error.filename or ''}: {error.strerror or error}"])


@click.group()
def main() -> None:
    """The chatbot of a trade-union federation."""


@main.command()
def run() -> None:
    """Runs the bot until it is stopped."""
    settings = _settings()
    missing = missing_for_run(settings)
    if missing:
        _fail(missing)
    set_up()
    _finish(_run(settings))


async def _run(settings: Settings) -> None:
    app = await build_app(settings, Clock())
    stop = _stop_signals()
    await app.start()
    if app.server is not None:
        click.echo(app.server.address)
    click.echo("ready", err=True)
    await stop.wait()
    await app.stop()


def _stop_signals() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


@main.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes any free one")
@click.option("--at", "moment", default="", help="a fresh house whose clock starts here (ISO time)")
def demo(port: int, moment: str) -> None:
    """Furnishes an invented province and opens it in the browser; no token needed."""
    from bot.demo import run_demo

    try:
        start = datetime.fromisoformat(moment) if moment else None
    except ValueError:
        _fail([f"--at {moment}: expected a time such as 2025-07-28T07:00"])
    set_up()
    _finish(run_demo(port, start, _stop_signals))


@main.command()
def check() -> None:
    """Checks settings, content and database, and names every problem at once."""
    problems: list[str] = []
    settings: Settings | None = None
    try:
        settings = load_settings()
        problems += missing_for_run(settings)
    except SettingsError as error:
        problems += error.problems
    try:
        load_content(settings or Settings.model_construct(organisation="-", hotline="-", duty_line=""))
    except ContentError as error:
        problems += map(str, error.problems)
    notes: list[str] = []
    if settings is not None:
        found, notes = asyncio.run(reports.check_database(settings))
        problems += found
    for note in notes:
        click.echo(note)
    if problems:
        _fail([*problems, f"{len(problems)} problem(s)."])
    click.echo("Settings, content and database are in order.")


@main.group("units")
def unit_commands() -> None:
    """The union's tree."""


@unit_commands.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="only say what would happen")
def import_units(file: Path, dry_run: bool) -> None:
    """Adds and changes units from an .xlsx or .csv file with Vietnamese headings."""
    from bot.unit_import import import_file

    _finish(import_file(_settings(), file, dry_run=dry_run, now=Clock().now(), say=click.echo, fail=_fail))


@main.command()
@click.option("--role", required=True, type=click.Choice([role.value for role in Role if role != Role.WORKER]))
@click.option("--unit", "code", required=True, help="the code of the unit at the top of the role's scope")
def invite(role: str, code: str) -> None:
    """Prints a one-time link and its code: how the first people get in."""
    from bot.invite import print_invitation

    _finish(print_invitation(_settings(), Role(role), code, now=Clock().now(), say=click.echo, fail=_fail))


@main.command()
@click.option("--from", "start", default="", help="first day (ISO), today if not given")
@click.option("--days", type=click.IntRange(1, 40000), default=365, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def calendar(start: str, days: int, as_json: bool) -> None:
    """Every automatic message that is planned, and what still waits for approval."""
    try:
        first = date.fromisoformat(start) if start else None
    except ValueError:
        _fail([f"--from {start}: expected a date such as 2026-02-03"])
    try:
        _, packs = load_content(_settings())
    except ContentError as error:
        _fail(list(map(str, error.problems)))
    entries = reports.calendar(packs, first or reports.today(Clock().now()), days)
    if as_json:
        click.echo(json.dumps(entries, ensure_ascii=False, indent=1))
        return
    for entry in entries:
        state = "" if entry["approved"] else "  [waits for approval]"
        click.echo(f"{entry['at']}  {entry['key']}  {entry['audience']}{state}\n    {entry['text'].splitlines()[0]}")


@main.group("content")
def content_commands() -> None:
    """Words and packs."""


@content_commands.command("check")
def check_content() -> None:
    """Checks every word and pack."""
    try:
        _, packs = load_content(Settings.model_construct(organisation="-", hotline="-", duty_line=""))
    except ContentError as error:
        _fail([*map(str, error.problems), f"{len(error.problems)} problem(s)."])
    for line in reports.content_summary(packs, reports.today(Clock().now())):
        click.echo(line)


@content_commands.command("questions")
@click.option("--json", "as_json", is_flag=True)
def questions(as_json: bool) -> None:
    """Lists every law question."""
    try:
        _, packs = load_content(Settings.model_construct(organisation="-", hotline="-", duty_line=""))
    except ContentError as error:
        _fail(list(map(str, error.problems)))
    found = reports.questions(packs)
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=1))
        return
    for question in found:
        click.echo(f"{question['id']}  {question['stem']}\n    {question['citation']}")


@main.command()
@click.option("--json", "as_json", is_flag=True)
def status(as_json: bool) -> None:
    """What came in, what goes out, what is stuck."""
    _finish(_status(_settings(), as_json))


async def _status(settings: Settings, as_json: bool) -> None:
    found = await reports.status(settings, Clock().now())
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=1))
        return
    for name, value in found.items():
        click.echo(f"{name}: {json.dumps(value, ensure_ascii=False)}")


@main.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> None:
    """Writes a whole backup while the bot runs."""
    _finish(_backup(_settings(), file))


async def _backup(settings: Settings, file: Path) -> None:
    if not Path(settings.database.removeprefix("sqlite+aiosqlite:///")).exists():
        _fail([f"{settings.data_dir}: there is no database here yet; nothing was backed up."])
    count = await backups.backup(settings, file, datetime.now(UTC), _progress)
    click.echo(f"{file}: {count} file(s), checked.")


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def restore(file: Path) -> None:
    """Puts a backup back; what was there is set aside, not deleted."""
    _finish(_restore(_settings(), file))


async def _restore(settings: Settings, file: Path) -> None:
    try:
        aside = await backups.restore(settings, file, datetime.now(UTC))
    except backups.BadBackup as error:
        _fail([f"{error}. Nothing was changed."])
    click.echo(f"Restored from {file}." + (f" The former data is in {aside}." if aside else ""))
    click.echo("Announcements that were waiting are held: look at them with /guitin before letting them go.")


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{done}/{total}", err=True, nl=done == total)
