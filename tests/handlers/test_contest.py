"""The weekly contest: in by themselves, one paper at a time on the server's clock, and nothing is told before the result."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, update

from db import contests
from db.contests import Paper
from db.models import (
    Account,
    Board,
    Consent,
    Entry,
    EntryState,
    Person,
    Purpose,
    Role,
    Round,
    RoundQuestion,
    RoundState,
)
from scheduler import contests as clock
from tests.desks import handed_in
from tests.people import TestPerson, World, work_of
from tests.weeks import CLOSES, RESULT, week


async def contestant(world: World, name: str = "Bùi Thị Hoa", **values: object) -> TestPerson:
    """Somebody who has taken part before: named, asked about the board, consented."""
    person = await world.joined(name, **{"board": Board.FULL} | values)  # type: ignore[arg-type]
    async with world.database.write() as session:
        session.add(
            Consent(
                person_id=await person.id(),
                purpose=Purpose.CONTESTS,
                text_version="2",
                channel="test",
                given_at=world.now,
            )
        )
    return person


async def begin(person: TestPerson) -> None:
    await person.says("/thi")
    await person.taps("Vào thi")
    assert (await person.taps("Bắt đầu")).key == "contest.question"


async def paper_of(person: TestPerson, number: int = 0) -> Paper:
    """The paper as it is kept."""
    async with person.world.database.read() as session:
        entries = (
            await session.execute(select(Entry).where(Entry.person_id == await person.id()).order_by(Entry.id))
        ).scalars()
        return await contests.find_paper(session, list(entries)[number - 1 if number else -1])


async def letter(person: TestPerson, place: int, *, right: bool = True) -> str:
    """The letter of the right option at a place, or of a wrong one."""
    paper = await paper_of(person)
    answer = paper.questions[place].answer
    return "ABCD"[paper.order(place).index(answer if right else (answer + 1) % 4)]


async def sits(person: TestPerson, right: int, prediction: str = "1") -> None:
    """A whole paper with so many right answers, handed in."""
    await begin(person)
    for place in range(4):
        await person.taps(await letter(person, place, right=place < right))
    await person.says(prediction)
    assert (await person.taps("Nộp bài")).key == "contest.receipt"


async def look(world: World, at: datetime | None = None) -> None:
    """The clock looks, at a moment or now."""
    if at is not None:
        world.now = at
    await clock.run(work_of(world))
    await world.deliver()


async def test_a_slash_is_always_its_command_also_where_an_option_sounds_like_it(world: World) -> None:
    """On the contest's own screen "/thi" pressed [Vào thi], whose words "thi" is among."""
    await week(world)
    hoa = await contestant(world)
    for typed in ("/thi", "/thi", "/THI", "/thi@thu_nghiem_bot"):
        assert (await hoa.says(typed)).key == "contest.home", typed
    assert (await hoa.says("/thi dua")).key == "campaign.home"
    await hoa.says("/thi")
    assert (await hoa.says("thi")).key == "contest.ready"  # the bare word is what the screen offers


async def test_of_two_contests_at_once_the_second_can_be_sat_after_the_first(world: World) -> None:
    hoa = await contestant(world)
    first = await week(world, attempts=1, closes_at=CLOSES - timedelta(hours=1))
    second = await week(world, attempts=1, name="Tìm hiểu Luật Bảo hiểm xã hội")
    home = await hoa.says("/thi")
    assert home.key == "contest.home" and "TUẦN 1 (Tìm hiểu Luật Công đoàn)" in home.text
    await sits(hoa, 4)
    home = await hoa.says("/thi")
    assert home.key == "contest.home" and "Anh/chị còn 1 lượt" in home.text
    assert "TUẦN 1 (Tìm hiểu Luật Bảo hiểm xã hội)" in home.text
    await sits(hoa, 4)
    async with world.database.read() as session:
        for number in (first, second):
            assert len(await contests.list_own(session, await hoa.id(), number)) == 1


