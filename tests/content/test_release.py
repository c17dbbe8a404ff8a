"""Who read and who released a text: two people, two days, in order; and what a proofreader marks in any pack."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from content.release import Release, spelling_faults
from content.source import read

READ = {"proofread_by": "Vũ Ngọc Mai", "proofread_on": "2026-01-05"}
RELEASED = {"approved_by": "Đinh Quang Đại", "approved_on": "2026-01-07"}


def faults(**values: str) -> list[str]:
    release = Release.model_validate(values)
    assert not release.complete or not list(release.faults())
    return [fault for _, fault in release.faults()]


def test_both_names_and_both_days_release_a_text() -> None:
    assert Release.model_validate(READ | RELEASED).complete
    assert Release.model_validate(READ | RELEASED | {"approved_on": "2026-01-05"}).complete  # the same day


@pytest.mark.parametrize("missing", [(), ("approved_by", "approved_on"), tuple(READ | RELEASED)])
def test_nobody_or_only_a_reader_is_no_mistake_and_no_release(missing: tuple[str, ...]) -> None:
    values = {name: "" if name in missing else value for name, value in (READ | RELEASED).items()}
    assert faults(**values) == []
    assert Release.model_validate(values).complete == (not missing)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"proofread_on": ""}, "a name and a day, or neither"),
        ({"proofread_by": "  "}, "a name and a day, or neither"),
        ({"approved_by": ""}, "a name and a day, or neither"),
        ({"proofread_by": "", "proofread_on": ""}, "approved before anybody has read it"),
        ({"approved_on": "2026-01-04"}, "approved before it was read"),
        ({"approved_by": " vu  ngoc MAI"}, "another person is needed"),
    ],
)
def test_half_a_signature_the_wrong_order_or_one_person_alone_releases_nothing(
    change: dict[str, str], said: str
) -> None:
    assert any(said in fault for fault in faults(**(READ | RELEASED | change)))
    assert not Release.model_validate(READ | RELEASED | change).complete


def test_a_day_is_written_in_full_or_not_at_all() -> None:
    assert Release.model_validate(READ).proofread_on == date(2026, 1, 5)
    for wrong in ("2026", "5/1/2026", "2026-02-30"):
        with pytest.raises(ValidationError):
            Release.model_validate(READ | {"proofread_on": wrong})


def test_a_proofreader_marks_the_place(tmp_path: Path) -> None:
    path = tmp_path / "pack.yaml"
    path.write_text(
        "first: hòa, hủy, xóa, quý, thuở\nnested:\n  - đúng\n  - thoả thuận\nlast: Đa\u0309ng\n", encoding="utf-8"
    )
    found = [(problem.line, problem.text) for problem in spelling_faults(read(path))]
    assert [line for line, _ in found] == [4, 5]
    assert "'thoả'" in found[0][1] and "NFC" in found[1][1]
