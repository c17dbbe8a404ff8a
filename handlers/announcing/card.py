"""One message as it stands: its state, who did what last, its figures, and the buttons that still make sense."""

from __future__ import annotations

from content.calendar import LOCAL
from content.message import Choice, Message
from content.text import whole_number
from db import broadcasts, policy
from db.errors import NotFound
from db.models import Broadcast, BroadcastState, OutState
from db.policy import Action
from handlers.dialogue import Answer, Command, Dialogue, Move
from handlers.paging import page, turn
from handlers.talk import Talk

dialogue = Dialogue("steering", officers=True)
PAGE = 5
LINE = 50

CONTROLS: dict[BroadcastState, tuple[str, ...]] = {
    BroadcastState.WAITING: ("stop",),
    BroadcastState.SCHEDULED: ("stop",),
    BroadcastState.PLANNING: ("pause", "stop"),
    BroadcastState.SENDING: ("pause", "stop"),
    BroadcastState.PAUSED: ("go", "stop"),
    BroadcastState.HELD: ("go", "stop"),
}
APPROVAL = ("approve", "back", "refuse")
REACHED = (OutState.SENT, OutState.UNKNOWN, OutState.SENDING)
"""Who got it, or may have."""


def split(arg: str) -> tuple[str, int]:
    """Code and version of a button's argument; a missing version fits none."""
    code, _, version = arg.strip().upper().partition(".")
    return code, whole_number(version) or 0


async def visible(talk: Talk, arg: str) -> Broadcast:
    """A broadcast one may know of: one's own, or within one's right to send or to approve. Raises NotFound."""
    code, _ = split(arg)
    broadcast = await broadcasts.find(talk.session, code)
    if broadcast.author_id == talk.me.id:
        return broadcast
    return await broadcasts.get_for(talk.session, talk.me.id, code, Action.BROADCAST, Action.APPROVE_BROADCAST)


async def show(talk: Talk, arg: str) -> Move | None:
    await say(talk, await visible(talk, arg))
    return None


async def in_reach(talk: Talk, code: str) -> bool:
    """Whether a receipt code is of a broadcast that this person may know of."""
    try:
        await visible(talk, code)
    except NotFound:
        return False
    return True


async def too_late(talk: Talk, broadcast: Broadcast, typed: str = "") -> None:
    """Somebody, or the clock, was faster, or it is an old button: says what happened meanwhile, and shows back what was typed."""
    await say(talk, broadcast, late=True, typed=typed)


async def say(talk: Talk, broadcast: Broadcast, *, late: bool = False, typed: str = "") -> None:
    """The card of a broadcast."""
    counts = await broadcasts.figures(talk.session, broadcast.id)
    event = await broadcasts.last_event(talk.session, broadcast.code)
    other = event is not None and event.actor_id not in (None, talk.me.id)
    action = event.action if event else "broadcast"
    if action == "broadcast" and broadcast.kind == broadcasts.AUTOMATIC:
        action = "automatic"
    missed = counts["targets"] - counts[OutState.SENT.value]
    talk.say(
        "announcing.card",
        only=await _controls(talk, broadcast, counts, missed),
        late=("other" if other else "old") if late else "",
        code=broadcast.code,
        version=broadcast.version,
        state=state_words(talk, broadcast, stopped=await broadcasts.stopped(talk.session)),
        who=(event.who if event else "") or talk.words("announcing.system"),
        did=talk.words(f"announcing.did_{action}"),
        at=event.at if event else broadcast.created_at,
        text=first_line(broadcast),
        time=talk.words(f"announcing.time_{broadcast.timing}", at=broadcast.send_at.astimezone(LOCAL)),
        before=broadcast.state in (BroadcastState.WAITING, BroadcastState.SCHEDULED),
        targets=sum(counts[state.value] for state in OutState),
        sent=counts[OutState.SENT.value],
        failed=counts[OutState.FAILED.value],
        unknown=counts[OutState.UNKNOWN.value],
        left=counts[OutState.READY.value] + counts[OutState.HELD.value] + counts[OutState.SENDING.value],
        typed=typed,
    )


async def _controls(talk: Talk, broadcast: Broadcast, counts: dict[str, int], missed: int) -> list[str]:
    """The buttons this person may press as things stand."""
    session, me, state = talk.session, talk.me.id, broadcast.state
    found: list[str] = []
    if await broadcasts.may_steer(session, broadcast, me):
        found += CONTROLS.get(state, ())
    if state == BroadcastState.HELD and not await policy.may(
        session, broadcast.author_id or 0, Action.BROADCAST, broadcast.unit_id
    ):
        found = [name for name in found if name != "go"]
        found += ["take"] if await policy.may(session, me, Action.BROADCAST, broadcast.unit_id) else []
    may_approve = await policy.may(session, me, Action.APPROVE_BROADCAST, broadcast.unit_id)
    if state == BroadcastState.WAITING and broadcast.author_id != me and may_approve:
        found = list(APPROVAL)
    if may_rewrite(broadcast, me, reached := sum(counts[state.value] for state in REACHED)):
        found.append("rewrite")
    if state in (BroadcastState.DONE, BroadcastState.CANCELLED):
        found += ["excel"] if missed else []
        found += ["correct"] if reached else []
        found += ["again"] if counts[OutState.UNKNOWN.value] and state == BroadcastState.DONE else []
    return found


def may_rewrite(broadcast: Broadcast, person_id: int, reached: int) -> bool:
    """Whether its author may compose it anew: it came back, or was stopped before anybody had it, perhaps by a slip."""
    stopped = broadcast.state == BroadcastState.CANCELLED and not reached
    return broadcast.author_id == person_id and (broadcast.state == BroadcastState.RETURNED or stopped)


def state_words(talk: Talk, broadcast: Broadcast, *, stopped: bool) -> str:
    """The state as a person sees it: the emergency stop and the minute before sending begins are no states of a row."""
    if stopped and broadcast.state in (BroadcastState.SCHEDULED, BroadcastState.PLANNING, BroadcastState.SENDING):
        return talk.words("announcing.state_stopped")
    if broadcast.state == BroadcastState.SCHEDULED and broadcast.send_at <= talk.now:
        return talk.words("announcing.state_starting")
    return talk.words(f"announcing.state_{broadcast.state.value}")


def first_line(broadcast: Broadcast) -> str:
    """What a list shows of a text."""
    line = next(iter(broadcast.text.splitlines()), "")
    return line if len(line) <= LINE else line[: LINE - 1] + "…"


async def show_mine(talk: Talk, arg: str) -> Move | None:
    """What this person has sent, newest first; each opens by its number."""
    return dialogue.go("mine", start=0)


@dialogue.ask("mine")
async def ask_mine(talk: Talk) -> Message:
    found = await broadcasts.list_by(talk.session, talk.me.id)
    shown, without = page(talk, found, PAGE)
    stopped = await broadcasts.stopped(talk.session)
    lines = [f"{b.code} – {state_words(talk, b, stopped=stopped)}: {first_line(b)}" for b in shown]
    choices = [Choice(str(n), command="xemtin", arg=b.code) for n, b in enumerate(shown, 1)]
    return talk.screen("announcing.mine", *choices, without=without, lines=lines)


@dialogue.take("mine")
async def take_mine(talk: Talk, answer: Answer) -> Move | str:
    return turn(talk)


COMMANDS = (Command("xemtin", show, opens=in_reach), Command("tincua", show_mine))