# ------------------------------------------------------------------------------------------------- before a paper


async def test_no_round_no_contest_in_the_menu_and_one_that_runs_is_offered_with_what_is_left(world: World) -> None:
    hoa = await contestant(world)
    assert not (await hoa.says("menu")).offers("Thi tuần")
    assert (await hoa.says("/thi")).key == "contest.nothing"
    await week(world)
    menu = await hoa.says("menu")
    assert "🏆 Thi tuần" in menu.labels
    assert "Tuần 1: anh/chị còn 2 lượt thi, đến 21 giờ Chủ nhật." in menu.text
    home = await hoa.says("thi tuan")
    assert home.key == "contest.home" and "Đến 21 giờ Chủ nhật 27/7. Anh/chị còn 2 lượt." in home.text
    rules = await hoa.taps("Thể lệ")
    assert (
        "bằng nhau thì dự đoán sát hơn; rồi làm nhanh hơn; rồi nộp sớm hơn; vẫn bằng thì bốc thăm công khai."
        in rules.text
    )
    assert len(rules.text) <= 1000


async def test_practice_ends_with_the_contest_only_while_there_is_one(world: World) -> None:
    hoa = await contestant(world)
    for runs in (False, True):
        await hoa.says("on luat")
        await hoa.says("1")
        await hoa.says("a")
        done = await hoa.taps("Nghỉ")
        assert ("🏆 Thi tuần" in done.labels) is runs
        if not runs:
            await week(world)


async def test_the_first_time_consent_name_and_board_are_asked_each_on_its_own(world: World) -> None:
    await week(world)
    hoa = await world.joined("Bùi Thị Hoa")
    async with world.database.write() as session:
        (await session.get_one(Person, await hoa.id())).name = ""
    await hoa.says("/thi")
    assert (await hoa.taps("Vào thi")).key == "contest.agree"
    assert (await hoa.taps("Thôi")).key == "common.cancelled"
    await hoa.says("/thi")
    await hoa.taps("Vào thi")
    assert (await hoa.says("đồng ý")).key == "contest.name"
    assert (await hoa.says("Hoa")).key.startswith("profile.name_")
    assert (await hoa.says("Bùi Thị Hoa")).key == "contest.board"
    assert (await hoa.taps("Chỉ tên và đơn vị")).key == "contest.ready"
    async with world.database.read() as session:
        row = await session.get_one(Person, await hoa.id())
        given = select(Consent.purpose).where(Consent.person_id == row.id, Consent.purpose.in_(("contests", "board")))
        assert (row.name, row.board) == ("Bùi Thị Hoa", Board.SHORT)
        assert set((await session.execute(given)).scalars()) == {Purpose.CONTESTS, Purpose.BOARD}
    assert (await hoa.taps("Để sau")).key == "contest.home"
    await hoa.taps("Vào thi")
    assert hoa.last.key == "contest.ready", "nothing is asked twice"


async def test_a_link_of_the_contest_leads_there_after_joining(world: World) -> None:
    await week(world)
    hoa = await contestant(world)
    assert (await hoa.says("/start q-tuan1")).key == "contest.home"


@pytest.mark.parametrize("role", [Role.CONTENT_OFFICER, Role.LEADER])
async def test_who_organises_approves_or_reviews_practises_and_does_not_take_part(world: World, role: Role) -> None:
    await week(world)
    mai = await contestant(world, "Vũ Ngọc Mai", unit="TINH", role=role)
    await mai.says("/thi")
    assert (await mai.taps("Vào thi")).key == "contest.organiser"
    assert "lượt thi" not in (await mai.says("menu")).text


async def test_only_what_a_named_person_reviewed_is_drawn(world: World) -> None:
    await week(world, questions=())
    hoa = await contestant(world)
    await hoa.says("/thi")
    await hoa.taps("Vào thi")
    assert (await hoa.taps("Bắt đầu")).key == "contest.too_few"
    async with world.database.read() as session:
        assert await contests.find_running(session, await hoa.id()) is None


