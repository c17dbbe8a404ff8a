"""When jobs look at what is due."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from apscheduler.schedulers import base

from scheduler import timetable as module
from scheduler.timetable import JOBS, Job, Rhythm, Timetable, Work
from scheduler.troubles import MISSED
from tests.people import World, work_of

PATIENCE = 20.0


@asynccontextmanager
async def ticking(world: World, *jobs: Job) -> AsyncIterator[Timetable]:
    timetable = Timetable(work_of(world), jobs or JOBS)
    timetable.start()
    try:
        yield timetable
    finally:
        await timetable.stop()


async def until(holds: Callable[[], object]) -> None:
    began = asyncio.get_running_loop().time()
    while not holds():
        await asyncio.sleep(0.01)
        assert asyncio.get_running_loop().time() - began < PATIENCE


def apart(moments: list[datetime]) -> bool:
    """Whether no two of them meet, however often they come round."""
    shortest = timedelta(seconds=min(job.every for job in JOBS))
    found = sorted((at - min(moments)) % shortest for at in moments)
    return all(after - before > timedelta(seconds=0.1) for before, after in pairwise([*found, shortest]))


async def test_no_two_jobs_look_at_the_same_moment(world: World) -> None:
    """Together they would keep whoever is being answered waiting for all of them, every minute."""
    async with ticking(world) as timetable:
        assert timetable._scheduler is not None
        first = {job.id: job.next_run_time for job in timetable._scheduler.get_jobs()}
        shortest = timedelta(seconds=min(job.every for job in JOBS))
        assert len(first) == len(JOBS) and max(first.values()) - min(first.values()) < shortest
        assert apart(list(first.values()))
        assert all(job.every % shortest.seconds == 0 for job in JOBS), "their moments drift into each other's"
        for by in (timedelta(days=-3, seconds=1.7), timedelta(seconds=-0.4), timedelta(days=400, seconds=2.2)):
            now = min(first.values()) + by
            moved = [Rhythm(job.every).get_next_fire_time(first[job.name], now) for job in JOBS]
            assert apart(moved), "a clock that is set brings them together"
            assert all(now < at <= now + timedelta(seconds=job.every) for at, job in zip(moved, JOBS, strict=True))


@pytest.mark.parametrize("by", [timedelta(hours=-7), timedelta(days=365)])
async def test_a_clock_that_is_set_puts_no_look_off_and_none_has_to_be_caught_up_with(
    by: timedelta, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    offset = timedelta(0)

    class Clock(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return datetime.now(UTC).astimezone(tz) + offset  # type: ignore[arg-type]

    for each in (base, module):
        monkeypatch.setattr(each, "datetime", Clock)
    looks: Counter[str] = Counter()

    def noting(name: str) -> Job:
        async def note(_: Work) -> None:
            looks[name] += 1

        return Job(name, 1, note)

    names = ("one", "two")
    async with ticking(world, *map(noting, names)):
        await until(lambda: all(looks[name] for name in names))
        offset = by
        looks.clear()
        await until(lambda: all(looks[name] >= 2 for name in names))
        assert max(looks.values()) <= 4


async def test_a_job_at_which_nobody_looks_any_more_fails_and_one_that_takes_its_time_does_not(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, real = asyncio.get_running_loop(), asyncio.get_running_loop().time
    shift, done = 0.0, asyncio.Event()

    async def nothing(_: Work) -> None:
        pass

    async def wait(_: Work) -> None:
        await done.wait()

    async with ticking(world, Job("often", 3, nothing), Job("rarely", 60, nothing), Job("long", 3, wait)) as timetable:
        assert timetable._scheduler is not None
        await until(lambda: "long" in timetable._running)
        timetable._scheduler.pause()
        with monkeypatch.context() as patch:
            patch.setattr(loop, "time", lambda: real() + shift)
            shift = 3 * MISSED - 5.0
            assert timetable.failing() == []
            shift = 3 * MISSED + 5.0
            assert timetable.failing() == ["often"]
            shift = 60 * MISSED + 5.0
            assert timetable.failing() == ["often", "rarely"]
            done.set()
            await asyncio.gather(*timetable._ticks)
            assert timetable.failing() == ["often", "rarely"], "it has only just been over"


async def test_a_stop_lets_a_look_finish_and_cuts_off_what_takes_too_long(world: World) -> None:
    begun, looks = asyncio.Event(), []

    async def short(_: Work) -> None:
        begun.set()
        await asyncio.sleep(0.3)
        looks.append("short")

    async def endless(_: Work) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            looks.append("endless")

    async with ticking(world, Job("endless", 1, endless), Job("short", 1, short)) as timetable:
        await begun.wait()
        await timetable.stop(patience=1.0)
        assert looks == ["short", "endless"] and not timetable._ticks
        await asyncio.sleep(1.5)
        assert looks == ["short", "endless"]
