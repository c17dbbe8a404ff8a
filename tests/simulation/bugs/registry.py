"""Bugs by name, and how one is planted: a part of the core is replaced while a schedule is played."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

from tests.simulation.plan import Plan

Patch = Any
BUGS: dict[str, Callable[[], Sequence[Patch]]] = {}


STEERS: dict[str, Callable[[Plan], Plan]] = {}
"""For some bugs, how a schedule becomes one that goes where it hurts: the short form has no time to search for them. The
long form looks for them in schedules as they come, from the first."""


def steered(name: str, plan: Plan) -> Plan:
    """The schedule on its way to where a bug hurts."""
    return STEERS[name](plan) if name in STEERS else plan


def bug(plant: Callable[[], Sequence[Patch]]) -> Callable[[], Sequence[Patch]]:
    """Registers a bug under its name, to be read with blanks."""
    BUGS[plant.__name__] = plant
    return plant


@contextmanager
def planted(name: str) -> Iterator[None]:
    """While this holds the core has the bug."""
    with ExitStack() as stack:
        for patch in BUGS[name]():
            stack.enter_context(patch)
        yield


def instead(owner: Any, name: str, make: Callable[[Any], Any]) -> Patch:
    """A function of the core replaced by one that may call the right one."""
    return mock.patch.object(owner, name, make(getattr(owner, name)))
