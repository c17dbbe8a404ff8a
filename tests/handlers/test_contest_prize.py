"""From the result to the winner's hands: complaints answered, questions and people that fall out, prizes on their way."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from db import contests, erasure, snapshot
from db.models import (
    AuditRow,
    Board,
    Contest,
    Grant,
    OutboxRow,
    Person,
    Policy,
    Prize,
    PrizeState,
    Result,
    Role,
    Round,
    Unit,
)
from scheduler import contests as clock
from scheduler import prizes
from tests.desks import handed_in, leader, officer
from tests.people import TestPerson, World, work_of
from tests.weeks import RESULT, week

PRIZES = (
    {"key": "nhat", "name": "Nhất", "count": 1, "worth": "500.000 đồng"},
    {"key": "nhi", "name": "Nhì", "count": 1, "worth": ""},
)
DEEDS = {"award_prizes", "verify_winner", "deny_winner", "send_prize", "pass_prize"}
"""What the audit says of prizes."""


async def look(world: World) -> None:
    """The clocks of contests and prizes."""
    for _ in range(2):
        await clock.run(work_of(world))
        await prizes.run(work_of(world))
        world.later(seconds=1)
    await world.deliver()


UNNAMED = re.compile(r"tuần (thi )?1\b(?! \()", re.IGNORECASE)
"""A week of which nothing says in which contest."""


async def published(world: World, **rights: int) -> tuple[int, dict[str, TestPerson]]:
    """A round whose result is out; people by name with their right answers, the earlier the faster."""
    round_id = await week(world, prizes=PRIZES)
    people = {}
    for n, (name, right) in enumerate(rights.items()):
        people[name] = await world.joined(f"Trần {name}", board=Board.FULL)
        await handed_in(world, round_id, people[name].address, right, 100 + n)
    world.now = RESULT
    await look(world)
    world.later(hours=15)
    await look(world)
    return round_id, people


async def prizes_of(world: World) -> list[tuple[str, str, PrizeState]]:
    async with world.database.read() as session:
        found = await session.execute(
            select(Person.name, Prize.prize, Prize.state).join(Person, Person.id == Prize.person_id).order_by(Prize.id)
        )
        return [(name, prize, state) for name, prize, state in found]


async def over(world: World) -> None:
    """The complaints' time is over."""
    world.now = RESULT + timedelta(days=3, hours=16)
    await look(world)


async def void(mai: TestPerson, round_id: int) -> None:
    """The officer takes out the question that everybody has in the fourth place."""
    await mai.presses(f"c:loaicau:{round_id}.9")
    await mai.says("bao nhieu phan tram")
    await mai.taps("1")
    await mai.says("Câu hỏi thiếu căn cứ")
    await mai.taps("Loại câu này")
    assert mai.last.key == "contest_desk.voided"


async def round_of(world: World, round_id: int) -> Round:
    async with world.database.read() as session:
        return await contests.get_round(session, round_id)


async def test_a_complaint_is_answered_once_by_those_who_hold_the_contest(world: World) -> None:
    mai = await officer(world)
    other = await officer(world, "Lê Thu Hà", "CAOSON")
    round_id, people = await published(world, Hoa=3, Nam=4)
    hoa = people["Hoa"]
    await hoa.presses(f"c:thacmac:{round_id}")
    await hoa.says("Câu số 2 có hai cách hiểu, xin xem lại giúp")
    assert mai.last.key == "contest.complaint_notice" and other.keys == []
    assert "1 thắc mắc về kết quả thi" in (await mai.says("/canbo")).text
    assert (await mai.taps("Thắc mắc về thi")).key == "contest_desk.complaints"
    await other.says("/canbo")
    assert not other.last.offers("Thắc mắc về thi")
    await mai.taps("1")
    assert mai.last.key == "contest_desk.complaint" and "Trần Hoa" in mai.last.text and "3/4" in mai.last.text
    await mai.taps("Trả lời")
    await mai.says("ừ")
    assert mai.last.key == "contest_desk.reply_length"
    await mai.says("Đã xem lại, câu hỏi đúng theo khoản 1 Điều 4")
    assert hoa.last.key == "contest_desk.complaint_answered" and "khoản 1 Điều 4" in hoa.last.text
    await mai.says("/canbo")
    assert "thắc mắc" not in mai.last.text
    await other.presses("c:thacmacthi:1")
    assert other.last.key == "common.refused"


async def test_prizes_wait_for_the_last_complaint(world: World) -> None:
    mai = await officer(world)
    round_id, people = await published(world, Hoa=3, Nam=4)
    await people["Hoa"].presses(f"c:thacmac:{round_id}")
    await people["Hoa"].says("Tôi bấm nhầm ở câu cuối, xin xem lại")
    await over(world)
    assert await prizes_of(world) == [] and (await round_of(world, round_id)).awarded_at is None
    await mai.presses("c:thacmacthi:1")
    await mai.taps("Trả lời")
    await mai.says("Bài được tính theo câu trả lời cuối cùng")
    await look(world)
    assert [(name, prize) for name, prize, _ in await prizes_of(world)] == [("Trần Nam", "nhat"), ("Trần Hoa", "nhi")]


