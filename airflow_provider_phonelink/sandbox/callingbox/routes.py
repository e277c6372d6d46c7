"""CallingBox's endpoints: read the request, apply the rule, write the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Body, Path, Query, Request, Response

from airflow_provider_phonelink.sandbox.callingbox.json import CallingBoxJson
from airflow_provider_phonelink.sandbox.callingbox.schemas import (
    Agent,
    AgentList,
    AgentQuery,
    Number,
    NumberBody,
    NumberList,
    errors,
)
from airflow_provider_phonelink.sandbox.refusals import Refused
from airflow_provider_phonelink.sandbox.replies import checked, exchange_of, json_reply, write_reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_phonelink.sandbox.callingbox.world import AgentRecord
    from airflow_provider_phonelink.sandbox.world import World

AgentId = Annotated[str, Path(alias="id")]
NumberId = Annotated[str, Path()]
Document = Annotated[dict[str, Any], Body()]
AGENT = {"model": Agent, "description": "The agent with its numbers"}
NUMBER_BODY = {
    "requestBody": {
        "content": {"application/json": {"schema": NumberBody.model_json_schema()}},
        "required": True,
    }
}
EMPTY: dict[str, Any] = {"description": "Done, with nothing to show (a switch)"}


def callingbox_router(world: World) -> APIRouter:
    """Return CallingBox's endpoints over a world."""
    router = APIRouter(prefix="/v1", tags=["CallingBox"])
    writer = CallingBoxJson(world)
    _add_reads(router, world, writer)
    _add_writes(router, world, writer)
    return router


def _add_reads(router: APIRouter, world: World, writer: CallingBoxJson) -> None:
    @router.get(
        "/agents", summary="List agents", responses={200: {"model": AgentList}, **errors(400, 401, 403)}
    )
    async def list_agents(request: Request, query: Annotated[AgentQuery, Query()]) -> Response:
        return json_reply(writer.agents(world.callingbox.list_agents(checked(request, query).type)))

    @router.get("/agents/{id}", summary="Get an agent", responses={200: AGENT, **errors(401, 403, 404)})
    async def get_agent(agent_id: AgentId) -> Response:
        return json_reply(writer.agent(world.callingbox.get_agent(agent_id)))

    @router.get(
        "/numbers",
        summary="List numbers",
        responses={200: {"model": list[Number] | NumberList}, **errors(401, 403)},
    )
    async def list_numbers() -> Response:
        return json_reply(writer.numbers(world.callingbox.list_numbers()))


def _add_writes(router: APIRouter, world: World, writer: CallingBoxJson) -> None:
    def written(request: Request, operation: Callable[[], AgentRecord]) -> Response:
        exchange = exchange_of(request)
        agent, exchange.entry.changed = world.apply(world.callingbox, operation, dry=exchange.dry)
        return write_reply(world.switches, writer.agent(agent))

    @router.post(
        "/agents/{id}/numbers",
        summary="Attach a number to an agent",
        responses={200: AGENT, 204: EMPTY, **errors(400, 401, 403, 404, 409)},
        openapi_extra=NUMBER_BODY,
    )
    async def attach(request: Request, agent_id: AgentId, body: Document) -> Response:
        number_id = _named(body, world.switches.callingbox_attach_body_key)
        return written(request, lambda: world.callingbox.attach(agent_id, number_id))

    @router.delete(
        "/agents/{id}/numbers/{number_id}",
        summary="Detach a number from an agent",
        responses={200: AGENT, 204: EMPTY, **errors(401, 403, 404)},
    )
    async def detach(request: Request, agent_id: AgentId, number_id: NumberId) -> Response:
        return written(request, lambda: world.callingbox.detach(agent_id, number_id))

    @router.put(
        "/agents/{id}/primary-number",
        summary="Set an agent's primary number",
        responses={200: AGENT, 204: EMPTY, **errors(400, 401, 403, 404)},
        openapi_extra=NUMBER_BODY,
    )
    async def set_primary(request: Request, agent_id: AgentId, body: Document) -> Response:
        number_id = _named(body, world.switches.callingbox_primary_body_key)
        return written(request, lambda: world.callingbox.set_primary(agent_id, number_id))


def _named(body: dict[str, Any], key: str) -> str:
    number_id = body.get(key)
    if not isinstance(number_id, str) or not number_id:
        raise Refused(400, f"{key} is required")
    return number_id
