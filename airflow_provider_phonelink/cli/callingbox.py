"""What the command line shows of CallingBox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.api import arguments
from airflow_provider_phonelink.api.callingbox import reads
from airflow_provider_phonelink.cli.lists import Table

if TYPE_CHECKING:
    from airflow_provider_phonelink.api.calls import Flow


def _rows(
    *, phone_number: str | None = None, agent_id: str | None = None, unlinked_only: bool = False
) -> Flow[list[dict[str, Any]]]:
    if phone_number is not None:
        arguments.phone_number("phone_number", phone_number)
    if agent_id is not None:
        agent_id = arguments.opaque_id("agent_id", agent_id)
    numbers = yield from reads.all_numbers()
    found = [number for number in numbers if phone_number in (None, number.e164)]
    if agent_id is not None or unlinked_only:
        answered = {number.id: reads.holders(number)[0] for number in found}
        found = [
            number
            for number in found
            if (agent_id is None or agent_id == answered[number.id])
            and not (unlinked_only and answered[number.id])
        ]
    return [number.model_dump(mode="json") for number in found]


NUMBERS = Table(
    columns=("id", "e164", "friendly_name", "status", "inbound_agent_id", "outbound_agent_ids"),
    filters=("phone_number", "agent_id", "unlinked_only"),
    rows=_rows,
)


def _agents() -> Flow[list[dict[str, Any]]]:
    agents = yield from reads.all_agents()
    return [{**agent.model_dump(mode="json"), "archived": agent.archived} for agent in agents]


AGENTS = Table(columns=("id", "name", "type", "primary_number_id", "archived"), rows=_agents)
