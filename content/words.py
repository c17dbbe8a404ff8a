"""All that is said, by key: strict Jinja2 over the YAML of `vi/`, escaped; options carry their labels and keywords."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from jinja2 import Environment, StrictUndefined, Template, TemplateAssertionError, TemplateSyntaxError, meta, nodes

from content import calendar, law, money, names, times
from content.message import Choice, Media, Message
from content.source import ROOT, ContentError, Problem, Source, read
from content.text import fold

FOLDER = ROOT / "vi"
APART = ("more", "home", "_back", "menu")
"""The names of options that turn the page or lead back; they come last."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """Words with nothing to fill in, as most labels are."""

    said: str
    names: ClassVar[frozenset[str]] = frozenset()

    def render(self, *_: object) -> str:
        return self.said


class Filled:
    """Words with something to fill in: parsed at start, which finds what is wrong, unless they were `checked` before, and
    compiled when they are first said.

    Compiling all of them is what a start would wait for longest.
    """

    def __init__(self, environment: Environment, source: str, *, checked: bool = False) -> None:
        """Raises TemplateSyntaxError."""
        self._environment, self._source = environment, source
        self._template: Template | None = None
        if not checked:
            _ = self.names

    @cached_property
    def names(self) -> frozenset[str]:
        """The variables."""
        return _needs(self._environment, self._source)

    def render(self, values: Mapping[str, Any]) -> str:
        if self._template is None:
            self._template = self._environment.from_string(self._source)
        return self._template.render(values)


@dataclass(frozen=True, slots=True)
class Option:
    """An option as the YAML gives it; `label`, `command` and `arg` are templates."""

    key: str
    label: Filled | Fixed
    command: Filled | Fixed | None
    arg: Filled | Fixed | None
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of the words: its text and its options, in order."""

    text: Filled | Fixed
    hint: Filled | Fixed
    options: tuple[Option, ...]
    place: tuple[str, int]

    @property
    def names(self) -> frozenset[str]:
        """The variables it needs."""
        parts = [self.text, self.hint, *(part for o in self.options for part in (o.label, o.command, o.arg) if part)]
        return frozenset(name for part in parts for name in part.names)


class Words:
    """The words of one language. `facts` are the variables every text may use, such as the organisation's name."""

    def __init__(self, entries: Mapping[str, Entry], facts: Mapping[str, str]) -> None:
        self._entries = dict(entries)
        self._facts = dict(facts)
        self._alone: dict[str, Message] = {}
        """Messages that depend on nothing, such as every button of the menu."""

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._entries))

    def entry(self, key: str) -> Entry:
        """The raw entry of a key, for checks."""
        return self._entries[key]

    def text(self, key: str, **params: Any) -> str:
        """The text of a key as the small HTML subset, everything that people typed escaped. Raises KeyError."""
        return self._entries[key].text.render(self._facts | params).strip()

    def plain(self, key: str, **params: Any) -> str:
        """The text of a key without escaping, to be put into another text that escapes it."""
        return _plain(self.text(key, **params))

    @staticmethod
    def unescape(text: str) -> str:
        """A finished text made ready to be put into another one that escapes it."""
        return _plain(text)

    def label(self, key: str, option: str, **params: Any) -> str:
        """The label of one option of a key. Raises KeyError."""
        found = {each.key: each for each in self._entries[key].options}[option]
        return _plain(found.label.render(self._facts | params))

    def message(
        self,
        key: str,
        *extra: Choice,
        only: Iterable[str] | None = None,
        without: Iterable[str] = (),
        media: Sequence[Media] = (),
        **params: Any,
    ) -> Message:
        """The message of a key. `extra` choices come before its own options; `only` and `without` pick among those."""
        if extra or only is not None or without or media or params:
            return self._message(key, extra, only, without, media, params)
        if key not in self._alone:
            self._alone[key] = self._message(key, (), None, (), (), {})
        return self._alone[key]

    def _message(
        self,
        key: str,
        extra: tuple[Choice, ...],
        only: Iterable[str] | None,
        without: Iterable[str],
        media: Sequence[Media],
        params: dict[str, Any],
    ) -> Message:
        entry = self._entries[key]
        values = self._facts | params
        chosen = entry.options if only is None else [o for o in entry.options if o.key in set(only)]
        left_out = set(without)
        own = [
            Choice(
                label=_plain(option.label.render(values)),
                key="" if option.command else option.key,
                command=_plain(option.command.render(values)) if option.command else "",
                arg=_plain(option.arg.render(values)) if option.arg else "",
                words=option.words,
                apart=option.key in APART,
            )
            for option in chosen
            if option.key not in left_out
        ]
        text, hint = (part.render(values).strip() for part in (entry.text, entry.hint))
        return Message(text, (*extra, *own), tuple(media), key, hint=hint)