async def test_a_question_that_falls_out_is_right_for_all_and_who_gains_by_it_hears_why(world: World) -> None:
    mai = await officer(world)
    round_id, people = await published(world, Hoa=3, Nam=2, Lan=4)
    await mai.presses(f"c:loaicau:{round_id}.9")
    await mai.says("không có câu này")
    assert mai.last.key == "contest_desk.which_none"
    await mai.says("cong doan")
    assert "Đồng chí chọn câu nào?" in mai.last.text and "\n2. " in mai.last.text
    await mai.taps("Tìm lại")
    await mai.says("bao nhieu phan tram")
    assert "Đúng câu này chứ ạ?" in mai.last.text and "cd-57" in mai.last.text
    await mai.taps("1")
    await mai.says("Câu hỏi thiếu căn cứ")
    assert mai.last.key == "contest_desk.void_sure"
    assert "3 bài được tính có câu này" in mai.last.text and "không lấy lại được" in mai.last.text
    await mai.taps("Thôi, giữ câu này")
    assert mai.last.key == "contest_desk.void_not" and not (await round_of(world, round_id)).recount
    await void(mai, round_id)
    await look(world)
    for name, before in (("Hoa", "3/4 câu, xếp thứ 2"), ("Nam", "2/4 câu, xếp thứ 3")):
        last = people[name].last
        assert last.key == "contest.result" and "Câu hỏi thiếu căn cứ" in last.text
        assert f"Lần báo trước là {before}; nay" in last.text
    async with world.database.read() as session:
        scores = {who: score for who, score in await session.execute(select(Result.person_id, Result.score))}
    assert scores == {await people["Hoa"].id(): 4, await people["Nam"].id(): 3, await people["Lan"].id(): 4}


async def test_who_is_taken_out_hears_why_may_object_and_can_come_back(world: World) -> None:
    mai = await officer(world)
    round_id, people = await published(world, Hoa=4, Nam=3)
    hoa = people["Hoa"]
    code = f"CT-25-W01-{await hoa.id():06}"
    world.later(days=2)
    await mai.presses(f"c:khongxet:{round_id}.9")
    await mai.says("CT-25-W01-999999")
    assert mai.last.key == "contest_desk.whose_none"
    await mai.says(code.lower())
    assert mai.last.key == "contest_desk.person" and "Trần Hoa" in mai.last.text
    await mai.presses(f"c:khongxet:{round_id}.9")
    await mai.says("tran  hoa")
    assert mai.last.key == "contest_desk.person" and code in mai.last.text
    await mai.taps("Không xét giải")
    await mai.says("Làm hộ bằng hai tài khoản")
    assert hoa.last.key == "contest_desk.out_notice" and "hai tài khoản" in hoa.last.text
    await look(world)
    async with world.database.read() as session:
        found = await contests.find_result(session, round_id, await hoa.id())
    assert found is not None and found.rank is None
    world.later(days=1, hours=12)  # later than everybody else could
    await look(world)
    assert await prizes_of(world) == []
    await hoa.presses(f"c:thacmac:{round_id}")
    await hoa.says("Tôi chỉ có một tài khoản, xin kiểm tra lại")
    assert hoa.last.key == "contest.complained"
    await mai.presses(f"c:khongxet:{round_id}.9")
    await mai.says(code)
    await mai.taps("Xét lại như thường")
    await look(world)
    assert "contest_desk.lifted_notice" in hoa.keys
    async with world.database.read() as session:
        found = await contests.find_result(session, round_id, await hoa.id())
    assert found is not None and found.rank == 1


async def test_of_several_of_one_name_the_codes_are_told(world: World) -> None:
    mai = await officer(world)
    round_id, people = await published(world, Hoa=4, Nam=3, Lan=2)
    async with world.database.write() as session:
        other = await session.get(Person, await people["Nam"].id())
        assert other is not None
        other.name = "Trần Hòa"
    await mai.presses(f"c:khongxet:{round_id}.9")
    await mai.says("Trần Hoa")
    assert mai.last.key == "contest_desk.whose_many"
    for key in ("Hoa", "Nam", "Lan"):
        assert (f"CT-25-W01-{await people[key].id():06}" in mai.last.text) == (key != "Lan")


async def test_signs_are_shown_and_nobody_is_taken_out_by_them(world: World) -> None:
    mai = await officer(world)
    round_id, people = await published(world, Hoa=4, Nam=3)
    async with world.database.write() as session:
        await session.execute(update(Person).where(Person.id == await people["Hoa"].id()).values(name="Hoa"))
    await mai.presses(f"c:dauhieu:{round_id}.9")
    assert mai.last.key == "contest_desk.flags" and "Hoa – tên chưa đủ" in mai.last.text
    await mai.taps("1")
    assert mai.last.key == "contest_desk.person"
    async with world.database.read() as session:
        assert await contests.list_disqualified(session, round_id) == {}


