"""What is done in a fork of its own, which may be killed in the midst of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

KILLED = -signal.SIGKILL


def forked(work: Callable[[], int], name: str) -> int:
    """What a fork returns, or KILLED; nothing else may become of it."""
    reading, writing = os.pipe()
    if not (child := os.fork()):
        os.write(writing, str(work()).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, KILLED), f"{name} failed"
    return int(said) if code == 0 else code


def played(module: str, order: object) -> Any:
    """What `python -m module` prints when it gets an order, both as JSON: forks come from where nothing else runs."""
    command = [sys.executable, "-m", module, json.dumps(order)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
