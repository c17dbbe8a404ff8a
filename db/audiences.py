"""Who a broadcast is for: one rule over units, groups and sectors, counted, frozen and planned by the same expressions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, String, case, cast, exists, func, insert, literal, or_, select

from db.caps import GOT, full
from db.models import (
    Account,
    Audience,
    Broadcast,
    BroadcastTarget,
    Grant,
    Level,
    Membership,
    OutboxRow,
    Person,
    Reach,
    TargetState,
    Unit,
    UnitPath,
)
from db.people import HOURS
from db.session import Session


@dataclass(frozen=True, slots=True)
class Rule:
    """The audience inside a unit: all of it, or only the `branches` chosen there.

    Each with everything below it (`whole`) or its own people alone. Groups, sector, `membership` ("member", "other") and
    `officers` narrow it; empty means all. `confirmed` leaves out people nobody has confirmed yet. With `corrects` it is
    exactly the people who have, or may have, that broadcast, and nothing else counts.
    """

    unit_id: int
    whole: bool = True
    groups: tuple[str, ...] = ()
    sector: str = ""
    officers: bool = False
    confirmed: bool = False
    branches: tuple[int, ...] = ()
    membership: str = ""
    corrects: int = 0

    @property
    def units(self) -> tuple[int, ...]:
        """The units chosen."""
        return self.branches or (self.unit_id,)

    def to_json(self) -> dict[str, Any]:
        """The form kept on a broadcast."""
        return {
            "unit": self.unit_id, "whole": self.whole, "groups": list(self.groups), "sector": self.sector,
            "officers": self.officers, "confirmed": self.confirmed, "branches": list(self.branches),
            "membership": self.membership, "corrects": self.corrects,
        }  # fmt: skip


def from_json(data: dict[str, Any]) -> Rule:
    """The inverse of `Rule.to_json`."""
    return Rule(
        data["unit"], data["whole"], tuple(data["groups"]), data["sector"], data["officers"], data["confirmed"],
        tuple(data["branches"]), data["membership"], data["corrects"],
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tally:
    """How many people an audience holds by the reason why they get nothing ("" = they get it), and of how many units."""

    reasons: dict[str, int]
    units: int

    @property
    def reached(self) -> int:
        """How many will get it."""
        return self.reasons.get("", 0)


def _within(rule: Rule) -> list[ColumnElement[bool]]:
    """The conditions on a person that make the audience."""
    if rule.corrects:
        had = select(OutboxRow.person_id).where(OutboxRow.broadcast_id == rule.corrects, OutboxRow.state.in_(GOT))
        return [Person.erased_at.is_(None), Person.id.in_(had)]
    found: list[ColumnElement[bool]] = [Person.erased_at.is_(None), Person.audience.is_not(None)]
    if rule.whole:
        below = select(UnitPath.descendant_id).where(UnitPath.ancestor_id.in_(rule.units))
        found.append(Person.unit_id.in_(below))
    else:
        found.append(Person.unit_id.in_(rule.units))
    if rule.groups:
        found.append(Person.audience.in_([Audience(group) for group in rule.groups]))
    if rule.sector:
        above = (
            select(UnitPath.descendant_id).join(Unit, Unit.id == UnitPath.ancestor_id).where(Unit.sector == rule.sector)
        )
        found.append(Person.unit_id.in_(above))
    if rule.membership:
        member = Person.membership == Membership.YES
        found.append(member if rule.membership == "member" else ~member)
    if rule.officers:
        held = select(Grant.person_id).where(Grant.revoked_at.is_(None), Grant.confirmed_at.is_not(None))
        found.append(Person.id.in_(held))
    return found


def wants_none(topic: str) -> ColumnElement[bool]:
    """Whether a person switched off messages of this kind, or all."""
    return or_(Person.news.is_(False), cast(Person.muted_topics, String).contains(f'"{topic}"'))


def why_not(
    rule: Rule,
    kind: str,
    topic: str,
    today: datetime,
    *,
    exempt: bool = False,
    moved: ColumnElement[bool] | None = None,
) -> ColumnElement[str]:
    """Why a person gets nothing of a broadcast of this kind, in SQL: "" = they get it.

    `today` is when the day begins whose caps count; `exempt` lifts them. `moved` says whether they have left its reach.
    """
    reachable = exists().where(Account.person_id == Person.id, Account.reach == Reach.OK)
    whens: list[tuple[ColumnElement[bool], str]] = [(Person.processing.is_(False), "withdrawn")]
    if rule.confirmed and not rule.corrects:
        whens.append((Person.confirmed.is_(False), "unconfirmed"))
    whens += [(wants_none(topic), "muted"), (~reachable, "blocked")]
    if not exempt and kind not in ("urgent", "correction"):
        whens.append((full(today, kind), "capped"))
    if moved is not None:
        whens.append((moved, "moved"))
    return case(*((when, literal(reason)) for when, reason in whens), else_=literal(""))


async def count(session: Session, rule: Rule, kind: str, topic: str, today: datetime) -> Tally:
    """Everybody in an audience by reason: the officer's live count. `today` is when the day begins."""
    reason = why_not(rule, kind, topic, today)
    people = select(reason.label("reason"), Person.unit_id.label("unit")).where(*_within(rule)).subquery()
    found = await session.execute(
        select(people.c.reason, func.count(), func.count(people.c.unit.distinct())).group_by(people.c.reason)
    )
    rows = [(str(name), int(number), int(units)) for name, number, units in found]
    return Tally({name: number for name, number, _ in rows}, next((units for name, _, units in rows if name == ""), 0))