async def test_a_prize_goes_from_the_result_to_the_winners_hands(world: World) -> None:
    mai = await officer(world)
    chair = await world.joined("Phạm Văn Tú", role=Role.GRASSROOTS_CHAIR)
    province = await world.joined("Ngô Thị Vân", unit="TINH", role=Role.UPPER_OFFICER)
    round_id, people = await published(world, Hoa=4, Nam=3, Lan=2)
    assert "contest_prize.win" not in people["Hoa"].keys
    await over(world)
    hoa = people["Hoa"]
    assert hoa.last.key == "contest_prize.win" and "500.000 đồng" in hoa.last.text
    assert chair.keys.count("contest_prize.verify_notice") == 2 and province.keys == []
    assert mai.keys.count("contest_prize.awarded_notice") == 1 and "2 giải" in mai.last.text
    assert "contest_prize.win" not in people["Lan"].keys
    await hoa.taps("Gửi số điện thoại")
    await hoa.says("số tài khoản 123")
    assert hoa.last.key == "contest_prize.phone_wrong"
    await hoa.says("+84 912 345 678")
    assert hoa.last.key == "contest_prize.phone_done"
    async with world.database.read() as session:
        first = (await session.execute(select(Prize).where(Prize.prize == "nhat"))).scalar_one()
    assert first.phone == "0912345678"
    await mai.presses(f"c:chuyencdcs:{first.id}")
    assert mai.last.key == "contest_prize.not_sent"
    await hoa.presses(f"c:dungdoanvien:{first.id}")
    assert hoa.last.key == "common.refused"
    assert "2 người đạt giải thi chờ đồng chí xác minh" in (await chair.says("/canbo")).text
    assert "giải thi chờ" not in (await mai.says("/canbo")).text and not mai.last.offers("Giải thưởng chờ")
    await chair.taps("Xác minh giải")
    assert chair.last.key == "contest_prize.verify_list"
    await chair.taps("1")
    assert chair.last.key == "contest_prize.winner" and "Trần Hoa" in chair.last.text
    assert (await chair.says("dung roi")).key == "contest_prize.verified"
    assert "1 người đạt giải thi" in (await chair.says("/canbo")).text
    for person in (hoa, mai):
        await person.presses("c:xacminhgiai:")
        assert person.last.key == "common.refused"
    assert "1 giải thi chờ đồng chí chuyển" in (await mai.says("/canbo")).text
    await mai.taps("Giải thưởng chờ")
    assert mai.last.key == "contest_prize.send_list" and "1. Nhất tuần 1: Trần Hoa" in mai.last.text
    assert (await mai.taps("1")).key == "contest_prize.prize"
    assert "contest_prize.verified" in chair.keys and "contest_prize.verified_notice" in hoa.keys
    await hoa.presses(f"c:danhangiai:{first.id}")
    assert hoa.last.key == "contest_prize.stands"
    await mai.presses(f"c:giaithuong:{round_id}.1")
    await mai.taps("1")
    assert "0912345678" in mai.last.text
    await mai.taps("Đã chuyển CĐCS")
    assert hoa.last.key == "contest_prize.sent_notice"
    assert "giải thi chờ" not in (await mai.says("/canbo")).text and not mai.last.offers("Giải thưởng chờ")
    await mai.presses(f"c:giaithuong:{round_id}.1")
    await people["Nam"].presses(f"c:danhangiai:{first.id}")
    assert people["Nam"].last.key == "common.not_found"
    await hoa.taps("Đã nhận")
    assert (await prizes_of(world))[0][2] == PrizeState.RECEIVED
    await mai.presses(f"c:giaithuong:{round_id}.1")
    assert "Trần Hoa – Công ty TNHH May Hòa Phát (đã nhận)" in mai.last.text
    # Whoever works in a unit may win, a member or not: nobody is asked to vouch for membership, or told that they are one.
    said = [heard.text for each in (hoa, chair, mai) for heard in each.heard if heard.key.startswith("contest_prize.")]
    assert len(said) > 10 and not any("đoàn viên" in text for text in said)


async def test_silence_is_asked_after_at_seven_days_and_passed_on_at_fourteen(world: World) -> None:
    await officer(world)
    _, people = await published(world, Hoa=4, Nam=3, Lan=2)
    await over(world)
    await people["Nam"].taps("Gửi số điện thoại")
    await people["Nam"].says("0987654321")
    world.later(days=6, hours=20)
    await look(world)
    assert "contest_prize.remind" not in people["Hoa"].keys
    world.later(hours=10)
    await look(world)
    await look(world)
    assert people["Hoa"].keys.count("contest_prize.remind") == 1 and "contest_prize.remind" not in people["Nam"].keys
    world.later(days=7)
    await look(world)
    assert "contest_prize.passed_notice" in people["Hoa"].keys and "contest_prize.win" in people["Lan"].keys
    assert await prizes_of(world) == [
        ("Trần Hoa", "nhat", PrizeState.PASSED),
        ("Trần Nam", "nhi", PrizeState.WAITING),
        ("Trần Lan", "nhat", PrizeState.WAITING),
    ]


async def test_a_prize_that_nobody_else_can_have_stays_nobodys_though_one_may_win_more_than_one(world: World) -> None:
    mai = await officer(world)
    await published(world, Hoa=4, Nam=3)
    async with world.database.write() as session:
        await session.execute(update(Contest).values(one_prize=False))
    await over(world)
    async with world.database.read() as session:
        first = (await session.execute(select(Prize).where(Prize.prize == "nhat"))).scalar_one()
    await mai.presses(f"c:chuyengiai:{first.id}")
    assert "không được trao" in mai.last.text
    await mai.says("Không liên hệ được")
    assert mai.last.key == "contest_prize.passed"
    assert await prizes_of(world) == [("Trần Hoa", "nhat", PrizeState.PASSED), ("Trần Nam", "nhi", PrizeState.WAITING)]
    await mai.presses(f"c:chuyengiai:{first.id}")
    assert mai.last.key == "contest_prize.not_passed"


async def test_a_denial_can_be_taken_back_and_counts_once(world: World) -> None:
    mai = await officer(world)
    chair = await world.joined("Phạm Văn Tú", role=Role.GRASSROOTS_CHAIR)
    await published(world, Hoa=4)
    await over(world)
    await chair.taps("Không phải")
    assert chair.last.key == "contest_prize.denied" and mai.keys.count("contest_prize.denied_notice") == 1
    async with world.database.read() as session:
        number = (await session.execute(select(Prize.id))).scalar_one()
    await chair.presses(f"c:khongphaidv:{number}")
    assert chair.last.key == "contest_prize.verified_already" and mai.keys.count("contest_prize.denied_notice") == 1
    await chair.presses(f"c:dungdoanvien:{number}")
    assert chair.last.key == "contest_prize.verified"
    async with world.database.read() as session:
        prize = (await session.execute(select(Prize))).scalar_one()
    assert (prize.state, prize.denied_at) == (PrizeState.VERIFIED, None)


