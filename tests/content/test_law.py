"""The facts of the law: every fault is found with file and line, and every citation stands in the law's text."""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from content.law import CHECKED, LOCKED, Fact, Law, load_law, places
from content.quiz import load_quiz
from content.source import ContentError

TEXTS = Path(__file__).parents[3] / "shared" / "facts" / "texts"
AMENDED = "luat-cong-doan-sua-doi-boi-97-2025.txt"
COUNTED = {
    "CD-01", "CD-04", "CD-18", "CD-20", "CD-28", "CD-38", "CD-42", "CD-55", "CD-56", "CD-63", "LD-23", "LD-63", "LD-80",
    "LD-131", "LD-132", "DC-01", "DC-05", "BH-33",
}  # fmt: skip
"""Facts whose figures are counted, reckoned from the law's own, or its number and day, not written in the article cited."""
IN_LETTERS = {
    "một": "1", "hai": "2", "ba": "3", "nửa": "0,5",
}  # fmt: skip
ON = date(2026, 11, 26)


@pytest.fixture(scope="module")
def law() -> Law:
    return load_law()


def fact(number: int = 1, **values: Any) -> dict[str, Any]:
    base = {
        "id": f"CD-{number:02d}", "says": f"Ai cũng được nghỉ {number} ngày.", "document": "luat-thu", "amended_by": "",
        "article": "khoản 1 Điều 5", "confidence": "A", "valid_from": "2025-07-01", "valid_to": "", "words": ["nghỉ"],
    }  # fmt: skip
    return base | values


def write(folder: Path, *facts: dict[str, Any], area: str = "labour") -> Path:
    folder.mkdir(exist_ok=True)
    documents = {"luat-thu": {"name": "Luật Thử số 1/2025/QH15", "short": "Luật Thử", "text": ""}}
    for name, data in (("documents", {"documents": documents}), (area, {"facts": list(facts)})):
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    return folder


def problems(folder: Path) -> str:
    with pytest.raises(ContentError) as caught:
        load_law(folder)
    for problem in caught.value.problems:
        assert 1 <= problem.line <= len(Path(problem.file).read_text(encoding="utf-8").splitlines())
    return str(caught.value)


def test_every_area_of_the_fact_sheet_is_there(law: Law) -> None:
    series = {fact.id.rsplit("-", 1)[0] for fact in law.facts}
    assert {"CD", "LD", "DC", "AT", "BH", "VL", "TD", "SK", "LS"} <= series
    for last in ("CD-66", "LD-82", "DC-D14", "AT-24", "BH-38", "VL-08", "DC-18", "TD-15", "SK-08"):
        assert law.find(last) is not None, last
    assert all(fact.confidence in (*CHECKED, "B") for fact in law.facts)


def test_a_fact_cites_article_document_amendment_and_day(law: Law) -> None:
    found = law.find("CD-19")
    assert found is not None and found.citation == (
        "điểm b khoản 1 Điều 8 (Luật Công đoàn số 50/2024/QH15, sửa đổi bởi Luật số 97/2025/QH15,"
        " hiệu lực từ 01/7/2025)"
    )
    fee = law.find("CD-66")
    assert fee is not None and fee.citation.endswith("Tổng Liên đoàn Lao động Việt Nam, hiệu lực từ 01/7/2025")


def test_facts_whose_end_is_known_are_named_before_it_comes(law: Law) -> None:
    assert "BH-22" in [fact.id for fact in law.next_to_end(date(2026, 6, 30))]
    assert "BH-22" not in [fact.id for fact in law.next_to_end(date(2026, 7, 1))]


def test_disputed_retired_secondary_and_locked_facts_are_not_quoted(law: Law) -> None:
    disputed, retired, second = law.find("LD-57"), law.find("BH-22"), law.find("CD-66")
    assert disputed is not None and disputed.disputed and not disputed.quotable(ON)
    assert retired is not None and retired.quotable(date(2026, 6, 30)) and not retired.quotable(date(2026, 7, 1))
    assert second is not None and not second.quotable(ON)
    first = law.find("CD-03")
    assert first is not None and first.quotable(ON) and not first.quotable(date(2025, 6, 30))
    assert not first.model_copy(update={"area": LOCKED[0]}).quotable(ON)


def test_what_was_not_read_anew_of_the_democracy_law_is_not_quoted(law: Law) -> None:
    # Law 97/2025 amended it; of the chapters on communes and on public bodies the new wording was not read (fact sheet §3.5).
    unread = {str(n) for n in (*range(11, 64), *range(83, 90))}
    told = {fact.id for fact in law.facts if fact.document == "dan-chu" and fact.quotable(ON)}
    cited = {f.id: set(re.findall(r"Điều (\d+)", f.article)) for f in law.facts if f.id in told}
    assert len(cited) >= 22 and not {name for name, articles in cited.items() if articles & unread}


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"says": "Ai cũng nghỉ"}, "full stop"),
        ({"says": "Ai cũng nghỉ. " * 30}, "says has"),
        ({"says": "Ai được uỷ quyền."}, "'uỷ'"),
        ({"words": ["huỷ"]}, "'huỷ'"),
        ({"words": ["nghỉ", "nghi"]}, "stands there twice"),
        ({"id": "cd-1"}, "no id of a fact"),
        ({"document": "luat-khac"}, "not in documents.yaml"),
        ({"article": ""}, "article ''"),
        ({"article": "Khoản 1, Điều 5"}, "article 'Khoản 1, Điều 5'"),
        ({"confidence": "C"}, "read it in the law first"),
        ({"valid_to": "2024-01-01"}, "ends before it begins"),
        ({"valid_from": "2025"}, "valid_from"),
        ({"source": "báo"}, "source"),
    ],
)
def test_every_planted_fault_of_a_fact_is_found(tmp_path: Path, values: dict[str, Any], told: str) -> None:
    assert told in problems(write(tmp_path / "law", fact(**values)))


