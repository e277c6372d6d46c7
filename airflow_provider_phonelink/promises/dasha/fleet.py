"""The whole fleet (Dasha): all numbers, their registrations and their agents, in as few requests as possible."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_phonelink.api.dasha import outbound, reads
from airflow_provider_phonelink.api.labels import agent_label
from airflow_provider_phonelink.decisions.fleet import Fleet, FleetNumber, moment
from airflow_provider_phonelink.promises.dasha.wait import judgements

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_provider_phonelink.api.calls import Flow
    from airflow_provider_phonelink.api.dasha.models import AffectedAgents, PhoneNumber
    from airflow_provider_phonelink.decisions.registration import Judgement


def read_fleet() -> Flow[Fleet]:
    """
    Read all numbers and all their links.

    It takes one request, one more for each thousand numbers, and one for each SIP credential. The agents' names come
    with the links, so that an agent without a number has none here.
    """
    numbers = yield from reads.all_numbers()
    judged = yield from judgements(numbers)
    users = yield from outbound.users_of({number.id: number.credentials_id for number in numbers})
    return Fleet(
        numbers=tuple(_seen(number, judged[number.id], users) for number in numbers),
        agent_names=_names(users.values()),
        warnings=tuple(_warnings(numbers, users)),
    )


def _seen(number: PhoneNumber, judgement: Judgement, users: Mapping[str, AffectedAgents]) -> FleetNumber:
    status = number.registration_status
    used = users.get(number.id)
    return FleetNumber(
        id=number.id,
        phone_number=number.phone_number,
        name=number.display_name or number.description or None,
        state=status.state,
        verdict=judgement.verdict,
        reason=judgement.why,
        since=moment(status.last_updated),
        expires_at=moment(status.expires_at),
        inbound_agent_id=number.incoming_calls_agent_id or None,
        outbound_agent_ids=tuple(sorted(used.outbound)) if used else (),
    )


def _names(users: Iterable[AffectedAgents]) -> dict[str, str]:
    return {
        agent.agent_id: agent.agent_name
        for used in users
        for agent in used.affected_agents
        if agent.agent_name
    }


def _warnings(numbers: Iterable[PhoneNumber], users: Mapping[str, AffectedAgents]) -> Iterable[str]:
    for number in numbers:
        used = users.get(number.id)
        for agent_id in sorted(used.maybe_outbound) if used else ():
            yield f"{number.label}: {agent_label(agent_id)} uses it in a way that is unknown here."
