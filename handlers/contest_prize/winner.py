"""The winner's side of a prize: the phone, which is asked of nobody else, and that it has arrived."""

from __future__ import annotations

from content.phones import parse_phone
from content.text import clean, fold
from db import contests, policy
from db.contests.rounds import RUN
from db.errors import Conflict, NotFound
from db.models import Prize, PrizeState, Round
from handlers.contest_prize.flow import dialogue, named, said
from handlers.dialogue import END, Again, Answer, Command, Kind, Move
from handlers.talk import Talk


async def begin(talk: Talk, arg: str) -> Move | None:
    """The winner's answer: the phone is asked of nobody else."""
    prize, round_ = await named(talk, arg)
    if prize.person_id != talk.me.id:
        raise NotFound("common.not_found")
    if prize.state not in (PrizeState.WAITING, PrizeState.VERIFIED):
        await _stands(talk, prize, round_)
        return None
    return dialogue.go("phone", prize=prize.id)


async def _stands(talk: Talk, prize: Prize, round_: Round) -> None:
    talk.say(
        "contest_prize.stands",
        without=() if prize.state == PrizeState.SENT else ("received",),
        state=talk.words(f"contest_prize.state_{prize.state.value}"),
        reason=prize.reason,
        **await said(talk, prize, round_),
    )


@dialogue.question("phone", "contest_prize.phone", Kind.TEXT)
async def take_phone(talk: Talk, answer: Answer) -> Move | str:
    phone = parse_phone(clean(answer.text))
    if not phone:
        raise Again("contest_prize.phone_wrong")
    prize, round_ = await named(talk, str(talk.data["prize"]))
    try:
        await contests.give_phone(talk.session, prize, talk.me.id, phone, talk.now)
    except Conflict:
        await _stands(talk, prize, round_)
        return END
    talk.say("contest_prize.phone_done", **await said(talk, prize, round_))
    alike = [who for _, who in await contests.list_alike(talk.session, prize) if fold(who.name) == fold(talk.me.name)]
    contest = await contests.get_contest(talk.session, round_.contest_id)
    for officer in await policy.anyone(talk.session, contest.unit_id, RUN) if alike else ():
        await talk.tell(
            officer,
            "contest_prize.alike_notice",
            dedup=f"prize-alike:{prize.id}:{officer}",
            name=talk.me.name,
            tag=f"{round_.id}.{round_.version}",
            **await said(talk, prize, round_),
        )
    return END


async def received(talk: Talk, arg: str) -> Move | None:
    """The winner has it in hand."""
    prize, round_ = await named(talk, arg)
    try:
        await contests.receive(talk.session, prize, talk.me.id, talk.now)
    except Conflict:
        await _stands(talk, prize, round_)
        return None
    talk.say("contest_prize.received", **await said(talk, prize, round_))
    return None


COMMANDS = (Command("nhangiai", begin), Command("danhangiai", received))
