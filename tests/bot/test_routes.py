"""Every route of the web server by every way in which it must not be asked: refused, and nothing is stored (promises T23)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from sqlalchemy import text

from bot.web import guard
from content.message import Media
from db.models import Base
from tests.bot.test_webchat import START, Browser, House, TwoPeople, open_house

PAGE, CODED, DOOR, READS, WRITES, PANEL, MOVES = "page", "coded", "door", "reads", "writes", "panel", "moves"
ROUTES: dict[tuple[str, str], str] = {
    ("GET", "/"): PAGE,
    ("GET", "/chat"): PAGE,
    ("GET", "/u/{code}"): PAGE,
    ("GET", "/x/{code}"): CODED,
    ("GET", "/healthz"): PAGE,
    ("GET", "/static"): PAGE,
    ("GET", "/api/me"): DOOR,
    ("GET", "/api/messages"): READS,
    ("GET", "/api/events"): READS,
    ("GET", "/files/{message}/{number}"): READS,
    ("POST", "/api/say"): WRITES,
    ("POST", "/api/press"): WRITES,
    ("POST", "/api/files"): WRITES,
    ("GET", "/demo/people"): PANEL,
    ("GET", "/demo/clock"): PANEL,
    ("POST", "/demo/clock"): MOVES,
}
"""What each is: open to all, open to who has its code, the door to a session, for who has one, for the page of who has one; the demo's own."""
PATHS = {
    "/u/{code}": "/u/MAYHOA",
    "/x/{code}": "/x/0123456789abcdef0123",
    "/static": "/static/chat.js",
    "/files/{message}/{number}": "/files/{file}/0",
}
BODIES: dict[str, Any] = {
    "/api/say": {"text": "tôi là ai", "key": "say-0123456789ab"},
    "/api/press": {"data": "c:nhan:SK-25-0001.1", "message": 1, "key": "press-0123456789"},
    "/demo/clock": {"to": "2025-07-26T07:00:00+07:00"},
}
SITES = (
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
)


@dataclass
class Ask:
    """One request that somebody tries."""

    cookie: str = "own"
    """own, none, expired, or planted: a value that the server never gave out."""
    token: str = "own"
    """own, none, or that of another's page."""
    headers: dict[str, str] = field(default_factory=dict)
    method: str = ""
    """Another than the route's."""


WRONG: dict[str, Ask] = {
    "no session": Ask(cookie="none"),
    "a session that ran out": Ask(cookie="expired"),
    "a session that was planted": Ask(cookie="planted"),
    "no token": Ask(token="none"),
    "another page's token": Ask(token="other"),
    **{f"asked by {site}": Ask(headers=site) for site in SITES},
    "the other method": Ask(method="other"),
}


def expected(kind: str, how: str) -> tuple[int, ...]:
    """The answers that a route may give."""
    of = WRONG[how]
    if of.method:
        return (405,)
    if kind == CODED:
        return (404,)
    if kind == DOOR:
        return (403,) if of.headers else (200,)  # it asks for no session, it gives one
    if kind == READS:
        return (401,) if of.cookie != "own" else (200,)
    if kind == WRITES:
        return (401,) if of.cookie != "own" else (403,)
    if kind == MOVES:  # the demo knows its page by the token alone
        return (403,) if of.token != "own" or of.headers else (200,)
    return (200, 302)


def listed(application: web.Application) -> set[tuple[str, str]]:
    """Every route there is."""
    found = set()
    for route in application.router.routes():
        assert route.resource is not None
        path = route.resource.canonical
        if route.method != "HEAD":
            found.add((route.method, "/files/{message}/{number}" if path.startswith("/files/") else path))
    return found


@pytest.fixture(scope="module", params=[False, True], ids=["run", "demo"])
async def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A server as people reach it, and as the demo's."""
    demo = TwoPeople() if request.param else None
    async with open_house(tmp_path_factory.mktemp("routes"), demo) as made:
        yield made


