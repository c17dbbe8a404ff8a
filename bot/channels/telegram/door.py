"""The Telegram door: own long polling or a webhook, stored before confirmed; messages and edits out, errors made ours."""

from __future__ import annotations

import asyncio
import logging
import warnings
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, cast

from telegram import Bot, BotCommandScopeChat
from telegram.constants import ParseMode
from telegram.error import BadRequest, Conflict, TelegramError

from bot.channels.telegram.errors import ours
from bot.channels.telegram.reading import lane_of, number_of, read_update
from bot.channels.telegram.request import AiohttpRequest
from bot.channels.telegram.webhook import CONNECTIONS, UPDATES, Webhook
from bot.channels.telegram.wire import Unclear
from bot.channels.telegram.writing import TEXT_LIMIT, Uploads, say, written, written_once
from bot.inbox import arrival
from content.message import Message
from content.text import utf16_length
from db.inbox import Arrival
from db.json_text import to_text
from db.models import Lane
from db.session import Session
from handlers.dialogue import Incoming
from scheduler.delivery import REPLIES, WINDOW

log = logging.getLogger(__name__)

LONG_POLL = 25
"""Seconds Telegram holds a getUpdates open when nothing happens."""
BACKOFF = (1.0, 2.0, 5.0, 15.0, 30.0)
STAGE = 5.0
"""Seconds each for connecting, waiting for a connection and writing, when polling."""
SLACK = 10.0
"""Seconds an answer may take beyond the long poll's own. With the longest pause and the three stages it is 55: what hung
when the network came back has ended, and a poll has gone well, within a minute (promises §3.3, T16)."""
HOOKED = 20.0
"""Seconds between two looks whether Telegram still knows where to bring its updates, and can."""
RESTLESS = 1.0
"""Seconds. An answer that comes sooner and confirms nothing is no long poll's: whoever gives it is not asked at once."""

Store = Callable[[str, str, Sequence[Arrival]], Awaitable[int]]


class UnreachableError(Exception):
    """Telegram has updates for us and cannot bring them."""