async def test_nobody_decides_on_a_complaint_a_paper_or_a_prize_of_their_own(world: World) -> None:
    """Somebody took part, and runs the contest since."""
    mai = await officer(world)
    round_id, people = await published(world, Hoa=4, Nam=3)
    hoa = people["Hoa"]
    await hoa.presses(f"c:thacmac:{round_id}")
    await hoa.says("Cho tôi hỏi lại câu cuối cùng với ạ")
    code = f"CT-25-W01-{await hoa.id():06}"
    await mai.presses(f"c:khongxet:{round_id}.9")
    await mai.says(code)
    await mai.taps("Không xét giải")
    await mai.says("Làm hộ người khác")
    async with world.database.write() as session:
        top = (await session.execute(select(Unit.id).where(Unit.code == "TINH"))).scalar_one()
        grant = {"granted_at": world.now, "confirmed_at": world.now}
        session.add(Grant(person_id=await hoa.id(), role=Role.CONTENT_OFFICER, unit_id=top, **grant))
    await hoa.presses(f"c:khongxet:{round_id}.9")
    await hoa.says(code)
    await hoa.taps("Xét lại như thường")
    assert hoa.last.key == "contest_desk.own"
    async with world.database.read() as session:
        assert list(await contests.list_disqualified(session, round_id)) == [await hoa.id()]
    await hoa.presses("c:thacmacthi:1")
    await hoa.taps("Trả lời")
    assert hoa.last.key == "contest_desk.own", "nobody writes for nothing"
    async with world.database.write() as session:
        assert len(await contests.list_complaints(session, round_id)) == 1
        made = contests.new_prize(
            await contests.get_round(session, round_id), await hoa.id(), {"key": "x", "name": "Nhất"}, world.now
        )
        made.state, made.phone = PrizeState.VERIFIED, "0912345678"
        session.add(made)
        await session.flush()
        number = made.id
    for command in ("chuyencdcs", "chuyengiai"):
        await hoa.presses(f"c:{command}:{number}")
        assert hoa.last.key == "contest_desk.own"
    assert [state for _, prize, state in await prizes_of(world) if prize == "x"] == [PrizeState.VERIFIED]


async def test_who_may_not_take_somebody_out_is_told_before_the_reason_is_asked(world: World) -> None:
    mai = await officer(world)
    round_id, people = await published(world, Hoa=4, Nam=3)
    hoa = people["Hoa"]
    async with world.database.write() as session:
        top = (await session.execute(select(Unit.id).where(Unit.code == "TINH"))).scalar_one()
        grant = {"granted_at": world.now, "confirmed_at": world.now}
        session.add(Grant(person_id=await hoa.id(), role=Role.CONTENT_OFFICER, unit_id=top, **grant))
    for each in (hoa, mai):
        await each.presses(f"c:khongxet:{round_id}.9")
        await each.says(f"CT-25-W01-{await hoa.id():06}")
    await hoa.taps("Không xét giải")
    assert hoa.last.key == "contest_desk.own"
    await over(world)
    await mai.taps("Không xét giải")
    assert mai.last.key == "contest_desk.settled"


async def test_once_the_prizes_are_given_the_result_stands(world: World) -> None:
    mai = await officer(world)
    round_id, _ = await published(world, Hoa=4, Nam=3)
    await mai.presses(f"c:loaicau:{round_id}.9")
    await mai.says("bao nhieu phan tram")
    await mai.taps("1")
    await over(world)
    before = await round_of(world, round_id)
    await mai.says("Câu hỏi thiếu căn cứ")  # a question that stood open all the while
    await mai.taps("Loại câu này")
    assert mai.last.key == "contest_desk.settled"
    await mai.says(f"/tochuc {round_id}")
    assert not {"🚫 Loại câu hỏi", "👤 Không xét giải"} & set(mai.last.labels) and "🎁 Giải thưởng" in mai.last.labels
    assert (await mai.taps("Tuần tiếp theo")).key == "contest_form.form"
    for command in ("loaicau", "khongxet"):
        await mai.presses(f"c:{command}:{round_id}.9")
        assert mai.last.key == "contest_desk.settled"
    await look(world)
    assert (await round_of(world, round_id)).revision == before.revision and not before.recount


async def test_the_same_complaint_is_kept_once_and_a_few_may_wait(world: World) -> None:
    mai = await officer(world)
    round_id, people = await published(world, Hoa=4)
    hoa = people["Hoa"]
    for n in (1, 1, 2, 3, 4):
        await hoa.presses(f"c:thacmac:{round_id}")
        await hoa.says(f"Tôi thấy câu {n} chưa đúng, xin xem lại")
    assert [key for key in hoa.keys if key.startswith("contest.complain") and key != "contest.complain"] == [
        "contest.complained", "contest.complained_already", "contest.complained", "contest.complained",
        "contest.complaints_many",
    ]  # fmt: skip
    assert mai.keys.count("contest.complaint_notice") == 3


async def test_a_recount_is_told_to_whom_it_changes_and_read_by_the_rest(world: World) -> None:
    """Among those who were told and keep what they have, somebody asleep who has not read the first result yet."""
    mai = await officer(world)
    round_id, people = await published(world, Hoa=4, Nam=2, Lan=0)
    chi = await world.joined("Trần Chi")
    said = {name: len(person.keys) for name, person in people.items()}
    await void(mai, round_id)
    await look(world)
    hoa, nam = people["Hoa"], people["Nam"]
    assert len(hoa.keys) == said["Hoa"], "all right before and after, the first before and after"
    assert nam.last.key == "contest.result" and "Lần báo trước là 2/4 câu, xếp thứ 2; nay" in nam.last.text
    assert "Anh/chị: 3/4 câu" in nam.last.text and "Câu hỏi thiếu căn cứ" in nam.last.text
    for person in (hoa, chi):
        await person.says("/thi")
        assert "Kết quả tuần 1 đã được tính lại, có 1 câu hỏi không tính" in person.last.text
        await person.taps("Kết quả tuần 1")
        assert "Câu hỏi thiếu căn cứ" in person.last.text and "Lần báo trước" not in person.last.text
    await nam.presses(f"c:kqthi:{round_id}")
    assert "Lần báo trước" not in nam.last.text, "they have been told"


