"""Nothing that people are called, write or keep secret is in a log, an error, the status or a metric (promises T22)."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
from pathlib import Path

import aiohttp
import pytest

from bot.logs import Json, Redacting, told
from bot.web.watching import SOCKET
from tests.fakes.botapi import TOKEN, BotApiProcess

NAME = "Lường Thị Canary"
PHONE = "0987654321"
TEXT = "lời riêng CHIM HOÀNG YẾN"
CANARIES = ("Canary", "Lường", PHONE, "HOÀNG YẾN", TOKEN, TOKEN.partition(":")[2])
RUN = """
import asyncio, bot.inbox
real = bot.inbox.answer
async def raising(session, house, incoming):
    if "CHIM" in incoming.text:
        asyncio.get_running_loop().create_task(lost(incoming))
        try:
            raise KeyError(incoming.text)
        except KeyError as error:
            raise ValueError(f"{incoming.text} of {incoming}") from error
    return await real(session, house, incoming)
async def lost(incoming):
    raise RuntimeError(incoming.text)
bot.inbox.answer = raising
from bot.cli import main
main(["run"])
"""


@pytest.mark.parametrize("form", ["text", "json"])
async def test_the_real_process_says_nothing_of_anybody(tmp_path: Path, form: str) -> None:
    data, log = tmp_path / "data", tmp_path / "bot.log"
    async with BotApiProcess(tmp_path / "calls.jsonl") as fake:
        await fake.control("person", chat_id=42, name=NAME)
        env = os.environ | {
            "CONGDOAN_DATA_DIR": str(data), "CONGDOAN_TELEGRAM_TOKEN": TOKEN, "CONGDOAN_TELEGRAM_API": fake.url,
            "CONGDOAN_ORGANISATION": "X", "CONGDOAN_HOTLINE": "1", "CONGDOAN_LOG": form,
        }  # fmt: skip
        with log.open("wb") as err:
            bot = await asyncio.create_subprocess_exec(
                sys.executable, "-c", RUN, env=env, stdout=asyncio.subprocess.DEVNULL, stderr=err
            )
        try:
            for said in ("/start", f"Tôi là {NAME}, {PHONE}", f"{TEXT} {NAME} {PHONE}"):
                await fake.act(42, "says", text=said)
            async with asyncio.timeout(60):
                while b"ValueError" not in log.read_bytes():  # noqa: ASYNC110 - another process
                    await asyncio.sleep(0.05)
            seen = ""
            connector = aiohttp.UnixConnector(os.path.relpath(data / SOCKET))
            async with aiohttp.ClientSession(connector=connector) as client:
                for path in ("healthz", "metrics", "status"):
                    async with client.get(f"http://x/{path}") as answer:
                        seen += await answer.text()
        finally:
            bot.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(bot.wait(), 30) == 0
    written = log.read_text()
    assert "could not be handled" in written and "KeyError" in written and "inbox.py" in written
    assert "congdoan_updates_handled_total" in seen
    for canary in CANARIES:
        assert canary not in written and canary not in seen, canary
    if form == "json":
        lines = [json.loads(line) for line in written.splitlines() if line != "ready"]
        [first] = [line for line in lines if "could not be handled" in line["message"]][:1]
        assert set(first) == {"at", "level", "logger", "where", "message", "exception"}


def record(message: str, *args: object, error: BaseException | None = None, name: str = "x") -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error is not None else None
    return logging.LogRecord(name, logging.ERROR, __file__, 7, message, args, info)


@pytest.mark.parametrize("form", [Redacting(), Json()])
def test_what_slips_into_a_line_is_blanked(form: logging.Formatter) -> None:
    line = form.format(record("%s rang 0987 654 321 and +84987654321 about update 1234567890", TOKEN))
    assert "<token> rang <phone> and <phone> about update 1234567890" in line
    loop = "Task exception was never retrieved\nfuture: <Task exception=KeyError('Canary')>"
    assert "Canary" not in form.format(record(loop, name="asyncio"))


def test_an_exception_is_told_by_place_and_kind_and_the_systems_own_reason() -> None:
    try:
        try:
            raise OSError(28, "No space left on device", "/data/Canary.jpg")
        except OSError as error:
            raise ValueError("Canary") from error
    except ValueError as error:
        found = told(error)
    assert "builtins.ValueError\n" in found and found.endswith("builtins.OSError: No space left on device")
    assert "test_logs.py" in found and "/data/Canary.jpg" not in found.replace('"/data/Canary.jpg")', "")
