"""What must be true of messages, by the platform's own log: at most once, as the ledger says, in order, to nobody who left."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from content.calendar import LOCAL
from content.windows import is_daytime
from db.outbox import MAX_DOUBTFUL
from tests.people import spoken
from tests.simulation.cast import QUIET
from tests.simulation.platform import Said
from tests.simulation.world import World

KEPT = timedelta(days=30)
"""For how long the words of what was settled are (`outbox.tidy`)."""
HOLDS = ("announcing.paused", "announcing.cancelled", "announcing.stopped_all")
LETS_GO = ("announcing.resumed", "announcing.started_again")
BROADCAST = re.compile(r"\bTB-\d\d-\d{4}\b")
BULK = (
    "SELECT o.id, o.address, coalesce(json_extract(o.payload, '$.text'), json_extract(b.payload, '$.text')), o.state, "
    "o.claim, o.error, c.kind FROM outbox o JOIN broadcasts c ON c.id = o.broadcast_id LEFT JOIN bodies b ON b.id = o.body_id"
)


def deliveries(world: World) -> Iterator[str]:
    """Everything that is wrong with what was sent."""
    yield from _at_most_once(world)
    yield from _ledger(world)
    yield from _at_least_once(world)
    yield from _never_said(world)
    yield from _order(world)
    yield from _left(world)
    yield from _held(world)
    yield from _quiet_hours(world)


def _bulk_texts(world: World) -> dict[str, str]:
    """Text → kind of everything that was said to many."""
    return {text: kind for _, _, text, _, _, _, kind in world.disk.look(BULK) if text}


def _at_most_once(world: World) -> Iterator[str]:
    texts = _bulk_texts(world)
    got = Counter((said.chat, said.text) for said in world.platform.said if said.arrived and said.bulk)
    for chat, text in got:
        if text not in texts:
            yield f"{chat} got {text[:40]!r}, which no ledger knows"
    for (chat, text), times in got.items():
        if times > 1:
            yield f"{chat} got {text[:40]!r} {times} times"


def _ledger(world: World) -> Iterator[str]:
    """Sent means arrived, failed means not, unknown only where nobody could know."""
    by_line: dict[tuple[str, str], list[Said]] = {}
    for said in world.platform.said:
        if said.bulk:
            by_line.setdefault((str(said.chat), said.text), []).append(said)
    for number, address, text, state, claim, error, _ in world.disk.look(BULK):
        if not address:
            continue  # erased meanwhile
        tries = by_line.get((address, text), []) if text else []
        arrived = sum(said.arrived for said in tries)
        if text and state == "sent" and arrived != 1:
            yield f"row {number} to {address} is sent and arrived {arrived} times"
        if state == "failed" and not any(said.fault == "400" or said.refused for said in tries):
            yield f"row {number} to {address} failed for no reason ({error})"
        if text and state in ("failed", "cancelled", "expired") and arrived:
            yield f"row {number} to {address} is {state} and arrived"
        in_doubt = world.platform.doubted[int(address), text] or world.marks.get(claim) in world.killed
        if state == "unknown" and not in_doubt:
            yield f"row {number} to {address} is unknown for no reason ({error})"


def _at_least_once(world: World) -> Iterator[str]:
    """Replies and notices: what is marked sent was seen, and seen again only where something was in doubt."""
    rows: Counter[tuple[str, str]] = Counter()
    tried: Counter[tuple[str, str]] = Counter()
    for address, text, state in world.disk.look(
        "SELECT address, json_extract(payload, '$.text'), state FROM outbox "
        "WHERE broadcast_id IS NULL AND edits = '' AND address != '' AND payload LIKE '{%'"
    ):
        rows[address, text] += state == "sent"
        tried[address, text] += 1
    got: Counter[tuple[str, str]] = Counter()
    doubts: Counter[tuple[str, str]] = Counter()
    edited = set(world.disk.look("SELECT address, edits FROM outbox WHERE edits != ''"))
    known_since = dict(world.disk.look("SELECT address, created_at FROM accounts WHERE channel = 'telegram'"))
    forgotten: Counter[tuple[str, str]] = Counter()
    """Told to a chat that only looked, and was forgotten with all of it when the clock went on by a day; or so long ago that
    what was said is not kept any more."""
    kept = max((said.left for said in world.platform.said), default=world.clock.start) - KEPT
    for said in world.platform.said:
        if not said.edit and not said.bulk and (str(said.chat), str(said.message_id)) not in edited:
            got[str(said.chat), said.text] += said.arrived
            begun = known_since.get(str(said.chat), "")
            old = f"{said.left:%Y-%m-%d %H:%M:%S.%f}" < begun or said.left < kept
            forgotten[str(said.chat), said.text] += said.arrived and old
            doubts[str(said.chat), said.text] += said.life in world.killed
    doubts.update({(str(chat), text): times for (chat, text), times in world.platform.doubted.items()})
    for (address, text), times in rows.items():
        if got[address, text] < times:
            yield f"{times} rows to {address} are sent, {got[address, text]} arrived: {text[:40]!r}"
        if got[address, text] - forgotten[address, text] > tried[address, text] + doubts[address, text]:
            yield f"{address} was told {got[address, text]} times: {text[:40]!r}"


def _never_said(world: World) -> Iterator[str]:
    """Replies and notices end as sent, save what was refused, what stayed in doubt, what the next answer made pointless
    and what concerned somebody who is erased."""
    shown = dict(
        world.disk.look(
            "SELECT a.address, c.screen FROM conversations c JOIN accounts a ON a.id = c.account_id "
            "WHERE a.channel = 'telegram'"
        )
    )
    erased = any(intent.kind == "erase" for intent in world.crowd.intents)
    for number, address, text, state, slot, attempts, error in world.disk.look(
        "SELECT id, address, json_extract(payload, '$.text'), state, coalesce(slot, ''), attempts, error FROM outbox "
        "WHERE broadcast_id IS NULL AND policy = 'alo' AND state != 'sent'"
    ):
        tries = [said for said in world.platform.said if str(said.chat) == address and text in (None, said.text)]
        doubts = world.platform.doubted[int(address), text] + sum(said.life in world.killed for said in tries)
        quiet, _, screen = slot.rpartition("-")
        explained = (
            (state == "failed" and any(said.fault == "400" or said.refused for said in tries))
            or (state == "unknown" and attempts >= MAX_DOUBTFUL and (text is None or doubts >= MAX_DOUBTFUL))
            or (state == "cancelled" and quiet == "quiet" and int(screen) < shown.get(address, 0))
            or (state == "cancelled" and text is None and erased)
        )
        if not explained:
            yield f"row {number} to {address} is at least once and ended as {state} ({error}): {text and text[:40]!r}"


def _order(world: World) -> Iterator[str]:
    """Replies come in the order of what they answer; a clock that is set back may mix those around it, and that
    something went wrong is said before the answer that succeeds later."""
    if any(by < 0 for _, by in world.plan.jumps):
        return
    rows = world.disk.look(
        "SELECT address, id, provider_id FROM outbox WHERE lane = 0 AND state = 'sent' AND edits = '' "
        "AND (slot IS NULL OR slot LIKE 'screen-%') AND coalesce(dedup_key, '') NOT LIKE 'error:%' ORDER BY address, not_before, id"
    )
    last: dict[str, tuple[int, int]] = {}
    for address, number, provider_id in rows:
        before = last.get(address)
        if before is not None and int(provider_id) < before[1]:
            yield f"reply {number} reached {address} before reply {before[0]}"
        last[address] = number, int(provider_id)


def _left(world: World) -> Iterator[str]:
    """Nothing to many without a yes, or after "no more" was answered; nothing at all after "deleted" was."""
    if any(said.chat == QUIET and said.bulk and said.arrived for said in world.platform.said):
        yield f"{QUIET} never wanted news and got some"
    words = spoken()[0]
    last_words = {"opt-out": words.text("announcing.no_more"), "erase": words.text("profile.deleted")}
    for intent in world.crowd.intents:
        goodbye = last_words.get(intent.kind)
        heard = next(
            (
                said
                for said in world.platform.said
                if said.arrived and said.chat == intent.chat and said.text == goodbye
            ),
            None,
        )
        if heard is None:
            continue
        for said in world.platform.said:
            late_from_the_dead = said.life != heard.life and said.life in world.killed
            if said.chat != intent.chat or said.at <= heard.at or not said.arrived or late_from_the_dead:
                continue
            if said.bulk or (intent.kind == "erase" and said.text != goodbye):
                yield f"{said.chat} had said {intent.kind} and got {said.text[:60]!r}"


def _held(world: World) -> Iterator[str]:
    """After "paused", "cancelled" or "all stopped" was answered nothing of it leaves until it is let go."""
    moments = {said.message_id: said.at for said in world.platform.said if said.arrived and not said.edit}
    answers: list[tuple[float, str, str]] = []
    for key, text, state, provider in world.disk.look(
        "SELECT json_extract(payload, '$.key'), json_extract(payload, '$.text'), state, provider_id FROM outbox "
        "WHERE payload LIKE '{%'"
    ):
        heard = state == "sent"
        if (key in HOLDS and heard) or key in LETS_GO:  # let go it is also when the answer could not be delivered
            code = BROADCAST.search(text)
            at = moments.get(int(provider), 0.0) if heard else math.inf
            answers.append((at, key, code[0] if code else ""))
    codes = dict(world.disk.look("SELECT text, code FROM broadcasts"))
    for said in world.platform.said:
        code = codes.get(said.text)
        if not said.bulk or not said.arrived or code is None:
            continue
        told = [(at, key) for at, key, about in answers if about in ("", code)]
        before = max((each for each in told if each[0] < said.since), default=(0.0, ""))
        lifted = any(key in LETS_GO for at, key in told if at >= before[0])
        if before[1] in HOLDS and (before[1] == "announcing.cancelled" or not lifted):
            yield f"{said.chat} got a message of {code} after {before[1]}"


def _quiet_hours(world: World) -> Iterator[str]:
    """Nothing to many at night, save what two people found urgent."""
    texts = _bulk_texts(world)
    for said in world.platform.said:
        if not said.bulk or not said.arrived or texts.get(said.text) == "urgent":
            continue
        if not is_daytime(said.left) and not is_daytime(said.left - timedelta(seconds=1)):
            yield f"{said.chat} got {said.text[:40]!r} at {said.left.astimezone(LOCAL):%H:%M}"
