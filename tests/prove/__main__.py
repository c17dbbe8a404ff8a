"""Plays the long forms, all or some, to be stopped and gone on with; each writes a JSON file beside this one.

python -m tests.prove                       every suite to its end: hours
python -m tests.prove power kills           these two
python -m tests.prove --share 0.1           a tenth of each
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
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import UTC, datetime
from math import ceil
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import Any

from tests.prove import ASKED, FIGURES, combine
from tests.prove.suites import SUITES, Suite

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RESULTS = HERE / "results"
README = ROOT / "README.md"
BEGIN, END = "<!-- figures: python -m tests.prove --readme -->\n", "<!-- /figures -->\n"


def about() -> dict[str, str]:
    """Which code, where."""

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no", "--", ":!tests/prove/results", ":!README.md")
    return {
        "commit": git("rev-parse", "HEAD") + ("+changes" if changed else ""),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
    }


def play(suite: Suite, first: int, count: int) -> dict[str, Any]:
    """One batch in a process of its own: its figures, and the end of what it said when something was wrong."""
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as noted:
        environment = os.environ | {ASKED: f"{first}:{count}", FIGURES: noted.name}
        command = [sys.executable, "-m", "pytest", suite.test, "-m", "prove or not prove", "-p", "no:cacheprovider"]
        command += ["--timeout", "14400"]  # a batch is as long as it is
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        figures: Counter[str] = Counter()
        for line in noted:
            combine(figures, json.loads(line))
    wrong = done.stdout[-4000:] if done.returncode else ""
    return {"first": first, "count": count, "figures": dict(figures), "wrong": wrong}


def prove(suite: Suite, whole: int, workers: int, results: Path = RESULTS) -> bool:
    """Plays what is not in the suite's file yet; a file of other code is begun anew. Returns whether all went well."""
    file = results / f"{suite.name}.json"
    results.mkdir(exist_ok=True)
    known = json.loads(file.read_text()) if file.exists() else {}
    here = about()
    found: dict[str, Any] = known["batches"] if known.get("commit") == here["commit"] else {}
    batches = [(first, min(suite.batch, whole - first)) for first in range(0, whole, suite.batch)]
    before = getrusage(RUSAGE_CHILDREN).ru_utime
    spent = known.get("cpu_seconds", 0) if found else 0
    with ThreadPoolExecutor(workers) as pool:
        waiting = [
            pool.submit(play, suite, *batch)
            for batch in batches
            if found.get(str(batch[0]), {"count": 0})["count"] < batch[1]
        ]
        for done in as_completed(waiting):
            batch = done.result()
            found[str(batch["first"])] = batch
            if batch["wrong"]:
                print(f"{suite.name} {batch['first']}: {batch['wrong']}", flush=True)
            total: Counter[str] = Counter()
            for each in found.values():
                combine(total, each["figures"])
            file.write_text(
                json.dumps(
                    here
                    | {
                        "on": f"{datetime.now(UTC):%Y-%m-%d}",
                        "cases": sum(each["count"] for each in found.values()),
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
            print(f"{suite.name}: {sum(each['count'] for each in found.values()):,} of {whole:,}", flush=True)
    return not any(each["wrong"] for each in found.values())


def table(results: Path = RESULTS) -> str:
    """The README's figures, from the files alone."""
    rows = ["| What is tried | Last long run | Met on the way | Command |", "| --- | --- | --- | --- |"]
    for suite in SUITES:
        file = results / f"{suite.name}.json"
        ran, met = f"none yet; the whole is {suite.whole:,} {suite.noun}", ""
        if file.exists():
            of = json.loads(file.read_text())
            batches = f"{of['wrong']} wrong" if of["wrong"] else "none wrong"
            ran = f"{of['cases']:,} {suite.noun}, {batches}; {of['on']}, `{of['commit'][:7]}`, {of['machine']}, Python {of['python']}"
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
                # Who lives but once has one batch, which may be shorter.
                least = 1 if suite.batch == suite.whole else suite.batch
                well &= prove(suite, max(least, ceil(suite.whole * asked.share)), asked.workers)
    README.write_text(with_figures(README.read_text(encoding="utf-8"), table()), encoding="utf-8")
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
