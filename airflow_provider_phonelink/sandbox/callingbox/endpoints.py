"""CallingBox's endpoints: read the request, apply the rule, write the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Body, Path, Request, Response

from airflow_provider_phonelink.api.callingbox.endpoints import (
    AGENT,
    AGENT_NUMBER,
    AGENT_NUMBERS,
    AGENTS,
    NUMBERS,
    PRIMARY_NUMBER,
)
from airflow_provider_phonelink.sandbox.callingbox import STAND_IN
from airflow_provider_phonelink.sandbox.callingbox.bodies import (
    Agent,
    AgentList,
    AgentQuery,
    CallingBoxJson,
    Number,
    NumberBody,
    NumberList,
    PageQuery,
    errors,
)
from airflow_provider_phonelink.sandbox.callingbox.world import Cursor
from airflow_provider_phonelink.sandbox.exchange import (
    exchange_of,
    json_reply,
    parameters,
    query_of,
    write_reply,
)
from airflow_provider_phonelink.sandbox.world import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_phonelink.sandbox.callingbox.world import AgentRecord, CallingBox
    from airflow_provider_phonelink.sandbox.world import World

AgentId = Annotated[str, Path()]
NumberId = Annotated[str, Path()]
Document = Annotated[dict[str, Any], Body()]
SHOWN = {"model": Agent, "description": "The agent with its numbers"}
NUMBER_BODY = {
    "requestBody": {
        "content": {"application/json": {"schema": NumberBody.model_json_schema()}},
        "required": True,
    }
}
SCHEMAS: dict[str, Any] = {}
EMPTY: dict[str, Any] = {"description": "Done, with nothing to show (a switch)"}


def routers(world: World) -> list[APIRouter]:
    """Return CallingBox's endpoints over a world."""
    router = APIRouter(tags=[STAND_IN.title])
    writer = CallingBoxJson(world)
    _add_reads(router, world, writer)
    _add_writes(router, world, writer)
    return [router]


def _add_reads(router: APIRouter, world: World, writer: CallingBoxJson) -> None:
    @router.get(
        AGENTS,
        summary="List agents",
        responses={200: {"model": AgentList}, **errors(400, 401, 403)},
        openapi_extra=parameters(AgentQuery),
    )
    async def list_agents(request: Request) -> Response:
        query = query_of(request, AgentQuery)
        return json_reply(writer.agents(*_account(request, world).list_agents(query.type, _cursor(query))))

    @router.get(AGENT, summary="Get an agent", responses={200: SHOWN, **errors(401, 403, 404)})
    async def get_agent(request: Request, agent_id: AgentId) -> Response:
        account = _account(request, world)
        return json_reply(writer.agent(account, account.get_agent(agent_id)))

    @router.get(
        NUMBERS,
        summary="List numbers",
        responses={200: {"model": list[Number] | NumberList}, **errors(400, 401, 403)},
        openapi_extra=parameters(PageQuery),
    )
    async def list_numbers(request: Request) -> Response:
        query = query_of(request, PageQuery)
        return json_reply(writer.numbers(*_account(request, world).list_numbers(_cursor(query))))


def _add_writes(router: APIRouter, world: World, writer: CallingBoxJson) -> None:
    def written(request: Request, operation: Callable[[CallingBox], AgentRecord]) -> Response:
        exchange, account = exchange_of(request), _account(request, world)
        agent, exchange.entry.changed = world.apply(account, lambda: operation(account), dry=exchange.dry)
        return write_reply(world.switches, writer.agent(account, agent))

    @router.post(
        AGENT_NUMBERS,
        summary="Attach a number to an agent",
        responses={200: SHOWN, 204: EMPTY, **errors(400, 401, 403, 404, 409)},
        openapi_extra=NUMBER_BODY,
    )
    async def attach(request: Request, agent_id: AgentId, body: Document) -> Response:
        number_id = _named(body, world.switches.callingbox_attach_body_key)
        as_primary = body.get("set_as_primary", False)
        if not isinstance(as_primary, bool):
            raise Refused(400, "set_as_primary is true or false")
        return written(request, lambda account: account.attach(agent_id, number_id, as_primary=as_primary))

    @router.delete(
        AGENT_NUMBER,
        summary="Detach a number from an agent",
        responses={200: SHOWN, 204: EMPTY, **errors(400, 401, 403, 404, 409, 422)},
    )
    async def detach(request: Request, agent_id: AgentId, number_id: NumberId) -> Response:
        return written(request, lambda account: account.detach(agent_id, number_id))

    @router.put(
        PRIMARY_NUMBER,
        summary="Set an agent's primary number",
        responses={200: SHOWN, 204: EMPTY, **errors(400, 401, 403, 404)},
        openapi_extra=NUMBER_BODY,
    )
    async def set_primary(request: Request, agent_id: AgentId, body: Document) -> Response:
        number_id = _named(body, world.switches.callingbox_primary_body_key)
        return written(request, lambda account: account.set_primary(agent_id, number_id))


def _account(request: Request, world: World) -> CallingBox:
    account: CallingBox = world.account(STAND_IN.vendor.key, exchange_of(request).organisation)
    return account


def _cursor(query: PageQuery) -> Cursor:
    if query.starting_after and query.ending_before:
        raise Refused(400, "starting_after and ending_before exclude each other")
    return Cursor(query.limit, query.starting_after or None, query.ending_before or None)


def _named(body: dict[str, Any], key: str) -> str:
    number_id = body.get(key)
    if not isinstance(number_id, str) or not number_id:
        raise Refused(400, f"{key} is required")
    return number_id
