"""Flows that read from CallingBox which agent has which number, from wherever an answer shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

from airflow_provider_phonelink.api.callingbox import endpoints
from airflow_provider_phonelink.api.callingbox.endpoints import same_id
from airflow_provider_phonelink.api.errors import IncompleteListError, UnreadableAnswerError

if TYPE_CHECKING:
    from airflow_provider_phonelink.api.callingbox.models import Agent, AgentList, Number, NumberList
    from airflow_provider_phonelink.api.calls import Call, Flow

ListT = TypeVar("ListT", "AgentList", "NumberList")


class Attachment(NamedTuple):
    """An agent, and whether it has the number in question."""

    agent: Agent
    attached: bool


def attachment(agent_id: str, number_id: str) -> Flow[Attachment]:
    """Read an agent and whether it has a number, from the agent or, if the agent does not show it, from the number."""
    agent: Agent = yield endpoints.get_agent(agent_id)
    told = attached(agent, number_id)
    if told is None:
        number = yield from find_number(number_id)
        told = number is not None and _has(agent_id, number)
    return Attachment(agent, told)


def attached(agent: Agent | None, number_id: str) -> bool | None:
    """Return whether an answer shows the number at the agent; None if the answer does not say."""
    if agent is None or agent.numbers is None:
        return None
    return any(same_id(number.id, number_id) for number in agent.numbers)


def find_number(number_id: str) -> Flow[Number | None]:
    """Find a number of the organisation by its id."""
    call = endpoints.list_numbers()
    answer: NumberList = yield call
    found = next((number for number in answer.data if same_id(number.id, number_id)), None)
    if found is None:
        _complete(call, answer)  # only a complete list proves that a number is missing
    return found


def all_numbers() -> Flow[list[Number]]:
    """Read all numbers of the organisation."""
    call = endpoints.list_numbers()
    answer: NumberList = yield call
    return _complete(call, answer).data


def all_agents(type: str | None = None) -> Flow[list[Agent]]:  # noqa: A002 - the vendor's name of the parameter
    """
    Read all agents of the organisation.

    :param type: ``inbound`` or ``outbound``; None for both.
    """
    call = endpoints.list_agents(type)
    answer: AgentList = yield call
    return _complete(call, answer).data


def _complete(call: Call[ListT], answer: ListT) -> ListT:
    if answer.has_more:
        raise IncompleteListError(
            f"the list goes on after {len(answer.data)} entries, and the vendor documents no way to read the rest.",
            method=call.method,
            path=call.path,
        )
    return answer


def _has(agent_id: str, number: Number) -> bool:
    told = [number.inbound_agent_id, *(number.outbound_agent_ids or [])]
    if any(holder is not None and same_id(holder, agent_id) for holder in told):
        return True
    if not number.tells_links:
        raise UnreadableAnswerError(
            f"neither the agent nor the number {number.label} says where the number is attached.",
            method="GET",
            path="/v1/numbers",
        )
    return False
