"""CallingBox's bodies: for the documentation only, since any field but the id may be missing."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema

from airflow_provider_phonelink.sandbox.exchange import whole_number

LIMIT = {"type": "integer", "minimum": 1, "maximum": 100}
Cursor = Annotated[str | None, WithJsonSchema({"type": "string"})]
AgentType = Literal["inbound", "outbound"]


class PageQuery(BaseModel):
    """Which part of a list is wanted."""

    limit: Annotated[
        int | None, Field(ge=1, le=100), BeforeValidator(whole_number), WithJsonSchema(LIMIT)
    ] = None
    starting_after: Cursor = None
    ending_before: Cursor = None


class AgentQuery(PageQuery):
    """Which agents to list."""

    type: Annotated[AgentType | None, WithJsonSchema({"enum": ["inbound", "outbound"]})] = None


class Number(BaseModel):
    """A bought phone number."""

    id: str
    e164: str | None = None
    friendly_name: str | None = None
    country_code: str | None = None
    number_type: str | None = None
    status: str | None = None
    monthly_cost_cents: int | None = None
    purchased_at: str | None = None
    inbound_agent_id: str | None = None
    outbound_agent_ids: list[str] | None = None


class Agent(BaseModel):
    """A voice agent; its numbers are shown on detail and mutation answers."""

    id: str
    org_id: str | None = None
    user_id: str | None = None
    name: str | None = None
    type: AgentType | None = None
    persona: str | None = None
    instructions: str | None = None
    voice: str | None = None
    language: str | None = None
    returns: dict[str, Any] | None = None
    tools: list[dict[str, Any]] | None = None
    webhook_url: str | None = None
    voicemail_action: Literal["hangup", "leave_message"] | None = None
    primary_number_id: str | None = None
    archived_at: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    numbers: list[Number] | None = None


class NumberBody(BaseModel):
    """Which number is meant. How the key is spelt is a switch, so this is for the documentation only."""

    number_id: Annotated[str, Field(min_length=1)]
    set_as_primary: bool = False


class AgentList(BaseModel):
    """Agents."""

    data: list[Agent]
    has_more: bool | None = None


class NumberList(BaseModel):
    """Numbers, in the shape that wraps them."""

    data: list[Number]
    has_more: bool | None = None


class ErrorMessage(BaseModel):
    """The error as some clients meet it."""

    message: str


class Error(BaseModel):
    """An error."""

    error: str | ErrorMessage | None = None
    message: str | None = None


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Document the errors that an endpoint answers with."""
    return {status: {"model": Error, "description": "Error"} for status in statuses}