async def test_a_round_for_others_is_not_seen(world: World) -> None:
    await week(world, groups=["public"])
    hoa = await contestant(world)
    assert (await hoa.says("/thi")).key == "contest.nothing"
    lan = await contestant(world, "Đỗ Thị Lan", audience="public")
    assert (await lan.says("/thi")).key == "contest.home"


# ------------------------------------------------------------------------------------------------- the paper


async def test_a_paper_from_the_first_question_to_the_receipt(world: World) -> None:
    await week(world)
    hoa = await contestant(world)
    await begin(hoa)
    assert hoa.last.text.startswith("<b>Câu 1/4</b> · còn 10 phút 00 giây")
    assert hoa.last.labels == ["A", "B", "C", "D"]
    world.later(seconds=95)
    await hoa.says("b")
    assert "Câu 2/4" in hoa.last.text and "còn 8 phút 25 giây" in hoa.last.text
    assert (await hoa.says("không biết")).key == "common.choose_letter"
    await hoa.taps("Câu trước")
    assert "Câu 1/4" in hoa.last.text and "Đang chọn: B" in hoa.last.text
    await hoa.says("C")
    await hoa.says("lui")
    assert "Đang chọn: C" in hoa.last.text
    await hoa.taps("Câu sau")
    for _ in range(3):
        await hoa.taps("A")
    assert hoa.last.key == "contest.predict"
    for refused in ("một trăm", "khoảng trăm người", "100.000", "-3", "12,5"):
        assert (await hoa.says(refused)).key == "contest.predict_number", refused
    assert (await hoa.says("125 người")).key == "contest.submit"
    assert "Đã trả lời 4/4 câu" in hoa.last.text
    await hoa.says("lui")
    assert "Đang ghi: 125" in hoa.last.text
    await hoa.says("1.250")
    await hoa.taps("Xem lại")
    assert "Câu 1/4" in hoa.last.text and "✅ Nộp bài" in hoa.last.labels
    await hoa.taps("Nộp bài")
    receipt = await hoa.taps("Nộp bài")
    assert re.match(r"Đã nhận bài <b>CT-25-W01-\d{6}</b>, lúc 16:56\.", receipt.text)
    assert "chiều" not in receipt.text and "17 giờ thứ Ba 29/7" in receipt.text and "còn 1 lượt" in receipt.text
    paper = await paper_of(hoa)
    assert (paper.entry.prediction, paper.entry.state) == (1250, EntryState.SUBMITTED)
    chosen = [paper.order(place).index(option) for place, option in sorted(paper.answers.items())]
    assert chosen == [2, 0, 0, 0]


async def test_a_receipt_that_is_typed_opens_ones_own_papers_and_nobody_elses(world: World) -> None:
    await week(world)
    hoa, eve = await contestant(world), await contestant(world, "Người Khác")
    await sits(hoa, 4)
    code = (await paper_of(hoa)).entry.code
    for typed in (code, code.lower(), code.replace("-", " "), code.replace("-", "")):
        await hoa.says("menu")
        assert (await hoa.says(typed)).key == "contest.mine" and code in hoa.last.text, typed
    await eve.says("menu")
    assert (await eve.says(code)).key == "common.not_found"


async def test_a_second_tap_changes_nothing_and_an_old_question_is_not_answered_by_its_old_button(world: World) -> None:
    await week(world)
    hoa = await contestant(world)
    await begin(hoa)
    press = hoa.last.choices[0].data(hoa.last.message.screen)
    await hoa.presses(press)
    world.later(seconds=10)
    await hoa.presses(press)
    world.later(seconds=10)
    assert (await paper_of(hoa)).answers.keys() == {0}
    await hoa.taps("B")
    await hoa.presses(press)
    assert hoa.last.key == "contest.question" and (await paper_of(hoa)).answers.keys() == {0, 1}


