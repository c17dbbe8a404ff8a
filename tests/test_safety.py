"""What the whole of the code must not do, what it leans on, and what the README says of limits: parts of asvs.yaml."""

from __future__ import annotations

import ast
import math
import re
import tomllib
from collections.abc import Iterator
from datetime import timedelta

import pytest

from bot.web import guard, saying, server
from content import names, pictures
from db import roles, webchat
from handlers.units import inviting
from tests.test_house import FLOORS, ROOT, sources

CALLS = re.compile(
    r"eval|exec|compile|__import__|os\.(system|popen|exec.*|spawn.*)|subprocess\.get.*|(.*\.)?create_subprocess_shell"
    r"|(pickle|marshal|shelve|dill)\..*|yaml\.(load|load_all|full_load.*|unsafe_load.*)|(.*\.)?Markup|tempfile\.mktemp"
    r"|hashlib\.(?!sha256\b)\w+|random\..*|Random|uuid\.uuid1|ssl\._create_unverified_context"
)
"""What runs text, believes bytes, hashes with anything else than SHA-256, or draws what somebody could foresee."""
ALLOWED = {("bot/app.py", "Random"), ("bot/demo_contest.py", "Random")}
"""The spreading of jobs over seconds is no secret, nor how the demo's invented people did in a contest."""
SWITCHES = {"shell": True, "verify": False, "verify_ssl": False, "ssl": False, "check_hostname": False}
MODULES = re.compile(r"pickle|marshal|shelve|dill|lxml.*|xml\.(etree|dom|sax).*|telnetlib|ftplib")
SQL = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE|DROP|ALTER|CREATE|PRAGMA|VACUUM|LISTEN|NOTIFY)\s")
SCRIPT = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|createContextualFragment|document\.write|\beval\(|new Function"
)


def dangerous(source: str) -> Iterator[str]:
    """Calls and imports that nothing of ours needs."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if CALLS.fullmatch(name):
                yield name
            for word in node.keywords:
                given = word.value.value if isinstance(word.value, ast.Constant) else None
                if word.arg in SWITCHES and given is SWITCHES[word.arg]:
                    yield f"{word.arg}={given}"
        elif isinstance(node, ast.Import | ast.ImportFrom):
            named = [node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names]
            yield from (name for name in named if MODULES.fullmatch(name))


def glued(source: str) -> Iterator[str]:
    """SQL put together from anything but constants of ours, which are written in capitals."""
    for node in ast.walk(ast.parse(source)):
        text, parts = "", []
        if isinstance(node, ast.JoinedStr):
            text = "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
            parts = [ast.unparse(part.value) for part in node.values if isinstance(part, ast.FormattedValue)]
        elif (
            isinstance(node, ast.BinOp)
            and isinstance(node.op, ast.Add | ast.Mod)
            and isinstance(node.left, ast.Constant | ast.JoinedStr | ast.BinOp)
        ):
            text, parts = ast.unparse(node.left), [ast.unparse(node.right)]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".format"):
            text, parts = ast.unparse(node.func), [ast.unparse(each) for each in (*node.args, *node.keywords)]
        if SQL.search(text) and not all(re.fullmatch(r"(\w+\.)?[A-Z_]+", part) for part in parts):
            yield f"{node.lineno}: {ast.unparse(node)}"


def test_nothing_runs_text_as_code_or_as_a_command() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {what}"
        for path in sources(*FLOORS)
        for what in dangerous(path.read_text(encoding="utf-8"))
        if (str(path.relative_to(ROOT)), what) not in ALLOWED
    ]
    found += [
        f"{path.name}: {match[0]}"
        for path in (ROOT / "bot/web/static").glob("*.js")
        if (match := SCRIPT.search(path.read_text(encoding="utf-8")))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "planted",
    [
        "eval(text)", "os.system('ls ' + name)", "subprocess.run(line, shell=True)", "asyncio.create_subprocess_shell(a)",
        "import pickle", "from xml.etree import ElementTree", "yaml.load(text)", "Markup(name)", "hashlib.md5(data)",
        "random.choice(letters)", "Random(1)", "session.get(url, ssl=False)",
    ],
)  # fmt: skip
def test_it_would_be_seen(planted: str) -> None:
    assert list(dangerous(planted))


def test_no_sql_is_put_together_from_values() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sources(*FLOORS)
        for line in glued(path.read_text(encoding="utf-8"))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "planted",
    [
        "text(f\"SELECT * FROM people WHERE name = '{name}'\")",
        "text('DELETE FROM people WHERE id = %s' % number)",
        "text('SELECT 1 FROM ' + table)",
        "text('UPDATE people SET name = {}'.format(name))",
    ],
)
def test_sql_put_together_would_be_seen(planted: str) -> None:
    assert list(glued(planted))
    assert not list(glued('text(f"SELECT pg_advisory_lock({postgres.LEAD})")'))


def test_codes_that_give_something_are_of_128_bits_and_drawn_by_the_system() -> None:
    """Cookies and codes of the command line are `secrets`; those of the chat are letters drawn by `SystemRandom`."""
    assert len(set(inviting.LETTERS)) == len(inviting.LETTERS)
    assert inviting.LENGTH * math.log2(len(inviting.LETTERS)) >= 128
    assert "rng=SystemRandom()," in (ROOT / "bot/app.py").read_text(encoding="utf-8")
    drawn = "".join(path.read_text(encoding="utf-8") for path in sources("bot", "scheduler"))
    bytes_drawn = [int(number) for number in re.findall(r"secrets\.token_\w+\((\d*)\)", drawn)]
    assert bytes_drawn and min(bytes_drawn) * 8 >= 128


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-test.lock", "requirements-postgres.lock"])
def test_every_library_is_pinned_to_one_version_and_its_hash(lock: str) -> None:
    lines = [
        line for line in (ROOT / lock).read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")
    ]
    libraries = re.split(r"\n(?=\S)", "\n".join(lines).strip())
    for library in libraries:
        assert re.match(r"[a-z0-9._-]+(\[[a-z,]+\])?==\S+ ", library), library[:60]
        assert "--hash=sha256:" in library, library[:60]
    if lock == "requirements.lock":
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        named = {re.split(r"[\[>=<~!; ]", line)[0].lower() for line in project["dependencies"]}
        assert named <= {re.split(r"[\[=]", library)[0] for library in libraries}
    assert f"--require-hashes -r {lock}" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_the_readme_tells_the_limits_that_hold() -> None:
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Limits")[2].partition("\n## ")[0]
    text = " ".join(section.split())
    for told in (
        f"{guard.POSTS_A_MINUTE} messages a minute", f"{guard.BURST} at once",
        f"{guard.SESSIONS_AN_HOUR} new browsers an hour", f"{guard.BYTES_A_DAY // 2**20} MB a day",
        f"{saying.LONGEST_TEXT:,} letters", f"{saying.MOST_FILES} files of {saying.LARGEST_FILE // 2**20} MB",
        f"{server.LARGEST_BODY // 1024} KB", f"not seen for {webchat.KEEP_SESSION // timedelta(days=1)} days",
        f"{pictures.MAX_PIXELS // 10**6} megapixels", f"up to {names.MAX_LETTERS} letters",
        f"within {roles.VALID // timedelta(hours=1)} hours", "128 random bits", "tests/matrix/roles.yaml",
        "within 7 days", "within 30 days", "six months",
    ):  # fmt: skip
        assert told in text, told
