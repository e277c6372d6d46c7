"""Dasha BlackBox in memory, as its pages describe it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
from unit.api.faults import FakeVendor, body_of

NUMBERS = "/api/v1/sip-phone-numbers"
CREDENTIALS = "c0000000-0000-4000-8000-000000000001"
OTHER_CREDENTIALS = "c0000000-0000-4000-8000-000000000002"
PROVIDER = "d0000000-0000-4000-8000-000000000001"


def number_id(index: int) -> str:
    return str(UUID(int=0xA0000000_0000_4000_8000_000000000000 + index))


def number_json(index: int = 1, **fields: Any) -> dict[str, Any]:
    """Return a number with every field of the vendor's page."""
    return {
        "id": number_id(index),
        "orgId": "org-1",
        "phoneNumber": f"+1555{index:07d}",
        "credentialsId": CREDENTIALS,
        "createdTime": "2023-11-07T05:31:56Z",
        "lastUpdateTime": "2023-11-07T05:31:57Z",
        "registrationStatus": {
            "state": "Disabled",
            "errorDescription": None,
            "sipResponseMessage": None,
            "lastUpdated": "2023-11-07T05:31:58Z",
            "expiresAt": None,
        },
        "description": None,
        "displayName": None,
        "registration": False,
        "providerId": None,
        "incomingCallsAgentId": None,
        **fields,
    }


class FakeDasha(FakeVendor):
    """The vendor; what its pages leave open is a parameter."""

    def __init__(
        self,
        *numbers: dict[str, Any],
        outbound: dict[str, str] | None = None,
        duplicate_status: int = 409,
        exact_filter: bool = True,
        outbound_literal: str = "outbound",
        empty_bodies: bool = False,
        largest_page: int = 1000,
    ) -> None:
        super().__init__()
        self.numbers = {number["id"]: dict(number) for number in numbers}
        #: The one outbound number of each agent.
        self.outbound = dict(outbound or {})
        self.duplicate_status = duplicate_status
        self.exact_filter = exact_filter
        self.outbound_literal = outbound_literal
        self.empty_bodies = empty_bodies
        self.largest_page = largest_page

    @property
    def inbound(self) -> dict[str, str | None]:
        return {number["id"]: number["incomingCallsAgentId"] for number in self.numbers.values()}

    def handle(self, request: httpx.Request) -> httpx.Response:
        rest = request.url.path.removeprefix(NUMBERS).strip("/").split("/")
        if rest == [""]:
            return self._create(request) if request.method == "POST" else self._list(request)
        number = self.numbers.get(rest[0])
        if number is None:
            return httpx.Response(404, json={"title": "Not Found", "status": 404})
        if rest[1:] == ["agent-link"]:
            return self._link(request, number)
        if rest[1:] == ["affected-agents"]:
            return httpx.Response(200, json=self._affected(number))
        return self._one(request, number)

    def add(self, number: dict[str, Any]) -> None:
        self.numbers[number["id"]] = dict(number)

    def _written(self, request: httpx.Request, number: dict[str, Any]) -> httpx.Response:
        self.wrote(request)
        return httpx.Response(200) if self.empty_bodies else httpx.Response(200, json=number)

    def _create(self, request: httpx.Request) -> httpx.Response:
        body = body_of(request)
        pair = (body["phoneNumber"], body["credentialsId"])
        if pair in {(n["phoneNumber"], n["credentialsId"]) for n in self.numbers.values()}:
            return httpx.Response(self.duplicate_status, json={"title": "Duplicate"})
        number = number_json(100 + len(self.numbers), **body)
        self.add(number)
        self.wrote(request)
        return httpx.Response(201, json=number)

    def _list(self, request: httpx.Request) -> httpx.Response:
        params = request.url.params
        wanted = params.get("phoneNumber", "")
        found = [
            number
            for number in self.numbers.values()
            if (
                number["phoneNumber"] == wanted
                if wanted and self.exact_filter
                else wanted in number["phoneNumber"]
            )
        ]
        skip, take = int(params["skip"]), min(int(params["take"]), self.largest_page)
        page = found[skip : skip + take]
        return httpx.Response(200, json={"items": page, "totalCount": len(found), "skip": skip, "take": take})

    def _one(self, request: httpx.Request, number: dict[str, Any]) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json=number)
        if request.method == "PUT":
            number.update(
                {"displayName": None, "description": None, "registration": False, **body_of(request)}
            )
            return self._written(request, number)
        used = number["incomingCallsAgentId"] or number["id"] in self.outbound.values()
        if used and request.url.params.get("force") != "true":
            return httpx.Response(409, json={"title": "In use"})
        del self.numbers[number["id"]]
        self.wrote(request)
        return httpx.Response(204)

    def _link(self, request: httpx.Request, number: dict[str, Any]) -> httpx.Response:
        params = request.url.params
        agent = params.get("agentId")
        if params["mode"] == "inbound":
            number["incomingCallsAgentId"] = agent if request.method == "PUT" else None
        elif request.method == "PUT":
            self.outbound[agent] = number["id"]
        elif self.outbound.get(agent) == number["id"]:
            del self.outbound[agent]
        return self._written(request, number)

    def _affected(self, number: dict[str, Any]) -> dict[str, Any]:
        uses: dict[str, list[str]] = {}
        if number["incomingCallsAgentId"]:
            uses[number["incomingCallsAgentId"]] = ["inbound"]
        for agent, outbound_number in self.outbound.items():
            if outbound_number == number["id"]:
                uses.setdefault(agent, []).append(self.outbound_literal)
        return {
            "id": number["id"],
            "phoneNumber": number["phoneNumber"],
            "affectedAgents": [
                {"agentId": agent, "agentName": agent.title(), "uses": its_uses}
                for agent, its_uses in uses.items()
            ],
        }
