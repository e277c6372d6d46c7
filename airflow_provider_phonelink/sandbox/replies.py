"""What the routes of both vendors have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from fastapi import Request, Response

from airflow_provider_phonelink.sandbox.exchange import SCOPE_KEY, Exchange
from airflow_provider_phonelink.sandbox.refusals import Refused

if TYPE_CHECKING:
    from pydantic import BaseModel

    from airflow_provider_phonelink.sandbox.switches import Switches

Query = TypeVar("Query", bound="BaseModel")


def exchange_of(request: Request) -> Exchange:
    """Return the exchange the gate has opened for a request."""
    exchange: Exchange = request.scope[SCOPE_KEY]
    return exchange


def checked(request: Request, query: Query) -> Query:
    """Return the query parameters, if all of them have names that mean something."""
    # The vendors would skip over a misspelt name in silence; a stand-in had better say so.
    known = {field.alias or name for name, field in type(query).model_fields.items()}
    if strange := set(request.query_params) - known:
        raise Refused(400, f"unknown query parameters: {', '.join(sorted(strange))}")
    return query


def json_reply(body: bytes, status: int = 200) -> Response:
    """Return JSON that is written already: nothing is validated or rendered again."""
    return Response(body, status, media_type="application/json")


def write_reply(switches: Switches, body: bytes, status: int = 200) -> Response:
    """Return what a successful write answers, with or without its body."""
    if switches.write_answers == "empty":
        return Response(status_code=status)
    if switches.write_answers == "no_content":
        return Response(status_code=204)
    return json_reply(body, status)
