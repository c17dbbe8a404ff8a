"""The result leaves the house only when it is published, and anybody who has the file can work it out again."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli import main
from content.contest_result import recompute, to_json
from db import contests
from db.errors import Conflict
from db.models import Board, Role
from scheduler.contest_files import result_file
from tests.handlers.test_contest import contestant, look, paper_of, sits
from tests.people import World
from tests.weeks import RESULT, week


def congdoan(*args: str) -> tuple[int, str]:
    result = CliRunner(catch_exceptions=True).invoke(main, args)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


async def test_a_published_round_is_worked_out_again_from_its_file(world: World, tmp_path: Path) -> None:
    round_id = await week(world)
    owner = await world.joined("Vũ Ngọc Mai", unit="TINH", role=Role.CONTENT_OFFICER)
    hoa = await contestant(world)
    lan = await contestant(world, "Đỗ Thị Lan", board=Board.HIDDEN)
    nam = await contestant(world, "Trần Văn Nam", board=Board.SHORT)
    for person, right in ((hoa, 4), (lan, 3), (nam, 4), (hoa, 2)):
        world.later(minutes=1)
        await sits(person, right, "2")
    async with world.database.read() as session:
        with pytest.raises(Conflict):
            await result_file(session, world.house.words, await contests.get_round(session, round_id))
    await look(world, RESULT)
    wrong = (await paper_of(lan)).questions[3].question
    async with world.database.write() as session:
        round_ = await contests.get_round(session, round_id)
        await contests.void_question(session, round_, wrong, "Hai cách hiểu", await owner.id(), world.now)
        await contests.disqualify(session, round_, await nam.id(), "Thi hộ", await owner.id(), world.now)
    await look(world)
    async with world.database.read() as session:
        round_ = await contests.get_round(session, round_id)
        file = await result_file(session, world.house.words, round_)
    assert recompute(file) == [] and (file.revision, file.actual, len(file.places)) == (2, 2, 2)
    assert list(file.names.values()) == ["Bùi Thị Hoa"] and len(file.inputs.attempts) == 4
    text = to_json(file)
    assert not re.search("Thị Lan|Văn Nam|Thi hộ", text)
    path = tmp_path / "tuan-1.json"
    path.write_text(text, encoding="utf-8")
    code, said = congdoan("contest", "recompute", str(path))
    assert code == 0 and "3 people with 4 papers, 2 all right: the same result" in said
    data = json.loads(text)
    data["places"][0]["score"] = 1
    path.write_text(json.dumps(data), encoding="utf-8")
    code, said = congdoan("contest", "recompute", str(path))
    assert code == 1 and "its papers say" in said and "1 place(s)" in said


def test_what_is_no_result_is_said_so(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text("[]", encoding="utf-8")
    code, said = congdoan("contest", "recompute", str(path))
    assert code == 1 and "no whole result" in said
