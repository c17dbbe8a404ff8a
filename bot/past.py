"""Plays what the demo's people did before it begins, screen by screen through the engine, each at their hour."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, time, timedelta
from operator import itemgetter
from typing import Any

from bot.app import App
from bot.clock import MovableClock
from content.calendar import LOCAL, local_date
from content.demo import DemoScene, sketch
from content.message import Choice, choices_from_json, from_json, to_json
from db import accounts, outbox, queue, submissions, webchat
from db.ahead import Due
from db.models import Draft, Lane, OutState
from db.outbox import Ask, Settlement
from db.session import Session
from handlers.dialogue import File, Incoming
from handlers.engine import answer
from scheduler.timetable import OPENINGS

CHANNEL = "webchat"
WAITS_FOR_HOURS = ("question", "draft")
"""What falls due at any hour and is said in the person's own."""


def address_of(key: str) -> str:
    """The web-chat address of somebody in the demo."""
    return f"demo-{key}"


def openings(moment: datetime) -> list[datetime]:
    """The moments of a day at which something may begin by itself."""
    return [datetime.combine(local_date(moment), hour, LOCAL) for hour in OPENINGS]


def _at(scene: DemoScene, until: datetime) -> datetime:
    day = local_date(until) - timedelta(days=scene.ago)
    return datetime.combine(day, time.fromisoformat(scene.hour.zfill(5)), LOCAL)


class Past:
    """Plays what was before: people type and press at their hour, what falls due in between happens."""

    def __init__(
        self, app: App, clock: MovableClock, known: dict[str, int], next_stop: Callable[[], Awaitable[Due | None]]
    ) -> None:
        self._app = app
        self._clock = clock
        self._known = known
        self._next_stop = next_stop
        self._codes: dict[str, str] = {}
        self._said = 0

    async def run(self, story: Sequence[DemoScene], until: datetime) -> None:
        """Plays the whole story; its last day is lived like any other, with what the morning plans."""
        for at, scene in sorted(((_at(scene, until), scene) for scene in story), key=itemgetter(0)):
            await self._reach(at)
            await self._play(scene)
        for moment in openings(until):
            await self._live(min(until, moment))
        await self._live(until)

    async def _reach(self, at: datetime) -> None:
        """Moves on to a moment through everything that falls due on the way."""
        while (due := await self._next_stop()) is not None and due.at <= at:
            await self._happen(due.at)
            if due.kind in WAITS_FOR_HOURS:
                for moment in openings(due.at):
                    if due.at < moment < at:
                        await self._happen(moment)
        self._clock.move_to(at)

    async def _live(self, at: datetime) -> None:
        """Moves on to a moment and does what is due then, also what no row announces."""
        await self._reach(at)
        await self._happen(at)

    async def _happen(self, at: datetime) -> None:
        """Does what is due at a moment."""
        self._clock.move_to(at)
        await self._app.timetable.run_all()
        async with self._app.database.write() as session:
            await self._deliver(session)

    async def _play(self, scene: DemoScene) -> None:
        """One visit of one person to their chat, in one transaction."""
        async with self._app.database.write() as session:
            lines = [*await self._draft(session, scene), *scene.says] if scene.report else scene.says
            for line in lines:
                await self._line(session, scene.who, line.format_map(self._codes))
            if scene.report and not scene.draft:
                self._codes[scene.report] = (await submissions.list_own(session, self._known[scene.who]))[0].code
        if scene.photos or "/guitin" in scene.says:
            await self._happen(self._clock.now())

    async def _draft(self, session: Session, scene: DemoScene) -> list[str]:
        """Writes a report down as its questions would have, and says how it is sent from where it was left."""
        data: dict[str, object] = dict(scene.answers)
        if scene.results or scene.money is not None:
            data["results"] = ({} if scene.money is None else {"money": scene.money}) | scene.results
        step = scene.draft or ("files" if scene.photos else "coauthors" if scene.coauthors else "preview")
        draft = Draft(
            person_id=self._known[scene.who], dialogue="report", step=step, data=data, history=[],
            ahead=[], updated_at=self._clock.now(),
        )  # fmt: skip
        session.add(draft)
        await session.flush()
        if scene.draft:
            return []
        if scene.photos:
            await self._line(session, scene.who, "/sangkien")
            await self._line(session, scene.who, "[go]")
            await self._photos(session, scene.who)
            return ["[next]", "[review]", "[send]"]
        return ["/sangkien", "[go]", *([scene.coauthors, "[review]"] if scene.coauthors else []), "[send]"]

    async def _photos(self, session: Session, who: str) -> None:
        """Two photos as one album, uploaded as a browser would."""
        files = []
        for name, tidy in (("truoc.jpg", False), ("sau.jpg", True)):
            ref, upload = self._app.webchat.new_upload()
            content = sketch(tidy=tidy)
            with upload:
                upload.write(content)
            files.append(File("photo", ref, ref, name, len(content)))
        self._said += 1
        bubble = {"text": "", "files": [[file.kind, file.name] for file in files], "key": f"past-{self._said}"}
        await webchat.add(session, address_of(who), bubble, self._clock.now(), mine=True)
        for file in files:
            await self._answer(session, who, files=(file,), group=f"album-{self._said}")

    async def _line(self, session: Session, who: str, line: str) -> None:
        """Types a line, or presses the option named in brackets."""
        self._said += 1
        bubble: dict[str, object] = {"text": line, "key": f"past-{self._said}"}
        pressed = ""
        if line.startswith("["):
            choice, screen = await self._option(session, who, line[1:-1])
            pressed = choice.data(screen)
            bubble |= {"text": choice.label, "pressed": True} if choice.label else {"quiet": True}
        await webchat.add(session, address_of(who), bubble, self._clock.now(), mine=True)
        await self._answer(session, who, text="" if pressed else line, choice=pressed)

    async def _option(self, session: Session, who: str, name: str) -> tuple[Choice, int]:
        """The option of a key or command on somebody's screen, or a lasting button of a report's card: "trung SK-25-0001".

        Raises LookupError: the story and the screens do not agree.
        """
        name, _, code = name.partition(" ")
        chat = (await accounts.enter(session, CHANNEL, address_of(who), self._clock.now())).conversation
        for choice in choices_from_json(chat.choices):
            if name in (choice.key, choice.command):
                return choice, chat.screen
        submission = await queue.find_any(session, code)
        if submission is None:
            raise LookupError(f"{who} sees no [{name}] at {chat.dialogue}.{chat.step}")
        return Choice("", command=name, arg=f"{code}.{submission.version}"), chat.screen

    async def _answer(self, session: Session, who: str, **said: Any) -> None:
        await answer(session, self._app.house, Incoming(CHANNEL, address_of(who), self._clock.now(), **said))
        await self._deliver(session)

    async def _deliver(self, session: Session) -> None:
        """Puts what is due into the chats, as the web chat's channel does."""
        now = self._clock.now()
        while parcels := await outbox.claim(session, CHANNEL, now, "past", ask=Ask(tuple(Lane), 500), busy=()):
            done = []
            for parcel in parcels:
                payload = to_json(from_json(parcel.payload))
                if not parcel.edits or not await webchat.edit(session, parcel.address, int(parcel.edits), payload):
                    number = (await webchat.add(session, parcel.address, payload, now, mine=False)).id
                else:
                    number = int(parcel.edits)
                    await webchat.take_presses(session, parcel.address, number)
                done.append(Settlement(parcel.id, parcel.claim, OutState.SENT, provider_id=str(number)))
            await outbox.settle(session, done, now)
        session.expire_all()  # rows are settled past the session, which outlives many messages here
