"""CallingBox's bodies: what they look like, any field but the id being optional, and how they are written."""

from __future__ import annotations

import json
from math import inf
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema

from airflow_provider_phonelink.sandbox.exchange import whole_number
from airflow_provider_phonelink.sandbox.rendering import Fragments, array, timestamp

if TYPE_CHECKING:
    from airflow_provider_phonelink.sandbox.callingbox.world import AgentRecord, CallingBox, NumberRecord
    from airflow_provider_phonelink.sandbox.world import World

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


class CallingBoxJson:
    """
    Writes what CallingBox answers.

    :param world: the sandbox's state.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._numbers: Fragments[NumberRecord] = Fragments(self._render_number)

    def agent(self, account: CallingBox, agent: AgentRecord) -> bytes:
        """Return an agent with its numbers, as it is shown when one agent is read or changed."""
        document = json.dumps(self._agent(agent)).encode()
        if self._world.switches.callingbox_sparse:
            return document
        numbers = [self._number(account.numbers[id_]) for id_ in agent.numbers]
        return document[:-1] + b', "numbers": ' + array(numbers) + b"}"

    def agents(self, agents: list[AgentRecord], has_more: bool) -> bytes:
        """Return a list of agents; it does not show their numbers."""
        document: dict[str, Any] = {"data": [self._agent(agent) for agent in agents]}
        if self._world.switches.callingbox_agent_pages:
            document["has_more"] = has_more
        return json.dumps(document).encode()

    def numbers(self, numbers: list[NumberRecord], has_more: bool) -> bytes:
        """Return a list of numbers, in the shape that the switch selects."""
        shape = self._world.switches.callingbox_numbers_shape
        items = array([self._number(number) for number in numbers])
        if shape == "array":
            return items
        more = b"true" if has_more else b"false"
        return b'{"data":' + items + (b"}" if shape == "data" else b',"has_more":' + more + b"}")

    def _number(self, number: NumberRecord) -> bytes:
        switches = self._world.switches
        self._numbers.keep_style((switches.callingbox_sparse, switches.callingbox_no_outbound))
        return self._numbers.of(number)

    def _render_number(self, number: NumberRecord) -> tuple[bytes, float]:
        document: dict[str, Any] = {"id": number.id, "e164": number.e164}
        if not self._world.switches.callingbox_sparse:
            document |= {
                "friendly_name": number.friendly_name,
                "country_code": number.country_code,
                "number_type": "local",
                "status": number.status,
                "monthly_cost_cents": 100,
                "purchased_at": timestamp(number.purchased),
                "inbound_agent_id": number.inbound_agent,
                "outbound_agent_ids": list(number.outbound_agents) or self._no_outbound(),
            }
        return json.dumps(document).encode(), inf

    def _no_outbound(self) -> list[str] | None:
        return None if self._world.switches.callingbox_no_outbound == "null" else []

    def _agent(self, agent: AgentRecord) -> dict[str, Any]:
        document: dict[str, Any] = {"id": agent.id, "name": agent.name, "type": agent.type}
        if self._world.switches.callingbox_sparse:
            return document
        return document | {
            "org_id": agent.organisation,
            "user_id": "user_sandbox",
            "persona": None,
            "instructions": None,
            "voice": "default",
            "language": "en-US",
            "returns": {},
            "tools": [],
            "webhook_url": None,
            "voicemail_action": "hangup",
            "primary_number_id": agent.primary_number,
            "archived_at": None if agent.archived is None else timestamp(agent.archived),
            "created_at": timestamp(agent.created),
            "updated_at": timestamp(agent.updated),
        }
