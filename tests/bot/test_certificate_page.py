"""The page behind a confirmation's code: what stands on it, for no search engine, and not for whoever tries codes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.web import certificates, guard
from content.calendar import LOCAL
from db.contests import Sealed
from tests.bot.test_webchat import House, open_house
from tests.people import START

CODE = "0123456789abcdef" * 2


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as made:
        yield made


async def test_the_page_says_what_stands_on_the_picture_and_nothing_else(
    house: House,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    async def find_sealed(session: object, code: str) -> Sealed | None:
        asked.append(code)
        at = START.astimezone(LOCAL)
        return (
            Sealed("Bùi <b>Hoa</b>", "May Hòa Phát", "Tìm hiểu Luật", 3, 9, 10, "CT-25-W03-000001", at, 1)
            if code == CODE
            else None
        )

    monkeypatch.setattr(certificates.contests, "find_sealed", find_sealed)
    browser = await house.browser()
    async with browser.client.get(f"/x/{CODE}") as answer:
        page = await answer.text()
        assert answer.status == 200 and answer.headers["X-Robots-Tag"] == "noindex, nofollow"
        assert (
            answer.headers["Cache-Control"] == "no-store"
            and "default-src 'none'" in answer.headers["Content-Security-Policy"]
        )
        assert "Set-Cookie" not in answer.headers
    assert (
        "Bùi &lt;b&gt;Hoa&lt;/b&gt;" in page and "9/10" in page and "May Hòa Phát" in page and 'name="robots"' in page
    )
    assert "CT-25" not in page and "<script" not in page
    for wrong in ("f" * 32, "x", CODE.upper(), CODE + "0"):
        async with browser.client.get(f"/x/{wrong}") as answer:
            assert answer.status == 404 and "Không có giấy xác nhận" in await answer.text()
    assert asked == [CODE, "f" * 32]


async def test_whoever_tries_many_codes_is_stopped(house: House) -> None:
    browser = await house.browser()
    found = []
    for number in range(guard.GLANCES_A_MINUTE + 1):
        async with browser.client.get(f"/x/{number:020x}") as answer:
            found.append(answer.status)
    assert found == [404] * guard.GLANCES_A_MINUTE + [429]