COUNT = text(" UNION ALL ".join(f"SELECT '{name}', count(*) FROM {name}" for name in Base.metadata.tables))


async def rows(house: House) -> dict[str, int]:
    """How many rows each table has."""
    async with house.database.read() as session:
        return {name: number for name, number in await session.execute(COUNT)}


def test_every_route_is_in_the_table(house: House) -> None:
    assert house.server is not None
    there = {route for route, kind in ROUTES.items() if house.demo is not None or kind not in (PANEL, MOVES)}
    assert listed(house.server.application()) == there


@pytest.mark.parametrize("how", WRONG)
async def test_no_route_answers_who_may_not_ask(house: House, how: str) -> None:
    browser, other = await house.browser(), await house.browser()
    (house.chat.files / "p.jpg").write_bytes(b"photo")
    file = await house.say(await browser.address(), "Ảnh", media=(Media("photo", "p.jpg", ""),))
    await house.say(await other.address(), "Bí mật của người khác")
    if house.demo is not None:
        browser.query = "?as=hoa"
        await browser.opens()
        panel, browser.query = browser.csrf, ""
        await browser.opens()
        house.demo.at = START
    else:
        panel = ""
    if WRONG[how].cookie == "expired":
        house.now += timedelta(days=181)  # it counts no more, tidied away or not
    for (method, path), kind in ROUTES.items():
        if kind in (PANEL, MOVES) and house.demo is None:
            continue
        if WRONG[how].method and len({one for one, where in ROUTES if where == path}) > 1:
            continue  # both are routes of their own
        before, uploads, said = await rows(house), house.uploads(), await house.heard()
        own = panel if kind == MOVES else browser.csrf
        status, said_to_them, cookies = await ask(
            browser, method, PATHS.get(path, path).format(file=file), path, WRONG[how], own, other.csrf
        )
        assert status in expected(kind, how), (method, path, how, status)
        assert "Bí mật" not in said_to_them
        if status not in (200, 302):
            assert not cookies and await rows(house) == before and house.uploads() == uploads, (method, path, how)
        elif kind == DOOR:
            # A session that ran out or was planted is never taken up: the server gives one of its own making.
            assert WRONG[how].cookie == "own" or (cookies and "planted" not in str(cookies)), how
        assert await house.heard() == said, (method, path, how)


async def ask(
    browser: Browser, method: str, path: str, route: str, how: Ask, own: str, others: str
) -> tuple[int, str, Any]:
    """(status, the beginning of the text, cookies that were set)."""
    token = {"own": own, "none": "", "other": others}[how.token]
    headers = {"X-CSRF": token} | how.headers
    cookies = {"own": None, "expired": None, "none": "", "planted": "planted" * 6}[how.cookie]
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        value = browser.token if cookies is None else cookies
        if value:
            headers["Cookie"] = f"{guard.COOKIE}={value}"
        given = method if not how.method else {"GET": "POST", "POST": "GET"}[method]
        body: dict[str, Any] = {"json": BODIES.get(route, {})} if given == "POST" else {}
        if route == "/api/files" and given == "POST":
            form = aiohttp.FormData()
            form.add_field("file", b"photo", filename="a.jpg", content_type="image/jpeg")
            form.add_field("key", "files-0123456789")
            body = {"data": form}
        url = browser.client.make_url(path)
        async with session.request(given, url, headers=headers, allow_redirects=False, **body) as answer:
            content = "" if route == "/api/events" and answer.status == 200 else (await answer.text(errors="replace"))
            return answer.status, content, answer.cookies


async def test_the_same_asked_rightly_is_taken(house: House) -> None:
    """What the refusals above are measured against: nothing but the one wrong thing made them."""
    browser = await house.browser()
    for (method, path), kind in ROUTES.items():
        if kind == WRITES:
            said = len(await house.heard())
            status, _, _ = await ask(browser, method, path, path, Ask(), browser.csrf, "")
            assert status == 200 and len(await house.heard()) == said + 1, path
