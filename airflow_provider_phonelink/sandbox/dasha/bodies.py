"""Dasha's bodies: what a client may send (checked), what it gets (for the documentation), and how that is written."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, WithJsonSchema
from pydantic.alias_generators import to_camel

from airflow_provider_phonelink.sandbox.exchange import whole_number
from airflow_provider_phonelink.sandbox.rendering import Fragments, array, timestamp, without_none

if TYPE_CHECKING:
    from airflow_provider_phonelink.sandbox.dasha.records import AgentRecord, NumberQuery, NumberRecord
    from airflow_provider_phonelink.sandbox.dasha.trunks import CredentialsRecord
    from airflow_provider_phonelink.sandbox.dasha.world import Organisation
    from airflow_provider_phonelink.sandbox.switches import Switches
    from airflow_provider_phonelink.sandbox.world import World

Mode = Literal["inbound", "replaceOutbound"]
MAX_INT32 = 2_147_483_647


def _true_or_false(value: Any) -> Any:
    # pydantic alone would also accept "yes" and "1".
    if isinstance(value, str):
        if value.lower() not in ("true", "false"):
            raise ValueError("neither true nor false")
        return value.lower() == "true"
    return value


Flag = Annotated[bool, BeforeValidator(_true_or_false)]


class _Schema(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)


class PageQuery(_Schema):
    """Which part of a list is wanted."""

    skip: Annotated[int, Field(ge=0, le=MAX_INT32), BeforeValidator(whole_number)] = 0
    take: Annotated[int, Field(ge=1, le=1000), BeforeValidator(whole_number)] = 20


class AgentsQuery(PageQuery):
    """Which part of the agents is wanted: all of them, unless it is said."""

    take: Annotated[int, Field(ge=1, le=1000), BeforeValidator(whole_number)] = 1000


class ListQuery(PageQuery):
    """Which numbers to list."""

    phone_number: str = ""
    linked_agent_id: str = ""
    unlinked_only: Flag = False
    provider_id: Annotated[UUID | None, WithJsonSchema({"type": "string", "format": "uuid"})] = None


class LinkQuery(_Schema):
    """Which agent gets a number, and for what."""

    agent_id: Annotated[str, Field(min_length=1)]
    mode: Mode = "inbound"


class UnlinkQuery(_Schema):
    """Which agent loses a number, and for what."""

    mode: Mode = "inbound"
    agent_id: str = ""


class DeleteQuery(_Schema):
    """Whether to delete a number that is in use."""

    force: Flag = False


class PhoneNumberBody(_Schema):
    """Configuration for creating or updating a SIP phone number."""

    # The vendor would silently ignore a misspelt name; a stand-in should report it.
    model_config = ConfigDict(extra="forbid")

    phone_number: Annotated[str, Field(min_length=1, max_length=255)]
    credentials_id: UUID
    display_name: Annotated[str | None, Field(max_length=255)] = None
    description: Annotated[str | None, Field(max_length=255)] = None
    registration: StrictBool = False


class RegistrationStatus(_Schema):
    """Current SIP registration status."""

    state: str
    error_description: str | None = None
    sip_response_message: str | None = None
    last_updated: str | None = None
    expires_at: str | None = None


class PhoneNumber(_Schema):
    """SIP phone number configuration."""

    id: UUID
    org_id: Annotated[str, Field(min_length=1)]
    phone_number: Annotated[str, Field(min_length=1)]
    credentials_id: UUID
    created_time: str
    last_update_time: str
    registration_status: RegistrationStatus
    description: str | None = None
    display_name: str | None = None
    registration: bool
    provider_id: UUID | None = None
    incoming_calls_agent_id: str | None = None


class PhoneNumberPage(_Schema):
    """One page of the numbers that match."""

    items: list[PhoneNumber]
    total_count: int
    skip: int
    take: int


class AffectedAgent(_Schema):
    """One agent that uses a number, and for what."""

    agent_id: str
    agent_name: str
    uses: list[str]


class AffectedAgents(_Schema):
    """Who uses a number."""

    id: UUID
    phone_number: str
    affected_agents: list[AffectedAgent]


class CredentialsAgents(_Schema):
    """Who uses the numbers of some credentials."""

    phone_numbers: list[AffectedAgents]
    affected_calls_count: int


class Credentials(_Schema):
    """SIP credentials."""

    id: UUID
    org_id: str
    server: str
    transport: Literal["udp", "tcp", "tls"]
    source: Literal["manual", "provider"]
    domain: str | None = None
    auth_user: str
    auth_password: str
    description: str | None = None
    cps_limit: int | None = None
    cps_key: str | None = None
    provider_id: UUID | None = None


class CredentialsPage(_Schema):
    """One page of the credentials."""

    items: list[Credentials]
    total_count: int
    skip: int
    take: int


class Agent(_Schema):
    """A voice agent."""

    agent_id: str
    org_id: str
    name: str
    is_enabled: bool
    config: dict[str, Any]


class AgentPage(_Schema):
    """One page of the agents."""

    items: list[Agent]
    total_count: int
    skip: int
    take: int


class Provider(_Schema):
    """Who manages numbers."""

    id: UUID
    org_id: str
    type: str


class ProblemDetails(BaseModel):
    """An error."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    affected_agents: Annotated[list[AffectedAgent] | None, Field(alias="affectedAgents")] = None


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Document the errors that an endpoint answers with."""
    schema = {"$ref": "#/components/schemas/ProblemDetails"}
    return {
        status: {"description": "Error", "content": {"application/problem+json": {"schema": schema}}}
        for status in statuses
    }


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
