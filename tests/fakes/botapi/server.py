"""The fake Bot API over HTTP: obeys calls, logs them before it answers, and misbehaves as told."""

from __future__ import annotations

import asyncio
import base64
import html
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

from aiohttp import web

from tests.fakes.botapi.bringing import Bringer
from tests.fakes.botapi.entities import ApiError
from tests.fakes.botapi.faults import TALKING, Chosen, Fault, Limit, Outcome, Plan, Rates
from tests.fakes.botapi.people import FakePerson, Shown, group_chat, private_chat, shown
from tests.fakes.botapi.state import Chat, Params, State, Upload

TOKEN = "123456789:TEST-canary-token-of-nobody-000000"
LARGEST_REQUEST = 64 * 1024 * 1024
AT_ONCE = 0.5
"""Seconds within which a repeated getUpdates gets one update only (Client.cpp, process_get_updates_query)."""
CONFLICT = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
WEBHOOK_ACTIVE = (
    "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
)
ACTIONS = (
    "says", "presses", "sends_photo", "sends_document", "sends_video", "sends_voice", "sends_sticker",
    "sends_location", "edits", "blocks", "unblocks", "adds_bot", "removes_bot",
)  # fmt: skip


@dataclass(frozen=True)
class Call:
    """One line of the log. `delivered`: it had its effect; `outcome`: "ok", a fault's name, or code and refusal."""

    n: int
    at: float
    method: str
    chat_id: int | None
    params: Mapping[str, Any]
    message_id: int | None
    delivered: bool
    outcome: str


