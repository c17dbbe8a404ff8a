"""Where tests keep their databases: a file each, or one temporary PostgreSQL server with a database each."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off", "max_connections=60")
"""A server for tests need not outlive a power cut. What we set for each connection stays as it is."""


def find_programs() -> Path | None:
    """The folder of the newest PostgreSQL server that is installed; Debian keeps it off the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    there = found[-1] if found else shutil.which("initdb")
    return Path(there).parent if there else None


class Server:
    """One temporary server, reached by its socket in a folder that only its user may enter. It refuses to run as root."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self.folder = Path(tempfile.mkdtemp(prefix="congdoan-pg-"))
        self._user: dict[str, Any] = {"user": "nobody", "extra_groups": []} if os.geteuid() == 0 else {}
        if self._user:
            shutil.chown(self.folder, "nobody")
        self._made = 0
        self.process: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        """Writes an empty cluster and starts it."""
        self._run("initdb", "-D", self._data, "-U", "congdoan", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        self.start()

    def start(self, *, fast: bool = True) -> None:
        """Starts and waits until it answers. `fast` gives up what only a power cut asks for."""
        options = [part for option in (FAST if fast else ()) for part in ("-c", option)]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._data, "-k", self.folder, "-h", "", *options],
                stdout=log, stderr=log, cwd=self.folder, **self._user,
            )  # fmt: skip
        until = time.monotonic() + 60
        while True:
            try:
                self.ask("SELECT 1")
                return
            except Exception:
                assert self.process.poll() is None and time.monotonic() < until, (self.folder / "log").read_text()
                time.sleep(0.02)

    def stop(self, how: str = "immediate") -> None:
        """Ends it at once, or in another way that pg_ctl knows."""
        if self.process is not None:
            self._run("pg_ctl", "-D", self._data, "-m", how, "-w", "stop")
            self.process.wait()
            self.process = None

    def remove(self) -> None:
        """Stops it and deletes all of it."""
        self.stop()
        shutil.rmtree(self.folder)

    def url(self, name: str) -> str:
        """The address of a database of this server, as the settings take it."""
        return f"postgresql+psycopg://congdoan@/{name}?host={quote(str(self.folder), safe='')}"

    def create(self, template: str = "template1", name: str = "") -> str:
        """Makes a database, a copy of another one, and returns its name."""
        self._made += 1
        name = name or f"d{self._made}"
        self.ask(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, name: str) -> None:
        """Deletes a database, whoever is still connected."""
        self.ask(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def ask(self, question: str, name: str = "postgres") -> list[Any]:
        """One statement, committed; the rows it gives."""
        import psycopg

        with psycopg.connect(host=str(self.folder), user="congdoan", dbname=name, autocommit=True) as connection:
            cursor = connection.execute(question)
            return cursor.fetchall() if cursor.description else []

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _run(self, program: str, *words: str | Path) -> None:
        done = subprocess.run(
            [self._programs / program, *words], cwd=self.folder, capture_output=True, text=True, **self._user
        )
        assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def temporary_server() -> Iterator[Server]:
    """A server for as long as it is needed. Raises LookupError where PostgreSQL is not installed."""
    programs = find_programs()
    if programs is None:
        raise LookupError("PostgreSQL's server is not installed (on Debian: the package postgresql)")
    server = Server(programs)
    try:
        server.make()
        yield server
    finally:
        server.remove()


class Template:
    """A database with the newest schema and the test province's units, and the place where worlds are copies of it."""

    def __init__(self, folder: Path, server: Server | None) -> None:
        self._server = server
        self.path = folder / "template.db"
        """The file, where it is one."""
        self._place = folder / "world.db"
        self._name = server.create() if server is not None else ""
        self.url = server.url(self._name) if server is not None else sqlite(self.path)
        self.world = server.url("world") if server is not None else sqlite(self._place)

    def fresh(self) -> None:
        """Puts a copy in the place of the world before. Close what used that one first."""
        if self._server is not None:
            self._server.drop("world")
            self._server.create(self._name, "world")
            return
        for suffix in ("", "-wal", "-shm"):
            self._place.with_name(self._place.name + suffix).unlink(missing_ok=True)
        shutil.copyfile(self.path, self._place)


def sqlite(path: Path) -> str:
    """The address of a file."""
    return f"sqlite+aiosqlite:///{path}"
