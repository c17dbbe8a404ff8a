"""Counts and measures of this process, and all figures in the text format of Prometheus.

Written here in sixty lines instead of taking `prometheus_client` along: we need three shapes, no registry shared by the
whole process and no threads; and so the library's parser can judge in the tests what we write.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

Labels = tuple[tuple[str, str], ...]
Sample = tuple[str, Labels, float]
"""What is added to the family's name, labels, value."""
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper ends of the classes of durations."""
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Family:
    """Everything under one name. `kind` is counter, gauge or histogram; the name says the unit."""

    name: str
    kind: str
    help: str
    samples: Sequence[Sample]


@dataclass(slots=True)
class Count:
    """What only grows, by labels of few values each."""

    name: str
    help: str
    values: dict[Labels, float] = field(default_factory=dict)

    def add(self, number: float, **labels: str) -> None:
        """Adds to the count of these labels."""
        key = tuple(labels.items())
        self.values[key] = self.values.get(key, 0) + number

    def family(self) -> Family:
        """As it stands."""
        return Family(self.name, "counter", self.help, [("", labels, value) for labels, value in self.values.items()])


@dataclass(slots=True)
class Spread:
    """How durations in seconds are spread, by labels of few values each."""

    name: str
    help: str
    classes: dict[Labels, list[int]] = field(default_factory=dict)
    sums: dict[Labels, float] = field(default_factory=dict)

    def see(self, seconds: float, **labels: str) -> None:
        """Adds one."""
        key = tuple(labels.items())
        self.classes.setdefault(key, [0] * (len(SECONDS) + 1))[bisect_left(SECONDS, seconds)] += 1
        self.sums[key] = self.sums.get(key, 0.0) + seconds

    def family(self) -> Family:
        """As it stands."""
        samples: list[Sample] = []
        for labels, numbers in self.classes.items():
            for end, count in zip((*map(str, SECONDS), "+Inf"), accumulate(numbers), strict=True):
                samples.append(("_bucket", (*labels, ("le", end)), count))
            samples += [("_sum", labels, self.sums[labels]), ("_count", labels, sum(numbers))]
        return Family(self.name, "histogram", self.help, samples)


class Meter:
    """What the process counts while it works."""

    def __init__(self) -> None:
        self.received = Count("congdoan_updates_received_total", "Updates stored, repeats left out.")
        self.handled = Count("congdoan_updates_handled_total", "Attempts to handle an update, by how they ended.")
        self.refused = Count("congdoan_updates_refused_total", "Updates not read because their chat sent too much.")
        self.handling = Spread("congdoan_update_handling_seconds", "From taking an update to the commit of its answer.")
        self.sent = Count("congdoan_messages_sent_total", "Attempts to send, by the state that the message went to.")
        self.sending = Spread("congdoan_message_send_seconds", "How long the platform took for one attempt.")

    def families(self) -> list[Family]:
        """As they stand."""
        counts = self.received, self.handled, self.refused, self.handling, self.sent, self.sending
        return [each.family() for each in counts]


def gauge(name: str, text: str, *samples: tuple[dict[str, str], float | None]) -> Family:
    """What goes up and down; a value that is not known is left out."""
    known = [("", tuple(labels.items()), value) for labels, value in samples if value is not None]
    return Family(name, "gauge", text, known)


def render(families: Iterable[Family]) -> str:
    """The text that Prometheus reads."""
    lines: list[str] = []
    for family in families:
        lines += [f"# HELP {family.name} {family.help}", f"# TYPE {family.name} {family.kind}"]
        for suffix, labels, value in family.samples:
            inside = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels)
            lines.append(f"{family.name}{suffix}{{{inside}}} {value}" if inside else f"{family.name}{suffix} {value}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
