"""The confirmation is drawn as a job for one's own result; its code confirms what stands on it and nothing else."""

from __future__ import annotations

from pathlib import Path

from PIL import Image
from sqlalchemy import select

from db import contests, erasure, house
from db.models import Entry
from scheduler import jobs
from tests.handlers.test_contest_prize import look, published
from tests.people import World, work_of


async def code_of(world: World) -> str:
    async with world.database.read() as session:
        return (await session.execute(select(Entry.certificate).where(Entry.certificate != ""))).scalar_one()


async def draw(world: World, files: Path) -> None:
    await jobs.run(work_of(world, files))
    await world.deliver()


async def test_one_press_on_the_result_brings_the_picture_and_its_code_says_what_stands_on_it(
    world: World, tmp_path: Path
) -> None:
    async with world.database.write() as session:
        await house.remember(session, "web_address", {"address": "https://troly.example/"}, world.now)
    _, people = await published(world, Hoa=4, Nam=3)
    hoa = people["Hoa"]
    await hoa.taps("Giấy xác nhận")
    assert hoa.last.key == "certificate.drawing"
    await draw(world, tmp_path)
    assert hoa.last.key == "certificate.ready" and [each.kind for each in hoa.last.message.media] == ["photo"]
    with Image.open(tmp_path / hoa.last.message.media[0].file) as picture:
        assert picture.size == (1080, 1528)
    code = await code_of(world)
    async with world.database.read() as session:
        found = await contests.find_sealed(session, code)
        assert await contests.find_sealed(session, "") is None and await contests.find_sealed(session, "0" * 32) is None
    assert found is not None and len(code) == 32
    assert (found.name, found.unit, found.week, found.score) == ("Trần Hoa", "Công ty TNHH May Hòa Phát", 1, 4)
    await hoa.taps("Giấy xác nhận")
    await draw(world, tmp_path)
    assert await code_of(world) == code


async def test_who_has_no_place_gets_none_and_who_loses_it_is_no_longer_confirmed(world: World, tmp_path: Path) -> None:
    round_id, people = await published(world, Hoa=4, Nam=3)
    lan = await world.joined("Đỗ Thị Lan")
    for arg in (str(round_id), "x", "999999"):
        await lan.presses(f"c:giayxacnhan:{arg}")
        assert lan.last.key == ("certificate.none" if arg == str(round_id) else "common.not_found")
    hoa, nam = people["Hoa"], people["Nam"]
    for person in (hoa, nam):
        await person.taps("Giấy xác nhận")
        await draw(world, tmp_path)
    async with world.database.write() as session:
        codes = dict(iter((await session.execute(select(Entry.person_id, Entry.certificate))).all()))
        round_ = await contests.get_round(session, round_id)
        from db.models import Disqualification

        session.add(
            Disqualification(
                round_id=round_id, person_id=await hoa.id(), reason="Hai tài khoản", actor_id=None, at=world.now
            )
        )
        round_.recount = True
        await erasure.erase(session, await nam.id(), world.now)
    await look(world)
    async with world.database.read() as session:
        assert [await contests.find_sealed(session, code) for code in codes.values()] == [None, None]
    assert not hoa.last.offers("Giấy xác nhận")
