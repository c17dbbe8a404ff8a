"""The fake Bot API in a process of its own, so that it outlives the bot that a test kills."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from pathlib import Path
from typing import Any

import aiohttp

ROOT = Path(__file__).parents[3]


class BotApiProcess:
    """Starts `python -m tests.fakes.botapi` and drives it: `async with BotApiProcess(log) as fake: fake.url`.

    The log is the file of JSON lines that it writes before each answer; it can be read while the fake runs.
    """

    def __init__(self, log: Path, *, port: int = 0) -> None:
        self._log = log
        self._port = port
        self._process: asyncio.subprocess.Process | None = None
        self._session: aiohttp.ClientSession | None = None
        self.url = ""

    async def __aenter__(self) -> BotApiProcess:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.fakes.botapi", "--port", str(self._port), "--log", str(self._log),
            cwd=ROOT, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert self._process.stdout is not None
        self.url = (await self._process.stdout.readline()).decode().strip()
        if not self.url:
            raise RuntimeError("the fake Bot API did not start")
        self._session = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()
        if self._process is not None:
            if self._process.returncode is None:
                self._process.terminate()
            await self._process.communicate()

    async def control(self, what: str, **order: Any) -> Any:
        """One order (see FakeBotApi.obey). Raises LookupError with the fake's words when it is refused."""
        assert self._session is not None
        async with self._session.post(f"{self.url}/control/{what}", json=order) as answer:
            found = await answer.json()
        if isinstance(found, dict) and "error" in found:
            raise LookupError(found["error"])
        return found

    async def act(self, chat_id: int, does: str, **arguments: Any) -> int | None:
        """What a person does: act(42, "says", text="menu"). Bytes are given as `data`."""
        if isinstance(arguments.get("data"), bytes):
            arguments["bytes"] = base64.b64encode(arguments.pop("data")).decode()
        found = await self.control("act", chat_id=chat_id, does=does, **arguments)
        message_id: int | None = found["message_id"]
        return message_id

    def log(self) -> list[dict[str, Any]]:
        """The logged calls, read from the file; a line that is being written is left out."""
        text = self._log.read_text(encoding="utf-8") if self._log.exists() else ""
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