class FakeBotApi:
    """A Bot API for one bot on 127.0.0.1, driven from the same process: `async with FakeBotApi() as fake: fake.url`.

    What it knows survives `stop` and `start` (on the same port), as the platform's memory survives a network that is
    down. `now` is its own clock; `later` moves it. `log_file` gets each logged call as a line of JSON.
    """

    def __init__(
        self,
        *,
        token: str = TOKEN,
        port: int = 0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        log_file: Path | None = None,
        limit: Limit | None = None,
    ) -> None:
        self.token = token
        self.log: list[Call] = []
        self.plan = Plan()
        self.limit = limit
        self.polls: list[Mapping[str, Any]] = []
        """The arguments of every getUpdates, in order."""
        self.conflicts = 0
        """How many living pollers were ended by another's poll."""
        self._port = port
        self._clock = now
        self._moved = timedelta(0)
        self._log_file = log_file
        self._lines: IO[str] | None = None
        self._runner: web.AppRunner | None = None
        self._stopping = asyncio.Event()
        self._poll: asyncio.Future[str] | None = None
        self._last_poll: tuple[int, float] = (-1, 0.0)
        self._watchers: list[tuple[Callable[[], Any], asyncio.Future[None]]] = []
        self._people: dict[int, FakePerson] = {}
        self.state = State(self.now)
        self.state.changed = self._on_update
        self.bringer = Bringer(self.state, self._look)
        """Who brings updates while a webhook is set."""

    # ------------------------------------------------------------------------------------------------ life

    @property
    def url(self) -> str:
        """The address that takes the place of https://api.telegram.org."""
        return f"http://127.0.0.1:{self._port}"

    async def __aenter__(self) -> FakeBotApi:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listens; on the port it had before, if it had one."""
        self._stopping = asyncio.Event()
        if self._log_file is not None and self._lines is None:
            self._lines = self._log_file.open("a", encoding="utf-8")
        app = web.Application(client_max_size=LARGEST_REQUEST)
        app.router.add_route("*", "/bot{token}/{method}", self._on_call)
        app.router.add_get("/file/bot{token}/{path:.+}", self._on_file)
        app.router.add_route("*", "/control/{what}", self._on_control)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        assert site._server is not None
        self._port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
        self.bringer.working = True
        self.bringer.changed()

    async def stop(self) -> None:
        """Stops listening and drops every connection; forgets nothing."""
        self._stopping.set()
        if self._poll is not None and not self._poll.done():
            self._poll.set_result("stop")
        await self.bringer.stop()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        if self._lines is not None:
            self._lines.close()
            self._lines = None

    def now(self) -> datetime:
        """The platform's clock."""
        return self._clock() + self._moved

    def later(self, **delta: float) -> None:
        """Moves the platform's clock: later(hours=25)."""
        self._moved += timedelta(**delta)

    # ------------------------------------------------------------------------------------------------ people

    def person(self, chat_id: int, name: str = "Nguyễn Văn A", username: str | None = None) -> FakePerson:
        """The person of that id, made at the first call; the bot may write to them at once."""
        if chat_id not in self._people:
            person = self._people[chat_id] = FakePerson(self.state, chat_id, name, username)
            self.state.chats[chat_id] = Chat(private_chat(person))
        return self._people[chat_id]

    def stranger(self, chat_id: int, name: str = "Nguyễn Văn A") -> FakePerson:
        """Somebody who has never written to the bot: until they do, it is refused."""
        person = self.person(chat_id, name)
        self.state.chats[chat_id].met = False
        return person

    def group(self, chat_id: int, title: str) -> int:
        """A group (negative id) in which persons can speak; its id."""
        self.state.chats.setdefault(chat_id, Chat(group_chat(chat_id, title)))
        return chat_id

    def messages(self, chat_id: int, *, deleted: bool = False) -> list[Shown]:
        """What the bot said in a chat, oldest first, as it stands there now."""
        return [
            shown(self.state, posted)
            for (chat, _), posted in self.state.posted.items()
            if chat == chat_id and posted.by_bot and (deleted or not posted.deleted)
        ]

    def commands(self, chat_id: int) -> list[str]:
        """The commands a chat is offered: its own list, else everybody's."""
        known = self.state.commands
        return [str(each["command"]) for each in known.get(chat_id, known.get("default", []))]

    # ------------------------------------------------------------------------------------------------ updates

    @property
    def pending(self) -> list[int]:
        """Numbers of the updates that are not confirmed yet."""
        return [waiting.update_id for waiting in self.state.queue]

    @property
    def confirmed(self) -> list[int]:
        """Numbers of the updates that an offset made the platform forget."""
        return self.state.confirmed

    @property
    def expired(self) -> list[int]:
        """Numbers of the updates that nobody fetched within 24 hours."""
        return self.state.expired

    def push(self, body: Mapping[str, Any], sent_at: datetime | None = None) -> int:
        """An update with any body, parseable or not; its number."""
        return self.state.push(body, sent_at)

    def jump(self, to: int) -> None:
        """The next update gets this number: after a quiet week it is random, lower than the last one too."""
        self.state.next_update = to

    # ------------------------------------------------------------------------------------------------ faults

    def fail(
        self,
        *outcomes: Outcome,
        method: str | tuple[str, ...] = TALKING,
        chat: int | None = None,
        times: int = 1,
        forever: bool = False,
        **options: Any,
    ) -> None:
        """How the next calls fare, one outcome each and all `times` over: fail("429", "ok", "drop_after").

        `method` is a name or a pattern ("send*"; said to people, unless told otherwise), `forever` keeps the last
        outcome, `options` are those of Fault. See faults.KINDS.
        """
        methods = (method,) if isinstance(method, str) else method
        self.plan.add([*outcomes] * times, Chosen(methods, chat), forever=forever, **options)

    def rates(
        self,
        seed: int,
        shares: Mapping[str, float],
        *,
        method: str | tuple[str, ...] = TALKING,
        chat: int | None = None,
        **options: Any,
    ) -> None:
        """Lets a share of the calls go wrong: rates(7, {"drop_after": 0.01, "403": 0.05}); same seed, same fate."""
        methods = (method,) if isinstance(method, str) else method
        self.plan.rates = Rates(seed, dict(shares), Chosen(methods, chat), options)

    # ------------------------------------------------------------------------------------------------ looking back

    def calls(self, method: str = "", chat_id: int | None = None) -> list[Call]:
        """Logged calls of a method, to a chat; the log has all but getUpdates, which is in `polls`."""
        return [call for call in self.log if method in ("", call.method) and chat_id in (None, call.chat_id)]

    async def until(self, condition: Callable[[], Any], timeout: float = 10.0) -> None:
        """Waits, without asking again and again, until something logged or confirmed makes the condition true."""
        if condition():
            return
        met: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._watchers.append((condition, met))
        try:
            await asyncio.wait_for(met, timeout)
        except TimeoutError:
            tail = [(call.method, call.chat_id, call.outcome) for call in self.log[-10:]]
            raise AssertionError(f"did not happen within {timeout} s; the last calls: {tail}") from None
        finally:
            self._watchers = [watcher for watcher in self._watchers if watcher[1] is not met]

    def _look(self) -> None:
        for condition, met in self._watchers:
            if not met.done() and condition():
                met.set_result(None)

    def _write(
        self, method: str, params: Params, result: Any, fault: Fault | None, outcome: str, delivered: bool
    ) -> None:
        first = result[0] if isinstance(result, list) and result else result
        call = Call(
            n=len(self.log) + 1,
            at=self.now().timestamp(),
            method=method,
            chat_id=params.chat(),
            params=params.for_log(),
            message_id=first.get("message_id") if isinstance(first, dict) else None,
            delivered=delivered,
            outcome=fault.kind if fault is not None else outcome,
        )
        self.log.append(call)
        if self._lines is not None:
            self._lines.write(json.dumps(asdict(call), ensure_ascii=False) + "\n")
            self._lines.flush()
        self._look()

    # ------------------------------------------------------------------------------------------------ a call

    async def _on_call(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        if request.match_info["token"] != self.token:
            known = request.match_info["token"].partition(":")[2]
            return _refusal(ApiError(401, "Unauthorized") if known else ApiError(404, "Not Found"))
        params = await _read(request)
        fault = self.plan.decide(method, params.chat(), params.for_log())
        if fault is not None and not fault.obeyed:
            if method != "getUpdates":
                self._write(method, params, None, fault, "", delivered=False)
            return await self._misbehave(request, fault, None)
        if method.lower() == "getupdates":
            answer = await self._get_updates(request, params)
            return answer if fault is None else await self._misbehave(request, fault, answer)
        result: Any = None
        try:
            self._keep_pace(method, params)
            result = self.state.call(method.lower(), params)
        except ApiError as error:
            self._write(method, params, None, fault, f"{error.code} {error.description}", delivered=False)
            answer = _refusal(error)
        else:
            self._write(method, params, result, fault, "ok", delivered=True)
            answer = web.json_response({"ok": True, "result": result})
        return answer if fault is None else await self._misbehave(request, fault, answer)

    def _keep_pace(self, method: str, params: Params) -> None:
        if self.limit is not None and Chosen(("send*",)).covers(method, None):
            after = self.limit.wait(asyncio.get_running_loop().time())
            if after:
                raise ApiError(429, f"Too Many Requests: retry after {after}", retry_after=after)

    async def _misbehave(
        self, request: web.Request, fault: Fault, answer: web.StreamResponse | None
    ) -> web.StreamResponse:
        kind = fault.kind
        if kind in ("drop_before", "drop_after"):
            if request.transport is not None:
                request.transport.close()
            return web.Response()
        if kind == "slow":
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), fault.seconds)
            return answer or web.Response(status=504)
        if kind in ("404_page", "403_page", "garbage_200"):
            # As some block pages do, it repeats the address, and with it the token.
            page = f"<html><body><h1>Trang này bị chặn</h1>{html.escape(str(request.url))}</body></html>"
            return web.Response(status=int(kind.replace("garbage_", "")[:3]), text=page, content_type="text/html")
        if kind == "302_page":
            return web.Response(status=302, headers={"Location": f"{self.url}/control/health?{request.path}"})
        if kind == "502":
            page = "<html><head><title>502 Bad Gateway</title></head></html>"
            return web.Response(status=502, text=page, content_type="text/html")
        if kind == "429":
            after = fault.retry_after
            return _refusal(ApiError(429, f"Too Many Requests: retry after {after}", retry_after=after))
        words = {
            "429_bare": "Too Many Requests",
            "403": "Forbidden: bot was blocked by the user",
            "400": "Bad Request: chat not found",
            "401": "Unauthorized",
        }
        return _refusal(ApiError(int(kind[:3]), fault.description or words[kind]))

    # ------------------------------------------------------------------------------------------------ getUpdates

    def _on_update(self) -> None:
        if self._poll is not None and not self._poll.done():
            self._poll.set_result("update")
        self.bringer.changed()

    async def _get_updates(self, request: web.Request, params: Params) -> web.Response:
        offset, timeout = params.number("offset"), min(params.number("timeout"), 50)
        limit = min(max(params.number("limit", 100), 1), 100)
        self.polls.append(params.for_log())
        if self.state.webhook:
            return _refusal(ApiError(409, WEBHOOK_ACTIVE))
        self.state.ask_for(params)
        time = asyncio.get_running_loop().time()
        if offset == self._last_poll[0] and time < self._last_poll[1] + AT_ONCE:
            limit = 1
        self._last_poll = (offset, time)
        found = self.state.take(offset, limit)
        self._look()
        if not found and timeout > 0:
            # Only a poll that would wait ends the one that waits.
            if self._poll is not None and not self._poll.done():
                self._poll.set_result("conflict")
            mine = self._poll = asyncio.get_running_loop().create_future()
            why = ""
            with suppress(TimeoutError):
                why = await asyncio.wait_for(mine, timeout)
            if why == "conflict":
                self.conflicts += request.transport is not None  # a dead poller hears nothing
                return _refusal(ApiError(409, CONFLICT))
            if why == "update":
                found = self.state.take(offset, limit)
        return web.json_response({"ok": True, "result": found})

    # ------------------------------------------------------------------------------------------------ files

    async def _on_file(self, request: web.Request) -> web.StreamResponse:
        params = Params({"path": request.match_info["path"]}, {})
        if request.match_info["token"] != self.token:
            return _refusal(ApiError(401, "Unauthorized"))
        fault = self.plan.decide("file", None, params.values)
        answer: web.Response | None = None
        if fault is None or fault.obeyed:
            data = self.state.linked_file(request.match_info["path"])
            answer = _refusal(ApiError(404, "Not Found")) if data is None else web.Response(body=data)
        return await self._misbehave(request, fault, answer) if fault is not None else answer or web.Response()

    # ------------------------------------------------------------------------------------------------ control

    async def _on_control(self, request: web.Request) -> web.StreamResponse:
        """For tests in another process: POST JSON to /control/<what>; the answer is JSON."""
        order = json.loads(await request.text() or "{}")
        try:
            return web.json_response(self.obey(request.match_info["what"], order))
        except (LookupError, TypeError, ValueError) as error:
            return web.json_response({"error": f"{type(error).__name__}: {error}"}, status=400)

    def obey(self, what: str, order: Mapping[str, Any]) -> Any:
        """One control order; what remote.py sends. Raises LookupError, TypeError or ValueError."""
        options = dict(order)
        if what == "person":
            return {"chat_id": self.person(**options).chat_id}
        if what == "group":
            return {"chat_id": self.group(**options)}
        if what == "act":
            does = options.pop("does")
            if does not in ACTIONS:
                raise ValueError(f"unknown action {does!r}; known: {', '.join(ACTIONS)}")
            if "bytes" in options:
                options["data"] = base64.b64decode(options.pop("bytes"))
            return {"message_id": getattr(self.person(options.pop("chat_id")), does)(**options)}
        if what == "messages":
            return [_plain(each) for each in self.messages(**options)]
        if what == "log":
            return [asdict(call) for call in self.log[int(options.get("after", 0)) :]]
        if what == "queue":
            return {
                "pending": self.pending,
                "confirmed": self.confirmed,
                "expired": self.expired,
                "conflicts": self.conflicts,
            }
        if what == "push":
            return {"update_id": self.push(options)}
        if what == "jump":
            return self.jump(int(options["to"]))
        if what == "fail":
            method = options.pop("method", TALKING)
            names = (method,) if isinstance(method, str) else tuple(method)
            return self.fail(*options.pop("outcomes"), method=names, **options)
        if what == "rates":
            return self.rates(**options)
        if what == "heal":
            return self.plan.clear()
        if what == "bring":
            self.bringer.at, self.bringer.deaf = options["at"], options.get("deaf", 0.0)
            self.bringer.first = options.get("first", self.bringer.first)
            if "longest" in options:
                self.bringer.longest = (options["longest"] / 2, options["longest"])
            return None
        if what == "later":
            return self.later(**options)
        if what == "health":
            return {"ok": True}
        raise ValueError(f"unknown order {what!r}")


