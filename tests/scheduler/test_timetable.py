"""When jobs look at what is due."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

from scheduler.timetable import JOBS, Timetable
from tests.people import World, work_of


async def test_no_two_jobs_look_at_the_same_moment(world: World) -> None:
    """Together they would keep whoever is being answered waiting for all of them, every minute."""
    timetable = Timetable(work_of(world))
    timetable.start()
    try:
        assert timetable._scheduler is not None
        first = {job.id: job.next_run_time for job in timetable._scheduler.get_jobs()}
        shortest = timedelta(seconds=min(job.every for job in JOBS))
        assert len(first) == len(JOBS) and max(first.values()) - min(first.values()) < shortest
        moments = sorted((at - min(first.values())) % shortest for at in first.values())
        assert all(after - before > timedelta(seconds=0.1) for before, after in pairwise(moments))
        assert all(job.every % shortest.seconds == 0 for job in JOBS), "their moments drift into each other's"
    finally:
        timetable.stop()
