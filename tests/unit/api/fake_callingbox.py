"""CallingBox in memory: the sandbox's world behind a function that answers httpx's requests."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, MutableSequence
from typing import Any

import httpx
from in_memory import callingbox_endpoints
from unit.api.faults import FakeVendor, body_of

from airflow_provider_phonelink.sandbox.callingbox import error
from airflow_provider_phonelink.sandbox.callingbox.bodies import CallingBoxJson
from airflow_provider_phonelink.sandbox.switches import Switches
from airflow_provider_phonelink.sandbox.world import Refused, World

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
    """
    The vendor, whose rules are the sandbox's; what its pages leave open is a parameter.

    :param agents: each agent's type.
    :param numbers: the agents that have each number.
    """

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
        switches = Switches(callingbox_numbers_shape="array" if list_form == "array" else "data")
        self._world = World(switches)
        self.take_number_as(body_key)
        self._endpoints = callingbox_endpoints(self._world)
        self.account = self._world.callingbox
        self.agents_tell_numbers = agents_tell_numbers
        self.numbers_tell_links = numbers_tell_links
        self.empty_bodies = empty_bodies
        for agent, type_ in agents.items():
            self.account.add_agent(type_, id=agent)
        # The list begins with the newest number.
        for number in reversed(list(numbers)):
            self.account.add_number(NUMBER_DETAILS["e164"], id=number, agents=numbers[number])
        self.numbers: Any = _Numbers(self.account)

    def take_number_as(self, body_key: str) -> None:
        """Set the name of a number in a body; a test may make one up that is not plausible."""
        for switch in ("callingbox_attach_body_key", "callingbox_primary_body_key"):
            object.__setattr__(self._world.switches, switch, body_key)

    def handle(self, request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode().partition("?")[0]
        try:
            status, body = self._endpoints.answer(
                request.method, path, request.url.params, body_of(request) if request.content else None
            )
        except Refused as refused:
            body, media_type = error(refused, request.url.path, self._world.switches)
            return httpx.Response(refused.status, content=body, headers={"content-type": media_type})
        if request.method != "GET":
            self.wrote(request)
            if self.empty_bodies:
                return httpx.Response(200)
        return httpx.Response(status, json=self._told(body))

    def agent(self, agent_id: str) -> dict[str, Any]:
        """Return an agent as it is shown."""
        document: dict[str, Any] = self._told(
            CallingBoxJson(self._world).agent(self.account, self.account.get_agent(agent_id))
        )
        return document

    def _told(self, body: bytes) -> Any:
        """Return a document without what this vendor does not tell."""

        def telling(document: dict[str, Any]) -> dict[str, Any]:
            hidden = set() if self.agents_tell_numbers else {"numbers"}
            if not self.numbers_tell_links:
                hidden |= {"inbound_agent_id", "outbound_agent_ids"}
            return {field: value for field, value in document.items() if field not in hidden}

        return json.loads(body, object_hook=telling)


class _Numbers(Mapping[str, "_Holders"]):
    """The agents that have each number, which a test can change behind everybody's back."""

    def __init__(self, account: Any) -> None:
        self._account = account

    def __getitem__(self, number: str) -> _Holders:
        if number not in self._account.numbers:
            raise KeyError(number)
        return _Holders(self._account, number)

    def __iter__(self) -> Iterator[str]:
        return reversed(list(self._account.numbers))

    def __len__(self) -> int:
        return len(self._account.numbers)


class _Holders(MutableSequence[str]):
    """The agents that have a number; the order in which they got it does not count."""

    def __init__(self, account: Any, number: str) -> None:
        self._account = account
        self._number = number

    def _agents(self) -> list[str]:
        record = self._account.numbers[self._number]
        return [*([record.inbound_agent] if record.inbound_agent else []), *record.outbound_agents]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, (list, _Holders)) and sorted(self) == sorted(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self._agents())

    def __getitem__(self, place: Any) -> Any:
        return self._agents()[place]

    def __setitem__(self, place: Any, agent: Any) -> None:
        del self[place]
        self.insert(0, agent)

    def __delitem__(self, place: Any) -> None:
        self._account.detach(self._agents()[place], self._number)

    def __len__(self) -> int:
        return len(self._agents())

    def insert(self, _: int, agent: str) -> None:
        self._account.attach(agent, self._number)
