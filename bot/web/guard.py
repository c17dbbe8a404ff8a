"""Who may ask the web server for what: sessions, CSRF, origin, rate limits."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from bot.limits import BYTES_A_DAY, DAY, Limits
from db import webchat
from db.models import WebSession
from db.session import Database, settled

COOKIE = "congdoan"
SECURE_COOKIE = "__Host-congdoan"
POSTS_A_MINUTE = 20
BURST = 30
SESSIONS_AN_HOUR = 30
GLANCES_A_MINUTE = 30


def digest(token: str) -> str:
    """What is kept of a cookie: it is 256 random bits, so a plain hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


PUBLIC_HTTPS = web.AppKey("public_https", bool)
"""Whether the address that people open is an https one: then they came by it, whatever a proxy forgets to say."""


def is_secure(request: web.Request) -> bool:
    """Whether the browser came by https, to us or to the proxy before us. Whoever lies about it only harms themselves."""
    told = request.headers.get("X-Forwarded-Proto", "") == "https"
    return request.scheme == "https" or told or request.app.get(PUBLIC_HTTPS, False)


def cookie_name(request: web.Request) -> str:
    """Over https only the `__Host-` name counts: a plain one could have been planted by a neighbouring host."""
    return SECURE_COOKIE if is_secure(request) else COOKIE


def from_our_page(request: web.Request) -> bool:
    """Whether a browser says that our own page asked. Old ones that say nothing are left to the CSRF token."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in ("same-origin", "none"):
        return False
    origin = request.headers.get("Origin")
    return origin is None or origin.partition("://")[2] == request.host


def is_local(host: str) -> bool:
    """Whether a Host header names this machine. Another name that leads here is a page that wants to pass for ours."""
    return re.fullmatch(r"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]+)?", host) is not None


def network(request: web.Request) -> str:
    """Where a browser comes from, for counting. A proxy on this machine is believed, nobody else is.

    One household has a whole IPv6 /64, so that is what counts as one.
    """
    address = request.remote or ""
    try:
        if ipaddress.ip_address(address).is_loopback:
            address = request.headers.get("X-Forwarded-For", address).rpartition(",")[2].strip()
        found = ipaddress.ip_address(address)
    except ValueError:
        return request.remote or ""
    return str(ipaddress.ip_network((found, 64), strict=False)) if found.version == 6 else address


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever asks: the address of their chat, and the token that their own page carries."""

    address: str
    csrf: str


