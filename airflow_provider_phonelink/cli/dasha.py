"""What the command line shows of Dasha BlackBox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.api.dasha import reads
from airflow_provider_phonelink.cli.numbers import FILTERS, NumberTable

if TYPE_CHECKING:
    from airflow_provider_phonelink.api.calls import Flow


def _rows(*, agent_id: str | None = None, **filters: Any) -> Flow[list[dict[str, Any]]]:
    numbers = yield from reads.all_numbers(linked_agent_id=agent_id, **filters)
    return [
        {**number.model_dump(mode="json"), "state": number.registration_status.state} for number in numbers
    ]


NUMBERS = NumberTable(
    columns=("id", "phone_number", "display_name", "registration", "state", "incoming_calls_agent_id"),
    filters=FILTERS,
    rows=_rows,
)