class Telegram:
    """One bot. Polling, replies and bulk have connection pools of their own, so that none starves another."""

    name = "telegram"
    can_edit = True
    can_erase = False

    def __init__(
        self, token: str, api: str, files: Path, *, sleep: Callable[[float], Awaitable[None]], window: int = WINDOW
    ) -> None:
        self._files = files
        self._uploads = Uploads()
        self._sleep = sleep
        self.number = token.partition(":")[0]
        self._poll = self._bot(token, api, 2)
        self._talk = self._bot(token, api, REPLIES * 2)  # each answer to a press, and the press's own acknowledgement
        self._bulk = self._bot(token, api, window)
        self._background: set[asyncio.Task[None]] = set()
        self._sure = api.startswith("https://")
        self.username = ""
        self.webhook: Webhook | None = None
        """Where Telegram brings updates; None where it is polled."""
        self._came = False
        self._past_failure: int | None = None
        """When Telegram last failed to bring us something that it has got through with since, or before this process."""
        self.before: Callable[[], Awaitable[None]] | None = None
        """Awaited before every poll."""
        self.polled: Callable[[list[dict[str, Any]]], Awaitable[None]] | None = None
        """Called with what came after every successful poll, for the status."""
        self.missed: Callable[[], None] | None = None
        """Called after every poll that failed."""

    @staticmethod
    def _bot(token: str, api: str, connections: int) -> Bot:
        request = AiohttpRequest(connections)
        return Bot(
            token, base_url=f"{api}/bot", base_file_url=f"{api}/file/bot", request=request, get_updates_request=request
        )

    # ------------------------------------------------------------------------------------------------ in

    @property
    def dated(self) -> int | None:
        """When Telegram wrote its last answer to a poll (Unix seconds); None where nobody can tell that it was Telegram.

        Without TLS it is a server or a proxy of our own that dates it, by a clock that may be as wrong as ours.
        """
        if not self._sure:
            return None
        request = cast(AiohttpRequest, self._poll.request)
        try:
            return int(parsedate_to_datetime(request.dated).timestamp())
        except (ValueError, OverflowError):  # it says nothing, or nothing that can be
            return None

    async def run(self, store: Store) -> None:
        """Polls for ever. An offset confirms what lies below it, so it moves only after the commit.

        It begins without an offset: Telegram answers with the oldest unconfirmed update and the inbox drops repeats.
        No error ends the loop: a block page and a wrong token look alike from here (promises §1.2). Nor does what is
        no update: it is stored as it came, to be set aside, and confirmed by what comes after it.

        With a webhook it only looks, for ever, whether Telegram can bring them (`take`).
        """
        offset: int | None = None
        failures, answered = 0, False
        time = asyncio.get_running_loop().time
        while True:
            try:
                if self.before is not None:
                    await self.before()
                if self.webhook is not None:
                    await self._keep_webhook(self.webhook)
                    failures = 0
                    if self.polled is not None:
                        await self.polled([])
                    await self._sleep(HOOKED)
                    continue
                # At first and after a failure it does not wait for something to come: whether all is well is known at once.
                began, before, wait = time(), offset, LONG_POLL if answered and not failures else 0
                raw = await self._fetch_updates(offset, wait)
                updates = [update for update in raw if isinstance(update, dict)]
                if raw:
                    await store(self.name, self.number, [_arrival(update) for update in raw])
                    numbers = [number for update in raw if (number := number_of(update)) is not None]
                    offset = max(numbers) + 1 if numbers else offset
                    self._acknowledge(updates)
                failures, answered = 0, True
                if self.polled is not None:
                    await self.polled(updates)
                if wait and offset == before and time() - began < RESTLESS:
                    await self._sleep(RESTLESS)
            except UnreachableError as error:
                failures += 1
                log.error("Telegram cannot bring us its updates: %s", error)
            except Conflict as error:
                if "webhook" in str(error):
                    failures += 1
                    await self._leave_webhook()
                else:
                    failures = max(failures + 1, 3)
                    log.error("another process polls with this token; waiting for it to stop")
            except TelegramError as error:
                failures += 1
                log.warning("polling failed (%s); trying again", type(error).__name__)
            except Exception:
                failures += 1
                log.exception("polled updates could not be stored; they stay unconfirmed")
            if failures:
                if self.missed is not None:
                    self.missed()
                await self._sleep(BACKOFF[min(failures, len(BACKOFF)) - 1])

    async def _fetch_updates(self, offset: int | None, wait: int = LONG_POLL) -> list[Any]:
        parameters: dict[str, Any] = {"timeout": wait, "allowed_updates": UPDATES}
        if offset is not None:
            parameters["offset"] = offset
        with warnings.catch_warnings():
            # PTB advises against calling by hand a method it wraps; its wrapper cannot hand over what it cannot parse.
            warnings.simplefilter("ignore")
            found = await self._poll.do_api_request(
                "getUpdates",
                api_kwargs=parameters,
                read_timeout=wait + SLACK,
                write_timeout=STAGE,
                connect_timeout=STAGE,
                pool_timeout=STAGE,
            )
        if not isinstance(found, list):
            raise Unclear("an answer that holds no updates")
        return list(found)

    async def take(self, raw: Sequence[Any], store: Store) -> None:
        """Stores updates that Telegram brought. When this raises none of them must be acknowledged."""
        await store(self.name, self.number, [_arrival(update) for update in raw])
        self._came = True
        updates = [update for update in raw if isinstance(update, dict)]
        self._acknowledge(updates)
        if self.polled is not None:
            await self.polled(updates)

    async def _keep_webhook(self, webhook: Webhook) -> None:
        """Tells Telegram where we are unless it knows. Raises UnreachableError where it has failed to get there since."""
        info = await self._ask("getWebhookInfo")
        if not isinstance(info, dict):
            raise Unclear("an answer that says nothing of a webhook")
        if info.get("url") != webhook.url:
            await self._ask(
                "setWebhook", url=webhook.url, secret_token=webhook.secret, allowed_updates=UPDATES,
                max_connections=CONNECTIONS,
            )  # fmt: skip
            log.info("Telegram brings its updates to %s from now on", webhook.address)
        failed = info.get("last_error_date", 0)
        if self._past_failure is None or self._came or not info.get("pending_update_count"):
            self._past_failure, self._came = failed, False
        elif failed != self._past_failure:
            raise UnreachableError(info.get("last_error_message", ""))

    async def _leave_webhook(self) -> None:
        """What was to be brought is kept for the polls."""
        log.warning("a webhook is set for this token; it is taken away, since this bot polls")
        try:
            await self._ask("deleteWebhook")
        except TelegramError as error:
            log.warning("it could not be taken away (%s); trying again", type(error).__name__)

    async def _ask(self, method: str, **parameters: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # as where it polls
            return await self._poll.do_api_request(method, api_kwargs=parameters)

    def _acknowledge(self, raw: list[dict[str, Any]]) -> None:
        """Ends the little clock on pressed buttons; best effort and unrecorded (decisions 10)."""
        for update in raw:
            press = update.get("callback_query")
            if isinstance(press, dict) and isinstance(press.get("id"), str) and press["id"].isascii():
                task = asyncio.create_task(self._acknowledge_one(press["id"]))
                self._background.add(task)
                task.add_done_callback(self._background.discard)

    async def _acknowledge_one(self, press: str) -> None:
        try:
            request = cast(AiohttpRequest, self._talk.request)
            await request.call(
                f"{self._talk.base_url}/answerCallbackQuery", to_text({"callback_query_id": press}).encode()
            )
        except TelegramError as error:
            log.debug("a press was not acknowledged: %s", type(error).__name__)

    def read(self, raw: Any, received_at: datetime) -> Incoming | None:
        """Our form of one update; None for what nobody needs an answer to. Raises for what cannot be parsed."""
        return read_update(raw, self.name, received_at)

    async def erase(self, session: Session, raw: Any) -> None:
        """Nothing here keeps a copy; the words ask the person to delete it on their side."""

    async def fetch(self, ref: str) -> bytes:
        """The bytes of a file (≤ 20 MB, Bot API getFile). Raises SendError."""
        try:
            file = await self._talk.get_file(ref)
            return bytes(await file.download_as_bytearray())
        except TelegramError as error:
            raise ours(error, fetching=True) from None

    # ------------------------------------------------------------------------------------------------ out

    async def send(self, address: str, message: Message, *, edits: str, lane: Lane) -> str:
        """Sends or edits one message. Raises SendError, each kind by the table of promises §1.5."""
        bot = self._talk if lane == Lane.REPLY else self._bulk
        try:
            if not message.media and utf16_length(message.text) <= TEXT_LIMIT:
                return await self._say_plainly(bot, address, message, edits, lane)
            return await say(bot, int(address), message, edits, ParseMode.HTML, self._files, self._uploads)
        except BadRequest as error:
            if "can't parse entities" not in str(error).lower():
                raise ours(error) from None
            log.error("words %s are not the HTML that Telegram takes; sent as plain text", message.key)
        except TelegramError as error:
            raise ours(error) from None
        try:
            return await say(bot, int(address), message, edits, None, self._files, self._uploads)
        except TelegramError as error:
            raise ours(error) from None

    @staticmethod
    async def _say_plainly(bot: Bot, address: str, message: Message, edits: str, lane: Lane) -> str:
        """One text in one request; raises PTB's errors."""
        method, which = ("editMessageText", f', "message_id": {int(edits)}') if edits else ("sendMessage", "")
        said = (written_once if lane == Lane.BULK else written)(message)
        parameters = f'{said}, "chat_id": {int(address)}{which}}}'.encode()
        found = await cast(AiohttpRequest, bot.request).call(f"{bot.base_url}/{method}", parameters)
        if edits and found is True:
            return edits
        if not isinstance(found, dict) or type(found.get("message_id")) is not int:
            raise Unclear("an answer without a message")
        return str(found["message_id"])

    async def list_commands(self, commands: Sequence[tuple[str, str]], address: str = "") -> None:
        """Sets the list of commands with their descriptions: of one chat, or everybody's who has none of their own.

        An empty list for a chat gives it everybody's again. Raises SendError; in doubt it may be repeated.
        """
        scope = BotCommandScopeChat(int(address)) if address else None
        try:
            if commands:
                await self._talk.set_my_commands(commands, scope=scope)
            else:
                await self._talk.delete_my_commands(scope=scope)
        except TelegramError as error:
            raise ours(error) from None

    # ------------------------------------------------------------------------------------------------ life

    async def open(self) -> None:
        """Makes the connection pools; asks for nothing."""
        for bot in (self._poll, self._talk, self._bulk):
            await bot.request.initialize()

    async def introduce(self) -> str:
        """The bot's user name, for links; "" while Telegram cannot be reached."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                me = await self._talk.do_api_request("getMe")
            self.username = str(me["username"]) if isinstance(me, dict) else ""
        except (TelegramError, KeyError) as error:
            log.warning("Telegram did not say who we are (%s)", type(error).__name__)
        return self.username

    async def close(self) -> None:
        """Closes the connection pools."""
        for task in list(self._background):
            task.cancel()
        for bot in (self._poll, self._talk, self._bulk):
            await bot.request.shutdown()


def _arrival(update: Any) -> Arrival:
    """An element of an answer as it is stored; one without a number is known by its content."""
    found = arrival("", lane_of(update), update)
    number = number_of(update)
    return replace(found, ext_id=f"?{found.digest}" if number is None else str(number))
