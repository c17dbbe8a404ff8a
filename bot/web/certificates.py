"""The page behind a confirmation's QR code: what stands on the picture, for whoever has its code, and for no search engine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape

from aiohttp import web

from bot.web.guard import Guard
from db import contests
from db.contests import Sealed
from db.session import Database

CODE = re.compile(r"[0-9a-f]{32}")


class Certificates:
    """Looks up codes; how often one network may ask is the guard's."""

    def __init__(self, database: Database, guard: Guard, texts: Mapping[str, str], organisation: str) -> None:
        self._database = database
        self._guard = guard
        self._texts = texts
        self._organisation = organisation

    def routes(self) -> list[web.RouteDef]:
        """One page."""
        return [web.get("/x/{code}", self._page)]

    async def _page(self, request: web.Request) -> web.StreamResponse:
        self._guard.glance(request)
        found = None
        if CODE.fullmatch(request.match_info["code"]):
            async with self._database.read() as session:
                found = await contests.find_sealed(session, request.match_info["code"])
        status = 200 if found is not None else 404
        response = web.Response(text=self._html(found), status=status, content_type="text/html", charset="utf-8")
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        return response

    def _html(self, found: Sealed | None) -> str:
        text = self._texts
        title = text["certificate_title"]
        if found is None:
            body = f"<p>{escape(text['certificate_none'])}</p>"
        else:
            rows = [
                ("certificate_name", found.name),
                ("certificate_unit", found.unit),
                ("certificate_contest", found.contest),
                ("certificate_week", str(found.week)),
                ("certificate_score", f"{found.score}/{found.size}"),
            ]
            body = "<dl>" + "".join(
                f"<dt>{escape(text[key])}</dt><dd>{escape(value)}</dd>" for key, value in rows if value
            )
            body += f"</dl><p>{escape(text['certificate_note'])}</p>"
        return (
            '<!doctype html><html lang="vi"><head><meta charset="utf-8"><meta name="robots" content="noindex, nofollow">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f'<title>{escape(title)}</title><link rel="stylesheet" href="/static/certificate.css"></head>'
            f"<body><main><p>{escape(self._organisation)}</p><h1>{escape(title)}</h1>{body}</main></body></html>"
        )
