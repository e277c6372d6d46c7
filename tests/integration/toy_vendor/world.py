"""Toyphone itself: its lines, and what it answers."""

from __future__ import annotations

import json
from typing import Any

import httpx


class World:
    """The lines of the tenant ``north``, and a log of the requests."""

    def __init__(self) -> None:
        self.lines: dict[str, dict[str, Any]] = {}
        self.requests: list[str] = []

    def add(self, line: str, dial: str, *, answers: str | None = None, dials_out: str | None = None) -> None:
        self.lines[line] = {"line": line, "dial": dial, "answers": answers, "dials_out": dials_out}

    def links(self) -> dict[str, tuple[str | None, str | None]]:
        return {line["line"]: (line["answers"], line["dials_out"]) for line in self.lines.values()}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(f"{request.method} {request.url.path}")
        if request.headers.get("Authorization") != "Bearer toyphone-key":
            return httpx.Response(401)
        tenant, kind, *line = request.url.path.strip("/").split("/")
        if (tenant, kind) != ("north", "lines"):
            return httpx.Response(404)
        if request.method == "GET":
            return httpx.Response(200, json=list(self.lines.values()))
        changed = self.lines[line[0]]
        wish = json.loads(request.content)
        for other in self.lines.values():  # an agent dials out with one line
            if wish.get("dials_out") and other["dials_out"] == wish["dials_out"]:
                other["dials_out"] = None
        changed.update(wish)
        return httpx.Response(200, json=changed)