def test_a_secondary_fact_may_know_no_article_and_the_same_id_twice_is_found(tmp_path: Path) -> None:
    assert load_law(write(tmp_path / "one", fact(confidence="B", article=""))).facts
    assert "the id CD-01 stands in" in problems(write(tmp_path / "two", fact(), fact()))
    assert "'weather' is no area" in problems(write(tmp_path / "three", fact(), area="weather"))


def test_a_source_of_history_is_told_of_and_not_in_force(law: Law, tmp_path: Path) -> None:
    told = law.find("LS-02")
    assert told is not None and told.citation == "Tư liệu Báo Thanh Niên, Báo Tây Ninh về ngày thành lập Công đoàn"
    asked = next(q for q in load_quiz(law=law).questions if q.fact == told.id)
    assert asked.citation == told.citation and not asked.checked
    source = {"name": "Báo Thử", "short": "Báo Thử", "text": "", "kind": "history"}
    for values in ({"confidence": "A"}, {"confidence": "B"}, {"confidence": "A", "article": ""}):
        folder = write(tmp_path / "law", fact(**values))
        (folder / "documents.yaml").write_text(yaml.safe_dump({"documents": {"luat-thu": source}}), encoding="utf-8")
        assert "is a source of history" in problems(folder)
    folder = write(tmp_path / "law", fact(confidence="B", article=""))
    (folder / "documents.yaml").write_text(yaml.safe_dump({"documents": {"luat-thu": source}}), encoding="utf-8")
    assert load_law(folder).facts


def test_the_line_told_is_the_line_of_the_fact(tmp_path: Path) -> None:
    folder = write(tmp_path / "law", fact(1), fact(2, confidence="C"))
    found = re.search(r"labour\.yaml:(\d+): CD-02", problems(folder))
    lines = (folder / "labour.yaml").read_text(encoding="utf-8").splitlines()
    assert found is not None and int(found.group(1)) == [n for n, t in enumerate(lines, 1) if t.startswith("- ")][1]


@cache
def articles(name: str) -> dict[str, str]:
    """Article number → text. A consolidated text quotes other laws: several pieces of one number are joined."""
    text = (TEXTS / name).read_text(encoding="utf-8").replace("\u00a0", " ")
    codified = r"(?m)^Điều 44\.13\.LQ[.\d]*\.(\d+)\. |^Điều 44\.13\.(?:NĐ|TT|QĐ)\."
    plain = r"(?m)^\W{0,4}Điều\s+(\d+)\s*\."
    found: dict[str, str] = {}
    parts = re.split(codified if "44.13.LQ" in text else plain, text)
    for number, body in zip(parts[1::2], parts[2::2], strict=True):
        if number:
            found[number] = found.get(number, "") + body
    return found


@cache
def amendments() -> dict[tuple[str, str], str]:
    """(article, clause) → text of what Law 97/2025 changed; the clause is empty where the whole article changed."""
    parts = re.split(r"(?m)^== Điều (\d+)(?:, khoản (\d+))? ==$", (TEXTS / AMENDED).read_text(encoding="utf-8"))
    return {(parts[n], parts[n + 1] or ""): parts[n + 2] for n in range(1, len(parts), 3)}


def cited_text(law: Law, fact: Fact, article: str = "") -> str:
    """The text in force of every place that is cited. Raises LookupError, saying what is wrong."""
    return "".join(_cited_text(law, fact, one) for one in (article or fact.article).split(", "))


def _cited_text(law: Law, fact: Fact, article: str) -> str:
    name = law.documents[fact.document].text
    cited = re.fullmatch(r"(?:điểm (\w+) )?(?:khoản (\d+) )?Điều (\d+)", article)
    if not name or cited is None:
        raise LookupError(f"no text for {article} {fact.document}")
    point, clause, number = cited.group(1), cited.group(2) or "", cited.group(3)
    text = articles(name).get(number, "")
    if fact.document == "luat-cong-doan":
        changed = amendments()
        new = changed.get((number, clause)) or changed.get((number, ""))
        if (new is not None) != bool(fact.amended_by):
            raise LookupError(f"{article} was {'' if new else 'not '}amended by 97/2025, the fact says otherwise")
        text = new or text
    if not text:
        raise LookupError(f"{article} is not in {name}")
    if clause and not re.search(rf"(?m)^\W*{clause}\. ", text):
        raise LookupError(f"Điều {number} has no khoản {clause}")
    if point and not re.search(rf"(?m)^\W*{point}\)", text):
        raise LookupError(f"Điều {number} has no điểm {point}")
    return text


