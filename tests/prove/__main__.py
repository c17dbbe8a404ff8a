"""Plays the long forms, all or some, to be stopped and gone on with; each writes a JSON file beside this one.

python -m tests.prove                       every suite to its end: hours
python -m tests.prove power kills           these two
python -m tests.prove --share 0.1           a tenth of each with the code as it is here
python -m tests.prove --readme              writes the figures of the files into the README
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import UTC, datetime
from math import ceil
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import Any
from xml.etree import ElementTree

from tests.prove import ASKED, FIGURES, combine
from tests.prove.suites import SUITES, Suite

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RESULTS = HERE / "results"
README = ROOT / "README.md"
CHANGES = "+changes"
BEGIN, END = "<!-- figures: python -m tests.prove --readme -->\n", "<!-- /figures -->\n"


def about() -> dict[str, str]:
    """Which code, where."""

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no", "--", ":!tests/prove/results", ":!README.md")
    return {
        "commit": git("rev-parse", "HEAD") + (CHANGES if changed else ""),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
    }


def proved(report: Path) -> bool:
    """Whether something was tried, and nothing skipped."""
    counts = ElementTree.parse(report).getroot()[0].attrib
    return int(counts["tests"]) > int(counts["skipped"]) == 0


def play(suite: Suite, first: int, count: int) -> dict[str, Any]:
    """One batch in a process of its own: its figures, and the end of what it said when something was wrong.

    What was skipped proves nothing, so that is wrong too.
    """
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as noted, tempfile.NamedTemporaryFile("r") as report:
        environment = os.environ | {ASKED: f"{first}:{count}", FIGURES: noted.name}
        command = [sys.executable, "-m", "pytest", suite.test, "-m", "prove or not prove", "-p", "no:cacheprovider"]
        command += ["--timeout", "14400", f"--junit-xml={report.name}"]  # a batch is as long as it is
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        figures: Counter[str] = Counter()
        for line in noted:
            combine(figures, json.loads(line))
        well = done.returncode == 0 and proved(Path(report.name))
    wrong = "" if well else done.stdout[-4000:]
    return {"first": first, "count": count, "figures": dict(figures), "wrong": wrong}


def missing(suite: Suite, least: int, found: dict[str, Any], commit: str) -> list[tuple[int, int]]:
    """The batches of the whole that nobody has played, or that went wrong with other code."""
    long = suite.batch if suite.batch < suite.whole else min(suite.whole, least)  # who lives but once lives shorter
    batches = [(first, min(long, suite.whole - first)) for first in range(0, suite.whole, suite.batch)]
    return [
        (first, count)
        for first, count in batches
        if (batch := found.get(str(first), {"count": 0}))["count"] < count
        or (batch["wrong"] and batch["commit"] != commit)
    ]


def prove(suite: Suite, least: int, workers: int, results: Path = RESULTS) -> bool:
    """Plays what nobody has played yet until this code has played `least` cases. Returns whether all went well.

    The whole adds up over commits, each batch with its own; once it is there, the next code begins it anew.
    """
    file = results / f"{suite.name}.json"
    results.mkdir(exist_ok=True)
    known = json.loads(file.read_text()) if file.exists() else {"batches": {}, "cpu_seconds": 0}
    here = about()
    # What was played with changes that are in no commit cannot be played again.
    found: dict[str, Any] = {
        first: batch
        for first, batch in known["batches"].items()
        if not batch["commit"].endswith(CHANGES)
        and int(first) in range(0, suite.whole, suite.batch)
        and batch["count"] <= suite.batch
    }
    left = missing(suite, least, found, here["commit"])
    if not left and any(batch["commit"] != here["commit"] for batch in found.values()):
        found = {}
        left = missing(suite, least, found, here["commit"])
    spent = known["cpu_seconds"] if found else 0
    played = sum(batch["count"] for batch in found.values() if batch["commit"] == here["commit"])
    before = getrusage(RUSAGE_CHILDREN).ru_utime
    with ThreadPoolExecutor(workers) as pool:
        waiting = []
        for first, count in left:
            if played < least:
                waiting.append(pool.submit(play, suite, first, count))
                played += count
        for done in as_completed(waiting):
            batch = here | {"on": f"{datetime.now(UTC):%Y-%m-%d}"} | done.result()
            found[str(batch["first"])] = batch
            if batch["wrong"]:
                print(f"{suite.name} {batch['first']}: {batch['wrong']}", flush=True)
            total: Counter[str] = Counter()
            for each in found.values():
                combine(total, each["figures"])
            cases = sum(each["count"] for each in found.values())
            file.write_text(
                json.dumps(
                    {
                        "cases": cases,
                        "wrong": sum(bool(each["wrong"]) for each in found.values()),
                        "cpu_seconds": round(spent + getrusage(RUSAGE_CHILDREN).ru_utime - before),
                        "total": dict(total),
                        "batches": found,
                    },
                    indent=1,
                    ensure_ascii=False,
                )
                + "\n"
            )
            print(f"{suite.name}: {cases:,} of {suite.whole:,}", flush=True)
    return not any(each["wrong"] for each in found.values())


def stretches(batches: Iterable[dict[str, Any]]) -> str:
    """When, with which code and where they were played."""
    by: dict[tuple[str, ...], int] = {}
    for batch in sorted(batches, key=lambda batch: (batch["on"], batch["first"])):
        stretch = (batch["on"], f"`{batch['commit'][:7]}`", batch["machine"], f"Python {batch['python']}")
        by[stretch] = by.get(stretch, 0) + batch["count"]
    if len(by) == 1:
        return ", ".join(*by)
    where = {stretch[2:] for stretch in by}
    shown = [f"{count:,} on {', '.join(stretch if len(where) > 1 else stretch[:2])}" for stretch, count in by.items()]
    return "; ".join(shown) + (f"; {', '.join(*where)}" if len(where) == 1 else "")


def table(results: Path = RESULTS) -> str:
    """The README's figures, from the files alone."""
    rows = ["| What is tried | Long runs | Met on the way | Command |", "| --- | --- | --- | --- |"]
    for suite in SUITES:
        file = results / f"{suite.name}.json"
        ran, met = f"none yet; the whole is {suite.whole:,} {suite.noun}", ""
        if file.exists():
            of = json.loads(file.read_text())
            wrong = f"{of['wrong']} wrong" if of["wrong"] else "none wrong"
            share = "" if of["cases"] >= suite.whole else f" of {suite.whole:,}"
            ran = f"{of['cases']:,}{share} {suite.noun}, {wrong}; {stretches(of['batches'].values())}"
            met = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in of["total"].items())
        rows.append(f"| {suite.promise} | {ran} | {met} | `python -m tests.prove {suite.name}` |")
    return "\n".join(rows) + "\n"


def with_figures(text: str, figures: str) -> str:
    """The README with its table as it should be."""
    head, _, rest = text.partition(BEGIN)
    return head + BEGIN + figures + END + rest.partition(END)[2]


def main() -> int:
    """Plays, or writes the README; fails when anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.prove", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("suites", nargs="*", choices=[[], *(suite.name for suite in SUITES)])
    parser.add_argument("--share", type=float, default=1.0, help="of each suite's cases")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--readme", action="store_true", help="write the figures into the README and end")
    asked = parser.parse_args()
    well = True
    if not asked.readme:
        for suite in SUITES:
            if not asked.suites or suite.name in asked.suites:
                well &= prove(suite, ceil(suite.whole * asked.share), asked.workers)
    README.write_text(with_figures(README.read_text(encoding="utf-8"), table()), encoding="utf-8")
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
