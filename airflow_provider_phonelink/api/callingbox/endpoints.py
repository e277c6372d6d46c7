"""
The endpoints of CallingBox, each described once.

From the vendor's pages on agents and numbers: detach, attach, list and get agents, list numbers, set the
primary number. Every function checks its arguments and returns the call; nothing is sent here. Nothing
here can buy or release a number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_phonelink.api import arguments, callingbox
from airflow_provider_phonelink.api.calls import Call, or_nothing, path

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_phonelink.api.callingbox.models import Agent, AgentList, NumberList

AGENT_TYPES = ("inbound", "outbound")
#: Numbers on a page, at most.
LARGEST_PAGE = 100

NUMBERS = "/v1/numbers"
AGENTS = "/v1/agents"
AGENT = AGENTS + "/{agent_id}"
AGENT_NUMBERS = AGENT + "/numbers"
AGENT_NUMBER = AGENT_NUMBERS + "/{number_id}"
PRIMARY_NUMBER = AGENT + "/primary-number"


def list_numbers(starting_after: str | None = None, *, limit: int | None = LARGEST_PAGE) -> Call[NumberList]:
    """
    Read a page of the organisation's numbers, newest first (``GET /v1/numbers``).

    :param starting_after: The id of the last number of the page before; None for the first page.
    :param limit: Numbers on a page, 1 to 100; None for as many as the vendor likes.
    """
    params = {}
    if limit is not None:
        params["limit"] = str(arguments.integer("limit", limit, lowest=1, highest=LARGEST_PAGE))
    if starting_after is not None:
        params["starting_after"] = starting_after
    read = callingbox.models.NumberList.model_validate_json
    return Call(method="GET", path=NUMBERS, params=params, read=read, repeatable=True)


def list_agents(
    type: str | None = None,  # noqa: A002 - the vendor's name of the parameter
    starting_after: str | None = None,
) -> Call[AgentList]:
    """
    Read the organisation's agents (``GET /v1/agents``), or a page of them if the vendor pages them.

    :param type: ``inbound`` or ``outbound``; None for both.
    :param starting_after: The id of the last agent of the page before; None for the first page.
    """
    params = {} if type is None else {"type": arguments.choice("type", type, AGENT_TYPES)}
    if starting_after is not None:
        params["starting_after"] = starting_after
    return Call(
        method="GET",
        path=AGENTS,
        params=params,
        read=callingbox.models.AgentList.model_validate_json,
        repeatable=True,
    )


def get_agent(agent_id: str) -> Call[Agent]:
    """Read an agent with its numbers (``GET /v1/agents/{id}``)."""
    agent_id = arguments.opaque_id("agent_id", agent_id)
    return Call(
        method="GET", path=path(AGENT, agent_id=agent_id), read=_reads_agent(agent_id), repeatable=True
    )


def attach(agent_id: str, number_id: str, *, body_key: str = "number_id") -> Call[Agent | None]:
    """
    Attach a number to an agent (``POST /v1/agents/{id}/numbers``). Not repeatable.

    The vendor refuses to attach a number to an inbound agent while another inbound agent has it.

    :param agent_id: The agent, an opaque string.
    :param number_id: The number, an opaque string.
    :param body_key: The field of the body that carries the number's id; the vendor does not document it.
    """
    agent_id = arguments.agent_id("agent_id", agent_id)
    return Call(
        method="POST",
        path=path(AGENT_NUMBERS, agent_id=agent_id),
        body={body_key: arguments.opaque_id("number_id", number_id)},
        read=or_nothing(_reads_agent(agent_id)),
    )


def detach(agent_id: str, number_id: str) -> Call[Agent | None]:
    """
    Detach a number from an agent (``DELETE /v1/agents/{id}/numbers/{number_id}``).

    The number stays bought and billed. Not repeatable: after a try that succeeded, a second one is answered
    with 404.

    :param agent_id: The agent, an opaque string.
    :param number_id: The number, an opaque string.
    """
    agent_id = arguments.opaque_id("agent_id", agent_id)
    number_id = arguments.opaque_id("number_id", number_id)
    return Call(
        method="DELETE",
        path=path(AGENT_NUMBER, agent_id=agent_id, number_id=number_id),
        read=or_nothing(_reads_agent(agent_id)),
    )


def set_primary_number(agent_id: str, number_id: str, *, body_key: str = "number_id") -> Call[Agent | None]:
    """
    Make an attached number the agent's primary one (``PUT /v1/agents/{id}/primary-number``).

    :param agent_id: The agent, an opaque string.
    :param number_id: The number, an opaque string; it must be attached already.
    :param body_key: The field of the body that carries the number's id; the vendor does not document it.
    """
    agent_id = arguments.agent_id("agent_id", agent_id)
    return Call(
        method="PUT",
        path=path(PRIMARY_NUMBER, agent_id=agent_id),
        body={body_key: arguments.opaque_id("number_id", number_id)},
        read=or_nothing(_reads_agent(agent_id)),
        repeatable=True,
    )


def _reads_agent(agent_id: str) -> Callable[[bytes], Agent]:
    def read(body: bytes) -> Agent:
        agent = callingbox.models.Agent.model_validate_json(body)
        if agent.id != agent_id:
            raise ValueError(f"the answer is about the agent {agent.id}, not {agent_id}")
        return agent

    return read
