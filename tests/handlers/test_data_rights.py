"""T26. People who use whatever there is and type marked words: all of it is in their copy, and after erasing nowhere."""

from __future__ import annotations

import json
import re
from random import Random

import pytest
from sqlalchemy import text

from db import rights
from db.models import Base
from scheduler import housekeeping, jobs
from tests.handlers.test_question_reports import owner
from tests.handlers.test_walks import PLAUSIBLE, Walk, furnish
from tests.people import World, work_of
from tests.prove import cases, note

pytestmark = pytest.mark.sqlite

MARK = re.compile(r"canari\d+")
MOVES = 60
LONG = 20
"""Characters from which on what somebody types is prose, and can be marked without being understood otherwise."""


class Marked(Walk):
    """A walk on which whatever is told in words can be told from everything else."""

    async def _types(self, text: str) -> None:
        if text in PLAUSIBLE and len(text) >= LONG:
            text += f" canari{next(self.world.serial)}"
        await super()._types(text)


async def marks(world: World) -> dict[str, set[str]]:
    """For each table, the marks in it."""
    async with world.database.read() as session:
        return {
            name: set(MARK.findall(repr((await session.execute(text(f"SELECT * FROM {name}"))).all()).lower()))
            for name in Base.metadata.tables
        }


@pytest.mark.parametrize("seed", cases(3))
async def test_what_somebody_typed_is_in_their_copy_and_after_erasing_nowhere_on_the_disk(
    world: World, seed: int
) -> None:
    person = await world.joined("Bùi Thị Canari0")
    await furnish(world, person)
    await owner(world)
    walk = Marked(world, person, Random(seed))
    await walk.go(MOVES)
    person_id = await person.id()
    kept = await marks(world)
    async with world.database.read() as session:
        copy = json.dumps(await rights.collect(session, person_id), default=str, ensure_ascii=False).lower()
    told = set(MARK.findall(copy))
    missing = {name: found - told for name, found in kept.items() if found - told}
    assert not missing, "\n".join([repr(missing), *walk.did])

    await person.says("/canhan")
    for label in ("Xóa tất cả", "Tôi muốn xóa"):
        await person.taps(label)
    assert (await person.says("xoa")).key == "profile.deleted"
    await jobs.run(work_of(world, world.house.files))
    world.later(hours=25)
    await housekeeping.run(work_of(world, world.house.files))
    left = {name: found for name, found in (await marks(world)).items() if found}
    assert not left, "\n".join([repr(left), *walk.did])
    await world.database.close()  # the log goes into the file
    file = world.database.file
    assert file is not None
    for path in (file, *file.parent.glob(f"{file.name}-*"), *world.house.files.rglob("*")):
        found = (
            {word.decode() for word in re.findall(rb"canari\d+", path.read_bytes().lower())}
            if path.is_file()
            else set()
        )
        assert not found, f"{path.name}: {found}"
    note(people=1, marked=len(set().union(*kept.values())))