async def test_whoever_comes_back_goes_on_with_what_is_left_of_the_time(world: World) -> None:
    await week(world)
    hoa = await contestant(world)
    await begin(hoa)
    await hoa.says("a")
    world.later(minutes=3)
    menu = await hoa.says("menu")
    assert "đang chạy giờ, còn 7 phút 00 giây" in menu.text
    world.later(minutes=1)
    home = await hoa.says("/thi")
    assert home.key == "contest.running" and "đã trả lời 1/4 câu, còn 6 phút 00 giây" in home.text
    await hoa.taps("Làm tiếp")
    assert "Câu 2/4" in hoa.last.text and "còn 6 phút 00 giây" in hoa.last.text


async def test_two_chats_of_one_person_are_one_paper_and_count_once(world: World) -> None:
    await week(world, attempts=1)
    hoa = await contestant(world)
    other = TestPerson(world, "Chị Hoa, web", "web")
    world.people["web"] = other
    await other.says("hello")
    async with world.database.write() as session:
        moved = update(Account).where(Account.address == other.address).values(person_id=await hoa.id())
        await session.execute(moved)
    await begin(hoa)
    await hoa.says("a")
    await other.says("/thi")
    assert other.last.key == "contest.running"
    await other.taps("Làm tiếp")
    assert "Câu 2/4" in other.last.text
    for _ in range(3):
        await other.says("a")
    await other.says("3")
    await other.taps("Nộp bài")
    assert other.last.key == "contest.receipt"
    await hoa.says("b")
    assert "contest.handed_in" in hoa.keys[-2:] and hoa.last.key == "contest.home"
    assert "Anh/chị đã thi đủ số lượt" in hoa.last.text
    assert (await hoa.says("vào thi")).key != "contest.ready"


async def test_the_moment_of_receipt_decides_whatever_the_clock_did_meanwhile(world: World) -> None:
    await week(world)
    hoa = await contestant(world)
    await begin(hoa)
    await hoa.says("a")
    start = world.now
    await look(world, start + timedelta(minutes=11))
    assert hoa.last.key == "contest.time_over" and "với 1 câu trả lời" in hoa.last.text
    world.now = start + timedelta(minutes=9, seconds=59)  # it had waited in the inbox
    await hoa.says("a")
    assert (await paper_of(hoa)).answers.keys() == {0, 1}
    assert hoa.last.key == "contest.time_over" and "với 2 câu trả lời" in hoa.last.text
    world.now = start + timedelta(minutes=10)
    await hoa.says("/thi")
    assert hoa.last.key == "contest.home" and "còn 1 lượt" in hoa.last.text


async def test_an_answer_after_the_time_hands_in_what_there_was(world: World) -> None:
    await week(world)
    hoa = await contestant(world)
    await begin(hoa)
    await hoa.says("a")
    world.later(minutes=10)
    await hoa.says("a")
    assert hoa.last.key == "contest.time_over" and "với 1 câu trả lời" in hoa.last.text
    said = len(hoa.keys)
    await look(world)
    assert len(hoa.keys) == said, "it is said once"


async def test_an_attempt_without_an_answer_is_returned_once(world: World) -> None:
    await week(world, attempts=1)
    hoa = await contestant(world)
    for told in ("contest.returned", "contest.time_over"):
        await begin(hoa)
        await look(world, world.now + timedelta(minutes=10))
        assert hoa.last.key == told
    await hoa.says("/thi")
    assert "đã thi đủ số lượt" in hoa.last.text


