"""The order of things in a schedule: processes live and die while people go on; then everything heals and must end."""

from __future__ import annotations

import asyncio
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from content.calendar import LOCAL
from tests.simulation import disk as disks
from tests.simulation.cast import LEADER
from tests.simulation.life import Fate, Life
from tests.simulation.plan import begin
from tests.simulation.process import Process

if TYPE_CHECKING:
    from tests.simulation.world import World

PATIENCE = 600.0
"""Virtual seconds after healing within which everything due must be final (promises §3.3, T1)."""


class Play:
    """One schedule being played."""

    def __init__(self, world: World, folder: Path) -> None:
        self._world = world
        self._folder = folder
        self._process: Process | None = None
        self._death = asyncio.Event()

    def still(self) -> None:
        """Before time moves: nobody may sleep, or ask the platform, inside a transaction."""
        if self._process is not None and self._process.open:
            self._world.wrong.append("time passed while a transaction was open")

    async def play(self) -> None:
        """From the first start to the last row that becomes final."""
        world, plan = self._world, self._world.plan
        loop = asyncio.get_running_loop()
        world.disk.trouble = plan.trouble
        begin(plan, world.crowd)
        for at, by in plan.jumps:
            loop.call_later(at, self._jump, by)
        until = [plan.seconds * (n + 1) / len(plan.fates) for n in range(len(plan.fates))]
        for number, fate in enumerate(plan.fates):
            self._boot(fate)
            await self._lives_until(until[number])
            if number < len(plan.fates) - 1:
                await self._ends()
                await asyncio.sleep(plan.downtimes[number])
        while loop.time() < plan.seconds:  # the last could not start: it is started again, as a service manager would
            await self._ends()
            await asyncio.sleep(3)
            self._boot(None)
            await self._lives_until(plan.seconds)
        await self._heal()
        await self._ends()

    async def close(self) -> None:
        """After a failure of the play itself."""
        if self._process is not None and not self._process.life.buried:
            self._process.life.kill()
            await self._process.life.bury()
            disks.close_all(self._process.life)

    def _boot(self, fate: Fate | None) -> None:
        life = Life(len(self._world.lives), fate, self._dies)
        self._death = asyncio.Event()
        self._world.lives.append(life)
        world = self._world
        self._process = Process(life, world.disk.url, world.clock, self._folder, world.plan.pace)
        self._process.start()

    async def _lives_until(self, moment: float) -> None:
        left = moment - asyncio.get_running_loop().time()
        if left > 0:
            try:
                await asyncio.wait_for(self._death.wait(), left)
            except TimeoutError:
                return

    def _dies(self) -> None:
        self._world.disk.freeze()
        self._death.set()

    async def _ends(self) -> None:
        """Fate, or SIGTERM when it did not come to that; a start-up that is not through is killed."""
        world, process = self._world, self._process
        assert process is not None
        if not process.life.dead and not process.up:
            process.life.kill()
        if process.app is not None:
            world.marks[process.app.deliveries["telegram"]._mark] = process.life.number
        if not process.life.dead and await process.stop():
            return
        world.killed.add(process.life.number)
        await process.life.bury()
        disks.close_all(process.life)
        world.disk.thaw()

    def _jump(self, seconds: float) -> None:
        self._world.clock.ahead += timedelta(seconds=seconds)
        self._world.moved = True

    # ------------------------------------------------------------------------------------------------ healing

    async def _heal(self) -> None:
        """No more trouble; then time is walked until nothing waits, each due moment within its patience."""
        world = self._world
        world.platform.heal()
        world.disk.trouble = 0.0
        world.crowd.calm = True
        if self._process is not None:
            self._process.life.fate = None
        if self._process is None or self._process.life.dead:
            await self._ends()
            self._boot(None)
        while world.platform.state.queue:  # noqa: ASYNC110 - what the platform keeps for a day at most
            await asyncio.sleep(1.3)
        self._pass(max(0.0, world.clock.ahead.total_seconds()))
        for _ in range(60):
            await self._settle(1)
            if self._next_due() is None:
                await self._settle(3)  # whoever read the last message may still do something about it
            due = self._next_due()
            if due is None:
                return
            self._pass(max(0.0, (due - world.now).total_seconds()) + 1)
        world.wrong.append("there is always something left to send")

    def _pass(self, seconds: float) -> None:
        """So much time goes by for everybody, in which nothing happens; the clock is right again."""
        clock = self._world.clock
        clock.passed, clock.ahead = clock.passed + timedelta(seconds=seconds), timedelta(0)
        self._world.moved = True
        if self._process is not None and self._process.app is not None:
            self._process.app._skew._true = clock.lead()

    def _next_due(self) -> datetime | None:
        """When the next message may go, or the day of an anniversary is over."""
        look, now, stamp = self._world.disk.look, self._world.now, self._stamp()
        dues = [
            datetime.fromisoformat(f"{due}+00:00")
            for (due,) in look(  # what stands behind a refused message to the same chat waits with it
                "SELECT min(max(not_before, coalesce(retry_at, ''))) FROM outbox o WHERE state = 'ready' AND (retry_at > ? "
                "OR address NOT IN (SELECT address FROM outbox WHERE state = 'ready' AND retry_at > ?))",
                stamp,
                stamp,
            )
            if due is not None
        ]
        if look("SELECT 1 FROM broadcasts WHERE kind = 'automatic' AND state = 'sending'"):
            dues.append(datetime.combine(now.astimezone(LOCAL).date() + timedelta(days=1), time(0), LOCAL))
        return min(dues, default=None)

    def _stamp(self) -> str:
        """Now, as the database writes it."""
        return self._world.now.strftime("%Y-%m-%d %H:%M:%S.%f")

    async def _settle(self, rounds: int) -> None:
        """Waits until nothing is due any more, and is so for some rounds."""
        loop, world = asyncio.get_running_loop(), self._world
        give_up = loop.time() + PATIENCE
        calm = 0
        while calm < rounds:
            await asyncio.sleep(1.3)
            self._let_go()
            calm = 0 if self._busy() else calm + 1
            if loop.time() > give_up:
                world.wrong.append(f"not final after {PATIENCE:g} s: {self._busy()}")
                return

    def _busy(self) -> list[tuple[object, ...]]:
        world = self._world
        now = self._stamp()
        return world.disk.look(
            "SELECT 'inbox', count(*) FROM inbox WHERE state = 'new' HAVING count(*) > 0 "
            "UNION ALL SELECT 'outbox ' || state || kind, count(*) FROM outbox WHERE state IN ('sending', 'held') "
            "OR (state = 'ready' AND not_before <= ? AND address NOT IN "
            "(SELECT address FROM outbox WHERE state = 'ready' AND retry_at > ?)) GROUP BY state, kind "
            "UNION ALL SELECT 'broadcast ' || state, count(*) FROM broadcasts WHERE state IN ('planning', 'paused') "
            "OR (state = 'scheduled' AND send_at <= ?) OR (state = 'sending' AND kind != 'automatic' AND NOT EXISTS (SELECT 1 FROM outbox o "
            "WHERE o.broadcast_id = broadcasts.id AND o.state = 'ready')) GROUP BY state "
            "UNION ALL SELECT 'updates', ? WHERE ? > 0",
            now, now, now, len(world.platform.state.queue), len(world.platform.state.queue),
        )  # fmt: skip

    def _let_go(self) -> None:
        """Whoever stopped something lets it go on."""
        crowd, look = self._world.crowd, self._world.disk.look
        if look("SELECT 1 FROM facts WHERE name = 'stop' AND json_extract(value, '$.on')"):
            crowd.presses_anyhow(LEADER, "c:choguilai:")
            crowd.types(LEADER, 1.0, ["Cho gửi lại"])
        for code, version, address in look(
            "SELECT b.code, b.version, a.address FROM broadcasts b JOIN accounts a ON a.person_id = b.author_id "
            "WHERE b.state IN ('paused', 'held')"
        ):
            crowd.presses_anyhow(int(address), f"c:guitiep:{code}.{version}")