def _refusal(error: ApiError) -> web.Response:
    body: dict[str, Any] = {"ok": False, "error_code": error.code, "description": error.description}
    if error.parameters:
        body["parameters"] = error.parameters
    return web.json_response(body, status=error.code)


def _plain(message: Shown) -> dict[str, Any]:
    """A shown message as JSON: how large its files are in place of their bytes."""
    return {
        "message_id": message.message_id,
        "text": message.text,
        "buttons": [[button.label, button.data] for button in message.buttons],
        "photo": None if message.photo is None else len(message.photo),
        "document": None if message.document is None else [message.document[0], len(message.document[1])],
        "album": message.album,
        "history": list(message.history),
        "deleted": message.deleted,
    }


async def _read(request: web.Request) -> Params:
    """Arguments from the address and the body: JSON, urlencoded or multipart, as the Bot API takes them."""
    values: dict[str, Any] = dict(request.query)
    uploads: dict[str, Upload] = {}
    if request.content_type == "application/json":
        values |= json.loads(await request.text() or "{}")
    elif request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
        for name, value in (await request.post()).items():
            if isinstance(value, web.FileField):
                with value.file as content:
                    uploads[name] = Upload(value.filename, value.content_type, content.read())
            else:
                values[name] = value if isinstance(value, str) else bytes(value).decode()
    return Params(values, uploads)
