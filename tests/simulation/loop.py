"""An event loop whose time is counted, not measured: it jumps to the next timer when nothing is left to run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any


class Stuck(Exception):
    """Nothing runs and nothing is due: everybody waits for somebody else."""


STEPS = 20_000
"""More rounds than this without any time passing are a loop that spins."""


class VirtualLoop(asyncio.BaseEventLoop):
    """Everything asyncio measures (`sleep`, `wait_for`, timeouts) is virtual; nothing here waits, opens a socket or a
    thread, so that the order of all steps follows from the program alone. `still` is called before time moves on.
    """

    def __init__(self) -> None:
        super().__init__()
        self._elapsed = 0.0
        self._steps = 0
        self.still: Callable[[], None] = lambda: None
        self._selector = self  # the base class asks its selector to wait until the next timer
        self.set_default_executor(_AtOnce())

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._elapsed

    def select(self, timeout: float | None) -> list[Any]:
        """Where a real loop would wait for `timeout` seconds."""
        if timeout is None:
            raise Stuck("nothing is due any more")
        self._steps += 1
        if timeout > 0:
            self.still()
            self._elapsed += timeout
            self._steps = 0
        elif self._steps > STEPS:
            raise Stuck("it spins: nothing lets time pass")
        return []

    def set_default_executor(self, executor: Any) -> None:
        """Work for threads is done on the spot."""
        self._default_executor = executor

    def _process_events(self, events: list[Any]) -> None:
        assert not events

    def _write_to_self(self) -> None:
        """There is no other thread to be woken from."""


class _AtOnce(Executor):
    """`asyncio.to_thread` without a thread."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future
