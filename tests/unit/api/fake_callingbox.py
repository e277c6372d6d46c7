"""CallingBox in memory, as its pages describe it."""

from __future__ import annotations

from typing import Any

import httpx
from unit.api.faults import FakeVendor, body_of

NUMBER_DETAILS = {
    "e164": "+15551234567",
    "friendly_name": "Reception",
    "country_code": "US",
    "number_type": "local",
    "status": "active",
    "monthly_cost_cents": 100,
    "purchased_at": "2023-11-07T05:31:56Z",
}
AGENT_DETAILS: dict[str, Any] = {
    "org_id": "org-1",
    "user_id": "user-1",
    "name": "Appointment reminders",
    "persona": None,
    "instructions": "Remind",
    "voice": "anna",
    "language": "en-US",
    "returns": {"confirmed": "boolean", "reschedule_to": "string"},
    "tools": [{}],
    "webhook_url": None,
    "voicemail_action": "hangup",
    "primary_number_id": None,
    "archived_at": None,
    "created_at": "2023-11-07T05:31:56Z",
    "updated_at": "2023-11-07T05:31:56Z",
}


class FakeCallingBox(FakeVendor):
    """The vendor; what its pages leave open is a parameter."""

    def __init__(
        self,
        *,
        agents: dict[str, str],
        numbers: dict[str, list[str]],
        body_key: str = "number_id",
        agents_tell_numbers: bool = True,
        numbers_tell_links: bool = True,
        list_form: str = "array",
        empty_bodies: bool = False,
    ) -> None:
        super().__init__()
        #: Each agent's type.
        self.agents = agents
        #: The agents that have each number.
        self.numbers = {number: list(holders) for number, holders in numbers.items()}
        self.body_key = body_key
        self.agents_tell_numbers = agents_tell_numbers
        self.numbers_tell_links = numbers_tell_links
        self.list_form = list_form
        self.empty_bodies = empty_bodies

    def handle(self, request: httpx.Request) -> httpx.Response:
        match [request.method, *request.url.path.removeprefix("/v1/").split("/")]:
            case ["GET", "numbers"]:
                numbers = [self._number(number) for number in self.numbers]
                return httpx.Response(200, json=numbers if self.list_form == "array" else {"data": numbers})
            case ["GET", "agents"]:
                wanted = request.url.params.get("type")
                agents = [
                    self._agent(agent) for agent, type_ in self.agents.items() if wanted in (None, type_)
                ]
                return httpx.Response(200, json={"data": agents})
            case [method, "agents", agent, *rest] if agent in self.agents:
                return self._on_agent(request, method, agent, rest)
        return httpx.Response(404, json={"error": "Not found"})

    def inbound_holder(self, number: str) -> str | None:
        return next((agent for agent in self.numbers[number] if self.agents[agent] == "inbound"), None)

    def _on_agent(self, request: httpx.Request, method: str, agent: str, rest: list[str]) -> httpx.Response:
        if method == "GET":
            return httpx.Response(200, json=self._agent(agent))
        if method == "DELETE":
            if agent not in self.numbers.get(rest[1], []):
                return httpx.Response(404, json={"error": "Number is not attached"})
            self.numbers[rest[1]].remove(agent)
            return self._written(request, agent)
        number = body_of(request).get(self.body_key)
        if number not in self.numbers:
            return httpx.Response(400, json={"error": {"message": f"{self.body_key} is missing"}})
        if method == "PUT":
            return self._written(request, agent)
        if self.agents[agent] == "inbound" and self.inbound_holder(number) not in (None, agent):
            return httpx.Response(400, json={"error": "Attached to a different inbound agent"})
        self.numbers[number].append(agent)
        return self._written(request, agent)

    def _written(self, request: httpx.Request, agent: str) -> httpx.Response:
        self.wrote(request)
        return httpx.Response(200) if self.empty_bodies else httpx.Response(200, json=self._agent(agent))

    def _number(self, number: str) -> dict[str, Any]:
        outbound = [agent for agent in self.numbers[number] if self.agents[agent] == "outbound"]
        links = {"inbound_agent_id": self.inbound_holder(number), "outbound_agent_ids": outbound}
        return {"id": number, **NUMBER_DETAILS, **(links if self.numbers_tell_links else {})}

    def _agent(self, agent: str) -> dict[str, Any]:
        held = [self._number(number) for number, holders in self.numbers.items() if agent in holders]
        told = {"numbers": held} if self.agents_tell_numbers else {}
        return {"id": agent, **AGENT_DETAILS, "type": self.agents[agent], **told}
