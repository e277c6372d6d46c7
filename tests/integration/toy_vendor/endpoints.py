"""The endpoints of Toyphone, and its one model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, RootModel

from airflow_provider_phonelink.api import arguments
from airflow_provider_phonelink.api.calls import Call, Setting, path
from airflow_provider_phonelink.api.field_types import Id, OptionalId

if TYPE_CHECKING:
    from airflow_provider_phonelink.api.calls import Flow


class Line(BaseModel):
    """A number."""

    line: Id
    dial: str
    answers: OptionalId
    dials_out: OptionalId


Lines = RootModel[list[Line]]


def lines() -> Flow[list[Line]]:
    """Read all lines of the connection's tenant."""
    found: Lines = yield list_lines((yield Setting("tenant")))
    return found.root


def list_lines(tenant: str) -> Call[Lines]:
    """Read all lines of a tenant."""
    return Call(
        method="GET",
        path=path("/{tenant}/lines", tenant=tenant),
        read=Lines.model_validate_json,
        repeatable=True,
    )


def set_agent(line: str, side: str, agent: str | None) -> Flow[Line]:
    """
    Say who answers a line, or who dials out with it.

    :param side: ``answers`` or ``dials_out``.
    """
    tenant: str = yield Setting("tenant")
    written: Line = yield Call(
        method="PUT",
        path=path("/{tenant}/lines/{line}", tenant=tenant, line=arguments.opaque_id("line", line)),
        body={side: agent},
        read=Line.model_validate_json,
        repeatable=True,
    )
    return written
