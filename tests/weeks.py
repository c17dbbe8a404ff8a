"""A weekly round for tests: from Monday to Sunday, its result on Tuesday, its questions as the bank had them one day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select

from content.calendar import LOCAL
from db import audit, contests
from db.contests import Asked, Settings
from db.models import Account, Entry, Unit
from tests.people import World

OPENS = datetime(2025, 7, 21, 7, tzinfo=LOCAL)
CLOSES = datetime(2025, 7, 27, 21, tzinfo=LOCAL)
RESULT = datetime(2025, 7, 29, 17, tzinfo=LOCAL)
QUOTA = {"membership": 3, "finance": 1}
SETTINGS = Settings(
    theme="Luật Công đoàn 2024",
    opens_at=OPENS,
    closes_at=CLOSES,
    result_at=RESULT,
    quota=QUOTA,
    prizes=({"key": "first", "name": "Nhất", "count": 1, "worth": "500.000 đồng"},),
)
QUESTIONS = (
    Asked(
        "cd-10",
        "membership",
        'Chị Lan mới vào xưởng, được bảo "ký hợp đồng là phải vào công đoàn". Đúng luật thì sao?',
        (
            "Ai ký hợp đồng cũng phải vào",
            "Công đoàn lập trên cơ sở tự nguyện",
            "Giám đốc quyết định ai được vào",
            "Chỉ người làm trên một năm mới phải vào",
        ),
        1,
        "Công đoàn Việt Nam được thành lập trên cơ sở tự nguyện của người lao động.",
        "Điều 1 (Luật Công đoàn số 50/2024/QH15, sửa đổi bởi Luật số 97/2025/QH15, hiệu lực từ 01/7/2025)",
    ),
    Asked(
        "cd-12",
        "membership",
        "Quyền công đoàn của người lao động gồm những gì?",
        (
            "Chỉ gia nhập công đoàn đã có sẵn",
            "Gia nhập khi người sử dụng lao động đồng ý",
            "Chỉ bầu cử trong công đoàn cơ sở",
            "Thành lập, gia nhập và hoạt động công đoàn",
        ),
        3,
        "Quyền công đoàn gồm quyền thành lập, gia nhập và hoạt động công đoàn của người lao động, đoàn viên.",
        "khoản 1 Điều 4 (Luật Công đoàn số 50/2024/QH15, hiệu lực từ 01/7/2025)",
    ),
    Asked(
        "cd-16",
        "membership",
        "Anh Kim là người nước ngoài làm ở nhà máy. Hợp đồng lao động từ bao lâu thì anh được gia nhập công đoàn cơ sở?",
        ("Từ đủ 12 tháng", "Từ đủ 3 tháng", "Từ đủ 6 tháng", "Từ đủ 36 tháng"),
        0,
        "Người lao động nước ngoài có hợp đồng lao động từ đủ 12 tháng được gia nhập và hoạt động tại công đoàn cơ sở.",
        "khoản 2 Điều 5 (Luật Công đoàn số 50/2024/QH15, hiệu lực từ 01/7/2025)",
    ),
    Asked(
        "cd-17",
        "membership",
        "Người lao động nước ngoài đủ điều kiện được tham gia công đoàn ở đâu?",
        (
            "Tại công đoàn riêng của người nước ngoài",
            "Tại liên đoàn lao động tỉnh",
            "Tại công đoàn cơ sở",
            "Ở bất kỳ cấp công đoàn nào",
        ),
        2,
        "Luật nêu quyền gia nhập và hoạt động công đoàn tại công đoàn cơ sở.",
        "khoản 2 Điều 5 (Luật Công đoàn số 50/2024/QH15, hiệu lực từ 01/7/2025)",
    ),
    Asked(
        "cd-57",
        "finance",
        "Mức đóng kinh phí công đoàn theo Luật Công đoàn là bao nhiêu phần trăm?",
        ("1%", "2%", "3%", "5%"),
        1,
        "Kinh phí công đoàn bằng 2% quỹ tiền lương làm căn cứ đóng bảo hiểm xã hội bắt buộc.",
        "điểm b khoản 1 Điều 29 (Luật Công đoàn số 50/2024/QH15, sửa đổi bởi Luật số 97/2025/QH15, hiệu lực từ 01/7/2025)",
    ),
    Asked(
        "cd-58",
        "finance",
        "Anh Hậu hỏi: kinh phí công đoàn do ai đóng?",
        (
            "Người lao động, trừ vào lương",
            "Mỗi bên đóng một nửa",
            "Ngân sách nhà nước đóng thay",
            "Người sử dụng lao động",
        ),
        3,
        "Kinh phí công đoàn do doanh nghiệp, đơn vị sử dụng lao động đóng; người lao động không phải đóng khoản này.",
        "điểm b khoản 1 Điều 29 (Luật Công đoàn số 50/2024/QH15, sửa đổi bởi Luật số 97/2025/QH15, hiệu lực từ 01/7/2025)",
    ),
)


NAME = "Tìm hiểu Luật Công đoàn"


async def week(world: World, questions: Sequence[Asked] = QUESTIONS, *, name: str = NAME, **values: object) -> int:
    """A round that was approved, its questions fixed unless there are none. Returns its id."""
    async with world.database.write() as session:
        top = (await session.execute(select(Unit.id).where(Unit.code == "TINH"))).scalar_one()
        contest = await contests.create_contest(session, top, name, audit.SYSTEM, world.now)
        made = replace(SETTINGS, **values)  # type: ignore[arg-type]
        round_ = await contests.create_round(session, contest, made, audit.SYSTEM, world.now)
        await contests.fix_questions(session, round_, questions)
        await contests.approve(session, round_, round_.version, audit.SYSTEM, world.now)
        return round_.id


async def voided(world: World, contestant: str, officer: str, place: int = 1) -> None:
    """A question of somebody's paper turns out to have two readings; both people are known by their addresses."""
    async with world.database.write() as session:
        who = select(Account.person_id).where(Account.address == contestant)
        entry = (await session.execute(select(Entry).where(Entry.person_id == who.scalar_subquery()))).scalars().one()
        actor = (await session.execute(select(Account.person_id).where(Account.address == officer))).scalar_one()
        round_ = await contests.get_round(session, entry.round_id)
        assert actor is not None
        await contests.void_question(
            session, round_, entry.paper[place][0], "câu hỏi có hai cách hiểu", actor, world.now
        )