def missing_figures(says: str, text: str) -> list[str]:
    """The figures of a sentence that are not in the text it cites, written in digits or in letters."""
    for word, digit in IN_LETTERS.items():
        text = re.sub(rf"\b{word}\b", digit, text, flags=re.IGNORECASE)
    said = re.sub(r"Điều \d+|\d+/\d{4}/\w+\S*|\d{2}/\d{1,2}/\d{4}", "", says)
    return [
        figure
        for figure in re.findall(r"\d+(?:[.,]\d+)*", said)
        if not re.search(rf"(?<![\d.,])0?{figure.lstrip('0')}(?!\d|[.,]\d)", text)
    ]


needs_texts = pytest.mark.skipif(
    not TEXTS.is_dir(), reason="the law texts do not lie beside this checkout (../shared/facts/texts)"
)


@needs_texts
def test_every_citation_of_a_fact_stands_in_the_law_and_holds_its_figures(law: Law) -> None:
    wrong = []
    for each in law.facts:
        if not law.documents[each.document].text:
            # What nobody here has read is secondary, or read in another copy and marked so.
            if each.confidence == "A":
                wrong.append(f"{each.id}: confidence A without a text")
            continue
        if each.confidence == "B":
            continue
        try:
            text = cited_text(law, each)
        except LookupError as error:
            wrong.append(f"{each.id}: {error}")
            continue
        if each.id not in COUNTED and (missing := missing_figures(each.says, text)):
            wrong.append(f"{each.id}: {', '.join(missing)} not in {each.article}")
    assert not wrong, "\n".join(wrong)


@needs_texts
def test_every_citation_of_a_question_stands_in_the_law_and_holds_the_figures_of_the_right_answer(law: Law) -> None:
    wrong = []
    for q in load_quiz(law=law).questions:
        each = law.find(q.fact)
        assert each is not None
        if not law.documents[each.document].text or each.confidence == "B":
            continue
        try:
            text = cited_text(law, each, q.article)
        except LookupError as error:
            wrong.append(f"{q.id}: {error}")
            continue
        missing = missing_figures(q.options[q.answer], text)
        if missing and q.fact not in COUNTED and not q.reckoned:
            wrong.append(f"{q.id}: {', '.join(missing)} not in {q.article}")
    assert not wrong, "\n".join(wrong)


@needs_texts
@pytest.mark.parametrize(
    ("name", "changed", "told"),
    [
        ("CD-16", {"article": "khoản 2 Điều 95"}, "is not in"),
        ("CD-16", {"article": "khoản 9 Điều 5"}, "no khoản 9"),
        ("BH-12", {"article": "khoản 3 Điều 40, khoản 9 Điều 41"}, "no khoản 9"),
        ("CD-23", {"article": "điểm k khoản 2 Điều 10"}, "no điểm k"),
        ("DC-13", {"article": "khoản 9 Điều 60"}, "no khoản 9"),
        ("CD-19", {"amended_by": ""}, "was amended"),
        ("CD-16", {"amended_by": "Luật số 97/2025/QH15"}, "was not amended"),
        ("CD-16", {"document": "qd-61-tld"}, "no text for"),
    ],
)
def test_a_wrong_citation_is_noticed(law: Law, name: str, changed: dict[str, str], told: str) -> None:
    found = law.find(name)
    assert found is not None
    with pytest.raises(LookupError, match=told):
        cited_text(law, found.model_copy(update=changed))


@needs_texts
def test_a_wrong_figure_is_noticed(law: Law) -> None:
    found = law.find("LD-66")
    assert found is not None
    assert missing_figures(found.says.replace("14 ngày", "15 ngày"), cited_text(law, found)) == ["15"]


@pytest.mark.parametrize(
    ("article", "reads"),
    [
        ("khoản 2 Điều 98, khoản 3 Điều 98", "khoản 2, khoản 3 Điều 98"),
        ("điểm b khoản 1 Điều 35, điểm c khoản 1 Điều 35", "điểm b, điểm c khoản 1 Điều 35"),
        ("khoản 1 Điều 37, điểm b khoản 1 Điều 36", "khoản 1 Điều 37, điểm b khoản 1 Điều 36"),
        ("điểm e khoản 1 Điều 36, khoản 3 Điều 36", "điểm e khoản 1, khoản 3 Điều 36"),
        ("Điều 21, Điều 22", "Điều 21, Điều 22"),
        ("khoản 1 Điều 48", "khoản 1 Điều 48"),
    ],
)
def test_places_in_one_article_are_cited_as_laws_do(article: str, reads: str) -> None:
    assert places(f"{article} (Luật, hiệu lực từ 01/01/2021)") == f"{reads} (Luật, hiệu lực từ 01/01/2021)"
    assert places("Tư liệu Báo Tây Ninh, VOV2") == "Tư liệu Báo Tây Ninh, VOV2"