async def test_who_has_not_read_the_first_result_reads_the_newest_though_nothing_changed_for_them(world: World) -> None:
    mai = await officer(world)
    round_id = await week(world, prizes=PRIZES)
    hoa, nam = await world.joined("Trần Hoa"), await world.joined("Trần Nam")
    await handed_in(world, round_id, hoa.address, 4, 100)
    await handed_in(world, round_id, nam.address, 2, 100)
    world.now = RESULT + timedelta(hours=7)
    await look(world)
    assert hoa.keys == [] == nam.keys, "they sleep"
    await void(mai, round_id)
    await look(world)
    world.later(hours=8)
    await look(world)
    for person in (hoa, nam):
        assert person.keys == ["contest.result"] and "tính lại lần 1" in person.last.text
        assert "Lần báo trước" not in person.last.text


async def test_who_sleeps_wakes_up_to_the_newest_result_alone(world: World) -> None:
    mai = await officer(world)
    round_id, people = await published(world, Hoa=4, Nam=3)
    world.later(hours=14)  # ten at night
    for name in ("Hoa", "Nam"):
        await mai.presses(f"c:khongxet:{round_id}.9")
        await mai.says(f"CT-25-W01-{await people[name].id():06}")
        await mai.taps("Không xét giải")
        await mai.says("Làm hộ người khác")
        await look(world)
    assert people["Hoa"].keys.count("contest.result") == 1 and "contest_desk.out_notice" not in people["Hoa"].keys
    world.later(hours=10)
    await look(world)
    assert people["Hoa"].keys.count("contest.result") == 2 and "tính lại lần 2" in people["Hoa"].last.text
    assert "contest_desk.out_notice" in people["Hoa"].keys


async def test_who_is_taken_out_late_is_offered_the_complaint_with_the_result_too(world: World) -> None:
    mai = await officer(world)
    round_id, people = await published(world, Hoa=4, Nam=3)
    world.later(days=2)
    await mai.presses(f"c:khongxet:{round_id}.9")
    await mai.says(f"CT-25-W01-{await people['Hoa'].id():06}")
    await mai.taps("Không xét giải")
    await mai.says("Làm hộ người khác")
    world.later(days=1)
    for name, offered in (("Hoa", True), ("Nam", False)):
        await people[name].presses(f"c:kqthi:{round_id}")
        assert ("⚠️ Thắc mắc" in people[name].last.labels) is offered
    await people["Hoa"].taps("Thắc mắc")
    await people["Hoa"].says("Tôi tự làm bài, xin xem lại")
    await mai.taps("Xem, trả lời")
    assert "Làm hộ người khác" in mai.last.text and "CT-25-W01" in mai.last.text
    await mai.taps("Xét bài này")
    await mai.taps("Xét lại như thường")
    assert mai.last.key == "contest_desk.lifted"


async def test_organisers_and_whoever_has_a_prize_already_win_nothing(world: World) -> None:
    mai = await officer(world)
    await leader(world)
    round_id = await week(world, prizes=PRIZES)
    hoa, nam = await world.joined("Trần Hoa"), await world.joined("Trần Nam")
    await handed_in(world, round_id, mai.address, 4)
    await handed_in(world, round_id, hoa.address, 3)
    await handed_in(world, round_id, nam.address, 2)
    async with world.database.write() as session:
        contest_id = (await contests.get_round(session, round_id)).contest_id
        from db import audit
        from tests.weeks import SETTINGS

        contest = await contests.get_contest(session, contest_id)
        other = await contests.create_round(session, contest, SETTINGS, audit.SYSTEM, world.now)
        session.add(
            Prize(
                round_id=other.id,
                person_id=await hoa.id(),
                prize="nhat",
                name="Nhất",
                asked_at=world.now,
                updated_at=world.now,
            )
        )
    world.now = RESULT
    await look(world)
    await over(world)
    async with world.database.read() as session:
        won = (await session.execute(select(Prize.person_id).where(Prize.round_id == round_id))).scalars().all()
    assert won == [await nam.id()]


