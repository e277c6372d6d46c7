"""Dasha's resources as JSON."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from pydantic.alias_generators import to_camel

from airflow_provider_phonelink.sandbox.rendering import Fragments, array, timestamp, without_none

if TYPE_CHECKING:
    from airflow_provider_phonelink.sandbox.dasha.records import AgentRecord, NumberQuery, NumberRecord
    from airflow_provider_phonelink.sandbox.dasha.trunks import CredentialsRecord
    from airflow_provider_phonelink.sandbox.dasha.world import Organisation
    from airflow_provider_phonelink.sandbox.switches import Switches
    from airflow_provider_phonelink.sandbox.world import World


class DashaJson:
    """
    Writes what Dasha answers.

    :param world: the sandbox's state.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._fragments: Fragments[NumberRecord] = Fragments(self._render)

    def number(self, number: NumberRecord) -> bytes:
        """Return a number."""
        self._fragments.keep_style(_style(self._world.switches))
        return self._fragments.of(number, self._world.clock.now())

    def page(self, numbers: list[NumberRecord], total: int, query: NumberQuery) -> bytes:
        """Return a page of numbers."""
        self._fragments.keep_style(_style(self._world.switches))
        now = self._world.clock.now()
        items = array([self._fragments.of(number, now) for number in numbers])
        tail = f',"totalCount":{total},"skip":{query.skip},"take":{query.take}}}'
        return b'{"items":' + items + tail.encode()

    def credentials(self, credentials: CredentialsRecord) -> dict[str, Any]:
        """Return SIP credentials with their password, as the vendor does."""
        shown = {to_camel(f.name): getattr(credentials, f.name) for f in fields(credentials)}
        organisation = shown.pop("organisation")
        return self._optional({**shown, "orgId": organisation})

    def agents(self, organisation: Organisation, skip: int, take: int) -> bytes:
        """Return agents in the shape that the switch selects."""
        shape = self._world.switches.dasha_agents_shape
        known = list(organisation.agents.values())
        wanted = known if shape == "whole_array" else known[skip : skip + take]
        items = [self._agent(organisation, agent) for agent in wanted]
        return json.dumps(page(items, len(known), skip, take) if shape == "page" else items).encode()

    def _agent(self, organisation: Organisation, agent: AgentRecord) -> dict[str, Any]:
        number = organisation.outbound.number_of.get(agent.id)
        from_user = None if number is None else organisation.numbers[number].settings.phone_number
        return {
            "agentId": agent.id,
            "orgId": organisation.id,
            "name": agent.name,
            "isEnabled": agent.enabled,
            "config": {"outboundSipConfig": {"fromUser": from_user}},
        }

    def affected_by(self, organisation: Organisation, credentials_id: str) -> bytes:
        """Return the agents that use the numbers of some credentials."""
        numbers = [_affected(number, users) for number, users in organisation.affected_by(credentials_id)]
        return json.dumps({"phoneNumbers": numbers, "affectedCallsCount": 0}).encode()

    def affected(self, organisation: Organisation, number_id: str) -> bytes:
        """Return the agents that use a number."""
        number = organisation.get(number_id)
        return json.dumps(_affected(number, organisation.affected(number_id))).encode()

    def _render(self, number: NumberRecord) -> tuple[bytes, float]:
        status, changes_at = self._status(number)
        settings = number.settings
        optional = {
            "description": settings.description,
            "displayName": settings.display_name,
            "providerId": number.provider_id,
            "incomingCallsAgentId": number.inbound_agent,
        }
        document = {
            "id": number.id,
            "orgId": number.organisation,
            "phoneNumber": settings.phone_number,
            "credentialsId": settings.credentials_id,
            "createdTime": self._time(number.created),
            "lastUpdateTime": self._time(number.updated),
            "registrationStatus": status,
            "registration": settings.registration,
            **self._optional(optional),
        }
        return json.dumps(document).encode(), changes_at

    def _status(self, number: NumberRecord) -> tuple[dict[str, Any], float]:
        status = self._world.account("dasha", number.organisation).status(number)
        optional = {
            "errorDescription": status.error,
            "sipResponseMessage": status.sip,
            "lastUpdated": self._time(status.last_updated),
            "expiresAt": None if status.expires_at is None else self._time(status.expires_at),
        }
        return {"state": status.state, **self._optional(optional)}, status.changes_at

    def _optional(self, document: dict[str, Any]) -> dict[str, Any]:
        return without_none(document) if self._world.switches.dasha_null_fields == "omitted" else document

    def _time(self, seconds: float) -> str:
        return timestamp(seconds, self._world.switches.dasha_timestamps)


def _style(switches: Switches) -> tuple[object, ...]:
    """Return all that changes how a number is written, other than the number."""
    return (
        switches.dasha_null_fields,
        switches.dasha_timestamps,
        switches.dasha_active_literal,
        switches.dasha_waiting_literal,
        switches.dasha_registration_seconds,
        switches.dasha_registration_lifetime,
    )


def page(items: list[Any], total: int, skip: int, take: int) -> dict[str, Any]:
    """Return a page."""
    return {"items": items, "totalCount": total, "skip": skip, "take": take}


def _affected(number: NumberRecord, users: list[tuple[str, str, list[str]]]) -> dict[str, Any]:
    return {
        "id": number.id,
        "phoneNumber": number.settings.phone_number,
        "affectedAgents": [
            {"agentId": agent, "agentName": name, "uses": uses} for agent, name, uses in users
        ],
    }
