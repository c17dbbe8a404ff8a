"""Contests and their rounds: what may be set, and when each opens and closes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, or_, select, update
from sqlalchemy.orm import aliased

from db import audit, policy
from db.contests.reminders import give_back_wishes, take_wishes
from db.errors import Conflict, NotFound, Refused
from db.models import Contest, Downtime, Entry, EntryState, Making, Round, RoundState, Unit, UnitPath
from db.policy import Action
from db.prepared import Prepared
from db.session import Session

KEPT = or_(Round.state != RoundState.CANCELLED, Round.reason != "")
"""Not a draft that was thrown away: the week after it takes its number, and people never heard of it."""
RUN, APPROVE = Action.RUN_CONTESTS, Action.APPROVE_CONTESTS


@dataclass(frozen=True, slots=True)
class Settings:
    """All that may be set of a round (2-contests §2.2); the defaults are the usual rulebook's.

    `quota` is topic → questions, `minutes` the time for a paper, `ranking` the criteria after right answers. `prizes`
    hold {"key", "name", "count", "worth"}, best first; `collective` {"key": "number" or "ratio", "name", "worth", "level"}.
    """

    theme: str
    opens_at: datetime
    closes_at: datetime
    result_at: datetime
    quota: Mapping[str, int]
    complaint_days: int = 3
    minutes: int = 10
    attempts: int = 2
    prediction: bool = True
    ranking: Sequence[str] = ("prediction", "time", "submitted", "lots")
    prizes: Sequence[Mapping[str, Any]] = ()
    collective: Sequence[Mapping[str, Any]] = ()
    levels: Sequence[str] = ("grassroots",)
    bands: Sequence[int] = (0, 50, 200, 500)
    groups: Sequence[str] = ()
    pilot: bool = False

    def values(self) -> dict[str, Any]:
        """As columns."""
        found = asdict(self)
        for name in ("quota", "ranking", "prizes", "collective", "levels", "bands", "groups"):
            found[name] = dict(found[name]) if name == "quota" else list(found[name])
        return found

    def valid(self) -> bool:
        """Whether a round can be held like this."""
        return (
            self.opens_at < self.closes_at <= self.result_at
            and bool(self.quota)
            and all(number > 0 for number in self.quota.values())
            and self.minutes > 0
            and self.attempts > 0
            and self.complaint_days > 0
        )


async def create_contest(
    session: Session,
    unit_id: int,
    name: str,
    actor_id: int,
    now: datetime,
    *,
    legal_basis: str = "",
    organiser: str = "",
    one_prize: bool = True,
) -> Contest:
    """A contest for a unit and those below it. Raises Refused."""
    await _may(session, actor_id, RUN, unit_id)
    row = Contest(
        name=name, legal_basis=legal_basis, organiser=organiser, unit_id=unit_id, one_prize=one_prize,
        created_by=actor_id or None, created_at=now,
    )  # fmt: skip
    session.add(row)
    await session.flush()
    audit.note(session, actor_id, "create_contest", f"contest {row.id}", now, unit_id)
    return row


async def create_round(session: Session, contest: Contest, settings: Settings, actor_id: int, now: datetime) -> Round:
    """The contest's next round, a draft until somebody else approves it. Raises Refused, Conflict."""
    await _may(session, actor_id, RUN, contest.unit_id)
    _check(settings)
    last = select(Round.number).where(Round.contest_id == contest.id, KEPT).order_by(Round.number.desc()).limit(1)
    number = ((await session.execute(last)).scalar() or 0) + 1
    row = Round(
        contest_id=contest.id, number=number, created_by=actor_id or None, created_at=now, **settings.values()
    )  # fmt: skip
    session.add(row)
    await session.flush()
    audit.note(session, actor_id, "create_round", f"round {row.id}", now, contest.unit_id)
    return row


async def change(
    session: Session, round_: Round, version: int, settings: Settings, actor_id: int, now: datetime
) -> None:
    """New settings for a draft. Raises Refused, and Conflict when it is none any more or somebody changed it."""
    contest = await get_contest(session, round_.contest_id)
    await _may(session, actor_id, RUN, contest.unit_id)
    _check(settings)
    await _step(session, round_, version, RoundState.DRAFT, settings.values() | {"asked_at": None})
    audit.note(session, actor_id, "change_round", f"round {round_.id}", now, contest.unit_id)


