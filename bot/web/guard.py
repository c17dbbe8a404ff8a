"""Who may ask the web server for what: sessions, CSRF, origin, rate limits, headers on every answer."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

COOKIE = "congdoan"
SECURE_COOKIE = "__Host-congdoan"
POSTS_A_MINUTE = 20
BURST = 30
SESSIONS_AN_HOUR = 30
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


def policy(frames: str) -> str:
    """The content security policy of pages; `frames` says who may frame them."""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        f"frame-src {'self' if frames == 'none' else frames}; frame-ancestors '{frames}'; base-uri 'none'; form-action 'none'"
    ).replace("frame-src self", "frame-src 'self'")


def digest(token: str) -> str:
    """What is kept of a cookie: it is 256 random bits, so a plain hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def new_token() -> str:
    """256 unguessable bits."""
    return secrets.token_urlsafe(32)


def same(given: str, expected: str) -> bool:
    """Compares secrets in constant time."""
    return hmac.compare_digest(given.encode(), expected.encode())


def is_secure(request: web.Request) -> bool:
    """Whether the browser came by https, directly or through a proxy on this machine."""
    return request.scheme == "https" or request.headers.get("X-Forwarded-Proto", "") == "https"


def from_our_page(request: web.Request) -> bool:
    """Whether a browser says that our own page asked. Old ones that say nothing are left to the CSRF token."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in ("same-origin", "none"):
        return False
    origin = request.headers.get("Origin")
    return origin is None or origin.partition("://")[2] == request.host


@dataclass(slots=True)
class Bucket:
    """A count of events that leaks: `rate` a second, at most `burst` at once."""

    rate: float
    burst: float
    level: float = 0.0
    at: float = 0.0

    def take(self, now: float) -> bool:
        """Counts one event; False when there were too many."""
        self.level = max(0.0, self.level - (now - self.at) * self.rate)
        self.at = now
        if self.level + 1 > self.burst:
            return False
        self.level += 1
        return True


@dataclass(slots=True)
class Limits:
    """Buckets per session and per address of a browser; the oldest are forgotten."""

    buckets: dict[str, Bucket] = field(default_factory=dict)
    order: deque[str] = field(default_factory=deque)

    def take(self, key: str, rate: float, burst: float, now: float) -> bool:
        """Counts one event of a key; False when there were too many."""
        if key not in self.buckets:
            self.buckets[key] = Bucket(rate, burst, at=now)
            self.order.append(key)
            if len(self.order) > 10_000:
                self.buckets.pop(self.order.popleft(), None)
        return self.buckets[key].take(now)