async def test_a_paper_that_runs_when_the_round_closes_ends_with_it_and_nobody_begins_after(world: World) -> None:
    await week(world)
    hoa, lan = await contestant(world), await contestant(world, "Đỗ Thị Lan")
    world.now = CLOSES - timedelta(minutes=4)
    await hoa.says("/thi")
    ready = await hoa.taps("Vào thi")
    assert "Tuần thi đóng lúc 21 giờ" in ready.text
    await hoa.taps("Bắt đầu")
    assert "còn 4 phút 00 giây" in hoa.last.text
    await lan.says("/thi")
    await lan.taps("Vào thi")
    world.now = CLOSES
    await lan.taps("Bắt đầu")
    assert lan.last.key == "contest.closed_now"
    await hoa.says("a")
    assert hoa.last.key == "contest.returned"
    assert (await hoa.says("/thi")).key == "contest.waiting"


# ------------------------------------------------------------------------------------------------- a round that stands still


async def steered(world: World, round_id: int, **values: object) -> None:
    async with world.database.write() as session:
        await session.execute(update(Round).where(Round.id == round_id).values(**values))


async def test_a_paused_round_says_so_and_why_and_that_what_was_answered_is_kept(world: World) -> None:
    round_id = await week(world)
    hoa, lan = await contestant(world), await contestant(world, "Đỗ Thị Lan")
    await sits(hoa, 4)
    await lan.says("/thi")
    await lan.taps("Vào thi")
    await steered(world, round_id, state=RoundState.PAUSED, reason="Soát lại câu hỏi", paused_at=world.now)
    await lan.taps("Bắt đầu")
    assert "contest.paused_now" in lan.keys[-2:]
    assert (await lan.says("/thi")).key == "contest.paused" and "Lý do: Soát lại câu hỏi" in lan.last.text
    assert "vẫn được giữ" not in lan.last.text and not lan.last.offers("Bài của tôi")
    assert (await hoa.says("/thi")).key == "contest.paused" and "Bài anh/chị đã làm vẫn được giữ" in hoa.last.text
    await hoa.taps("Bài của tôi")
    assert "tạm dừng" in hoa.last.text and "Điểm và đáp án có vào" not in hoa.last.text
    assert (await lan.taps("Thể lệ")).key == "contest.rules"
    await lan.says("/xephang")
    assert lan.last.key == "leaderboard.nothing"
    await steered(world, round_id, state=RoundState.READY)
    assert (await lan.says("/thi")).key == "contest.home"


async def test_whoever_looks_hears_that_a_round_was_called_off_and_why(world: World) -> None:
    first, second = await week(world), await week(world, opens_at=CLOSES, closes_at=RESULT, result_at=RESULT)
    hoa, lan = await contestant(world), await contestant(world, "Đỗ Thị Lan")
    await sits(hoa, 4)
    await steered(world, second, state=RoundState.CANCELLED, reason="Trùng đợt bão số 5")
    assert (await lan.says("/thi")).key == "contest.home"
    assert "Tuần thi 1 đã hủy. Lý do: Trùng đợt bão số 5" in lan.last.text
    await steered(world, first, state=RoundState.CANCELLED, reason="Câu hỏi bị lộ")
    assert (await lan.says("menu")).offers("Thi tuần")
    assert (await lan.says("/thi")).key == "contest.cancelled"
    assert "Câu hỏi bị lộ" in lan.last.text and "bão số 5" in lan.last.text and "không được tính" not in lan.last.text
    await hoa.says("/thi")
    assert "Bài anh/chị đã làm không được tính" in hoa.last.text
    await hoa.taps("Bài của tôi")
    assert "đã hủy" in hoa.last.text and "Điểm và đáp án có vào" not in hoa.last.text
    world.now = RESULT
    assert (await lan.says("/thi")).key == "contest.nothing"


async def test_of_a_draft_that_was_dropped_nobody_hears(world: World) -> None:
    lan = await contestant(world, "Đỗ Thị Lan")
    await steered(world, await week(world), state=RoundState.CANCELLED, reason="")
    assert (await lan.says("/thi")).key == "contest.nothing"


# ------------------------------------------------------------------------------------------------- the result