async def is_draft(session: Session, contest_id: int) -> bool:
    """Whether nothing of a contest was approved yet."""
    approved = select(Round.id).where(
        Round.contest_id == contest_id, Round.state.not_in((RoundState.DRAFT, RoundState.CANCELLED))
    )
    return (await session.execute(approved.limit(1))).first() is None


async def change_contest(
    session: Session, contest: Contest, version: int, values: Mapping[str, Any], actor_id: int, now: datetime
) -> None:
    """Another name, organiser, legal basis or rule of prizes. Raises Refused, and Conflict once a round was approved or
    somebody changed it.

    Rounds that wait for their approval do so anew: a leader's button lets nothing be held that they have not read.
    """
    await _may(session, actor_id, RUN, contest.unit_id)
    if not await is_draft(session, contest.id):
        raise Conflict("common.already")
    changed = {name: value for name, value in values.items() if getattr(contest, name) != value}
    if not changed:
        return
    done = await session.execute(
        update(Contest)
        .where(Contest.id == contest.id, Contest.version == version)
        .values(version=version + 1, **changed)
        .returning(Contest.id)
    )
    if done.scalar() is None:
        raise Conflict("common.already")
    await session.refresh(contest)
    asked = Round.contest_id == contest.id, Round.state == RoundState.DRAFT, Round.asked_at.is_not(None)
    await session.execute(update(Round).where(*asked).values(version=Round.version + 1))
    audit.note(session, actor_id, "change_contest", f"contest {contest.id}", now, contest.unit_id)


async def approve(session: Session, round_: Round, version: int, actor_id: int, now: datetime) -> None:
    """Lets a round be held; who waits for the next one is reminded of it. Raises Refused, also for who made it, and Conflict."""
    contest = await get_contest(session, round_.contest_id)
    await _may(session, actor_id, APPROVE, contest.unit_id)
    if actor_id and actor_id == round_.created_by:
        raise Refused("common.refused")
    values = {"state": RoundState.READY, "approved_by": actor_id or None}
    await _step(session, round_, version, RoundState.DRAFT, values)
    await take_wishes(session, round_, contest.unit_id)
    audit.note(session, actor_id, "approve_round", f"round {round_.id}", now, contest.unit_id)


async def check_cancel(session: Session, round_: Round, actor_id: int) -> None:
    """Who may call a round off: who approves it, of a draft who may write one too. Raises Refused."""
    contest = await get_contest(session, round_.contest_id)
    if round_.state == RoundState.DRAFT and await policy.may(session, actor_id, RUN, contest.unit_id):
        return
    await policy.check(session, actor_id, APPROVE, contest.unit_id)


async def cancel(
    session: Session, round_: Round, version: int, actor_id: int, now: datetime, *, reason: str = ""
) -> None:
    """A round that is not held, or not counted; a draft is dropped by who may write one. Papers that run are given back:
    nobody is promised a result.

    Raises Refused, and Conflict once its result is published.
    """
    contest = await get_contest(session, round_.contest_id)
    if actor_id != audit.SYSTEM:
        await check_cancel(session, round_, actor_id)
    if round_.state not in (RoundState.DRAFT, RoundState.READY, RoundState.PAUSED):
        raise Conflict("common.already")
    await _step(session, round_, version, round_.state, {"state": RoundState.CANCELLED, "reason": reason})
    running = Entry.round_id == round_.id, Entry.state == EntryState.RUNNING
    await session.execute(update(Entry).where(*running).values(state=EntryState.RETURNED, submitted_at=now))
    await give_back_wishes(session, round_, now)
    audit.note(session, actor_id, "cancel_round", f"round {round_.id}", now, contest.unit_id)


async def _may(session: Session, actor_id: int, action: Action, unit_id: int) -> None:
    if actor_id != audit.SYSTEM:  # the command line
        await policy.check(session, actor_id, action, unit_id)