class Guard:
    """Knows visitors by their cookie. With `address_of`, the demo's people are known by `?as=` too."""

    def __init__(
        self,
        database: Database,
        texts: Mapping[str, str],
        *,
        address_of: Callable[[str], str] | None,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        room: Callable[[], bool],
    ) -> None:
        self._database = database
        self._texts = texts
        self._address_of = address_of
        self._now = now
        self._monotonic = monotonic
        self._room = room
        self._limits = Limits()
        self.demo_csrf = secrets.token_urlsafe(32)

    def problem(self, kind: type[web.HTTPClientError], text: str) -> web.HTTPException:
        """A refusal in kind words; `text` is the key of the words."""
        body = json.dumps({"error": self._texts.get(text, text)}, ensure_ascii=False)
        if issubclass(kind, web.HTTPRequestEntityTooLarge):
            return kind(max_size=0, text=body, content_type="application/json")
        return kind(text=body, content_type="application/json")

    async def visitor(self, request: web.Request) -> Visitor:
        """Who asks. Raises 401 for a browser without a session."""
        key = request.query.get("as", "")
        if self._address_of is not None and key:
            try:
                return Visitor(self._address_of(key), self.demo_csrf)
            except KeyError:
                raise web.HTTPNotFound() from None
        found = await self._session(request)
        if found is None:
            raise web.HTTPUnauthorized()
        return Visitor(found.address, found.csrf)

    def glance(self, request: web.Request) -> None:
        """Counts a look at a page that asks the database without a session. Raises 429."""
        name = f"glance:{network(request)}"
        if not self._limits.take(name, GLANCES_A_MINUTE / 60, GLANCES_A_MINUTE, self._monotonic()):
            raise self.problem(web.HTTPTooManyRequests, "too_fast")

    async def _session(self, request: web.Request) -> WebSession | None:
        """The session of a browser's cookie. One that has run out is none, also before it is tidied away."""
        token = request.cookies.get(cookie_name(request), "")
        async with self._database.read() as session:
            found = await webchat.find_session(session, digest(token))
        return found if found is not None and self._now() - found.seen_at <= webchat.KEEP_SESSION else None

    async def poster(self, request: web.Request) -> Visitor:
        """Who posts, after every check. Raises 401, 403, 429, and 503 while the disk is full: the page tries again."""
        if not self._room():
            raise web.HTTPServiceUnavailable(headers={"Retry-After": "60"})
        visitor = await self.visitor(request)
        self.check_page(request, visitor.csrf)
        if not self._limits.take(visitor.address, POSTS_A_MINUTE / 60, BURST, self._monotonic()):
            raise self.problem(web.HTTPTooManyRequests, "too_fast")
        return visitor

    def check_page(self, request: web.Request, csrf: str) -> None:
        """Raises 403 unless our own page asks."""
        given = request.headers.get("X-CSRF", "").encode(errors="replace")
        if not from_our_page(request) or not hmac.compare_digest(given, csrf.encode()):
            raise web.HTTPForbidden()

    def check_bytes(self, visitor: Visitor, size: int) -> None:
        """Counts what a visitor is about to upload. Raises 413."""
        if not self._limits.take(
            f"bytes:{visitor.address}", BYTES_A_DAY / DAY, BYTES_A_DAY, self._monotonic(), float(size)
        ):
            raise self.problem(web.HTTPRequestEntityTooLarge, "too_much")

    async def welcome(self, request: web.Request, response: web.StreamResponse) -> Visitor:
        """Who asks; a browser without a session gets one, a known one keeps its cookie for longer. Raises 403, 429.

        Only for our own page: following a link from elsewhere sends no cookie (SameSite) and would be given a new one
        in the place of the old, and with it an empty chat.
        """
        if not from_our_page(request):
            raise web.HTTPForbidden()
        try:
            visitor = await self.visitor(request)
        except web.HTTPUnauthorized:
            visitor = await self._open(request, response)
        else:
            await self._renew(request, response)
        return visitor

    async def _open(self, request: web.Request, response: web.StreamResponse) -> Visitor:
        name = f"network:{network(request)}"
        if not self._limits.take(name, SESSIONS_AN_HOUR / 3600, SESSIONS_AN_HOUR, self._monotonic()):
            raise self.problem(web.HTTPTooManyRequests, "too_many_sessions")
        token, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        visitor = Visitor(f"w-{secrets.token_urlsafe(16)}", csrf)

        async def keep() -> None:
            async with self._database.write() as session:
                await webchat.open_session(session, digest(token), visitor.address, csrf, self._now())

        await settled(keep)
        self._set_cookie(request, response, token)
        return visitor

    async def _renew(self, request: web.Request, response: web.StreamResponse) -> None:
        found = await self._session(request)
        if found is not None and self._now() - found.seen_at >= webchat.SEEN_EVERY:
            token_hash = found.token_hash

            async def seen() -> None:
                async with self._database.write() as session:
                    await webchat.seen(session, token_hash, self._now())

            await settled(seen)
            self._set_cookie(request, response, request.cookies[cookie_name(request)])

    @staticmethod
    def _set_cookie(request: web.Request, response: web.StreamResponse, token: str) -> None:
        response.set_cookie(
            cookie_name(request),
            token,
            httponly=True,
            samesite="Strict",
            secure=is_secure(request),
            path="/",
            max_age=int(webchat.KEEP_SESSION.total_seconds()),
        )
