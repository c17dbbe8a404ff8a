"""The short way to the platform: every form an answer may have, which connections are used again, what never shows."""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import subprocess
import traceback
import tracemalloc
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.channels.telegram import wire as short_way
from bot.channels.telegram.wire import ANSWER, KEEPALIVE, PIECE, NotSent, Unclear, Wire
from tests.bot.test_network import hurried

SECRET = "7:giu-kin"
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
PIECES = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;a=b\r\no\r\n1\r\nk\r\n0\r\n"


class Server:
    """Answers each request with what it is told, and remembers on which connection which came."""

    def __init__(self, answers: Sequence[bytes], step: int = 0, last: bool = False) -> None:
        self.answers, self.step, self.last = list(answers), step, last
        self.asked: list[tuple[int, bytes]] = []
        self.connections: list[asyncio.StreamWriter] = []
        self.url = ""

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.append(writer)
        number = len(self.connections)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0])
                self.asked.append((number, await reader.readexactly(length)))
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                for at in range(0, len(answer), self.step or max(1, len(answer))):
                    writer.write(answer[at : at + (self.step or len(answer))])
                    await asyncio.sleep(0.001 if self.step else 0)
                if self.last:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()


@asynccontextmanager
async def served(
    answers: Sequence[bytes], *, connections: int = 4, step: int = 0, last: bool = False, pool: float | None = 10.0
) -> AsyncIterator[tuple[Server, Wire]]:
    made = Server(answers, step, last)
    server = await asyncio.start_server(made.connected, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/bot{SECRET}/sendMessage"
    wire = Wire(connections, connect=5.0, pool=pool, answer=40.0)
    try:
        yield made, wire
    finally:
        await wire.close()
        for each in made.connections:
            each.transport.abort()
        server.close()
        await server.wait_closed()


FORMS: dict[str, tuple[bytes, bool]] = {
    "a length": (WHOLE, True),
    "pieces": (PIECES + b"\r\n", True),
    "pieces with more behind the last": (PIECES + b"X-Sum: 1\r\n\r\n", True),
    "up to its end": (b"HTTP/1.1 200 OK\r\n\r\nok", False),
    "the old form": (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", False),
    "a farewell": (WHOLE.replace(b"\r\n\r\n", b"\r\nConnection: Close\r\n\r\n"), False),
    "a word before it": (b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" + WHOLE, True),
}
"""Answers that all say the same, and whether their connection may be used again."""


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("step", [0, 1], ids=["at once", "byte by byte"])
async def test_an_answer_is_read_in_every_form(form: str, step: int) -> None:
    answer, kept = FORMS[form]
    async with served([answer], step=step, last=not kept) as (server, wire):
        for _ in range(2):
            assert await wire.post(server.url, b"{}") == (200, b"ok")
        assert [number for number, _ in server.asked] == ([1, 1] if kept else [1, 2])


async def test_an_answer_of_many_pieces_is_read_whole() -> None:
    body = bytes(range(1, 101)) * 1000
    async with served([b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)]) as (server, wire):
        assert len(body) > 2 * PIECE
        for _ in range(2):
            assert await wire.post(server.url, b"{}") == (200, body)
        assert [number for number, _ in server.asked] == [1, 1]


async def test_to_read_a_short_answer_takes_no_more_memory_than_a_piece() -> None:
    loop = asyncio.get_running_loop()
    wire = Wire(1, connect=5.0, pool=5.0, answer=40.0)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/a"

        async def answers() -> None:
            connection, _ = await loop.sock_accept(listening)
            with connection:
                while await loop.sock_recv(connection, 4096):
                    await loop.sock_sendall(connection, WHOLE)

        answering = asyncio.create_task(answers())
        await wire.post(url, b"{}")
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            assert await wire.post(url, b"{}") == (200, b"ok")
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        await wire.close()
        await answering
    assert most - before < 2 * PIECE


async def test_a_connection_on_which_more_comes_than_was_asked_for_is_not_used_again() -> None:
    async with served([WHOLE + b"HTTP"]) as (server, wire):
        for _ in range(2):
            assert await wire.post(server.url, b"{}") == (200, b"ok")
        assert [number for number, _ in server.asked] == [1, 2]


@pytest.mark.parametrize(
    "answer",
    [
        WHOLE.replace(b": 2", b": -2"),
        WHOLE.replace(b": 2", b": two"),
        WHOLE.replace(b": 2", b": %d" % (ANSWER + 1)),
        WHOLE.replace(b"200", b"abc"),
        WHOLE.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n"),
        PIECES.replace(b"chunked", b"gzip, chunked") + b"\r\n",
        PIECES.replace(b"1\r\nk", b"-6\r\nk") + b"\r\n",
        PIECES.replace(b"1\r\nk", b"x\r\nk") + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000,
        b"HTTP/1.1 200 OK\r\n\r\n" + b"a" * (ANSWER + 1),
        b"SSH-2.0-x\r\n",
        WHOLE[:-1],
    ],
    ids=range(12),
)
async def test_what_is_no_answer_is_unclear_and_its_connection_not_used_again(answer: bytes) -> None:
    async with served([answer, WHOLE], last=answer == WHOLE[:-1]) as (server, wire):
        with pytest.raises(Unclear) as caught:
            await wire.post(server.url, b"{}")
        assert_secret(caught.value)
        assert await wire.post(server.url, b"{}") == (200, b"ok")
        assert [number for number, _ in server.asked] == [1, 2]


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[ssl.SSLContext, Path]:
    """Of a server that is called localhost, and where it lies for whoever trusts it."""
    if shutil.which("openssl") is None:
        pytest.skip("makes its certificate with openssl: apt install openssl")
    made, key = tmp_path / "made.pem", tmp_path / "key.pem"
    order = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    subprocess.run([*order.split(), "-keyout", key, "-out", made], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made, key)
    return context, made


async def test_over_tls_only_whoever_is_trusted_under_that_name_hears_anything(
    certificate: tuple[ssl.SSLContext, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    keyed, made = certificate
    heard = Server([WHOLE])
    server = await asyncio.start_server(heard.connected, "127.0.0.1", 0, ssl=keyed)
    port = server.sockets[0].getsockname()[1]
    for trusted, name, answered in ((True, "localhost", True), (True, "127.0.0.1", False), (False, "localhost", False)):
        with monkeypatch.context() as changed:
            if trusted:
                changed.setenv("SSL_CERT_FILE", str(made))
            short_way._trust.cache_clear()
            wire = Wire(1, connect=10.0, pool=10.0, answer=40.0)
            if answered:
                for _ in range(2):
                    assert await wire.post(f"https://{name}:{port}/bot{SECRET}/a", b"{}") == (200, b"ok")
            else:
                with pytest.raises(NotSent):
                    await wire.post(f"https://{name}:{port}/bot{SECRET}/a", b"{}")
            await wire.close()
    short_way._trust.cache_clear()
    assert heard.asked == [(1, b"{}"), (1, b"{}")]
    for each in heard.connections:
        each.transport.abort()
    server.close()
    await server.wait_closed()


async def test_nobody_gets_the_answer_to_what_another_asked() -> None:
    async with served([b"", WHOLE.replace(b"ok", b"me")]) as (server, wire):
        given_up = asyncio.create_task(wire.post(server.url, b"first"))
        while not server.asked:  # noqa: ASYNC110
            await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.wait([given_up])
        assert await wire.post(server.url, b"second") == (200, b"me")
        assert server.asked == [(1, b"first"), (2, b"second")]


async def test_what_nobody_asked_for_is_nobodys_answer() -> None:
    async with served([WHOLE]) as (server, wire):
        await wire.post(server.url, b"{}")
        server.connections[0].write(WHOLE.replace(b"ok", b"no"))
        (line,) = wire._lines
        await line.lost
        assert await wire.post(server.url, b"{}") == (200, b"ok")
        assert len(server.connections) == 2


async def test_no_more_connections_than_allowed_and_who_waits_too_long_has_sent_nothing() -> None:
    async with served([b""], connections=2, pool=0.01) as (server, wire):
        asking = [asyncio.create_task(wire.post(server.url, b"{}")) for _ in range(2)]
        while len(server.asked) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0)
        with pytest.raises(NotSent):
            await wire.post(server.url, b"{}")
        assert len(server.asked) == 2
        server.answers = [WHOLE]
        for connection in server.connections:
            connection.write(WHOLE)
        assert [await each for each in asking] == [(200, b"ok")] * 2
        await asyncio.gather(*(wire.post(server.url, b"{}") for _ in range(2)))
        assert len(server.connections) == 2


async def test_what_waits_for_a_connection_does_not_leave_after_the_end() -> None:
    async with served([b""], connections=1) as (server, wire):
        first, second = (asyncio.create_task(wire.post(server.url, body)) for body in (b"first", b"second"))
        while not server.asked:  # noqa: ASYNC110
            await asyncio.sleep(0)
        server.answers = [WHOLE]
        await wire.close()
        with pytest.raises(Unclear):
            await first
        with pytest.raises(NotSent):
            await second
        assert server.asked == [(1, b"first")]


async def test_a_connection_that_is_made_after_the_end_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    really, begun, ended = loop.create_connection, asyncio.Event(), asyncio.Event()

    async def slowly(*arguments: Any, **settings: Any) -> Any:
        begun.set()
        await ended.wait()
        return await really(*arguments, **settings)

    monkeypatch.setattr(loop, "create_connection", slowly)
    async with served([WHOLE]) as (server, wire):
        asking = asyncio.create_task(wire.post(server.url, b"{}"))
        await begun.wait()
        await wire.close()
        ended.set()
        with pytest.raises(NotSent):
            await asking
        assert server.asked == []


def test_a_connection_that_was_idle_for_long_is_not_used_again() -> None:
    async def asks(pause: float) -> int:
        async with served([WHOLE]) as (server, wire):
            await wire.post(server.url, b"{}")
            await asyncio.sleep(pause)
            await wire.post(server.url, b"{}")
            return len(server.connections)

    assert hurried(lambda: asks(KEEPALIVE - 1)) == 1
    assert hurried(lambda: asks(KEEPALIVE + 1)) == 2


def test_idle_connections_end_by_themselves() -> None:
    async def left() -> int:
        async with served([WHOLE]) as (server, wire):
            await asyncio.gather(*(wire.post(server.url, b"{}") for _ in range(4)))
            assert len(wire._lines) == 4
            await asyncio.sleep(60)
            return len(wire._lines)

    assert hurried(left) == 0


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/bot{}/a", "http://127.0.0.1:99999/bot{}/a", "nowhere/bot{}", "http://[/bot{}"]
)
async def test_what_has_no_address_was_not_sent_and_the_token_does_not_show(url: str) -> None:
    wire = Wire(1, connect=5.0, pool=5.0, answer=5.0)
    with pytest.raises(NotSent) as caught:
        await wire.post(url.format(SECRET), b"{}")
    assert_secret(caught.value)
    await wire.close()


def assert_secret(error: BaseException) -> None:
    assert SECRET not in "".join(traceback.format_exception(error))
    assert error.__context__ is None and error.__cause__ is None
