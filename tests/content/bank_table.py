"""The README's table of the law bank: what may be asked, what waits for a person, what it rests on.

python -m tests.content.bank_table          writes it
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from content.calendar import official
from content.law import load_law
from content.quiz import load_quiz

README = Path(__file__).parents[2] / "README.md"
BEGIN, END = "<!-- bank: python -m tests.content.bank_table -->\n", "<!-- /bank -->\n"


def table() -> str:
    """By topic: questions, those practised as "chưa thẩm định", those that wait, and the documents cited most first."""
    law = load_law()
    bank = load_quiz(law=law)
    facts = {fact.id: fact for fact in law.facts}
    rows = [
        "| Topic | Questions | Practised, marked as unreviewed | Wait for a person | Rests on |",
        "| --- | --- | --- | --- | --- |",
    ]
    total: Counter[str] = Counter()
    for topic in bank.topics:
        of_topic = [question for question in bank.questions if question.topic == topic]
        ready = sum(question.checked for question in of_topic)
        cited = Counter(law.documents[facts[question.fact].document].short for question in of_topic)
        total.update(questions=len(of_topic), ready=ready)
        names = ", ".join(name for name, _ in cited.most_common(4)) + (" …" if len(cited) > 4 else "")
        rows.append(
            f"| {bank.title(topic)} (`{topic}`) | {len(of_topic)} | {ready} | {len(of_topic) - ready} | {names} |"
        )
    number, ready = total["questions"], total["ready"]
    asked = {facts[question.fact].document for question in bank.questions}
    laws = sum(law.documents[key].kind == "law" for key in asked)
    rows.append(
        f"| **Together** | **{number}** | **{ready}** | **{number - ready}** | {len(law.facts)} facts of {laws} laws, decrees and the like |"
    )
    ends = [f"{fact.id} on {official(fact.valid_to)}" for fact in law.facts if fact.valid_to is not None]
    return "\n".join(rows) + f"\n\nFacts whose end is known: {', '.join(ends) or 'none'}.\n"


def written(text: str) -> str:
    """The README with the table as it should be."""
    head, _, rest = text.partition(BEGIN)
    return head + BEGIN + table() + END + rest.partition(END)[2]


if __name__ == "__main__":
    README.write_text(written(README.read_text(encoding="utf-8")), encoding="utf-8")
