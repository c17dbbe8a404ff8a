"""The vocabulary of a talk: what comes in, what a step shows and takes, where it leads."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Any

from content.message import Message
from db.errors import Expected

if TYPE_CHECKING:
    from handlers.talk import Talk


@dataclass(frozen=True, slots=True)
class File:
    """A file by reference, not yet fetched. `kind`: photo, document, video, voice, sticker, other. `size` in bytes."""

    kind: str
    ref: str
    unique_ref: str
    name: str = ""
    size: int = 0


@dataclass(frozen=True, slots=True)
class Incoming:
    """One update of any channel. `received_at` is the moment of the inbox commit; it alone decides deadlines.

    `place` is "private", "group" (answered with a link, nothing stored), "edited" (an old message was changed) or "gone"
    (the person stopped the bot).
    """

    channel: str
    address: str
    received_at: datetime
    text: str = ""
    choice: str = ""
    files: tuple[File, ...] = ()
    group: str = ""
    place: str = "private"


class Forget(IntEnum):
    """What must be forgotten at once of a message that was answered (decisions 14)."""

    NOTHING = 0
    CONTENT = 1
    """The update as it came in: a chat without consent, a group."""
    TRACES = 2
    """Whatever its channel keeps of it as well, and the rest of its album: an identity card."""


class Kind(StrEnum):
    """The five shapes of question."""

    CHOICE = "choice"
    MANY = "many"
    TEXT = "text"
    NUMBER = "number"
    FILES = "files"

    @property
    def typed(self) -> bool:
        """Whether it is answered in words or files."""
        return self in TYPED


TYPED = (Kind.TEXT, Kind.NUMBER, Kind.FILES)
"""On these screens digits and single letters are answers: a story, an amount, "how many people?"."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person answered: the key of an option, several keys (typed "1,3"), text, files, or text with files."""

    choice: str = ""
    many: tuple[str, ...] = ()
    text: str = ""
    files: tuple[File, ...] = ()
    group: str = ""


class Again(Expected):
    """The answer cannot be used: say why and stay here. Not a failure."""


@dataclass(frozen=True, slots=True)
class Move:
    """Where a talk goes: a step of a dialogue, or one of the constants below."""

    dialogue: str = ""
    step: str = ""
    data: dict[str, object] = field(default_factory=dict)


END = Move("end")
"""The dialogue is over; its last words have been said. A draft is gone."""
STAY = Move("stay")
"""Nothing more to show: the question on the screen stands (a file was added, a message joined)."""
AGAIN = Move("again")
"""Show this step once more, in place where the channel can (several choices, paging)."""
BACK = Move("back")
"""One step back, with the answer that was given."""
CANCEL = Move("cancel")
"""What stands is to be given up: asks whether to keep it as a draft, drop it or go on."""
LEAVE = Move("leave")
"""The dialogue is left as it is; a draft is kept."""

Ask = Callable[["Talk"], Awaitable["Message | Move | str"]]
Allowed = Callable[["Talk"], Awaitable[bool]]
Take = Callable[["Talk", Answer], Awaitable["Move | str"]]


@dataclass(slots=True)
class Step:
    """One question: `ask` shows it (or redirects), `take` uses the answer and names what comes next.

    It speaks to `officers` as comrades. `free` lets text that is no option reach `take` on a CHOICE step (searching again,
    an amount instead of a button). The way back leads past a step that is `aside`, one that only comes up for what was
    answered just before. What is written `to_many` may name a number that nobody should send us: it is looked at again,
    not refused. Text is only `beside` the files that a FILES step asks for: there too the words of a command open it. What
    is `tested` is answered alone: while it stands nothing else is told of the law.
    """

    kind: Kind
    ask: Ask
    free: bool = False
    aside: bool = False
    to_many: bool = False
    beside: bool = False
    officers: bool = False
    tested: bool = False
    take: Take | None = None


class Dialogue:
    """A named set of steps. With `keeps_draft` its answers survive leaving it and can be resumed.

    One that is `allowed` to some only ends for who is so no longer, and what they began is offered no more. `officers`
    are spoken to as comrades in all of its steps. `begun` says whether a draft holds anything a person would miss.
    """

    def __init__(
        self,
        name: str,
        *,
        officers: bool = False,
        keeps_draft: bool = False,
        allowed: Allowed | None = None,
        begun: Callable[[dict[str, Any]], bool] = bool,
    ) -> None:
        self.name = name
        self.officers = officers
        self.keeps_draft = keeps_draft
        self.allowed = allowed
        self.begun = begun
        self.steps: dict[str, Step] = {}

    def ask(
        self,
        name: str,
        kind: Kind = Kind.CHOICE,
        *,
        free: bool = False,
        aside: bool = False,
        to_many: bool = False,
        beside: bool = False,
        officers: bool = False,
        tested: bool = False,
    ) -> Callable[[Ask], Ask]:
        """Registers what a step shows. Raises ValueError where a step of that name is there already."""

        def register(function: Ask) -> Ask:
            if name in self.steps:
                raise ValueError(f"{self.name} asks {name} twice: {function.__module__} would replace the first")
            self.steps[name] = Step(kind, function, free, aside, to_many, beside, officers or self.officers, tested)
            return function

        return register

    def take(self, name: str) -> Callable[[Take], Take]:
        """Registers what a step does with an answer. Raises ValueError where that is said already, or nothing is asked."""

        def register(function: Take) -> Take:
            step = self.steps.get(name)
            if step is None or step.take is not None:
                wrong = "takes what it does not ask" if step is None else "takes twice"
                raise ValueError(f"{self.name} {wrong}: {name} in {function.__module__}")
            step.take = function
            return function

        return register

    def question(self, name: str, key: str, kind: Kind = Kind.CHOICE, *, free: bool = False) -> Callable[[Take], Take]:
        """Registers a step that shows a text of the words as it stands, and what it does with an answer."""

        @self.ask(name, kind, free=free)
        async def ask(talk: Talk) -> Message:
            return talk.screen(key)

        return self.take(name)

    async def open_to(self, talk: Talk) -> bool:
        """Whether this person may still be in it."""
        return self.allowed is None or await self.allowed(talk)

    def go(self, step: str, **data: object) -> Move:
        """A move to a step of this dialogue from outside it, with data to start from."""
        return Move(self.name, step, data)


class Place(StrEnum):
    """Where the menu offers a command."""

    MAIN = "main"
    MORE = "more"
    OFFICER = "officer"
    NOWHERE = "nowhere"


@dataclass(frozen=True, slots=True)
class Command:
    """A whole word, a /command or a button that works at any time. `run` gets the argument, "" without one.

    It returns where to go, or None when what it said changes nothing about the talk. `joined` commands lead a stranger
    through joining first, and somebody half-way through the rest of it. `own` ones are the rights over one's own data:
    they never wait for joining, nor stop with processing. `slash` ones are listed with their /name. `visible` says whether
    the menu and help offer it to this person, `opens` whether it has the thing of a receipt code for them, `hears` whether a
    message that nothing else understood is for it; authorisation is
    another matter and happens where the thing is done.
    """

    name: str
    run: Callable[[Talk, str], Awaitable[Move | None]]
    place: Place = Place.NOWHERE
    joined: bool = True
    own: bool = False
    slash: bool = False
    visible: Callable[[Talk], Awaitable[bool]] | None = None
    opens: Callable[[Talk, str], Awaitable[bool]] | None = None
    hears: Callable[[Talk, str], bool] | None = None