async def test_what_the_union_denies_and_who_looks_alike_is_the_officers_to_decide(world: World) -> None:
    mai = await officer(world)
    chair = await world.joined("Phạm Văn Tú", role=Role.GRASSROOTS_CHAIR)
    _, people = await published(world, Hoa=4, Nam=3, Lan=2)
    async with world.database.write() as session:
        ids = [await people["Hoa"].id(), await people["Nam"].id()]
        await session.execute(update(Person).where(Person.id.in_(ids)).values(name="Trần Thị Hoa"))
    await over(world)
    for name in ("Hoa", "Nam"):
        await people[name].taps("Gửi số điện thoại")
        await people[name].says("0912345678")
    assert mai.last.key == "contest_prize.alike_notice"
    async with world.database.read() as session:
        second = (await session.execute(select(Prize).where(Prize.prize == "nhi"))).scalar_one()
    await chair.presses(f"c:khongphaidv:{second.id}")
    assert mai.last.key == "contest_prize.denied_notice"
    assert "1 người đạt giải thi" in (await chair.says("/canbo")).text
    await chair.presses(f"c:khongphaidv:{second.id}")
    assert chair.last.key == "contest_prize.verified_already"
    assert "1 giải thi chờ đồng chí chuyển về công đoàn cơ sở, trong đó 1 giải" in (await mai.says("/canbo")).text
    await mai.taps("Giải thưởng chờ")
    assert "(công đoàn báo không phải người của đơn vị)" in mai.last.text
    await mai.presses("c:giaithuong:1")
    await mai.taps("2")
    assert "Trùng họ tên" in mai.last.text
    assert "công đoàn báo không phải người của đơn vị" in mai.last.text
    await mai.taps("Người kế tiếp")
    assert mai.last.key == "contest_prize.pass_why" and "Trần Lan" in mai.last.text
    await mai.says("sai")
    assert mai.last.key == "contest_desk.note_length" and "contest_prize.taken_notice" not in people["Nam"].keys
    await mai.says("Công đoàn cơ sở <b>không</b> xác nhận")
    assert mai.last.key == "contest_prize.passed" and "Trần Lan" in mai.last.text
    assert people["Nam"].last.key == "contest_prize.taken_notice" and "&lt;b&gt;không" in people["Nam"].last.text
    assert people["Lan"].last.key == "contest_prize.win"
    await people["Nam"].presses(f"c:nhangiai:{second.id}")
    assert "Lý do: Công đoàn cơ sở" in people["Nam"].last.text
    async with world.database.read() as session:
        actions = set((await session.execute(select(AuditRow.action))).scalars())
    assert {"award_prizes", "deny_winner", "pass_prize"} <= actions


async def test_who_can_verify_is_reminded_once_and_the_officers_hear_when_nobody_has(world: World) -> None:
    """After three days and after seven, at decent hours; not of those for whom the union has spoken."""
    mai = await officer(world)
    chair = await world.joined("Phạm Văn Tú", role=Role.GRASSROOTS_CHAIR)
    await published(world, Hoa=4, Nam=3)
    world.later(days=3)
    await look(world)
    async with world.database.read() as session:
        won = {name: number for number, name in await session.execute(select(Prize.id, Prize.prize))}
        at = (await session.execute(select(Prize.asked_at))).scalars().first()
    assert at is not None and chair.keys.count("contest_prize.verify_notice") == 2
    world.now = at + timedelta(days=3) - timedelta(seconds=2)
    await look(world)
    assert "contest_prize.verify_reminder" not in chair.keys
    world.later(days=1)
    world.now = world.now.replace(hour=17)  # midnight
    for _ in range(2):
        await look(world)
    assert "contest_prize.verify_reminder" not in chair.keys, "they sleep"
    world.later(hours=8)
    for _ in range(2):
        await look(world)
    assert chair.keys.count("contest_prize.verify_reminder") == 1
    assert "2 người đạt giải thi chờ" in chair.last.text and "Trần Hoa, Trần Nam" in chair.last.text
    await chair.taps("Xem, xác minh")
    assert chair.last.key == "contest_prize.verify_list"
    await chair.presses(f"c:dungdoanvien:{won['nhat']}")
    assert "contest_prize.unverified_notice" not in mai.keys
    for _ in range(6):
        world.later(days=1)
        await look(world)
    assert chair.keys.count("contest_prize.verify_reminder") == 1
    assert mai.keys.count("contest_prize.unverified_notice") == 1
    late = next(h for h in mai.heard if h.key == "contest_prize.unverified_notice").text
    assert "1 người đạt giải chưa được" in late and "Người xác minh: Phạm Văn Tú" in late and "Hoa" not in late


async def test_where_nobody_can_verify_a_winner_the_officers_hear_it_at_once_and_once(world: World) -> None:
    mai = await officer(world)
    await published(world, Hoa=4)
    await over(world)
    late = [h.text for h in mai.heard if h.key == "contest_prize.unverified_notice"]
    assert len(late) == 1 and "1 người đạt giải chưa có cán bộ" in late[0] and "sau 7 ngày" not in late[0]
    assert "Trần Hoa – Công ty TNHH May Hòa Phát, giải nhất" in late[0], late[0]
    for _ in range(9):
        world.later(days=1)
        await look(world)
    assert mai.keys.count("contest_prize.unverified_notice") == 1


async def test_when_the_last_who_could_verify_is_gone_the_officers_hear_it_at_the_next_look(world: World) -> None:
    mai, chair = await officer(world), await world.joined("Phạm Văn Tú", role=Role.GRASSROOTS_CHAIR)
    await published(world, Hoa=4)
    await over(world)
    async with world.database.write() as session:
        await session.execute(update(Grant).where(Grant.person_id == await chair.id()).values(revoked_at=world.now))
    world.later(days=3)
    await look(world)
    assert mai.keys.count("contest_prize.unverified_notice") == 1 and "verify_reminder" not in " ".join(chair.keys)
    assert "chưa có cán bộ" in next(h.text for h in mai.heard if h.key == "contest_prize.unverified_notice")
    world.later(days=6)
    await look(world)
    assert mai.keys.count("contest_prize.unverified_notice") == 1


@pytest.mark.parametrize("restored", [False, True])
async def test_after_a_restore_officers_are_not_reminded_again_of_a_winner(world: World, restored: bool) -> None:
    mai = await officer(world)
    chair = await world.joined("Phạm Văn Tú", role=Role.GRASSROOTS_CHAIR)
    await published(world, Hoa=4)
    await over(world)
    for person in (mai, chair):
        person.heard.clear()
    world.later(days=8)
    if restored:
        await snapshot.after_restore(world.database, world.now)
    for _ in range(3):
        await look(world)
    assert ("contest_prize.verify_reminder" in chair.keys) is not restored
    assert ("contest_prize.unverified_notice" in mai.keys) is not restored
    for _ in range(9):  # a word that was given since the backup is lost: the whole time begins anew
        world.later(days=1)
        await look(world)
    assert chair.keys.count("contest_prize.verify_reminder") == mai.keys.count("contest_prize.unverified_notice") == 1