async def freeze(session: Session, broadcast: Broadcast) -> None:
    """Writes down whom a broadcast is for at the moment it is confirmed: who joins later is not among them (F27)."""
    await _freeze(session, broadcast)


async def freeze_newcomers(session: Session, broadcast: Broadcast, hours: Sequence[str]) -> bool:
    """Adds those with some hours who have come into the audience since. Returns whether there were any."""
    known = exists().where(BroadcastTarget.broadcast_id == broadcast.id, BroadcastTarget.person_id == Person.id)
    fresh = (HOURS.in_(hours), ~known)
    found = select(Person.id).where(*_within(from_json(broadcast.audience)), *fresh).limit(1)
    if (await session.execute(found)).first() is None:
        return False
    await _freeze(session, broadcast, *fresh)
    return True


async def _freeze(session: Session, broadcast: Broadcast, *conditions: ColumnElement[bool]) -> None:
    chosen = select(
        literal(broadcast.id), Person.id, Person.unit_id, literal(TargetState.FROZEN.value), literal("")
    ).where(*_within(from_json(broadcast.audience)), *conditions)
    target = insert(BroadcastTarget).from_select(["broadcast_id", "person_id", "unit_id", "state", "reason"], chosen)
    await session.ask(target, long=True)


async def common_top(session: Session, unit_ids: Sequence[int]) -> int | None:
    """The lowest unit that has all of some units below it, or is the only one of them."""
    query = (
        select(UnitPath.ancestor_id)
        .where(UnitPath.descendant_id.in_(unit_ids))
        .group_by(UnitPath.ancestor_id)
        .having(func.count() == len(set(unit_ids)))
        .order_by(func.sum(UnitPath.depth))
        .limit(1)
    )
    return (await session.execute(query)).scalar()


async def sectors(session: Session, rule: Rule) -> list[str]:
    """The sectors of the units chosen and below."""
    query = (
        select(Unit.sector)
        .join(UnitPath, UnitPath.descendant_id == Unit.id)
        .where(UnitPath.ancestor_id.in_(rule.units), Unit.sector != "")
        .distinct()
        .order_by(Unit.sector)
    )
    return list((await session.execute(query)).scalars())


async def is_province_wide(session: Session, rule: Rule) -> bool:
    """Whether the audience is the whole federation."""
    query = select(Unit.id).where(Unit.id.in_(rule.units), or_(Unit.parent_id.is_(None), Unit.level == Level.PROVINCE))
    return rule.whole and (await session.execute(query.limit(1))).first() is not None
