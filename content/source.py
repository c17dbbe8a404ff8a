"""Reads the YAML of words and packs so that every problem is found at once, each with its file and line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

ROOT = Path(__file__).parent

Model = TypeVar("Model", bound=BaseModel)

LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
"""libyaml reads all packs in a tenth of the time, where it is there."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a content file: where it stands and what would be right."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


class ContentError(Exception):
    """Content is wrong; the process must not start. Carries every problem found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(frozen=True, slots=True)
class Source:
    """A parsed file: plain dicts, lists and strings, and the line of every value by its path."""

    file: str
    data: Any
    lines: dict[tuple[str | int, ...], int]

    def line(self, path: Iterable[str | int]) -> int:
        """The line of the value at `path`, or of the nearest parent that is in the file."""
        here = tuple(path)
        while here and here not in self.lines:
            here = here[:-1]
        return self.lines.get(here, 1)


def read(path: Path) -> Source:
    """Parses one file. All scalars stay strings: YAML 1.1 turns `18:30` into 1110 and `NO` into False.

    Raises ContentError for broken YAML, duplicate keys, anchors and aliases.
    """
    name = str(path.relative_to(ROOT.parent)) if path.is_relative_to(ROOT.parent) else str(path)
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=LOADER)
        if root is None:
            return Source(name, {}, {(): 1})
        lines: dict[tuple[str | int, ...], int] = {}
        problems: list[Problem] = []
        data = _plain(root, (), lines, problems, name, set())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        raise ContentError([Problem(name, mark.line + 1 if mark else 1, f"not readable as YAML: {error}")]) from error
    if problems:
        raise ContentError(problems)
    return Source(name, data, lines)


def _plain(
    node: yaml.Node,
    path: tuple[str | int, ...],
    lines: dict[tuple[str | int, ...], int],
    problems: list[Problem],
    file: str,
    seen: set[int],
) -> Any:
    line = node.start_mark.line + 1
    lines[path] = line
    if id(node) in seen:
        problems.append(Problem(file, line, "aliases are not allowed: write the value out"))
        return None
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            if key in result:
                problems.append(Problem(file, key_node.start_mark.line + 1, f"the key '{key}' stands here twice"))
            result[key] = _plain(value_node, (*path, key), lines, problems, file, seen)
            lines[(*path, key)] = key_node.start_mark.line + 1
        return result
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*path, i), lines, problems, file, seen) for i, item in enumerate(node.value)]
    return str(node.value)


def parse(model: type[Model], source: Source) -> Model:
    """Checks a file against its schema. Empty strings stand for "not given yet". Raises ContentError, all problems."""
    try:
        return model.model_validate(source.data)
    except ValidationError as error:
        raise ContentError(
            Problem(source.file, source.line(part["loc"]), f"{'.'.join(map(str, part['loc']))}: {part['msg']}")
            for part in error.errors()
        ) from error