async def counted(world: World) -> tuple[TestPerson, TestPerson, TestPerson]:
    """Three people whose result is out: all right, three right, none right."""
    hoa = await contestant(world)
    lan = await contestant(world, "Đỗ Thị Lan", unit="TRUONG")
    nam = await contestant(world, "Trần Văn Nam", board=Board.HIDDEN)
    for person, right, guess in ((hoa, 4, "3"), (lan, 3, "1"), (nam, 0, "0")):
        world.later(minutes=1)
        await sits(person, right, guess)
    await look(world, RESULT)
    return hoa, lan, nam


async def test_the_result_comes_by_itself_with_place_truth_and_the_first(world: World) -> None:
    await week(world)
    hoa, lan, nam = await counted(world)
    for person, line in (
        (hoa, "4/4 câu, xếp thứ 1 toàn tuần thi."),
        (lan, "3/4 câu, xếp thứ 2 toàn tuần thi."),
        (nam, "0/4 câu, xếp thứ 3 toàn tuần thi."),
    ):
        assert person.last.key == "contest.result" and line in person.last.text
        assert "Số người đúng hết: 1." in person.last.text and "Nhất tuần: Bùi Thị Hoa" in person.last.text
    assert "Anh/chị dự đoán 3." in hoa.last.text
    said = len(hoa.keys)
    await look(world)
    assert len(hoa.keys) == said
    assert (await hoa.says("/thi")).key == "contest.over"


@pytest.mark.parametrize(
    ("here", "there", "said"),
    [
        (5, 5, "xếp 1/10 người toàn tuần thi, 1/5 tại đơn vị."),
        (4, 5, "xếp 1/9 người toàn tuần thi."),
        (5, 4, "xếp 1/9 người toàn tuần thi."),
        (2, 2, "xếp thứ 1 toàn tuần thi."),
    ],
)
async def test_no_small_count_stands_in_a_result(world: World, here: int, there: int, said: str) -> None:
    round_id = await week(world)
    people = [await world.joined(f"Trần Thị {n}", unit="MAYHOA" if n < here else "TRUONG") for n in range(here + there)]
    for n, person in enumerate(people):
        await handed_in(world, round_id, person.address, 4, 100 + n)
    await look(world, RESULT)
    assert said in people[0].last.text


async def test_who_does_not_want_to_be_named_is_not(world: World) -> None:
    await week(world)
    nam = await contestant(world, "Trần Văn Nam", board=Board.HIDDEN)
    lan = await contestant(world, "Đỗ Thị Lan", board=Board.SHORT)
    await sits(nam, 4)
    await sits(lan, 3)
    await look(world, RESULT)
    assert "Nhất tuần: một người dự thi – Công ty TNHH May Hòa Phát" in lan.last.text and "Nam" not in lan.last.text


async def test_whoever_changes_their_mind_is_not_named_any_more(world: World) -> None:
    await week(world)
    hoa, lan, _ = await counted(world)
    assert "Nhất tuần: Bùi Thị Hoa" in lan.last.text
    await hoa.says("/canhan")
    await hoa.taps("Sửa thông tin")
    await hoa.taps("Tên trên bảng thi")
    await hoa.taps("Không hiện")
    assert "profile.board_hidden" in hoa.keys
    await lan.says("/thi")
    await lan.taps("Kết quả tuần 1")
    assert "Nhất tuần: một người dự thi" in lan.last.text
    async with world.database.read() as session:
        stands = select(Consent.id).where(Consent.purpose == Purpose.BOARD, Consent.withdrawn_at.is_(None))
        assert (await session.execute(stands)).first() is None


