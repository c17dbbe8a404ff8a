"""What must be true whatever happened: every update once, no report lost or doubled, one decision each, all of it final."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from content.windows import is_daytime
from db import audit
from tests.simulation.cast import CHAIRS, NEWCOMERS, OFFICERS, QUIET, WORKERS
from tests.simulation.deliveries import deliveries
from tests.simulation.world import World

DECISIONS = ("claimed", "returned", "asked", "verified", "not_selected")
MOVES = (*DECISIONS, "supplemented", "lapsed", "closed")
DECIDED = -1
FORGETS = timedelta(days=30)
DAY = 86400.0
"""A clock that jumps so far forgets the keys of handled updates (promises §1.4)."""


def judge(world: World) -> list[str]:
    """Everything that is wrong with how a schedule ended."""
    found = [*world.wrong, *_sound(world), *_bound(world), *_updates(world), *_reports(world), *_joins(world)]
    return [*found, *_decisions(world), *_announced(world), *_broadcasts(world), *deliveries(world)]


def _sound(world: World) -> Iterator[str]:
    if world.disk.look("PRAGMA integrity_check") != [("ok",)] or world.disk.look("PRAGMA foreign_key_check"):
        yield "the database is damaged"


def _bound(world: World) -> Iterator[str]:
    """The audit is one chain without gaps, wherever the process died and whatever was rolled back."""
    before = ""
    rows = world.disk.look("SELECT id, at, actor_id, action, object, unit_id, detail, hash FROM audit ORDER BY id")
    for place, (number, at, *said, detail, kept) in enumerate(rows, 1):
        moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
        before = audit.digest(before, (place, moment, *said, json.loads(detail)))
        if number != place or kept != before:
            yield f"row {number} of the audit is not bound to the one before"
            return


def _updates(world: World) -> Iterator[str]:
    """Every acknowledged update is stored and handled, once."""
    rows = world.disk.look("SELECT ext_id, state FROM inbox")
    forgotten = any(by >= FORGETS.total_seconds() for _, by in world.plan.jumps)
    stored = Counter(ext_id for ext_id, _ in rows)
    for update_id in world.platform.state.confirmed:
        if stored[str(update_id)] != 1 and not (forgotten and not stored[str(update_id)]):
            yield f"update {update_id} was acknowledged and is stored {stored[str(update_id)]} times"
    for ext_id, state in rows:
        if state != "done":
            yield f"update {ext_id} ended as {state}"


def _reports(world: World) -> Iterator[str]:
    """Each report that was typed is there once, with its words in order."""
    meant = {intent.text: intent for intent in world.crowd.intents if intent.kind == "report"}
    stories: dict[str, list[str]] = {text: [] for text in meant}
    for title, story in world.disk.look("SELECT title, story FROM submissions WHERE title != ''"):
        if title not in stories:
            yield f"a report nobody sent: {title}"
        else:
            stories[title].append(json.loads(story).get("what", ""))
    for text, found in stories.items():
        if found != ["\n".join(meant[text].parts)]:
            yield f"report {text!r} is there {len(found)} times, as {found}"
    for intent in world.crowd.intents:
        if intent.kind == "supplement":
            pattern = f"%{intent.text}%"
            times = world.disk.look("SELECT count(*) FROM submission_events WHERE text LIKE ?", pattern)[0][0]
            if times > 1:
                yield f"supplement {intent.text!r} is there {times} times"


def _joins(world: World) -> Iterator[str]:
    strangers = 0
    for intent in world.crowd.intents:
        if intent.kind == "join":
            found = world.disk.look(
                "SELECT p.audience, p.unit_id IS NOT NULL, (SELECT count(*) FROM consents c WHERE c.person_id = p.id) "
                "FROM persons p JOIN accounts a ON a.person_id = p.id WHERE a.address = ?", str(intent.chat),
            )  # fmt: skip
            # Who looks in and has not joined is forgotten after a day: a clock set ahead meanwhile makes a stranger of them.
            forgotten = any(at > intent.at and by >= DAY for at, by in world.plan.jumps)
            if found == [] and forgotten:
                strangers += 1
            elif found != [("enterprise", 1, 2)]:
                yield f"{intent.chat} joined as {found}"
    people = world.disk.look("SELECT count(*) FROM persons")[0][0]
    known = 14 - len(NEWCOMERS) + sum(intent.kind == "join" for intent in world.crowd.intents) + len(NEWCOMERS)
    if people != known - strangers:
        yield f"there are {people} people, not {known - strangers}"


def _decisions(world: World) -> Iterator[str]:
    """One decision per version, with one audit row, and its author told of it once, and of a word to them."""
    erased = {row[0] for row in world.disk.look("SELECT id FROM persons WHERE erased_at IS NOT NULL")}
    for number, code, version, author in world.disk.look("SELECT id, code, version, author_id FROM submissions"):
        if author in erased:
            continue
        history = world.disk.look(
            "SELECT action, at, actor_id FROM submission_events WHERE submission_id = ? ORDER BY id", number
        )
        events = Counter(action for action, _, _ in history)
        # Who decides on what nobody holds takes it on in the same move; two moves may fall on the same instant.
        moves = [(at, actor) for action, at, actor in history if action in MOVES]
        if not len(set(moves)) <= version - 1 <= len(moves):
            yield f"{code} is at version {version} after {dict(events)}"
        yield from (f"{code}: {wrong}" for wrong in _illegal(history))
        audits = Counter(
            action for (action,) in world.disk.look("SELECT action FROM audit WHERE object = ?", f"submission {code}")
        )
        if any(events[action] != audits[action] for action in DECISIONS):
            yield f"{code}: events {dict(events)}, audit {dict(audits)}"
        if events["verified"] + events["not_selected"] > 1:
            yield f"{code} was decided twice"
        told = world.disk.look("SELECT count(*) FROM outbox WHERE kind = 'result' AND person_id = ?", author)[0][0]
        if told != events["asked"] + events["verified"] + events["not_selected"] + events["contacted"]:
            yield f"{code}: its author was told {told} times of {dict(events)}"


def _illegal(history: list[tuple[str, str, int]]) -> Iterator[str]:
    """Steps that nobody may take as things stand: claiming what is held, deciding on what somebody else holds."""
    holder = 0
    loose = False  # after a supplement it is held as before, or by nobody when the claim had run out
    for action, _, actor in history:
        if action == "claimed":
            if holder and not loose:
                yield f"claimed by {actor} while {holder} held it"
            holder = actor
        elif action in ("asked", "verified", "not_selected", "returned"):
            if holder != actor:
                yield f"{action} by {actor} while {holder} held it"
            holder = 0 if action == "returned" else holder if action == "asked" else DECIDED
        elif action in ("lapsed", "closed"):
            holder = 0
        loose = action == "supplemented"


def _announced(world: World) -> Iterator[str]:
    """What an officer confirmed is one broadcast; what the clock starts is one for each day, year and variant."""
    for intent in world.crowd.intents:
        if intent.kind == "broadcast":
            times = world.disk.look("SELECT count(*) FROM broadcasts WHERE text = ?", intent.text)[0][0]
            least = 1 if intent.chat in OFFICERS and is_daytime(world.clock.start) and not world.plan.jumps else 0
            if not least <= times <= 1:
                yield f"broadcast {intent.text!r} is there {times} times"
    for key, times in world.disk.look(
        "SELECT text, count(*) FROM broadcasts WHERE kind = 'automatic' GROUP BY text HAVING count(*) > 1"
    ):
        yield f"an anniversary is there {times} times: {key[:60]}"


def _broadcasts(world: World) -> Iterator[str]:
    """Everybody is a target once, and the figures of a broadcast add up."""
    gone = {intent.chat for intent in world.crowd.intents if intent.kind == "erase"}
    home = {*WORKERS, QUIET, *CHAIRS} - gone
    for number, code, state in world.disk.look("SELECT id, code, state FROM broadcasts"):
        if state not in ("done", "cancelled", "waiting", "scheduled"):
            yield f"{code} ended as {state}"
        targets = world.disk.look(
            "SELECT t.person_id, t.state, o.state FROM broadcast_targets t LEFT JOIN outbox o ON o.id = t.outbox_id "
            "WHERE t.broadcast_id = ?", number,
        )  # fmt: skip
        people = [person for person, _, _ in targets]
        if len(set(people)) != len(people):
            yield f"{code} has somebody as a target twice"
        rows = world.disk.look("SELECT person_id FROM outbox WHERE broadcast_id = ?", number)
        planned = [person for person, target, out in targets if target == "planned" or out == "cancelled"]
        if sorted(planned) != sorted(person for (person,) in rows):
            yield f"{code} has {len(planned)} planned targets and {len(rows)} messages"
        if any(target == "skipped" and out not in (None, "cancelled") for _, target, out in targets):
            yield f"{code} reached somebody for whom it had given way"
        if any(target == "planned" and out is None for _, target, out in targets):
            yield f"{code} has a target without its message"
        if state == "done" and any(target == "frozen" for _, target, _ in targets):
            yield f"{code} is done and was not planned to the end"
        if state == "done":
            found = world.disk.look(
                "SELECT a.address FROM broadcast_targets t JOIN accounts a ON a.person_id = t.person_id "
                "WHERE t.broadcast_id = ?", number,
            )  # fmt: skip
            missed = home - {int(address) for (address,) in found}
            if missed:
                yield f"{code} passed over {sorted(missed)}"
