"""What people do with their phones: scripts typed blindly, and buttons pressed as they come, twice or too late."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.fakes.botapi.people import FakePerson, private_chat, shown
from tests.fakes.botapi.state import Chat, State
from tests.simulation.cast import CHAIRS, KNOWN, LEADER, NEWCOMERS

CODE = re.compile(r"\b(?:GT|SK)-\d\d-\d{4}\b")
WORDS = [
    "máy",
    "chỉ",
    "kim",
    "vải",
    "khâu",
    "gấp",
    "bàn",
    "quạt",
    "đèn",
    "ca",
    "kíp",
    "tổ",
    "nhà",
    "xưởng",
    "kho",
    "xe",
    "đẩy",
    "dây",
    "băng",
    "lỗi",
    "đường",
    "may",
    "túi",
    "cổ",
    "tay",
    "thân",
    "áo",
    "quần",
    "khuy",
    "nút",
    "nhãn",
    "thùng",
    "giấy",
    "cân",
    "đo",
    "vạch",
    "mẫu",
    "bản",
    "rập",
    "phấn",
    "kéo",
    "dao",
    "giá",
    "gá",
    "khuôn",
    "ép",
    "là",
    "hơi",
    "nước",
    "sạch",
    "gọn",
    "nhanh",
    "đều",
    "thẳng",
]
STEERING = ("xemtin", "tamdung", "guitiep", "dunghan", "choguilai")

OPENS = re.compile(f"c:(nhan|chapnhan|canbosung|khongchon|tralai|duyettin|bosung|{'|'.join(STEERING)})[:.]")

CHANGED = "Số người nhận vừa đổi"
"""Somebody joined or left between preview and confirmation: the officer is asked again."""


@dataclass
class Intent:
    """What somebody set out to do; the oracles ask what became of it."""

    kind: str
    chat: int
    text: str
    at: float
    parts: list[str] = field(default_factory=list)


class Crowd:
    """Everybody with a phone. Nobody waits for answers to type on; buttons are pressed where they are seen."""

    def __init__(self, state: State, rng: Random) -> None:
        self._state = state
        self._rng = rng
        self.phones: dict[int, FakePerson] = {}
        self.intents: list[Intent] = []
        self.calm = False
        """Once set, what is on is brought to its end and nothing new begun."""
        self._supplements = 0
        for chat in (*KNOWN, *NEWCOMERS):
            phone = FakePerson(state, chat, f"Người {chat}", None)
            self.phones[chat] = phone
            state.chats[chat] = Chat(private_chat(phone))

    # ------------------------------------------------------------------------------------------------ scripts

    def types(self, chat: int, after: float, texts: list[str]) -> float:
        """Types one message after the other, mostly fast; seconds until the last one."""
        for text in texts:
            self._later(after, lambda text=text: self.phones[chat].says(text))
            after += self._rng.choice((0.001, 0.05, 0.4, 1.0))
        return after

    def _later(self, seconds: float, act: Any) -> None:
        asyncio.get_running_loop().call_later(seconds, act)

    def _intend(self, kind: str, chat: int, text: str, after: float, parts: list[str] | None = None) -> None:
        self.intents.append(Intent(kind, chat, text, asyncio.get_running_loop().time() + after, parts or []))

    def _words(self, number: int) -> str:
        return " ".join(self._rng.choice(WORDS) for _ in range(number))

    def reports(self, chat: int, after: float) -> None:
        """A good deed, its story in several messages: one lost, doubled or out of turn would show in the words."""
        number = len(self.intents)
        who = f"Người tốt số {number} của tổ {self._rng.randint(1, 99)}"
        parts = [f"{self._words(6)} đoạn {n} của bài {number}." for n in range(self._rng.randint(1, 3))]
        self._intend("report", chat, who, after, parts)
        texts = [
            "/sangkien",
            "Người tốt, việc tốt",
            who,
            *parts,
            "xong",
            self._words(5),
            "bỏ qua",
            "bỏ qua",
            "có",
            "gửi",
        ]
        self.types(chat, after, texts)

    def announces(self, chat: int, after: float, kind: tuple[str, ...], timing: str) -> None:
        """Composes and confirms; `kind` and `timing` are the labels of the options."""
        text = f"Mời họp số {len(self.intents)}. {self._words(4)}"
        self._intend("broadcast", chat, text, after)
        self.types(chat, after, ["/guitin", *kind, "tiếp", text, "tiếp", "tiếp", timing, "xác nhận"])

    def opts_out(self, chat: int, after: float) -> None:
        """No more news."""
        self._intend("opt-out", chat, "", after)
        self.types(chat, after, ["/dungtin"])

    def erases(self, chat: int, after: float) -> None:
        """Wants everything deleted."""
        self._intend("erase", chat, "", after)
        self.types(chat, after, ["/canhan", "Xóa tất cả", "Tôi muốn xóa", "XOA"])

    def joins(self, chat: int, after: float) -> None:
        """A newcomer from the unit's QR code."""
        self._intend("join", chat, "", after)
        texts = [
            "/start u-MAYHOA",
            "Bắt đầu",
            "Tôi đồng ý",
            "Có, gửi cho tôi",
            "Đúng rồi",
            "NLĐ doanh nghiệp",
            "Hành chính",
        ]
        self.types(chat, after, texts)

    def blocks(self, chat: int, after: float) -> None:
        """Stops the bot and comes back a while later."""
        self._later(after, self.phones[chat].blocks)
        self._later(after + self._rng.uniform(5, 40), lambda: self.phones[chat].says("menu"))

    def stops_all(self, after: float) -> None:
        """The leader's emergency stop."""
        self.types(LEADER, after, ["/dungkhan", "Dừng ngay"])

    # ------------------------------------------------------------------------------------------------ reactions

    def hears(self, chat: int, message_id: int) -> None:
        """A message has arrived: somebody may do something about it."""
        seen = shown(self._state, self._state.posted[chat, message_id])
        data = [button.data for button in seen.buttons if OPENS.match(button.data + ":")]
        code = CODE.search(seen.text)
        delay = self._rng.uniform(0.3, 4.0)
        if chat in CHAIRS and any(button.data == "c:duyet:" for button in seen.buttons) and code:
            self.types(chat, delay, [f"/duyet {code[0]}"])
        elif chat in CHAIRS and any(button.data.startswith("c:duyet:GT") for button in seen.buttons) and code:
            self.types(chat, delay, [f"/duyet {code[0]}"])  # a supplement came
        elif data:
            self._decides(chat, message_id, data, delay)
        elif seen.text.startswith(CHANGED):
            self.types(chat, delay, ["xác nhận"])

    def _decides(self, chat: int, message_id: int, data: list[str], delay: float) -> None:
        steering = [each for each in data if each[2:].startswith(STEERING)]
        if steering and not self._steers(steering):
            return
        if steering:
            delay *= self._rng.choice((0.1, 0.5))  # whoever looks at what they have just sent is quick
        chosen = self._preferred(steering) if steering else self._rng.choice(data)
        presses = self._rng.choice((1, 1, 1, 2, 3))
        for n in range(presses):
            self._later(delay + n * 0.15, lambda: self._press(chat, message_id, chosen))
        after = delay + presses * 0.15 + self._rng.uniform(0.2, 1.5)
        what = chosen[2:].partition(":")[0]
        if what == "chapnhan":
            self.types(chat, after, ["Chấp nhận"])
        elif what in ("canbosung", "khongchon"):
            self.types(chat, after, [str(self._rng.randint(1, 5)), "gửi"])
        elif what == "choguilai":
            self.types(chat, after, ["Cho gửi lại"])
        elif what == "dunghan":
            self.types(chat, after, ["Dừng hẳn"])
        elif what == "bosung":
            self._supplements += 1
            text = f"Bổ sung số {self._supplements}: {self._words(5)}"
            self._intend("supplement", chat, text, after)
            self.types(chat, after, [text, "gửi"])

    def _steers(self, steering: list[str]) -> bool:
        """What was held is let go for certain; what was just sent is looked at and what runs is stopped every other time,
        but not at the end."""
        if any(each[2:].startswith(("guitiep", "choguilai")) for each in steering):
            return True
        looks = any(each[2:].startswith("xemtin") for each in steering)
        return not self.calm and (looks or self._rng.random() < 0.5)

    def _preferred(self, steering: list[str]) -> str:
        going_on = [each for each in steering if each[2:].startswith(("guitiep", "choguilai"))]
        return going_on[0] if going_on else self._rng.choice(steering)

    def _press(self, chat: int, message_id: int, data: str) -> None:
        self.phones[chat].presses(message_id=message_id, data=data)

    # ------------------------------------------------------------------------------------------------ the end

    def presses_anyhow(self, chat: int, data: str) -> None:
        """Presses a command button that was seen once, wherever it stands now."""
        phone = self.phones[chat]
        phone._press(self._state.posted[chat, phone.says("menu")], data)
