"""The fake Bot API as a process: prints its address, then listens until SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import signal
from pathlib import Path

from tests.fakes.botapi.server import TOKEN, FakeBotApi


async def serve(port: int, log: Path | None, token: str) -> None:
    """Runs until the process is told to end."""
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with FakeBotApi(port=port, log_file=log, token=token) as fake:
        print(fake.url, flush=True)
        await ended.wait()


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.botapi")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--log", type=Path, default=None, help="file for one line of JSON a call")
    parser.add_argument("--token", default=TOKEN)
    given = parser.parse_args()
    asyncio.run(serve(given.port, given.log, given.token))


main()
