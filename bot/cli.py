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
from bot import content_report, contest_files, law_review, reports
from bot.app import build_app, load_content
from bot.clock import Clock
from bot.lock import AlreadyRunning
from bot.logs import catch_the_rest, set_up
from bot.memory import settle
from bot.settings import Settings, SettingsError, load_settings, remarks, unencrypted
from content.calendar import local_date
from content.contest_result import BadResult
from content.law import Place
from content.packs import Packs
from content.source import ContentError
from content.words import Words
from db import audit, snapshot
from db.models import QuestionReview, Role
from db.trouble import Trouble, explained


def _fail(lines: list[str]) -> NoReturn:
    for line in lines:
        click.echo(line, err=True)
    sys.exit(1)


def _settings(*, for_run: bool = False) -> Settings:
    try:
        return load_settings(for_run=for_run)
    except SettingsError as error:
        _fail([*error.problems, "Nothing was done. Set these in the environment or in .env; the README lists all."])


def _content() -> tuple[Words, Packs]:
    """Words and packs, for commands that need no settings; those there are count."""
    try:
        settings = load_settings()
    except SettingsError:
        settings = Settings.model_construct()
    try:
        return load_content(settings)
    except ContentError as error:
        _fail([*map(str, error.problems), f"{len(error.problems)} problem(s) in the content."])


def _finish(
    settings: Settings, work: Coroutine[Any, Any, None], *, named: str = "CONGDOAN_WEB_HOST, CONGDOAN_WEB_PORT"
) -> None:
    """Runs a command; what operators can cause becomes a line that says what to do, not a traceback.

    `named` says how they chose where it listens.
    """
    try:
        with explained():
            asyncio.run(work)
    except AlreadyRunning as error:
        _fail([f"{error.folder}: another process (number {error.pid or 'unknown'}) is using this data folder. "
               "Stop it first, or give this one its own CONGDOAN_DATA_DIR."])  # fmt: skip
    except ContentError as error:
        _fail([*map(str, error.problems), f"{len(error.problems)} problem(s) in the content; nothing was started."])
    except Trouble as trouble:
        _fail(reports.remedy(settings, trouble))
    except OSError as error:
        where = error.filename or f"{settings.web_host}:{settings.web_port} ({named})"
        _fail([f"{where}: {error.strerror or error}"])


@click.group()
def main() -> None:
    """The chatbot of a trade-union federation."""


@main.command()
def run() -> None:
    """Runs the bot until it is stopped."""
    settings = _settings(for_run=True)
    set_up(settings.log)
    _finish(settings, _run(settings))


async def _run(settings: Settings) -> None:
    app = await build_app(settings, Clock())
    settle()
    catch_the_rest()
    stop = _stop_signals()
    await app.start()
    if app.server is not None:
        click.echo(app.server.address)
    click.echo("ready", err=True)
    damage: list[Trouble] = []

    async def look() -> None:
        """At every page, while people are answered already: of a large database it takes a while."""
        try:
            await snapshot.quick_check(app.database)
        except Trouble as trouble:
            damage.append(trouble)
            stop.set()

    looking = asyncio.create_task(look())
    await stop.wait()
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
    await app.stop()
    if damage:
        raise damage[0]


def _stop_signals() -> asyncio.Event:
    stop = asyncio.Event()
    wanted = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # a window that is closed; nohup says to go on
        wanted.append(signal.SIGHUP)
    for number in wanted:
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


@main.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes any free one")
@click.option("--at", "moment", default="", help="a fresh house whose clock starts here (ISO time)")
def demo(port: int, moment: str) -> None:
    """Furnishes an invented province and opens it in the browser; no token needed."""
    from bot.demo import data_dir, run_demo

    try:
        start = datetime.fromisoformat(moment) if moment else None
    except ValueError:
        _fail([f"--at {moment}: expected a time such as 2025-07-28T07:00"])
    set_up()
    named = "choose another with congdoan demo --port N; 0 takes any free one"
    _finish(
        Settings.model_construct(data_dir=data_dir(), web_port=port), run_demo(port, start, _stop_signals), named=named
    )


