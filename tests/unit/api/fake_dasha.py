"""Dasha BlackBox in memory: the sandbox's world behind a function that answers httpx's requests."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx
from in_memory import SETTINGS, dasha_endpoints, settings
from unit.api.faults import FakeVendor, body_of

from airflow_provider_phonelink.sandbox.dasha import error
from airflow_provider_phonelink.sandbox.dasha.bodies import DashaJson
from airflow_provider_phonelink.sandbox.dasha.records import NumberRecord
from airflow_provider_phonelink.sandbox.switches import Switches
from airflow_provider_phonelink.sandbox.world import Refused, World

CREDENTIALS = "c0000000-0000-4000-8000-000000000001"
OTHER_CREDENTIALS = "c0000000-0000-4000-8000-000000000002"
PROVIDERS = "/api/v1/providers/"
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


#: What else the world knows of a number; how the rest of it is shown is up to the test.
RECORD = {"incomingCallsAgentId": "inbound_agent", "providerId": "provider_id"}


class FakeDasha(FakeVendor):
    """
    The vendor, whose rules are the sandbox's; what its pages leave open is a parameter.

    :param numbers: numbers as the vendor shows them, to the letter.
    :param outbound: the one outbound number of each agent.
    """

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
        filtering = "exact" if exact_filter else "substring"
        switches = Switches(
            dasha_duplicate_status=duplicate_status,
            dasha_phone_filter=filtering,
            # Reads by credentials have tests of their own.
            dasha_credentials_agents_status=404,
        )
        # A test may make up a literal that is not plausible.
        object.__setattr__(switches, "dasha_outbound_literal", outbound_literal)
        self._world = World(switches)
        self.switches = switches
        self._endpoints = dasha_endpoints(self._world)
        self.organisation = self._world.dasha
        self._hidden: set[str] = set()
        #: How each number is shown, as far as the world does not know.
        self.shown: dict[str, dict[str, Any]] = {}
        self._left_out: dict[str, set[str]] = {}
        self.numbers: Any = _Numbers(self)
        self.outbound: Any = _Outbound(self)
        self.empty_bodies = empty_bodies
        self.largest_page = largest_page
        for number in numbers:
            self.add(number)
        for agent, number_id in (outbound or {}).items():
            self.outbound[agent] = number_id

    @property
    def inbound(self) -> dict[str, str | None]:
        return {id_: number.inbound_agent for id_, number in self.organisation.numbers.items()}

    def add(self, number: Mapping[str, Any]) -> None:
        its_settings = settings(number)
        record = {name: number[field] for field, name in RECORD.items()}
        self.organisation.put(NumberRecord(number["id"], "org-1", its_settings, 0, 0, 0, **record))
        if provider_id := record["provider_id"]:
            self.organisation.trunks.connect(provider_id, number["id"], its_settings.phone_number)
        self.shown[number["id"]] = {
            field: value for field, value in number.items() if field not in {*SETTINGS, *RECORD}
        }
        self._left_out[number["id"]] = set(SETTINGS) - set(number)

    def hide_in_lists(self, number_id: str) -> None:
        """Leave a number out of every page, and out of the count."""
        self._hidden.add(number_id)

    def handle(self, request: httpx.Request) -> httpx.Response:
        path, params = request.url.path, dict(request.url.params)
        if "take" in params:
            params["take"] = str(min(int(params["take"]), self.largest_page))
        try:
            status, body = self._endpoints.answer(
                request.method, path, params, body_of(request) if request.content else None
            )
        except Refused as refused:
            body, media_type = error(refused, path, self._world.switches)
            return httpx.Response(refused.status, content=body, headers={"content-type": media_type})
        if request.method != "GET":
            self.wrote(request)
            if status == 204 or (status == 200 and self.empty_bodies):
                return httpx.Response(status)
        return httpx.Response(status, json=json.loads(body, object_hook=self._as_shown))

    def document(self, number_id: str) -> dict[str, Any]:
        """Return a number as it is shown."""
        body = DashaJson(self._world).number(self.organisation.numbers[number_id])
        document: dict[str, Any] = json.loads(body, object_hook=self._as_shown)
        return document

    def _as_shown(self, document: dict[str, Any]) -> dict[str, Any]:
        """Return a number or a page as the test has it shown, and anything else as it is."""
        if "items" in document:
            items = [item for item in document["items"] if item["id"] not in self._hidden]
            return {**document, "items": items, "totalCount": document["totalCount"] - len(self._hidden)}
        number_id = document.get("id", "")
        if number_id not in self.organisation.numbers:
            return document
        shown = {**document, **self.shown.get(number_id, {})}
        left_out = self._left_out.get(number_id, ())
        return {field: value for field, value in shown.items() if field not in left_out}


class _Numbers(Mapping[str, "_Number"]):
    """The numbers by id, each of which a test can change behind everybody's back."""

    def __init__(self, vendor: FakeDasha) -> None:
        self._vendor = vendor

    def __getitem__(self, number_id: str) -> _Number:
        if number_id not in self._vendor.organisation.numbers:
            raise KeyError(number_id)
        return _Number(self._vendor, number_id)

    def __setitem__(self, number_id: str, number: Mapping[str, Any]) -> None:
        self._vendor.add({**number, "id": number_id})

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._vendor.organisation.numbers))

    def __len__(self) -> int:
        return len(self._vendor.organisation.numbers)

    def clear(self) -> None:
        for number_id in self:
            self._vendor.organisation.delete(number_id, force=True)


class _Number(Mapping[str, Any]):
    """One number as it is shown."""

    def __init__(self, vendor: FakeDasha, number_id: str) -> None:
        self._vendor = vendor
        self._id = number_id

    def __getitem__(self, field: str) -> Any:
        return self._vendor.document(self._id)[field]

    def __iter__(self) -> Iterator[str]:
        return iter(self._vendor.document(self._id))

    def __len__(self) -> int:
        return len(self._vendor.document(self._id))

    def __setitem__(self, field: str, value: Any) -> None:
        self.update(**{field: value})

    def update(self, **fields: Any) -> None:
        old = self._vendor.organisation.numbers[self._id]
        settings = {name: fields[field] for field, name in SETTINGS.items() if field in fields}
        record = {name: fields[field] for field, name in RECORD.items() if field in fields}
        new = replace(old, settings=replace(old.settings, **settings), **record)
        self._vendor.organisation.put(new, old)
        others = {field: fields[field] for field in set(fields) - {*SETTINGS, *RECORD}}
        self._vendor.shown.setdefault(self._id, {}).update(others)


class _Outbound(MutableMapping[str, str]):
    """The one outbound number of each agent."""

    def __init__(self, vendor: FakeDasha) -> None:
        self._links = vendor.organisation.outbound

    def __getitem__(self, agent: str) -> str:
        return str(self._links.number_of[agent])

    def __setitem__(self, agent: str, number_id: str) -> None:
        self._links.put(agent, number_id)

    def __delitem__(self, agent: str) -> None:
        self._links.remove(agent)

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._links.number_of))

    def __len__(self) -> int:
        return len(self._links.number_of)
