"""What came of it: several kinds of result, each with its number or its words; money is read back before it counts."""

from __future__ import annotations

from content.message import Message
from content.money import parse_money
from handlers.dialogue import Again, Answer, Kind, Move
from handlers.report.flow import ask, dialogue, onward, short
from handlers.talk import Talk

HUGE = 10_000_000_000
"""Above this many VND an amount is asked about twice."""
KINDS = ("money", "time", "errors", "safety", "other", "none")


def given(talk: Talk) -> dict[str, object]:
    """The results so far by kind: an amount in VND for money, words for the others."""
    found: dict[str, object] = talk.data.get("results", {})
    return found


def lines(talk: Talk) -> list[str]:
    """The results given so far, in the order of the list."""
    results = given(talk)
    shown = []
    for kind in KINDS:
        if kind in results:
            label = talk.words(f"report.result_{kind}")
            told = talk.words("report.a_year", amount=results[kind]) if kind == "money" else results[kind]
            shown.append(f"{label}: {told}" if told else label)
    return shown


@dialogue.ask("result")
async def ask_result(talk: Talk) -> Message:
    return ask(talk, "result", without=["none"] if given(talk) else ["next"], lines=lines(talk))


@dialogue.take("result")
async def take_result(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "next":
        return onward(talk, "result")
    if answer.choice == "none":
        talk.put(results={"none": ""})
        return onward(talk, "result")
    talk.put(kind=answer.choice)
    return "money" if answer.choice == "money" else "detail"


def _settle(talk: Talk, kind: str, value: object) -> str:
    """Adds, replaces or, with None, takes away one kind of result."""
    results = {k: v for k, v in given(talk).items() if k not in ("none", kind)}
    talk.put(results=results if value is None else results | {kind: value})
    return "result"


def _removable(talk: Talk, kind: str) -> list[str]:
    return [] if kind in given(talk) else ["remove"]


@dialogue.ask("money", Kind.NUMBER)
async def ask_money(talk: Talk) -> Message:
    return talk.screen("report.money", without=_removable(talk, "money"))


@dialogue.take("money")
async def take_money(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "remove":
        return _settle(talk, "money", None)
    amount = parse_money(answer.text)
    if amount is None or amount <= 0:
        raise Again("report.money_unclear")
    talk.put(amount=amount)
    return "money_ok"


@dialogue.ask("money_ok")
async def ask_money_ok(talk: Talk) -> Message:
    return talk.screen("report.money_ok", amount=talk.data["amount"])


@dialogue.take("money_ok")
async def take_money_ok(talk: Talk, answer: Answer) -> Move | str:
    if answer.choice == "no":
        return "money"
    amount = talk.data["amount"]
    return "money_sure" if amount > HUGE else _settle(talk, "money", amount)


@dialogue.ask("money_sure")
async def ask_money_sure(talk: Talk) -> Message:
    return talk.screen("report.money_sure", amount=talk.data["amount"])


@dialogue.take("money_sure")
async def take_money_sure(talk: Talk, answer: Answer) -> Move | str:
    return "money" if answer.choice == "no" else _settle(talk, "money", talk.data["amount"])


@dialogue.ask("detail", Kind.TEXT)
async def ask_detail(talk: Talk) -> Message:
    kind = talk.data["kind"]
    return talk.screen(
        "report.detail", without=_removable(talk, kind), kind=kind, what=talk.words(f"report.result_{kind}")
    )


@dialogue.take("detail")
async def take_detail(talk: Talk, answer: Answer) -> Move | str:
    kind = talk.data["kind"]
    if answer.choice == "remove":
        return _settle(talk, kind, None)
    return _settle(talk, kind, short(answer.text, "detail_length", 3, 300))
