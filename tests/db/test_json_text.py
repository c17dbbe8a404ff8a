"""JSON as it is written down: whatever anybody sends can be written, read again, and found."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from db.json_text import from_text, to_text, within


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        "",
        "Tổ may số 3 · 😀",
        'ngoặc "kép" \\ gạch',
        [1, [2.5, {"a": []}]],
        2**63,
        -(2**63),
        {"a": {"b": None}},
    ],
)
def test_what_is_written_is_read_again(value: Any) -> None:
    assert from_text(to_text(value)) == value


def test_letters_stand_as_they_are_and_nothing_between() -> None:
    assert to_text({"tên": ["Hòa", 1]}) == '{"tên":["Hòa",1]}'


def test_what_the_fast_way_does_not_take_is_written_and_read_all_the_same() -> None:
    assert from_text(to_text({7: 2**70})) in ({"7": 2**70}, {"7": float(2**70)})
    assert to_text("nửa \ud83d mặt cười") == '"nửa ? mặt cười"'
    assert from_text(r'"n\u1eeda \ud83d"') == "nửa \ud83d"
    deep: Any = "đáy"
    for _ in range(400):
        deep = [deep]
    assert from_text(to_text(deep)) == deep


@pytest.mark.parametrize("value", [datetime(2026, 11, 27, tzinfo=UTC), b"bytes", {1, 2}, object()])
def test_what_is_no_json_is_refused_rather_than_guessed(value: Any) -> None:
    with pytest.raises(TypeError):
        to_text({"at": value})


@pytest.mark.parametrize("text", ["", "{", "[" * 50, "{'a': 1}", "nửa"])
def test_what_is_no_text_of_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        from_text(text)


def test_what_somebody_typed_is_found_within_what_was_written() -> None:
    assert within('Lê "Hai" Hòa\n') in to_text({"text": 'Chào anh/chị Lê "Hai" Hòa\n!'})
