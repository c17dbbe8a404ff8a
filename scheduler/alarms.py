"""Tells the administrators of a trouble once when it stands and once when it is over, across restarts and without flapping."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from content.message import to_json
from content.windows import asleep_for
from content.words import Words
from db import alarms, outbox, people, policy
from db.models import Alarm
from db.policy import Action
from db.session import Database, Session
from scheduler.troubles import SEVERITY, Name, Severity

log = logging.getLogger(__name__)

STANDS = {Severity.CRITICAL: 30.0, Severity.WARNING: 120.0}
"""Seconds for which a trouble is seen before anybody is told: what heals by itself meanwhile is nobody's business."""
OVER = 120.0
"""Seconds without it until it is over; what comes back earlier was never gone."""
AGAIN = timedelta(hours=4)
"""Until the next reminder while nobody has said that they know (promises §1.5)."""


class Alarms:
    """Hears after every look what is wrong. Only a change touches the database; what cannot be written is in the log."""

    def __init__(
        self,
        database: Database,
        words: Words,
        *,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        said: Callable[[], None],
    ) -> None:
        self._database = database
        self._words = words
        self._now = now
        self._monotonic = monotonic
        self._said = said
        self._stood: dict[Name, float] = {}
        """For how many seconds each was seen, from one look that found it to the next that did."""
        self._last: dict[Name, float] = {}
        self._found: frozenset[Name] = frozenset()
        self._logged: set[Name] = set()
        self._open: dict[str, Alarm] | None = None
        self._unwritten = False
        self._told: dict[int, float] = {}

    async def hear(self, found: Sequence[Name]) -> None:
        """Opens, closes and reminds. Never raises: the next look tries again."""
        tick = self._monotonic()
        for name in found:
            lasted = tick - self._last[name] if name in self._found else 0.0
            self._stood[name] = self._stood.get(name, 0.0) + lasted
            self._last[name] = tick
        self._found = frozenset(found)
        for name in [name for name in self._stood if tick - self._last[name] >= OVER]:
            del self._stood[name]
        stands = [name for name in found if self._stood[name] >= STANDS[SEVERITY[name]]]
        self._log(stands)
        try:
            if self._open is None:
                async with self._database.read() as session:
                    self._open = {alarm.name: alarm for alarm in await alarms.list_open(session)}
                for known in Name:  # seen by the process before us: over once we have not seen it for long enough
                    if known in self._open:
                        self._stood.setdefault(known, 0.0)
                        self._last.setdefault(known, tick)
            await self._write(self._open, stands)
            self._unwritten = False
        except Exception:
            if not self._unwritten:
                log.exception("alarms cannot be written at the moment: %s", ", ".join(stands) or "none")
            self._unwritten = True

    def _log(self, stands: Sequence[Name]) -> None:
        for name in stands:
            if name not in self._logged:
                self._logged.add(name)
                log.error("trouble: %s (%s)", name, SEVERITY[name])
        for name in sorted(self._logged - set(self._stood)):
            self._logged.remove(name)
            log.warning("trouble over: %s", name)

    async def _write(self, known: dict[str, Alarm], stands: Sequence[Name]) -> None:
        now = self._now()
        fresh = [name for name in stands if name not in known]
        over = [alarm for name, alarm in known.items() if name not in self._stood]
        late = [
            alarm
            for alarm in known.values()
            if alarm not in over and alarm.acknowledged_at is None and self._quiet(alarm, now) >= AGAIN.total_seconds()
        ]
        if not (fresh or over or late):
            return
        reminded = []
        async with self._database.write() as session:
            for name in fresh:
                alarm = await alarms.open_one(session, name, now)
                if alarm is not None:
                    await self._tell(session, alarm, "alarms.opened", now)
            for alarm in over:
                # One that only an earlier version knew has no words any more.
                if await alarms.close(session, alarm.id, now) and alarm.name in SEVERITY:
                    await self._tell(session, alarm, "alarms.over", now)
            for alarm in late:
                current = await session.get(Alarm, alarm.id)
                if current is not None and current.acknowledged_at is None and current.closed_at is None:
                    current.told_at = now
                    reminded.append(alarm.id)
                    await self._tell(session, current, "alarms.again", now)
            standing = await alarms.list_open(session)
        self._open = {alarm.name: alarm for alarm in standing}
        self._told.update(dict.fromkeys(reminded, self._monotonic()))
        self._said()

    def _quiet(self, alarm: Alarm, now: datetime) -> float:
        """Seconds since an alarm was told, by the clock that nobody sets: the wall clock only says it after a restart."""
        tick = self._monotonic()
        ago = min(max(timedelta(0), now - alarm.told_at), AGAIN)
        return tick - self._told.setdefault(alarm.id, tick - ago.total_seconds())

    async def _tell(self, session: Session, alarm: Alarm, key: str, now: datetime) -> None:
        """Everybody who reads alarms, at least once. What has not left yet gives way to what is true now."""
        critical = SEVERITY.get(Name(alarm.name)) == Severity.CRITICAL
        message = self._words.message(
            key,
            id=alarm.id,
            what=self._words.text(f"alarms.what_{alarm.name}"),
            todo=self._words.text(f"alarms.todo_{alarm.name}"),
            critical=critical,
            since=alarm.opened_at,
            now=now,
        )
        for person_id in await policy.holders(session, Action.READ_ALARMS):
            hours = (await people.get(session, person_id)).hours
            wait = 0.0 if critical else asleep_for(hours, now)
            await outbox.tell(
                session, person_id, to_json(message), now=now, kind="alarm", slot=f"alarm-{alarm.id}", edits=False,
                after=wait, at_once=critical,
            )  # fmt: skip
