"""`python -m tests.bench [NAME …]`: runs the named measurements, or all; `SHARE=0.05` before it, a part of the long ones."""

from __future__ import annotations

import asyncio
import logging
import platform
import sys
import tempfile
from pathlib import Path

from tests.bench import demo, flood, handling, pace, replies, scale, sending, stage, starts

ALL = {
    "demo": demo.run,
    "sending": sending.run,
    "pace": pace.run,
    "handling": handling.run,
    "flood": flood.run,
    "replies": replies.run,
    "scale": scale.run,
    "starts": starts.run,
}


async def main(names: list[str]) -> None:
    """All in one server's life; databases in the working folder's file system, as in production."""
    logging.disable(logging.CRITICAL)
    print(f"Python {platform.python_version()}, {platform.machine()}; ratios within this run count, seconds do not")
    with tempfile.TemporaryDirectory(dir=".", prefix="bench-") as folder:
        async with stage.server() as at:
            for name in names or ALL:
                await ALL[name](at, Path(folder))


if __name__ == "__main__":
    unknown = set(sys.argv[1:]) - set(ALL)
    if unknown:
        sys.exit(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(ALL)}")
    asyncio.run(main(sys.argv[1:]))