def _check(settings: Settings) -> None:
    if not settings.valid():
        raise Conflict("contest.bad_settings")


async def _step(session: Session, round_: Round, version: int, state: RoundState, values: dict[str, Any]) -> None:
    changed = await session.execute(
        update(Round)
        .where(Round.id == round_.id, Round.version == version, Round.state == state)
        .values(version=version + 1, **values)
        .returning(Round.id)
    )
    if changed.scalar() is None:
        raise Conflict("common.already")
    await session.refresh(round_)


async def get_contest(session: Session, contest_id: int) -> Contest:
    """The contest of an id. Raises NotFound."""
    row = await session.get(Contest, contest_id)
    if row is None:
        raise NotFound("common.not_found")
    return row


async def get_round(session: Session, round_id: int) -> Round:
    """The round of an id. Raises NotFound."""
    row = await session.get(Round, round_id)
    if row is None:
        raise NotFound("common.not_found")
    return row


BESIDE = timedelta(days=45)
"""For so long before its opening and after its result a round is spoken of: complaints, prizes, reminders."""


async def week_of(session: Session, round_: Round) -> str:
    """What a round is called in the middle of a sentence: its number, and its contest where another is held about then."""
    another = aliased(Contest)
    other = (
        select(Round.id)
        .join(another, another.id == Round.contest_id)
        .where(
            another.name != Contest.name,
            Round.state != RoundState.DRAFT,
            KEPT,
            Round.opens_at <= round_.result_at + BESIDE,
            Round.result_at >= round_.opens_at - BESIDE,
        )
        .correlate(Contest)
    )
    query = select(Contest.name).where(Contest.id == round_.contest_id, other.exists())
    name = (await session.execute(query)).scalar()
    return str(round_.number) if name is None else f"{round_.number} ({name})"


_SHOWN = (
    select(Round)
    .join(Contest, Contest.id == Round.contest_id)
    .where(
        or_(
            Round.state == RoundState.READY,
            Round.state == RoundState.PAUSED,
            and_(Round.state == RoundState.PUBLISHED, Round.result_at > bindparam("since")),
            and_(Round.state == RoundState.CANCELLED, Round.reason != "", Round.result_at > bindparam("since")),
        ),
        or_(
            Contest.unit_id.in_(select(Unit.id).where(Unit.parent_id.is_(None))),
            Contest.unit_id.in_(select(UnitPath.ancestor_id).where(UnitPath.descendant_id == bindparam("unit"))),
        ),
    )
    .order_by(Round.opens_at, Round.id)
)
_ANY = Prepared(_SHOWN.with_only_columns(Round.__table__.c.id).limit(1))


async def list_shown(session: Session, unit_id: int | None, since: datetime) -> list[Round]:
    """The rounds that somebody of a unit may see: approved ones, and those published since a moment, by their hours; those
    called off with a reason too, whose result would have come since then.

    A contest of the whole tree is everybody's, also of people whose unit is not known.
    """
    values = {"unit": unit_id, "since": since}
    if not await session.rows(_ANY, **values):  # most of the year, and every menu asks
        return []
    return list((await session.execute(_SHOWN, values)).scalars())


async def list_rounds(session: Session, contest_id: int | None = None) -> list[Round]:
    """All rounds but drafts that were dropped, or those of one contest, the newest first."""
    query = select(Round).where(KEPT).order_by(Round.opens_at.desc(), Round.id.desc())
    if contest_id is not None:
        query = query.where(Round.contest_id == contest_id)
    return list((await session.execute(query)).scalars())


async def list_closed(session: Session, before: datetime) -> list[Round]:
    """Rounds whose result was due before a moment and is not made, and those whose result must be made again.

    One whose officers have not decided on a downtime waits for them.
    """
    asked = select(Downtime.id).where(Downtime.round_id == Round.id, Downtime.making == Making.ASKED)
    due = (Round.state == RoundState.READY) & (Round.result_at <= before) & ~asked.exists()
    again = (Round.state == RoundState.PUBLISHED) & Round.recount
    return list((await session.execute(select(Round).where(due | again).order_by(Round.id))).scalars())
