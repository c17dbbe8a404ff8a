"""What a typed message means on a screen: every option of every screen of the words, typed in every way people type."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from jinja2 import UndefinedError

from content.message import MAX_CHOICES, Choice, Message
from handlers.meaning import option, plain_label, several
from tests.people import spoken


def screens() -> list[Message]:
    """Every entry of the words that offers options, as far as its labels need nothing from a talk."""
    words, _ = spoken()
    found = []
    for key in words:
        choices = []
        for each in words.entry(key).options:
            try:
                label = words.label(key, each.key)
            except (UndefinedError, TypeError):  # a filter has nothing to write
                continue
            choices.append(Choice(label, each.key, words=each.words))
        # Entries of which only some options are ever shown together are still told apart, save these opposites.
        if choices and key not in ("profile.news", "moderation.card"):
            found.append(Message("", tuple(choices), key=key))
    return found


def telex(text: str) -> str:
    """A label as it comes from a keyboard whose Telex is off: "Đồng ý" is "DDoongf ys"."""
    marks = {"\u0300": "f", "\u0301": "s", "\u0309": "r", "\u0303": "x", "\u0323": "j"}
    shapes = {"\u0302": None, "\u031b": "w", "\u0306": "w"}
    words = []
    for word in unicodedata.normalize("NFD", text.replace("đ", "dd").replace("Đ", "DD")).split():
        typed, tone = "", ""
        for letter in word:
            if letter in marks:
                tone = marks[letter]
            elif letter in shapes:
                typed += shapes[letter] or typed[-1].lower()
            else:
                typed += letter
        end = len(typed.rstrip(".,;()"))
        words.append(typed[:end] + tone + typed[end:])
    return " ".join(words)


def unmarked(text: str) -> str:
    plain = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(letter for letter in plain if unicodedata.category(letter) != "Mn")


WAYS: dict[str, Any] = {
    "as it stands": lambda label: label,
    "without its icon": lambda label: label.lstrip("".join(c for c in label if unicodedata.category(c) in ("So", "Mn", "Cf"))),
    "without marks": unmarked,
    "in capitals": str.upper,
    "with wide gaps": lambda label: f"  {'   '.join(label.split())}  ",
    "decomposed": lambda label: unicodedata.normalize("NFD", label),
    "with Telex keys left in": telex,
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_every_option_answers_to_its_label(way: str) -> None:
    missed = [
        (screen.key, choice.key, WAYS[way](choice.label))
        for screen in screens()
        for choice in screen.choices
        if option(screen.choices, WAYS[way](choice.label), numbered=True) != choice
    ]
    assert not missed


def test_every_option_answers_to_its_number_its_letter_and_its_keywords() -> None:
    missed = []
    for screen in screens():
        # Some screens know more options than are ever shown together; what is shown is held by the walks.
        for place, choice in enumerate(screen.choices[:MAX_CHOICES]):
            letter = "ABCDEFGH"[place]
            ways = [str(place + 1), f"{place + 1}.", f" Câu {place + 1} ", letter, letter.lower(), f"chọn {letter}"]
            for typed in (*ways, *choice.words, *(word.upper() for word in choice.words)):
                if option(screen.choices, typed, numbered=True) != choice:
                    missed.append((screen.key, choice.key, typed))
    assert not missed


def test_where_digits_are_answers_only_the_words_of_an_option_choose_it() -> None:
    choices = (Choice("✅ Xong bước này", "done", words=("xong",)), Choice("⏭ Bỏ qua", "skip"))
    for typed in ("1", "2", "a", "b", "hai", "ok", "không"):
        assert option(choices, typed, numbered=False) is None
    assert option(choices, "XONG", numbered=False) == choices[0]
    assert option(choices, "boof qua", numbered=False) == choices[1]


def test_yes_and_no_are_heard_as_people_say_them() -> None:
    choices = (Choice("✅ Tôi đồng ý", "yes"), Choice("❌ Không đồng ý", "no"), Choice("📄 Đọc bản đầy đủ", "full"))
    for typed in ("có", "ok", "dạ vâng ạ", "uh", "đc", "đồng ý"):
        assert option(choices, typed, numbered=True) == choices[0], typed
    for typed in ("ko", "k", "hok", "thôi", "dạ không ạ", "ko đồng ý"):
        assert option(choices, typed, numbered=True) == choices[1], typed


@pytest.mark.parametrize("typed", ["1,3", "1, 3", "1 3", "3;1", "1 và 3", "1+3", "một, ba", "Câu 1, 3", "1,3,1"])
def test_several_options_are_named_by_their_numbers(typed: str) -> None:
    choices = [Choice(str(n), f"key-{n}") for n in (1, 2, 3)]
    assert set(several(choices, typed)) == {"key-1", "key-3"}
    assert len(several(choices, typed)) == 2


@pytest.mark.parametrize("typed", ["1", "1,4", "0,1", "1,x", "", "1,,", "12,5 triệu", "99999999999999999999,1", "²,1"])
def test_what_does_not_name_several_options_is_not_taken_for_it(typed: str) -> None:
    assert several([Choice(str(n), f"key-{n}") for n in (1, 2, 3)], typed) == ()


@pytest.mark.parametrize("typed", ["0", "9", "²", "１２", "9" * 5000, "1.5", "i", "z", "", " ", "?"])
def test_what_names_no_option_is_none_and_never_an_error(typed: str) -> None:
    assert option([Choice("Có", "yes"), Choice("Khác", "other")], typed, numbered=True) is None


def test_a_label_is_compared_without_its_icon() -> None:
    assert plain_label("🧑‍💼 Cán bộ công đoàn") == "can bo cong doan"
    assert plain_label("✅ 3") == "3"
