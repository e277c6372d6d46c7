"""What the command line shows of Dasha BlackBox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.api.dasha import lists, reads
from airflow_provider_phonelink.cli.lists import FILTERS, Table

if TYPE_CHECKING:
    from airflow_provider_phonelink.api.calls import Flow


def _rows(*, agent_id: str | None = None, **filters: Any) -> Flow[list[dict[str, Any]]]:
    numbers = yield from reads.all_numbers(linked_agent_id=agent_id, **filters)
    return [
        {**number.model_dump(mode="json"), "state": number.registration_status.state} for number in numbers
    ]


NUMBERS = Table(
    columns=("id", "phone_number", "display_name", "registration", "state", "incoming_calls_agent_id"),
    filters=FILTERS,
    rows=_rows,
)


def _agents() -> Flow[list[dict[str, Any]]]:
    return [agent.model_dump(mode="json") for agent in (yield from lists.all_agents())]


def _credentials() -> Flow[list[dict[str, Any]]]:
    return [credentials.model_dump(mode="json") for credentials in (yield from lists.all_credentials())]


AGENTS = Table(columns=("agent_id", "name", "is_enabled", "caller_id"), rows=_agents)
CREDENTIALS = Table(
    columns=("id", "server", "transport", "auth_user", "source", "provider_id", "description"),
    rows=_credentials,
)
