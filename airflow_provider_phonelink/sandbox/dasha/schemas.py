"""Dasha's bodies: what a client may send (checked), and what it gets (for the documentation only)."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, WithJsonSchema
from pydantic.alias_generators import to_camel

from airflow_provider_phonelink.sandbox.exchange import whole_number

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