@main.command()
def check() -> None:
    """Checks settings, content and database, and names every problem at once."""
    problems: list[str] = []
    settings: Settings | None = None
    try:
        settings = load_settings()
    except SettingsError:
        settings = None
    try:
        load_settings(for_run=True)
    except SettingsError as error:
        problems += error.problems
    try:
        load_content(settings or Settings.model_construct())
    except ContentError as error:
        problems += map(str, error.problems)
    notes = remarks()
    if settings is not None:
        found, more = asyncio.run(reports.check_house(settings))
        problems, notes = problems + found, notes + unencrypted(settings) + more
    else:
        notes.append("Data folder and database were not looked at: the settings that name them are wrong.")
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

    settings = _settings()
    _finish(settings, import_file(settings, file, dry_run=dry_run, now=Clock().now(), say=click.echo, fail=_fail))


@main.command()
@click.option("--role", required=True, type=click.Choice([role.value for role in Role if role != Role.WORKER]))
@click.option("--unit", "code", required=True, help="the code of the unit at the top of the role's scope")
def invite(role: str, code: str) -> None:
    """Prints a one-time link and its code: how the first people get in."""
    from bot.invite import print_invitation

    settings = _settings()
    _finish(settings, print_invitation(settings, Role(role), code, now=Clock().now(), say=click.echo, fail=_fail))


@main.command()
@click.option("--from", "start", default="", help="first day (ISO), today if not given")
@click.option("--days", type=click.IntRange(1, 40000), default=365, show_default=True)
@click.option("--json", "as_json", is_flag=True)
@click.option(
    "--cards", type=click.Path(file_okay=False, path_type=Path), help="draw the cards and months of it in this folder"
)
def calendar(start: str, days: int, as_json: bool, cards: Path | None) -> None:
    """The calendar of content: each automatic message with its day, audience, text, card, and who released it or must."""
    try:
        first = date.fromisoformat(start) if start else None
    except ValueError:
        _fail([f"--from {start}: expected a date such as 2026-02-03"])
    first = first or local_date(Clock().now())
    if not content_report.FIRST <= first <= content_report.LAST:
        _fail([f"--from {first}: only days from {content_report.FIRST} to {content_report.LAST} can be planned"])
    words, packs = _content()
    if cards is not None:
        for file in content_report.draw(words, packs, first, days, cards):
            click.echo(file, err=as_json)
    if as_json:
        click.echo(json.dumps(content_report.calendar(words, packs, first, days), ensure_ascii=False, indent=1))
        return
    for entry in content_report.agenda(words, packs, first, days):
        click.echo("\n    ".join(content_report.shown(entry)))


@main.group("contest")
def contest_commands() -> None:
    """Law contests."""


@contest_commands.command("list")
def list_rounds() -> None:
    """Every round with its number."""
    settings = _settings()
    _finish(settings, _list_rounds(settings))


async def _list_rounds(settings: Settings) -> None:
    for line in await contest_files.rounds(settings):
        click.echo(line)


@contest_commands.command("export")
@click.argument("number", type=int)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def export_result(number: int, file: Path) -> None:
    """Writes a round's published result, as .xlsx or .json, with all that it follows from."""
    settings = _settings()
    _finish(settings, _export_result(settings, number, file))


async def _export_result(settings: Settings, number: int, file: Path) -> None:
    try:
        click.echo(await contest_files.write(settings, _content()[0], number, file))
    except BadResult as error:
        _fail([f"round {number}: {error} Nothing was written."])


@contest_commands.command("recompute")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def recompute_result(file: Path) -> None:
    """Works a published result out again from its own papers; needs nothing but the file."""
    try:
        found, faults = contest_files.check(file)
    except BadResult as error:
        _fail([f"{file}: this is no whole result of a contest: {error}."])
    except OSError as error:
        _fail([f"{file}: {error.strerror or error}"])
    if faults:
        _fail([*faults, f"{file}: {len(faults)} place(s) where the result is not what its papers and rules say."])
    people = len(found.places) + len(found.inputs.disqualified)
    click.echo(
        f"{file}: week {found.week}, {people} people with {len(found.inputs.attempts)} papers, "
        f"{found.actual} all right: the same result."
    )


@contest_commands.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="only say what would happen")
def import_contest(file: Path, dry_run: bool) -> None:
    """Adds a contest and its rounds from a .yaml, .xlsx or .csv file; a leader approves them in the chat."""
    from bot.contest_import import import_file

    settings = _settings()
    words, packs = _content()
    work = import_file(settings, words, packs, file, dry_run=dry_run, now=Clock().now(), say=click.echo, fail=_fail)
    _finish(settings, work)


@main.group("content")
def content_commands() -> None:
    """Words and packs."""