async def test_a_winner_is_reminded_once_and_after_a_restore_once_more_with_why(world: World) -> None:
    """The phone may have been given since the backup: nobody is reminded of the same day twice, nor loses the prize unasked."""
    await officer(world)
    _, people = await published(world, Hoa=4, Nam=3)
    await over(world)
    hoa = people["Hoa"]
    for days in (7, 1):
        world.later(days=days, hours=1)
        await look(world)
    assert hoa.keys.count("contest_prize.remind") == 1
    async with world.database.read() as session:
        query = select(OutboxRow.policy).where(OutboxRow.kind == "reminder", OutboxRow.person_id == await hoa.id())
        assert (await session.execute(query)).scalars().all() == [Policy.AMO]
    await snapshot.after_restore(world.database, world.now)
    for _ in range(6):
        world.later(days=1)
        await look(world)
    assert hoa.keys.count("contest_prize.remind") == 1 and "contest_prize.passed_notice" not in hoa.keys
    for _ in range(7):
        world.later(days=1)
        await look(world)
    assert hoa.keys.count("contest_prize.remind") == 1 and hoa.keys.count("contest_prize.remind_restored") == 1
    assert "contest_prize.passed_notice" not in hoa.keys
    world.later(days=2)
    await look(world)
    assert "contest_prize.passed_notice" in hoa.keys


@pytest.mark.parametrize("way", ["the clock", "the desk"])
async def test_a_winner_who_alone_could_verify_is_vouched_for_by_the_next_union_up_at_once(
    world: World, way: str
) -> None:
    mai = await officer(world)
    upper = await world.joined("Lê Thu Hà", unit="CAOSON", role=Role.UPPER_OFFICER)
    province = await world.joined("Ngô Thị Vân", unit="TINH", role=Role.UPPER_OFFICER)
    _, people = await published(
        world, **({"Hoa": 4, "Nam": 3} if way == "the clock" else {"Nam": 4, "Lan": 3, "Hoa": 2})
    )
    async with world.database.write() as session:
        home = (await session.execute(select(Unit.id).where(Unit.code == "MAYHOA"))).scalar_one()
        chair = {"role": Role.GRASSROOTS_CHAIR, "unit_id": home, "granted_at": world.now, "confirmed_at": world.now}
        session.add(Grant(person_id=await people["Hoa"].id(), **chair))
    await over(world)
    if way == "the desk":
        assert upper.keys == []
        async with world.database.read() as session:
            first = (await session.execute(select(Prize).where(Prize.prize == "nhat"))).scalar_one()
        await mai.presses(f"c:chuyengiai:{first.id}")
        await mai.says("Công đoàn cơ sở không xác nhận")
    hoa = people["Hoa"]
    assert upper.keys == ["contest_prize.verify_notice"] and "Trần Hoa" in upper.last.text and province.keys == []
    assert not any(each.key == "contest_prize.verify_notice" and "Trần Hoa" in each.text for each in hoa.heard)
    await upper.taps("Đúng người của đơn vị")
    assert upper.last.key == "contest_prize.verified" and "contest_prize.verified_notice" in hoa.keys


async def test_the_prize_of_who_is_erased_is_the_officers_to_take_on_and_never_goes_to_who_is_gone(
    world: World,
) -> None:
    mai = await officer(world)
    chair = await world.joined("Phạm Văn Tú", role=Role.GRASSROOTS_CHAIR)
    _, people = await published(world, Hoa=4, Nam=3, Lan=2, Chi=1)
    await over(world)
    async with world.database.read() as session:
        first = (await session.execute(select(Prize).where(Prize.prize == "nhat"))).scalar_one()
    await chair.presses(f"c:dungdoanvien:{first.id}")
    async with world.database.write() as session:
        for name in ("Hoa", "Lan"):
            await erasure.erase(session, await people[name].id(), world.now)
    assert "1 giải thi chờ đồng chí" in (await mai.says("/canbo")).text
    assert "trong đó 1 giải cần đồng chí quyết định" in mai.last.text
    await chair.presses(f"c:dungdoanvien:{first.id}")
    assert chair.last.key == "common.refused" and "1 người đạt giải thi" in (await chair.says("/canbo")).text
    await mai.taps("Giải thưởng chờ")
    assert "một người đã xóa dữ liệu của mình (chờ chọn người kế tiếp)" in mai.last.text
    await mai.taps("1")
    assert mai.last.key == "contest_prize.prize" and not mai.last.offers("Đã chuyển CĐCS")
    await mai.taps("Người kế tiếp")
    assert "đã xóa dữ liệu của mình" in mai.last.text and "người kế tiếp: Trần Chi" in mai.last.text
    await mai.says("Người đạt giải không còn dự thi")
    await look(world)
    assert people["Chi"].last.key == "contest_prize.win" and "contest_prize.taken_notice" not in people["Hoa"].keys
    assert [(prize, state) for _, prize, state in await prizes_of(world)] == [
        ("nhat", PrizeState.PASSED),
        ("nhi", PrizeState.WAITING),
        ("nhat", PrizeState.WAITING),
    ]
    assert "giải thi chờ" not in (await mai.says("/canbo")).text


