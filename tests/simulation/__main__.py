"""The long form: many schedules on all cores, to be stopped and gone on with at any time; its figures go into a JSON file.

python -m tests.simulation --schedules 20000    plays the seeds that are not in the file yet
python -m tests.simulation --bugs               looks for the first of 500 seeds that catches each planted bug
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.people import START
from tests.simulation.bugs import BUGS, planted
from tests.simulation.cast import write_template
from tests.simulation.oracles import judge
from tests.simulation.plan import draw
from tests.simulation.stage import rented
from tests.simulation.world import run

BATCH = 25
"""Seeds played by a worker before the file is written."""
ENOUGH = 500
"""Schedules within which every planted bug must be caught (promises §3.3, T1)."""


@contextmanager
def _stage() -> Iterator[tuple[Path, Path]]:
    with tempfile.TemporaryDirectory() as otherwise, rented(Path(otherwise)) as folder:
        template = folder / "template.db"
        asyncio.run(write_template(template, START))
        yield folder, template


def play_some(first: int) -> dict[str, Any]:
    """Plays a batch of seeds; what happened, in figures, and what went wrong."""
    figures: Counter[str] = Counter()
    wrong = {}
    began = time.process_time()
    with _stage() as (folder, template):
        for seed in range(first, first + BATCH):
            world = run(draw(seed), folder, template)
            found = judge(world)
            if found:
                wrong[str(seed)] = found[:20]
            figures.update(
                schedules=1,
                processes=len(world.lives),
                crashes=len(world.killed),
                requests=len(world.platform.said),
                messages=sum(said.arrived for said in world.platform.said),
                updates=len(world.platform.state.confirmed),
                faults=sum(world.platform.faults.values()),
                database_troubles=world.disk.troubles,
                clock_jumps=len(world.plan.jumps),
            )
    return {"first": first, "figures": dict(figures), "wrong": wrong, "cpu_seconds": time.process_time() - began}


def catch(name: str) -> tuple[str, int | None, str]:
    """The first seed that catches a planted bug, and what it saw."""
    with _stage() as (folder, template):
        for seed in range(ENOUGH):
            with planted(name):
                found = judge(run(draw(seed), folder, template))
            if found:
                return name, seed, found[0][:200]
    return name, None, ""


def _about() -> dict[str, Any]:
    def git(*args: str) -> str:
        return subprocess.run(["git", *args], capture_output=True, text=True, check=False).stdout.strip()

    return {
        "commit": git("rev-parse", "HEAD")
        + ("+changes" if git("status", "--porcelain", "--untracked-files=no") else ""),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def _report(results: dict[str, Any]) -> dict[str, Any]:
    """The file: totals first, then the batches they are made of."""
    total: Counter[str] = Counter()
    for batch in results["batches"].values():
        total.update(batch["figures"])
    seconds = sum(batch["cpu_seconds"] for batch in results["batches"].values())
    rate = total["schedules"] / seconds if seconds else 0.0
    failed = {seed: wrong for batch in results["batches"].values() for seed, wrong in batch["wrong"].items()}
    return results | {
        "total": dict(total), "cpu_seconds": round(seconds), "schedules_per_cpu_second": round(rate, 2), "failed": failed,
    }  # fmt: skip


def main() -> int:
    """Plays, writes, and fails when anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__.splitlines()[0])
    parser.add_argument("--schedules", type=int, default=0)
    parser.add_argument("--bugs", action="store_true")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, default=Path("results/simulation.json"))
    asked = parser.parse_args()
    about = _about()
    before = json.loads(asked.out.read_text()) if asked.out.exists() else {}
    if before.get("commit") != about["commit"]:
        before = {"batches": {}, "bugs": {}}  # figures of other code prove nothing about this one
    results = before | about
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(asked.workers) as pool:
        firsts = [n for n in range(0, asked.schedules, BATCH) if str(n) not in results["batches"]]
        waiting = [pool.submit(play_some, first) for first in firsts]
        if asked.bugs:
            waiting += [pool.submit(catch, name) for name in BUGS if name not in results["bugs"]]
        for done in as_completed(waiting):
            found = done.result()
            if isinstance(found, tuple):
                name, seed, saw = found
                results["bugs"][name] = {"seed": seed, "saw": saw}
                print(f"{name}: {'MISSED' if seed is None else f'seed {seed}: {saw}'}", flush=True)
            else:
                results["batches"][str(found["first"])] = found
                for seed, wrong in found["wrong"].items():
                    print(f"seed {seed}: {wrong[0]}", flush=True)
            asked.out.write_text(json.dumps(_report(results), indent=1, ensure_ascii=False))
    report = _report(results)
    print(json.dumps({key: report[key] for key in ("total", "cpu_seconds", "schedules_per_cpu_second")}, indent=1))
    return 1 if report["failed"] or any(each["seed"] is None for each in report["bugs"].values()) else 0


if __name__ == "__main__":
    sys.exit(main())