async def test_right_answers_come_with_the_result_and_a_wrong_one_can_be_reported(world: World) -> None:
    await week(world)
    owner = await world.joined("Vũ Ngọc Mai", unit="TINH", role=Role.CONTENT_OFFICER)
    _, lan, _ = await counted(world)
    first = await lan.taps("Xem đáp án")
    assert first.key == "contest.answers" and "Câu 1/4</b> · ✅ đúng" in first.text and "Căn cứ:" in first.text
    for _ in range(3):
        await lan.taps("Câu tiếp")
    assert "Câu 4/4</b> · chưa đúng" in lan.last.text
    await lan.taps("Báo câu sai")
    await lan.says("Câu này luật mới đã sửa rồi")
    assert "practice.reported" in lan.keys and lan.last.key == "contest.answers"
    assert owner.last.key == "question_reports.notice"
    assert (await lan.taps("Nghỉ")).key == "contest.over"


async def test_a_complaint_goes_to_who_runs_the_contest_while_it_is_taken(world: World) -> None:
    await week(world)
    owner = await world.joined("Vũ Ngọc Mai", unit="TINH", role=Role.CONTENT_OFFICER)
    hoa, lan, _ = await counted(world)
    await hoa.taps("Thắc mắc")
    assert "gửi đến hết 17 giờ ngày 01/8" in hoa.last.text
    assert (await hoa.says("Sai")).key == "contest.complain_length"
    assert (await hoa.says("Tôi nộp hai bài mà chỉ thấy một bài")).key == "contest.complained"
    assert owner.last.key == "contest.complaint_notice" and "chỉ thấy một bài" in owner.last.text
    async with world.database.read() as session:
        assert len(await contests.list_complaints(session)) == 1
    world.now = RESULT + timedelta(days=3)
    await lan.taps("Thắc mắc")
    assert lan.last.key == "contest.complaints_over"
    await lan.says("/thi")
    await lan.taps("Kết quả tuần 1")
    assert not lan.last.offers("⚠️ Thắc mắc")


async def test_a_voided_question_is_right_for_all_and_everybody_can_read_of_it(world: World) -> None:
    round_id = await week(world)
    owner = await world.joined("Vũ Ngọc Mai", unit="TINH", role=Role.CONTENT_OFFICER)
    hoa, lan, nam = await counted(world)
    wrong = (await paper_of(lan)).questions[3]
    holders = {p for p in (hoa, lan, nam) if wrong.question in [q.question for q in (await paper_of(p)).questions]}
    async with world.database.write() as session:
        round_ = await contests.get_round(session, round_id)
        await contests.void_question(session, round_, wrong.question, "Có hai cách hiểu", await owner.id(), world.now)
    await look(world, world.now + timedelta(minutes=5))
    for person in (hoa, lan, nam):
        await person.presses(f"c:kqthi:{round_id}")
        assert person.last.key == "contest.result" and "– tính lại lần 1" in person.last.text
        assert f"Câu “{wrong.stem}” không tính, ai gặp câu này cũng được điểm: Có hai cách hiểu" in unescaped(
            person.last.text
        )
    assert "Anh/chị: 4/4 câu" in lan.last.text and "Số người đúng hết: 2." in lan.last.text
    assert ("Anh/chị: 1/4 câu" in nam.last.text) is (nam in holders)
    await lan.taps("Xem đáp án")
    for _ in range(3):
        await lan.taps("Câu tiếp")
    assert "không tính, ai cũng được điểm" in lan.last.text


def unescaped(text: str) -> str:
    import html

    return html.unescape(text)


async def test_who_is_disqualified_hears_why_and_the_others_move_up(world: World) -> None:
    round_id = await week(world)
    owner = await world.joined("Vũ Ngọc Mai", unit="TINH", role=Role.CONTENT_OFFICER)
    hoa, lan, _ = await counted(world)
    async with world.database.write() as session:
        round_ = await contests.get_round(session, round_id)
        await contests.disqualify(
            session, round_, await hoa.id(), "Bài do người khác làm thay", await owner.id(), world.now
        )
    await look(world, world.now + timedelta(minutes=5))
    assert "không được xếp hạng. Lý do: Bài do người khác làm thay" in hoa.last.text
    assert "xếp thứ 1 toàn" in lan.last.text and "Số người đúng hết: 0." in lan.last.text