async def test_of_two_who_decide_at_once_one_does(world: World) -> None:
    """A complaint answered from two desks, a prize sent at one and taken on at the other."""
    mai, lien = await officer(world), await officer(world, "Đỗ Thị Liên")
    round_id, people = await published(world, Hoa=4, Nam=3, Lan=2)
    hoa = people["Hoa"]
    await hoa.presses(f"c:thacmac:{round_id}")
    await hoa.says('Câu 2 <b>sai</b>, =HYPERLINK("http://x.vn") [xem](http://x.vn) *nhé*')
    for each in (mai, lien):
        await each.presses("c:thacmacthi:1")
        assert "&lt;b&gt;sai&lt;/b&gt;" in each.last.text  # it stays what was typed
        await each.taps("Trả lời")
    await asyncio.gather(*(each.says("Đã xem lại, câu hỏi đúng") for each in (mai, lien)))
    assert hoa.keys.count("contest_desk.complaint_answered") == 1
    assert sum("contest_desk.replied_already" in each.keys for each in (mai, lien)) == 1
    await over(world)
    await hoa.taps("Gửi số điện thoại")
    await hoa.says("0912345678")
    async with world.database.write() as session:
        prize = (await session.execute(select(Prize).where(Prize.prize == "nhat"))).scalar_one()
        prize.state = PrizeState.VERIFIED
        number = prize.id
    await lien.presses(f"c:chuyengiai:{number}")
    await asyncio.gather(mai.presses(f"c:chuyencdcs:{number}"), lien.says("Không liên hệ được với người này"))
    sent = "contest_prize.sent" in mai.keys
    told = [key for key in hoa.keys if key in ("contest_prize.sent_notice", "contest_prize.taken_notice")]
    assert told == (["contest_prize.sent_notice"] if sent else ["contest_prize.taken_notice"])
    assert ("contest_prize.passed" in lien.keys) is not sent
    winners = [name for name, key, state in await prizes_of(world) if key == "nhat" and state != PrizeState.PASSED]
    assert len(winners) == 1


async def test_the_reason_of_the_second_who_decides_is_shown_back_beside_the_first_ones(world: World) -> None:
    mai, lien = await officer(world), await officer(world, "Đỗ Thị Liên")
    round_id, people = await published(world, Hoa=4, Nam=3)
    theirs, own = "Nhờ người khác làm hộ", "Làm bằng hai tài khoản"
    for each in (mai, lien):
        await each.presses(f"c:khongxet:{round_id}.9")
        await each.says(f"CT-25-W01-{await people['Nam'].id():06}")
        await each.taps("Không xét giải")
    await mai.says(theirs)
    await lien.says(own)
    assert lien.keys[-2:] == ["contest_desk.out_already", "contest_desk.person"]
    assert own in lien.heard[-2].text and theirs in lien.last.text
    for each in (mai, lien):
        await each.presses(f"c:loaicau:{round_id}.9")
        await each.says("bao nhieu phan tram")
        await each.taps("1")
        await each.says(theirs if each is mai else own)
    for each in (mai, lien):
        await each.taps("Loại câu này")
    assert lien.last.key == "contest_desk.void_already" and own in lien.last.text and theirs in lien.last.text
    await look(world)
    await over(world)
    for each in (mai, lien):
        await each.presses("c:chuyengiai:1")
    await mai.says(theirs)
    await lien.says(own)
    assert lien.last.key == "contest_prize.not_passed" and own in lien.last.text
    assert lien.last.offers("Giải thưởng")


async def test_where_two_contests_are_held_at_once_everything_said_of_a_week_names_its_own(world: World) -> None:
    """From the first reminder to the prize in hand, to workers and officers; a button is read beneath such a text."""
    mai, minh = await officer(world), await leader(world)
    chair = await world.joined("Phạm Văn Tú", role=Role.GRASSROOTS_CHAIR)
    await week(world, name="Hội thi <An toàn>")
    round_id, people = await published(world, Hoa=3, Nam=4, Lan=2, Chi=1)
    hoa, lan = people["Hoa"], people["Lan"]
    for command in ("baithi", "kqthi", "thele"):
        await lan.presses(f"c:{command}:{round_id}")
    await lan.says("/thi")
    buttons = lan.last.labels
    assert len(buttons) == len(set(buttons)) and "🏁 Kết quả thi khác" in buttons
    await lan.presses(f"c:thacmac:{round_id}")
    await lan.says("Câu số 2 có hai cách hiểu, xin xem lại giúp")
    await mai.presses("c:thacmacthi:")
    await mai.taps("1")
    await mai.taps("Trả lời")
    await mai.says("Đã xem lại, câu hỏi đúng theo khoản 1 Điều 4")
    await void(mai, round_id)
    await mai.presses(f"c:khongxet:{round_id}.9")
    await mai.says(f"CT-25-W01-{await people['Chi'].id():06}")
    await mai.taps("Không xét giải")
    await mai.says("Làm hộ bằng hai tài khoản")
    await over(world)
    world.later(hours=24)
    await look(world)
    await chair.presses("c:xacminhgiai:")
    await chair.taps("1")
    await chair.taps("Đúng người của đơn vị")
    await hoa.taps("Gửi số điện thoại")
    await hoa.says("0987654321")
    await mai.presses("c:giaicho:")
    await mai.taps("1")
    await mai.taps("Đã chuyển CĐCS")
    await hoa.taps("Đã nhận")
    await mai.presses(f"c:giaithuong:{round_id}.1")
    await mai.taps("2")
    await mai.taps("Người kế tiếp")
    await mai.says("Không liên hệ được")
    heard = [h for person in (mai, minh, chair, *people.values()) for h in person.heard]
    about = [h for h in heard if re.search(r"tuần (thi )?1\b", h.text, re.IGNORECASE)]
    assert {h.key: h.text for h in about if UNNAMED.search(h.text)} == {}
    for key in ("contest.result", "contest_prize.win", "contest_prize.verify_notice", "contest_prize.taken_notice"):
        assert key in {h.key for h in about}, key
