"""What is wrong, told from what was observed: one list of rules for status, health, metrics and alarms alike (pure)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

MB = 2**20
STALE = 4.0
"""Seconds without a look at the house, at its tables or its disk: what is known is then not worth telling."""
REFUSED = 3.0
"""Seconds of nothing but failed polls: the third one in a row. A single broken connection is no trouble."""
SILENT = 90.0
"""Seconds without a successful poll, failed or hanging (promises §1.4)."""
WRITING = 4.0
"""Seconds of one write transaction; everybody else waits for it. The longest of ours take a tenth of that."""
BACKLOG = 60.0
"""Seconds that an update which could be handled waits for it (promises §1.4)."""
UNSENT = 120.0
"""Seconds that a message which could leave waits for it, and seconds without anything leaving."""
FULL = 256 * MB
LOW = 1024 * MB
"""Bytes free on the disk of the data folder or the database, the smaller of both (promises F14). LOW leaves the days that it takes to get a larger one."""
SKEW = 120.0
"""Seconds between our clock and the true time (promises F19)."""
FAILURES = 3
HANGING = 900.0
"""A scheduled job that fails so often in a row, or runs so many seconds."""
MISSED = 10
"""One that misses so many looks in a row."""
BACKUP = 26 * 3600.0
"""Seconds since the last backup: a daily one may come two hours late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was observed. Times in seconds, sizes in bytes; None for what does not exist in this house."""

    beat: float = 0.0
    """Since the process last looked around: it does so every two seconds unless something blocks it."""
    poll: float | None = None
    """Since the last successful poll, or since the start."""
    poll_failing: float | None = None
    """Since the first of the polls that have failed without a success between."""
    channels_down: int = 0
    """Channels whose platform refuses us altogether."""
    ports_shut: int = 0
    """Ports at which we should listen, and cannot since another process holds them."""
    database: str = ""
    """Why nothing can be written (`db.trouble.Kind`)."""
    unread: float = 0.0
    """Since tables and disk could last be looked at."""
    writing: float = 0.0
    """How long the present write transaction runs."""
    backlog: float = 0.0
    """How long the oldest update waits that could be handled; one that waits for its retry does not count."""
    unsent: float = 0.0
    """How long the oldest reply or notice waits that could leave; what is held or put off does not count."""
    unsent_bulk: float = 0.0
    """The same of what goes to many, as far as nothing at all has left its channel meanwhile."""
    dead: int = 0
    """Updates set aside in the last hour."""
    disk_free: int | None = None
    skew: float = 0.0
    """How far our clock is ahead of the true time."""
    jobs_failing: int = 0
    """Scheduled jobs that failed FAILURES times in a row, have run for HANGING seconds or missed MISSED looks."""
    backup: float | None = None
    """Since the last backup, or since the first start."""
    unanswered: bool = False
    """Whether nobody answers for what goes to many, or for something of it that is held."""


class Severity(StrEnum):
    """CRITICAL: people wait, or data is in danger. WARNING: nobody notices yet."""

    CRITICAL = "critical"
    WARNING = "warning"


class Name(StrEnum):
    """The troubles; README *Watching it* and `content/vi/alarms.yaml` say what each means and what to do."""

    STALLED = "stalled"
    POLLING = "polling"
    DELIVERY = "delivery"
    PORT = "port"
    DATABASE = "database"
    LEDGER_STUCK = "ledger_stuck"
    BACKLOG = "backlog"
    UNSENT = "unsent"
    DISK_FULL = "disk_full"
    CLOCK = "clock"
    DISK_LOW = "disk_low"
    DEAD_LETTERS = "dead_letters"
    JOBS = "jobs"
    BACKUP_OLD = "backup_old"
    NOBODY_ANSWERS = "nobody_answers"


@dataclass(frozen=True, slots=True)
class Rule:
    """When a trouble is there."""

    name: Name
    severity: Severity
    holds: Callable[[Facts], bool]


RULES: tuple[Rule, ...] = (
    Rule(Name.STALLED, Severity.CRITICAL, lambda f: f.beat > STALE),
    Rule(Name.POLLING, Severity.CRITICAL, lambda f: (f.poll or 0) > SILENT or (f.poll_failing or 0) >= REFUSED),
    Rule(Name.DELIVERY, Severity.CRITICAL, lambda f: f.channels_down > 0),
    Rule(Name.PORT, Severity.CRITICAL, lambda f: f.ports_shut > 0),
    Rule(Name.DATABASE, Severity.CRITICAL, lambda f: f.database != "" or f.unread > STALE),
    Rule(Name.LEDGER_STUCK, Severity.CRITICAL, lambda f: f.writing > WRITING),
    Rule(Name.BACKLOG, Severity.CRITICAL, lambda f: f.backlog > BACKLOG),
    Rule(Name.UNSENT, Severity.CRITICAL, lambda f: max(f.unsent, f.unsent_bulk) > UNSENT),
    Rule(Name.DISK_FULL, Severity.CRITICAL, lambda f: f.disk_free is not None and f.disk_free < FULL),
    Rule(Name.CLOCK, Severity.CRITICAL, lambda f: abs(f.skew) > SKEW),
    Rule(Name.DISK_LOW, Severity.WARNING, lambda f: f.disk_free is not None and f.disk_free < LOW),
    Rule(Name.DEAD_LETTERS, Severity.WARNING, lambda f: f.dead > 0),
    Rule(Name.JOBS, Severity.WARNING, lambda f: f.jobs_failing > 0),
    Rule(Name.BACKUP_OLD, Severity.WARNING, lambda f: f.backup is not None and f.backup > BACKUP),
    Rule(Name.NOBODY_ANSWERS, Severity.WARNING, lambda f: f.unanswered),
)
SHUT = (Name.DISK_FULL, Name.POLLING, Name.DELIVERY)
"""While one of these stands, people of a channel cannot reach us or do not hear us."""
SEVERITY = {rule.name: rule.severity for rule in RULES}


def find(facts: Facts) -> list[Name]:
    """What is wrong, the worst first."""
    return [rule.name for rule in RULES if rule.holds(facts)]


def critical(names: list[Name]) -> list[Name]:
    """Those for which health is red."""
    return [name for name in names if SEVERITY[name] == Severity.CRITICAL]
