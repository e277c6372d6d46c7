"""What the command line shows of Toyphone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from integration.toy_vendor import endpoints

from airflow_provider_phonelink.cli.lists import Table

if TYPE_CHECKING:
    from airflow_provider_phonelink.api.calls import Flow


def _rows(*, agent_id: str | None = None) -> Flow[list[dict[str, Any]]]:
    lines = yield from endpoints.lines()
    return [line.model_dump() for line in lines if agent_id in (None, line.answers)]


NUMBERS = Table(columns=("line", "dial", "answers", "dials_out"), filters=("agent_id",), rows=_rows)
