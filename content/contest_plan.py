"""What an officer may set of a contest, read from plain text: the same for a file and for an answer typed in the chat."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final

from content.calendar import LOCAL, day_start, official, weekday
from content.money import format_money, parse_money
from content.ranking import check_order
from content.text import clean_line, fold, is_no, is_yes
from content.times import format_time, parse_when

BANK: Final = 5
"""A topic needs this many reviewed questions for each that a paper asks of it (2-contests §2.2)."""
LONGEST: Final = 120
"""Characters of a name."""
WEEK: Final = timedelta(days=7)


class Unreadable(Exception):
    """A value that says nothing usable; `key` is the reason's name in the words."""

    def __init__(self, key: str, **params: object) -> None:
        super().__init__(key)
        self.key, self.params = key, params


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a plan: the setting, the reason's name in the words, and what that needs. Round 0 is the contest."""

    round: int
    name: str
    key: str
    params: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Context:
    """What reading needs to know: the moment, and what the topics are called (key → title)."""

    now: datetime
    topics: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that may be set. `write` gives the text that `read` understands again."""

    name: str
    title: str
    read: Callable[[str, Context], Any]
    write: Callable[[Any, Context], str]
    usual: str | None = None
    """As text; None where it must be given."""
    headings: tuple[str, ...] = ()
    """What it is called in files beside its title and name; folded."""


def _line(text: str, _: Context) -> str:
    line = clean_line(text)
    if not line or len(line) > LONGEST:
        raise Unreadable("line", most=LONGEST)
    return line


def _optional(text: str, context: Context) -> str:
    return _line(text, context) if clean_line(text) else ""


def _moment(text: str, context: Context) -> datetime:
    text = clean_line(text)
    try:
        found: datetime | None = datetime.fromisoformat(text) if re.match(r"\d{4}-", text) else None
    except ValueError:
        found = None
    found = found or parse_when(text, context.now.astimezone(LOCAL))
    if found is None:
        raise Unreadable("moment")
    return found.replace(tzinfo=LOCAL) if found.tzinfo is None else found.astimezone(LOCAL)


def _said_moment(value: datetime, _: Context) -> str:
    local = value.astimezone(LOCAL)
    return f"{format_time(local)} {weekday(local.date())} {official(local.date())}"


def _number(least: int, most: int) -> Callable[[str, Context], int]:
    def read(text: str, _: Context) -> int:
        found = re.fullmatch(r"(\d{1,6})(?: (?:phut|luot|ngay|cau))?", fold(text).strip())
        if found is None or not least <= int(found[1]) <= most:
            raise Unreadable("number", least=least, most=most)
        return int(found[1])

    return read


def _yes(text: str, _: Context) -> bool:
    said = fold(text).strip()
    if is_yes(text) or said in ("true", "x", "1"):
        return True
    if is_no(text) or said in ("false", "0"):
        return False
    raise Unreadable("yes_no")


def _parts(text: str, marks: str = ";\n") -> list[str]:
    return [part for part in (clean_line(part) for part in re.split(f"[{marks}]", text)) if part]


def _quota(text: str, context: Context) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in _parts(re.sub(r"(?<=\d)\s*,", ";", text)):  # titles have commas of their own
        said = re.fullmatch(r"(.+?)\s*[:=]?\s+(\d{1,2})(?: câu)?", part) or re.fullmatch(
            r"(.+?)\s*[:=]\s*(\d{1,2})", part
        )
        if said is None:
            raise Unreadable("quota", part=part)
        topic, number = _topic(said[1], context), int(said[2])
        if topic in found or not 0 < number <= 50:
            raise Unreadable("quota", part=part)
        found[topic] = number
    if not found:
        raise Unreadable("quota", part=text[:LONGEST])
    return found


def _topic(text: str, context: Context) -> str:
    said = fold(text).strip()
    if said.isdecimal() and 0 < int(said) <= len(context.topics):
        return list(context.topics)[int(said) - 1]
    exact = [topic for topic, title in context.topics.items() if said in (topic, fold(title))]
    near = exact or [topic for topic, title in context.topics.items() if said and said in fold(title)]
    if len(near) != 1:
        raise Unreadable("topic", part=text)
    return near[0]


def _said_quota(value: Mapping[str, int], context: Context) -> str:
    return "; ".join(f"{context.topics.get(topic, topic)}: {number}" for topic, number in value.items())


def _one_of(names: Mapping[str, Sequence[str]], text: str) -> str:
    said = fold(text).strip()
    for name, words in names.items():
        if said == name or said in map(fold, words):
            return name
    raise Unreadable("unknown", part=text)


ORDER: Final = {
    "prediction": ("dự đoán sát hơn", "dự đoán"),
    "time": ("làm nhanh hơn", "thời gian", "nhanh hơn"),
    "submitted": ("nộp sớm hơn", "nộp sớm"),
    "lots": ("bốc thăm",),
}
LEVELS: Final = {"grassroots": ("công đoàn cơ sở", "cơ sở"), "upper": ("công đoàn cấp trên", "cấp trên")}
GROUPS: Final = {
    "officer": ("cán bộ công đoàn",),
    "enterprise": ("người lao động doanh nghiệp", "đoàn viên, người lao động trong doanh nghiệp", "doanh nghiệp"),
    "public": ("cán bộ, công chức, viên chức", "công chức, viên chức"),
    "nonmember": ("chưa là đoàn viên",),
}
COLLECTIVE: Final = {
    "number": ("đông người dự thi nhất", "đông nhất"),
    "ratio": ("tỷ lệ dự thi cao nhất", "tỷ lệ", "tỷ lệ cao nhất"),
}


def _ranking(text: str, _: Context) -> list[str]:
    found = [_one_of(ORDER, part) for part in _parts(text, ",;\n")]
    if not found or not check_order(found):
        raise Unreadable("ranking")
    return found


def _levels(text: str, _: Context) -> list[str]:
    return list(dict.fromkeys(_one_of(LEVELS, part) for part in _parts(text, ",;\n"))) or ["grassroots"]


def _groups(text: str, _: Context) -> list[str]:
    if fold(text).strip() in ("tat ca", "moi nguoi", "all", ""):
        return []
    return list(dict.fromkeys(_one_of(GROUPS, part) for part in _parts(text)))


def _said_groups(value: Sequence[str], _: Context) -> str:
    return "; ".join(GROUPS[each][0] for each in value) or "tất cả"


def _said_names(names: Mapping[str, Sequence[str]]) -> Callable[[Any, Context], str]:
    return lambda value, _: ", ".join(names[each][0] for each in value)


def _bands(text: str, _: Context) -> list[int]:
    found = re.findall(r"\d+", text)
    bands = [int(each) for each in found]
    if not bands or bands != sorted(set(bands)) or len(bands) > 8 or re.search(r"[^\d,; ]", text):
        raise Unreadable("bands")
    return bands if bands[0] == 0 else [0, *bands]


NO_PRIZES: Final = ("khong co giai", "ko co giai")
_PRIZE = re.compile(
    r"(\d{1,3}) +(?:gi[aả]i +)?([^:()\d,]+?) *(?:[:(] *([^:()]+?) *\)?|(?:tr[iị] gi[aá] +)?(\d[\d., ]*[^\d:(),]*))?",
    re.IGNORECASE,
)
"""A sum may stand right behind the name. What is no single prize for certain is asked again, never made one."""
_NEXT_PRIZE = re.compile(r"(?:,|\+|\bva\b|\bvà\b)\s*(?=\d{1,3}\s+gi[aả]i\s)", re.IGNORECASE)
_USUAL_PRIZES: Final = {fold(name): name for name in ("Đặc biệt", "Nhất", "Nhì", "Ba", "Tư", "Khuyến khích", "Tập thể")}
_SUM = re.compile(r"\d[\d., ]*(?:k|tr|trieu|nghin|ngan)?(?: ?(?:dong|d|vnd))?")


def _prizes(text: str, _: Context) -> list[dict[str, Any]]:
    if _no_prizes(text):
        return []
    found: list[dict[str, Any]] = []
    for part in _parts(_NEXT_PRIZE.sub(";", text)):
        said = _PRIZE.fullmatch(part)
        if said is None or not int(said[1]):
            raise Unreadable("prizes", part=part)
        name = _USUAL_PRIZES.get(fold(said[2]), said[2].strip())
        worth = _worth((said[3] or said[4] or "").strip())
        found.append({"key": fold(name).replace(" ", "-")[:40], "name": name, "count": int(said[1]), "worth": worth})
    if len({each["key"] for each in found}) < len(found):
        raise Unreadable("prizes", part=text[:LONGEST])
    return found


def _no_prizes(text: str) -> bool:
    return is_no(text) or fold(text) in NO_PRIZES


def _worth(text: str) -> str:
    """A sum as official papers write it, for everybody reads it; anything else as it was given."""
    amount = parse_money(text) if _SUM.fullmatch(fold(text)) else None
    return text if amount is None else format_money(amount)


def _said_prizes(value: Sequence[Mapping[str, Any]], _: Context) -> str:
    said = (f"{each['count']} giải {each['name']}" + (f": {each['worth']}" if each["worth"] else "") for each in value)
    return "; ".join(said) or "không có giải"


_COLLECTIVE = re.compile(r"([^:()\[\]]+?)(?: *\[([^\]]+)\])? *: *([^()]+?) *(?:\( *([^()]+?) *\))?")


def _collective(text: str, _: Context) -> list[dict[str, Any]]:
    if _no_prizes(text) or not text.strip():
        return []
    found = []
    for part in _parts(text):
        said = _COLLECTIVE.fullmatch(part)
        if said is None:
            raise Unreadable("collective", part=part)
        level = _one_of(LEVELS, said[2]) if said[2] else "grassroots"
        found.append({"key": _one_of(COLLECTIVE, said[1]), "name": said[3], "worth": said[4] or "", "level": level})
    return found


def _said_collective(value: Sequence[Mapping[str, Any]], _: Context) -> str:
    said = (
        f"{COLLECTIVE[each['key']][0]} [{LEVELS[each['level']][1]}]: {each['name']}"
        + (f" ({each['worth']})" if each["worth"] else "")
        for each in value
    )
    return "; ".join(said) or "không có giải"


def _as_it_is(value: Any, _: Context) -> str:
    return str(value)


def _said_yes(value: bool, _: Context) -> str:
    return "có" if value else "không"


CONTEST: Final = (
    Setting("name", "Tên cuộc thi", _line, _as_it_is, None, ("cuoc thi",)),
    Setting("unit", "Mã đơn vị tổ chức", _line, _as_it_is, None, ("don vi", "ma don vi")),
    Setting("organiser", "Cơ quan tổ chức", _optional, _as_it_is, "", ("to chuc", "ban to chuc")),
    Setting("legal_basis", "Căn cứ", _optional, _as_it_is, "", ("so ke hoach", "ke hoach")),
    Setting("one_prize", "Mỗi người một giải cả cuộc thi", _yes, _said_yes, "có", ("mot giai",)),
)
"""Of the whole contest."""
ROUND: Final = (
    Setting("theme", "Chủ đề", _line, _as_it_is),
    Setting("opens_at", "Mở", _moment, _said_moment, None, ("bat dau", "mo luc", "opens")),
    Setting("closes_at", "Đóng", _moment, _said_moment, None, ("ket thuc", "dong luc", "closes")),
    Setting("result_at", "Công bố", _moment, _said_moment, None, ("ket qua", "cong bo luc", "result")),
    Setting("quota", "Số câu theo chủ đề", _quota, _said_quota, None, ("so cau", "cau hoi")),
    Setting("minutes", "Số phút", _number(1, 120), _as_it_is, "10", ("thoi gian", "phut")),
    Setting("attempts", "Số lượt", _number(1, 10), _as_it_is, "2", ("luot",)),
    Setting("prediction", "Có câu dự đoán", _yes, _said_yes, "có", ("du doan",)),
    Setting(
        "ranking",
        "Thứ tự xếp hạng",
        _ranking,
        _said_names(ORDER),
        "dự đoán, thời gian, nộp sớm, bốc thăm",
        ("xep hang",),
    ),
    Setting("complaint_days", "Số ngày nhận thắc mắc", _number(1, 30), _as_it_is, "3", ("thac mac",)),
    Setting("prizes", "Giải cá nhân", _prizes, _said_prizes, None, ("giai thuong", "giai")),
    Setting("collective", "Giải tập thể", _collective, _said_collective, "không", ("tap the",)),
    Setting("levels", "Cấp xếp hạng tập thể", _levels, _said_names(LEVELS), "cơ sở", ("cap",)),
    Setting(
        "bands",
        "Nhóm quy mô đơn vị",
        _bands,
        lambda value, _: ", ".join(map(str, value)),
        "0, 50, 200, 500",
        ("quy mo",),
    ),
    Setting("groups", "Ai được thi", _groups, _said_groups, "tất cả", ("doi tuong", "nhom")),
    Setting("pilot", "Thi thử", _yes, _said_yes, "không", ()),
)
"""Of each round."""
BY_NAME: Final = {setting.name: setting for setting in (*CONTEST, *ROUND)}
Texts = Mapping[str, str]


def usual_week(now: datetime) -> dict[str, str]:
    """The hours of the usual rulebook for the next week: Monday 7:00 to Sunday 21:00, the result on Tuesday at 17:00."""
    local = day_start(now).astimezone(LOCAL)
    monday = local + timedelta(days=7 - local.weekday())
    moments = {
        "opens_at": monday + timedelta(hours=7),
        "closes_at": monday + timedelta(days=6, hours=21),
        "result_at": monday + timedelta(days=8, hours=17),
    }
    return {name: moment.strftime("%Y-%m-%d %H:%M") for name, moment in moments.items()}


def stored(setting: Setting, value: Any, context: Context) -> str:
    """A value as text that means the same tomorrow."""
    if isinstance(value, datetime):
        return value.astimezone(LOCAL).strftime("%Y-%m-%d %H:%M")
    return setting.write(value, context)


def read_settings(
    settings: Iterable[Setting], texts: Texts, context: Context, number: int = 0
) -> tuple[dict[str, Any], list[Fault]]:
    """The values of what is set, the usual ones for what is not; and what is missing or cannot be read."""
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    for setting in settings:
        text = texts.get(setting.name, "")
        if not text.strip():
            if setting.usual is None:
                faults.append(Fault(number, setting.name, "missing"))
                continue
            text = setting.usual
        try:
            values[setting.name] = setting.read(text, context)
        except Unreadable as error:
            faults.append(Fault(number, setting.name, error.key, error.params))
    return values, faults


def check_round(values: Mapping[str, Any], reviewed: Mapping[str, int], now: datetime, number: int = 0) -> list[Fault]:
    """What would keep a round from being held like this. `reviewed`: topic → questions that may enter a contest."""
    faults = []
    opens, closes, result = (values.get(name) for name in ("opens_at", "closes_at", "result_at"))
    if opens is not None and opens <= now:
        faults.append(Fault(number, "opens_at", "past"))
    if opens is not None and closes is not None and closes <= opens:
        faults.append(Fault(number, "closes_at", "before_opening"))
    if closes is not None and result is not None and result <= closes:
        faults.append(Fault(number, "result_at", "before_closing"))
    for topic, wanted in values.get("quota", {}).items():
        have = reviewed.get(topic, 0)
        if have < wanted * BANK:
            faults.append(Fault(number, "quota", "bank", {"topic": topic, "need": wanted * BANK, "have": have}))
    size = sum(values.get("quota", {}).values())
    if size > 50:
        faults.append(Fault(number, "quota", "too_long", {"n": size}))
    if not values.get("pilot") and "prizes" in values and not values["prizes"]:
        faults.append(Fault(number, "prizes", "no_prizes"))
    if not values.get("prediction", True) and "prediction" in values.get("ranking", ()):
        faults.append(Fault(number, "ranking", "no_prediction"))
    return faults


def check_weeks(rounds: Sequence[Mapping[str, Any]]) -> list[Fault]:
    """Rounds of one contest follow one another."""
    faults = []
    for number, (one, next_one) in enumerate(pairwise(rounds), 2):
        if "closes_at" in one and "opens_at" in next_one and next_one["opens_at"] < one["closes_at"]:
            faults.append(Fault(number, "opens_at", "overlap"))
    return faults
