"""How options are laid out: what stands side by side on a small phone."""

from __future__ import annotations

import pytest

from content.message import Choice, rows


@pytest.mark.parametrize(
    ("labels", "laid_out"),
    [
        ("A|B|C|D|⏹ Nghỉ", ["A B C D", "⏹ Nghỉ"]),
        ("1|2|3|4|5|6", ["1 2 3 4 5", "6"]),
        ("✅ 1|2|✅ 3|✅ Xong (2)", ["✅ 1 2 ✅ 3", "✅ Xong (2)"]),
        ("Có|Không|Không rõ", ["Có Không", "Không rõ"]),
        ("📖 Nội dung cho tôi|🏠 Menu|❓ Trợ giúp", ["📖 Nội dung cho tôi", "🏠 Menu ❓ Trợ giúp"]),
    ],
)
def test_numbers_and_letters_stand_in_a_line_and_two_narrow_labels_side_by_side(
    labels: str, laid_out: list[str]
) -> None:
    found = rows([Choice(label) for label in labels.split("|")])
    assert [" ".join(choice.label for choice in row) for row in found] == laid_out