# ------------------------------------------------------------------------------------------------- nothing leaks


async def test_while_a_round_is_open_nothing_is_said_of_scores_counts_or_right_answers(world: World) -> None:
    """Two people of whom one has all right and one nothing hear the same words; nobody hears how many took part."""
    round_id = await week(world)
    heard: dict[int, list[str]] = {}
    for right in (4, 0):
        people = [await contestant(world, f"Trần Văn {'ABCDE'[n]}{right}") for n in range(3)]
        for person in people:
            await sits(person, right)
        last = people[-1]
        await last.taps("Bài của tôi")
        await last.says("/thi")
        await last.says("menu")
        for command in ("kqthi", "dapan", "thacmac"):
            await last.presses(f"c:{command}:{round_id}")
            assert last.last.key == "contest.not_yet", command
        await last.says("/onluat")
        texts = [
            (h.key, re.sub(r"CT-25-W01-\d{6}|\d+ phút \d+ giây|\d+:\d+|A\d|B\d|C\d", "", h.text)) for h in last.heard
        ]
        heard[right] = [text for key, text in texts if key != "contest.question"]
        asked = [text for key, text in texts if key == "contest.question"]
        paper = await paper_of(last)
        for place, text in enumerate(asked):
            question = paper.questions[place]
            assert question.explanation not in text and question.citation not in text and "✅" not in text
    assert heard[4] == heard[0]
    said = " ".join(heard[0])
    assert not re.search(r"câu đúng|đúng \d|xếp \d|điểm: \d|\b[36] người|\b[36] bài|\b[36] lượt", said), said
    async with world.database.read() as session:
        entries = (await session.execute(select(Entry.code))).scalars().all()
        assert len(entries) == 6 and len({code[-6:] for code in entries}) == 6


async def test_a_leak_would_be_noticed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above can fail: a result that is published early is told at once."""
    round_id = await week(world)
    hoa = await contestant(world)
    await sits(hoa, 4)
    async with world.database.write() as session:
        (await session.get_one(Round, round_id)).result_at = world.now
    await look(world)
    await hoa.presses(f"c:kqthi:{round_id}")
    assert hoa.last.key == "contest.result"


@pytest.mark.parametrize("answered", [True, False])
async def test_of_a_round_that_is_called_off_nobody_who_sits_it_is_promised_a_result(
    world: World, answered: bool
) -> None:
    round_id = await week(world)
    hoa, minh = await contestant(world), await world.joined("Lê Minh", unit="TINH", role=Role.LEADER)
    await begin(hoa)
    if answered:
        await hoa.says("A")
    async with world.database.read() as session:
        version = (await session.get_one(Round, round_id)).version
    await minh.presses(f"c:huythi:{round_id}.{version}")
    await minh.says("Trùng đợt bão số 5")
    await minh.taps("Đồng ý, báo mọi người")
    hoa.heard.clear()
    world.later(minutes=30)
    await clock.run(work_of(world))
    await world.deliver()
    assert hoa.keys == []
    assert (await hoa.says("A")).key == "contest.cancelled" and "bão số 5" in hoa.last.text
    assert (await hoa.says("/thi")).key == "contest.cancelled"
    async with world.database.read() as session:
        assert await contests.find_running(session, await hoa.id()) is None


async def test_law_is_asked_by_the_date_in_vietnam_also_at_three_in_the_morning(world: World) -> None:
    """By the date elsewhere a question of yesterday's law was asked until seven."""
    round_id = await week(world)
    hoa = await contestant(world)
    world.now = datetime(2025, 7, 25, 20, tzinfo=UTC)  # the 26th
    async with world.database.write() as session:
        await session.execute(
            update(RoundQuestion).where(RoundQuestion.round_id == round_id).values(valid_to=date(2025, 7, 25))
        )
    await hoa.says("/thi")
    await hoa.taps("Vào thi")
    assert (await hoa.taps("Bắt đầu")).key == "contest.too_few"