def load_words(facts: Mapping[str, str], folder: Path = FOLDER, *, checked: bool = False) -> Words:
    """Loads every YAML of `folder`: keys are "<file>.<entry>". Raises ContentError with all problems.

    `checked`: these very files were loaded without one before (`content.checked`).
    """
    environment = _environment()
    problems: list[Problem] = []
    entries: dict[str, Entry] = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            source = read(path)
        except ContentError as error:
            problems += error.problems
            continue
        for name in source.data:
            try:
                entries[f"{path.stem}.{name}"] = _entry(environment, source, name, checked)
            except (TemplateSyntaxError, ValueError, TypeError, KeyError) as error:
                problems.append(Problem(source.file, source.line((name,)), f"{name}: {error}"))
    if problems:
        raise ContentError(problems)
    return Words(entries, facts)


def _entry(environment: Environment, source: Source, name: str, checked: bool) -> Entry:
    data = source.data[name]
    if isinstance(data, str):
        data = {"text": data}
    unknown = set(data) - {"text", "hint", "options"}
    if unknown:
        raise ValueError(f"unknown part {sorted(unknown)}; an entry has text, hint and options")

    def made(template: str) -> Filled | Fixed:
        return Filled(environment, template, checked=checked) if "{" in template else Fixed(template)

    text, hint = made(data["text"]), made(data.get("hint", ""))
    options = []
    for key, option in (data.get("options") or {}).items():
        parts = {"label": option} if isinstance(option, str) else option
        unknown = set(parts) - {"label", "command", "arg", "words"}
        if unknown:
            raise ValueError(f"unknown part {sorted(unknown)} of option {key}")
        arg, command = parts.get("arg"), parts.get("command")
        options.append(
            Option(
                key,
                made(parts["label"]),
                made(command) if command else None,
                made(arg) if arg else None,
                tuple(fold(word) for word in parts.get("words", [])),
            )
        )
    return Entry(text, hint, tuple(options), (source.file, source.line((name,))))


def _needs(environment: Environment, source: str) -> frozenset[str]:
    """The variables of a template. Raises TemplateSyntaxError, for a filter that does not exist too."""
    read = environment.parse(source)
    if "{%" in source:
        return frozenset(meta.find_undeclared_variables(read))
    # Where nothing is set nor repeated, each name that stands there comes from outside: seen in half the time.
    for node in read.find_all(nodes.Filter):
        if node.name not in environment.filters:
            raise TemplateAssertionError(f"no filter named {node.name}", node.lineno)
    return frozenset(node.name for node in read.find_all(nodes.Name))


def _plain(label: str) -> str:
    """Button labels are not HTML: undo the escaping that templates do."""
    return (
        label.strip()
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&#34;", '"')
        .replace("&#39;", "'")
        .replace("&amp;", "&")
    )


def _environment() -> Environment:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {
        "sentence": lambda text: text[:1].upper() + text[1:],
        "within": lambda name: name if name[1:2].isupper() else name[:1].lower() + name[1:],
        "union": names.union_of,
        "places": law.places,
        "money": money.format_money,
        "short_money": money.format_money_short,
        "number": money.format_number,
        "clock": lambda moment: times.format_clock(moment.astimezone(calendar.LOCAL)),
        "hour": lambda moment: times.format_time(moment.astimezone(calendar.LOCAL)),
        "day": lambda day: calendar.official(calendar.local_date(day)),
        "weekday": lambda day: calendar.weekday(calendar.local_date(day)),
        "short_day": lambda day: calendar.official_day_month(calendar.local_date(day)),
    }
    return environment
