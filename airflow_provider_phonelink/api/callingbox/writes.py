"""
Flows that write to CallingBox and are safe to repeat.

A write whose outcome is unknown (lost answer, 5xx, 429) is repeated only after a look at the current state.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from airflow_provider_phonelink.api.callingbox import endpoints, reads
from airflow_provider_phonelink.api.calls import AlreadyDone, Call, Flow, Setting
from airflow_provider_phonelink.api.errors import ConflictError, NotFoundError, RejectedError

if TYPE_CHECKING:
    from airflow_provider_phonelink.api.callingbox.models import Agent

#: Possible names of the number's id in the body of set-primary; the vendor does not document it.
PRIMARY_BODY_KEYS = ("number_id", "primary_number_id", "numberId", "id")


def attach(agent_id: str, number_id: str) -> Flow[Agent]:
    """Attach a number to an agent, once. If the vendor refuses and the agent has the number, that is success."""
    body_key: str = yield Setting("attach_body_key")
    call = endpoints.attach(agent_id, number_id, body_key=body_key)
    try:
        return (yield from _write(call, agent_id, number_id, attached=True))
    except (RejectedError, ConflictError):
        agent, attached = yield from reads.attachment(agent_id, number_id)
        if not attached:
            raise
        return agent


def detach(agent_id: str, number_id: str) -> Flow[Agent]:
    """
    Detach a number from an agent.

    :raises NotFoundError: If there is no such agent or number.
    :raises VendorError: If the vendor refuses, and the agent still has the number. A refusal because the agent no
        longer has it counts as success, whatever its status: that is not documented.
    """
    call = endpoints.detach(agent_id, number_id)
    try:
        return (yield from _write(call, agent_id, number_id, attached=False))
    except (NotFoundError, RejectedError, ConflictError):
        agent, attached = yield from reads.attachment(agent_id, number_id)
        if attached or (yield from reads.find_number(number_id)) is None:
            raise
        return agent


def set_primary_number(agent_id: str, number_id: str) -> Flow[Agent]:
    """
    Make an attached number the agent's primary one.

    The connection's key for attaching is tried first, because this body probably has the same. A refused body changes
    nothing, so the other plausible keys are tried after it.

    :raises RejectedError: If the vendor refuses all of them; the error is that of the first.
    """
    body_key: str = yield Setting("attach_body_key")
    refusals: list[RejectedError] = []
    for key in dict.fromkeys((body_key, *PRIMARY_BODY_KEYS)):
        try:
            agent: Agent | None = yield endpoints.set_primary_number(agent_id, number_id, body_key=key)
        except RejectedError as error:
            refusals.append(error)
        else:
            return (yield from _read_if_untold(agent, agent_id))
    raise refusals[0]


def _write(call: Call[Agent | None], agent_id: str, number_id: str, *, attached: bool) -> Flow[Agent]:
    def look() -> Flow[AlreadyDone[Agent | None] | None]:
        found = yield from reads.attachment(agent_id, number_id)
        return AlreadyDone(found.agent) if found.attached == attached else None

    agent: Agent | None = yield replace(call, look=look)
    return (yield from _read_if_untold(agent, agent_id))


def _read_if_untold(agent: Agent | None, agent_id: str) -> Flow[Agent]:
    if agent is None:
        agent = yield endpoints.get_agent(agent_id)
    return agent