@content_commands.command("check")
def check_content() -> None:
    """Checks every word and pack; refuses questions whose law has ended."""
    packs, on = _content()[1], local_date(Clock().now())
    for line in content_report.summary(packs, on):
        click.echo(line)
    if ended := packs.bank.ended(on):
        _fail([*map(str, ended), f"{len(ended)} problem(s) in the content."])


@content_commands.command("questions")
@click.option("--json", "as_json", is_flag=True)
def questions(as_json: bool) -> None:
    """Lists every law question, its level and who reviewed it."""
    rows = law_review.questions(_content()[1], _said())
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    for line in law_review.question_lines(rows):
        click.echo(line)


def _said() -> list[QuestionReview]:
    """What people said of the questions, where there is a database to tell."""
    try:
        return asyncio.run(law_review.read(load_settings()))
    except (SettingsError, OSError, Trouble) as error:
        click.echo(f"Without reviews: {error}", err=True)
        return []


@content_commands.command("law")
@click.argument("place", nargs=-1, required=True)
def law(place: tuple[str, ...]) -> None:
    """Lists the facts and questions that hang on a place of the law, such as "khoan 2 dieu 27 luat cong doan" or 105/2026."""
    for line in law_review.law_lines(_content()[1], Place.read(" ".join(place)), local_date(Clock().now())):
        click.echo(line)


@content_commands.command("approve")
@click.argument("ids", nargs=-1)
@click.option("--topic", "topics", multiple=True, help="every question of a topic; may be repeated")
@click.option(
    "--article", "articles", multiple=True, help='every question that hangs on it, such as "dieu 27 luat cong doan"'
)
@click.option("--by", required=True, help="the reviewer's name, as it is to stand beneath")
@click.option("--on", "day", default="", help="the day of the review (ISO date), today if not given")
@click.option("--back", default="", help="what is wrong: sends them back instead; they are asked no more until mended")
def approve(
    ids: tuple[str, ...], topics: tuple[str, ...], articles: tuple[str, ...], by: str, day: str, back: str
) -> None:
    """Writes down that a named person reviewed law questions as they stand; whoever changes one needs a new review."""
    try:
        on = date.fromisoformat(day) if day else None
    except ValueError:
        _fail([f"--on {day}: expected a date such as 2026-02-03"])
    if not by.strip():
        _fail(["--by: the name of the person who reviewed them"])
    found = law_review.chosen(_content()[1], ids, topics, articles, _fail)
    settings = _settings()
    _finish(
        settings,
        law_review.say_of(settings, found, " ".join(by.split()), on, back.strip(), now=Clock().now(), say=click.echo),
    )


@main.group("audit")
def audit_commands() -> None:
    """The record of who did what."""


@audit_commands.command("verify")
@click.option(
    "--anchor", "anchors", multiple=True, help="a mark from an administrator's chat, as 123:9f8c…; may be repeated"
)
def verify_audit(anchors: tuple[str, ...]) -> None:
    """Proves that no row was edited, deleted or put in since it was written; names the first that was."""
    settings = _settings()
    _finish(settings, _verify_audit(settings, anchors))


async def _verify_audit(settings: Settings, anchors: tuple[str, ...]) -> None:
    try:
        click.echo(await reports.audit_stands(settings, anchors))
    except ValueError as error:
        _fail([str(error)])
    except audit.Tampered as error:
        _fail([f"The audit was tampered with: {error}."])


@main.command()
@click.option("--json", "as_json", is_flag=True)
def status(as_json: bool) -> None:
    """What came in, what goes out, what is stuck."""
    settings = _settings()
    _finish(settings, _status(settings, as_json))


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
    settings = _settings()
    _finish(settings, _backup(settings, file))


async def _backup(settings: Settings, file: Path) -> None:
    count = await backups.backup(settings, file, datetime.now(UTC), _progress)
    click.echo(f"{file}: {count} file(s), read back and checked.")


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def restore(file: Path) -> None:
    """Puts a backup back; what was there is set aside, not deleted."""
    settings = _settings()
    _finish(settings, _restore(settings, file))


async def _restore(settings: Settings, file: Path) -> None:
    try:
        aside, held = await backups.restore(settings, file, datetime.now(UTC), _progress)
    except backups.BadBackup as error:
        _fail([f"{file}: {error}. Nothing was changed."])
    click.echo(f"Restored from {file}." + (f" The former data is in {aside}." if aside else ""))
    if held:
        click.echo(
            f"{held} announcement(s) may have gone out since: they are stopped until a person decides (/guitin)."
        )


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{done}/{total}", err=True, nl=done == total)
