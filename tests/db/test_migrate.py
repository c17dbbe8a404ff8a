"""The newest tables or the old ones, never something between (promises F28)."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import sys
import tempfile
from pathlib import Path

import alembic.op
import pytest
from alembic.script import ScriptDirectory

from db import migrate, versions
from db.session import Database
from db.trouble import Kind, Trouble
from tests.databases import Template, sqlite
from tests.db.dying import die_and_start_again, inhabit, plant
from tests.prove import cases, note

pytestmark = pytest.mark.sqlite


def tables(path: Path) -> set[str]:
    connection = sqlite3.connect(path)
    try:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    finally:
        connection.close()


@pytest.mark.timeout(600)
async def test_a_start_killed_at_any_statement_leaves_the_old_tables_or_the_new_and_the_next_one_completes(
    tmp_path: Path,
) -> None:
    """T27, F28. The copy that is made before an update is whole or is not there."""
    made = tmp_path / "inhabited.db"
    await inhabit(sqlite(made))

    def copy(inhabited: bool) -> tuple[str, Path]:
        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        if inhabited:
            shutil.copyfile(made, folder / "congdoan.db")
        return sqlite(folder / "congdoan.db"), folder

    old, new = await die_and_start_again(copy, plant(tmp_path / "versions"), cases(6))
    note(left_as_they_were=old, left_new=new)


@pytest.mark.parametrize("step", [1, 20])
async def test_a_migration_that_is_cut_off_leaves_nothing_and_is_done_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    real, done = alembic.op.create_table, 0

    def cut_off(*args: object, **options: object) -> object:
        nonlocal done
        done += 1
        if done == step:
            raise KeyboardInterrupt
        return real(*args, **options)  # type: ignore[arg-type]

    database = Database(f"sqlite+aiosqlite:///{tmp_path}/a.db")
    monkeypatch.setattr(alembic.op, "create_table", cut_off)
    with pytest.raises(KeyboardInterrupt):
        await migrate.upgrade(database)
    assert tables(tmp_path / "a.db") == set() and not await migrate.is_newest(database)
    monkeypatch.undo()
    await migrate.upgrade(database)
    assert await migrate.is_newest(database) and not await versions.differences(database)
    await database.close()


async def test_tables_of_a_newer_version_are_left_alone(tmp_path: Path, template: Template) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(template.path.read_bytes())
    connection = sqlite3.connect(path)
    connection.execute("UPDATE alembic_version SET version_num = 'from-2031'")
    connection.commit()
    connection.close()
    database = Database(f"sqlite+aiosqlite:///{path}")
    for ask in (migrate.upgrade, migrate.is_newest):
        with pytest.raises(Trouble) as caught:
            await ask(database)
        assert caught.value.kind == Kind.NEWER
    await database.close()
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("from-2031",)]
    connection.close()


async def test_a_start_over_the_newest_tables_never_loads_alembic_and_knows_their_version_without_it(
    tmp_path: Path, template: Template
) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/a.db")
    async with database.engine.connect() as connection:
        script = await connection.run_sync(lambda sync: ScriptDirectory.from_config(versions._config(sync)))
    await database.close()
    assert script.get_heads() == [migrate.NEWEST]
    path = tmp_path / "house.db"
    path.write_bytes(template.path.read_bytes())
    asks = (
        "import asyncio, sys; import bot.cli, bot.app; from db import migrate; from db.session import Database\n"
        f"database = Database('sqlite+aiosqlite:///{path}')\n"
        "assert asyncio.run(migrate.is_newest(database))\n"
        "assert 'alembic' not in sys.modules, sorted(m for m in sys.modules if m.startswith('alembic'))"
    )
    found = await asyncio.create_subprocess_exec(sys.executable, "-c", asks)
    assert await found.wait() == 0
