"""The built-in web chat as a channel: its messages live in our own database, its listeners hear of them at once."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from content import disk
from content.message import Message, to_json
from db import webchat
from db.models import Lane
from db.session import Database, Session, settled
from handlers.dialogue import File, Incoming
from scheduler.delivery import EditGone, Rejected

KEEP_UPLOADS = 23 * 3600.0
"""Seconds an upload is kept: looked at every hour, nothing of a stranger stays for more than a day (decisions 14)."""
UPLOAD = re.compile(r"[0-9a-f]{32}")


class WebChat:
    """A door whose platform is ourselves: a message is sent when it is committed and a listener may see it."""

    name = "webchat"
    can_edit = True
    can_erase = True

    def __init__(self, database: Database, data_dir: Path, *, now: Callable[[], datetime]) -> None:
        self.database = database
        self.uploads = data_dir / "uploads"
        self.files = data_dir / "files"
        self.now = now
        self._listeners: dict[str, set[asyncio.Event]] = {}

    def read(self, raw: Any, received_at: datetime) -> Incoming | None:
        """Our form of one update.

        {"address": "w-…", "text": "menu", "choice": "", "group": "", "files": [["photo", "9f…", "a.jpg", 812]]}
        """
        return Incoming(
            self.name,
            str(raw["address"]),
            received_at,
            text=str(raw.get("text", "")),
            choice=str(raw.get("choice", "")),
            files=tuple(File(kind, ref, ref, name, int(size)) for kind, ref, name, size in raw.get("files", [])),
            group=str(raw.get("group", "")),
        )

    async def erase(self, session: Session, raw: Any) -> None:
        """Takes what a person said, and the uploads that came with it, out of their chat."""
        files = raw.get("files", [])
        names = {name for _, _, name, _ in files}
        address, text, album = (str(raw.get(key, "")) for key in ("address", "text", "group"))
        await webchat.hide(session, address, text, names, album)
        self.drop([ref for _, ref, _, _ in files])

    async def send(self, address: str, message: Message, *, edits: str, lane: Lane) -> str:
        """Adds or changes a message of a chat and wakes whoever looks at it."""
        number = await settled(lambda: self._write(address, to_json(message), edits, lane))
        self.changed(address)
        return str(number)

    async def _write(self, address: str, payload: dict[str, Any], edits: str, lane: Lane) -> int:
        async with self.database.write() as session:
            if not edits:
                return (await webchat.add(session, address, payload, self.now(), mine=False)).id
            if not await webchat.edit(session, address, int(edits), payload):
                raise EditGone("edit gone")
            if lane == Lane.REPLY:
                await webchat.take_presses(session, address, int(edits))
            return int(edits)

    async def fetch(self, ref: str) -> bytes:
        """The bytes of an upload. Raises Rejected when it is gone."""
        if not UPLOAD.fullmatch(ref):
            raise Rejected("not an upload")
        try:
            return await asyncio.to_thread((self.uploads / ref).read_bytes)
        except FileNotFoundError:
            raise Rejected("the upload is gone") from None

    def new_upload(self) -> tuple[str, IO[bytes]]:
        """A reference nobody can guess and the file to write to; `keep` it before saying that it arrived."""
        disk.make_folder(self.uploads)
        ref = secrets.token_hex(16)
        return ref, (self.uploads / ref).open("xb")

    async def keep(self, file: IO[bytes]) -> None:
        """Closes an upload once it would survive a power cut."""
        file.flush()
        await asyncio.to_thread(disk.sync, Path(file.name), self.uploads)
        file.close()

    def drop(self, refs: Sequence[str]) -> None:
        """Deletes uploads that nobody will ask for: the request failed, was a repeat, or its sender was erased."""
        for ref in refs:
            if UPLOAD.fullmatch(ref):
                (self.uploads / ref).unlink(missing_ok=True)

    async def sweep(self) -> None:
        """Deletes uploads of long ago; one that is still to be fetched stays, for we may have been down for days.

        Files have real times, also where the clock can be moved.
        """
        async with self.database.read() as session:
            wanted = await webchat.uploads_wanted(session)
        await asyncio.to_thread(self._sweep, wanted)

    def _sweep(self, wanted: set[str]) -> None:
        oldest = time.time() - KEEP_UPLOADS
        for path in self.uploads.glob("*"):
            if path.name not in wanted and path.stat().st_mtime < oldest:
                path.unlink(missing_ok=True)

    def listen(self, address: str) -> asyncio.Event:
        """An event that is set whenever a chat changes; give it back with `forget`."""
        event = asyncio.Event()
        self._listeners.setdefault(address, set()).add(event)
        return event

    @property
    def listeners(self) -> int:
        """How many listen to any chat."""
        return sum(map(len, self._listeners.values()))

    def listening(self, address: str) -> int:
        """How many listen to a chat."""
        return len(self._listeners.get(address, ()))

    def forget(self, address: str, event: asyncio.Event) -> None:
        """Nobody listens with this event any more."""
        self._listeners.get(address, set()).discard(event)
        if not self._listeners.get(address):
            self._listeners.pop(address, None)

    def changed(self, address: str) -> None:
        """Wakes the listeners of a chat."""
        for event in self._listeners.get(address, ()):
            event.set()

    def hang_up(self) -> None:
        """Wakes everybody, so that open streams can end."""
        for events in self._listeners.values():
            for event in events:
                event.set()
