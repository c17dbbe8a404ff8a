"""How options are laid out: what stands side by side on a small phone."""

from __future__ import annotations

import pytest

from content.message import Choice, rows
from content.words import APART, load_words
from tests.people import FACTS


@pytest.mark.parametrize(
    ("labels", "laid_out"),
    [
        ("A|B|C|D|⏹ Nghỉ", ["A B C D", "⏹ Nghỉ"]),
        ("1|2|3|4|5|6", ["1 2 3", "4 5 6"]),
        ("1|2|3|4|5|6|7", ["1 2 3 4", "5 6 7"]),
        ("✅ 1|2|✅ 3|✅ Xong (2)", ["✅ 1 2 ✅ 3", "✅ Xong (2)"]),
        ("May|Da giày|Điện tử|_⋯ Thêm|_🏠 Menu", ["May Da giày", "Điện tử", "⋯ Thêm 🏠 Menu"]),
        ("Có|Không|Không rõ", ["Có Không", "Không rõ"]),
        ("📖 Nội dung cho tôi|🏠 Menu|❓ Trợ giúp", ["📖 Nội dung cho tôi", "🏠 Menu ❓ Trợ giúp"]),
    ],
)
def test_numbers_and_letters_stand_in_a_line_and_two_narrow_labels_side_by_side(
    labels: str, laid_out: list[str]
) -> None:
    found = rows([Choice(label.lstrip("_"), apart=label.startswith("_")) for label in labels.split("|")])
    assert [" ".join(choice.label for choice in row) for row in found] == laid_out


def test_what_turns_the_page_or_leads_back_comes_last_and_stands_apart() -> None:
    words = load_words(FACTS)
    for key in words:
        names = [option.key for option in words.entry(key).options]
        assert [name in APART for name in names] == sorted(name in APART for name in names), key
    more = words.message("announcing.sector").choices[-1]
    assert more.apart and not words.message("announcing.sector").choices[0].apart
