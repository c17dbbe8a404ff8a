"""Small mistakes in one module at a time, to see whether its tests notice (T28): a tool for developers, it checks nothing.

python -m tests.mutants db/inbox.py tests/db/test_inbox.py tests/bot/test_poison.py
python -m tests.mutants --most 40 scheduler/delivery/pacer.py tests/scheduler/test_pacer.py

Each mutant is one changed place in a copy of the sources; the tests named are run on it until the first that fails. What
survives is printed with its line: some change nothing that matters, the others are tests that are missing.
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCES = ("bot", "handlers", "content", "scheduler", "db", "tests")
OTHER: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot,
    ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div,
    ast.Div: ast.Mult, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip
"""An operator, and one that is easily written in its stead."""


def places(tree: ast.Module) -> Iterator[tuple[int, str, ast.AST, str]]:
    """What can be mistaken: line, what it becomes, the node, and how. Annotations and `@dataclass(slots=True)` do nothing."""
    left_alone = {
        id(part)
        for node in ast.walk(tree)
        for each in (
            getattr(node, "annotation", None),
            getattr(node, "returns", None),
            *getattr(node, "decorator_list", ()),
        )
        if isinstance(each, ast.AST)
        for part in ast.walk(each)
    }
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        if id(node) in left_alone:
            continue
        if isinstance(node, ast.Compare) and type(node.ops[0]) in OTHER:
            yield line, f"another comparison in: {ast.unparse(node)}", node, "compare"
        elif isinstance(node, ast.BinOp | ast.BoolOp) and type(node.op) in OTHER:
            yield line, f"another operator in: {ast.unparse(node)}", node, "operator"
        elif isinstance(node, ast.If | ast.While | ast.IfExp):
            yield line, f"the opposite of: {ast.unparse(node.test)}", node, "opposite"
        elif isinstance(node, ast.Constant) and type(node.value) in (int, float, bool):
            yield line, f"another value than {node.value!r}", node, "value"
        elif isinstance(node, ast.Return) and node.value is not None:
            yield line, f"nothing instead of: {ast.unparse(node)}", node, "nothing"
        elif isinstance(node, ast.Expr | ast.Assign | ast.AugAssign) and not isinstance(node.value, ast.Constant):
            yield line, f"without: {ast.unparse(node)}", node, "without"


def mistake(node: ast.AST, how: str) -> None:
    """Makes one mistake in place."""
    if how == "compare":
        assert isinstance(node, ast.Compare)
        node.ops[0] = OTHER[type(node.ops[0])]()  # type: ignore[call-overload]
    elif how == "operator":
        assert isinstance(node, ast.BinOp | ast.BoolOp)
        node.op = OTHER[type(node.op)]()  # type: ignore[assignment]
    elif how == "opposite":
        assert isinstance(node, ast.If | ast.While | ast.IfExp)
        node.test = ast.UnaryOp(ast.Not(), node.test)
    elif how == "value":
        assert isinstance(node, ast.Constant)
        node.value = not node.value if isinstance(node.value, bool) else node.value + 1  # type: ignore[operator]
    elif how == "nothing":
        assert isinstance(node, ast.Return)
        node.value = ast.Constant(None)


class _Without(ast.NodeTransformer):
    """Takes one statement out."""

    def __init__(self, gone: ast.AST) -> None:
        self._gone = gone

    def visit(self, node: ast.AST) -> ast.AST:
        return ast.copy_location(ast.Pass(), node) if node is self._gone else self.generic_visit(node)


def mutants(source: str) -> list[tuple[int, str, str]]:
    """Line, what is mistaken, and the module with it."""
    tree = ast.parse(source)
    made = []
    for number in range(sum(1 for _ in places(tree))):
        other = copy.deepcopy(tree)
        line, what, node, how = list(places(other))[number]
        if how == "without":
            _Without(node).visit(other)
        else:
            mistake(node, how)
        made.append((line, what, ast.unparse(ast.fix_missing_locations(other))))
    return made


def killed(folder: Path, tests: list[str], seconds: float) -> bool:
    """Whether some test failed, or did not come to an end."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-x",
        "-q",
        "-p",
        "no:cacheprovider",
        "--timeout",
        str(round(seconds)),
        *tests,
    ]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=seconds * 3, check=False)
    except subprocess.TimeoutExpired:
        return True
    return done.returncode != 0


def main() -> int:
    """Tries mutants, prints those that survive."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("module")
    parser.add_argument("tests", nargs="+")
    parser.add_argument("--most", type=int, default=10_000, help="so many of them, picked at random")
    parser.add_argument("--seconds", type=float, default=60, help="that a test may take")
    asked = parser.parse_args()
    every = mutants((ROOT / asked.module).read_text(encoding="utf-8"))
    picked = random.Random(28).sample(every, min(asked.most, len(every)))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in SOURCES:
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__", "results"))
        for part in ("pyproject.toml", "README.md"):
            shutil.copy(ROOT / part, folder)
        os.environ["PYTHONDONTWRITEBYTECODE"] = (
            "1"  # a module of the same size and second would be taken for the old one
        )
        if killed(folder, asked.tests, asked.seconds):
            print("the tests fail without any mistake")
            return 1
        survived = 0
        for line, what, source in sorted(picked):
            (folder / asked.module).write_text(source, encoding="utf-8")
            if not killed(folder, asked.tests, asked.seconds):
                survived += 1
                print(f"{asked.module}:{line}: {what}", flush=True)
    print(f"{asked.module}: {len(picked) - survived} of {len(picked)} killed (of {len(every)} there are)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
