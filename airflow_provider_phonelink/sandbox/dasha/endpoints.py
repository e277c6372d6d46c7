"""Dasha's endpoints: read the request, apply the rule, write the answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Path, Request, Response

from airflow_provider_phonelink.api.dasha.endpoints import (
    AFFECTED_AGENTS,
    AGENT_LINK,
    AGENTS,
    CREDENTIALS,
    CREDENTIALS_AGENTS,
    NUMBER,
    NUMBERS,
    ONE_CREDENTIALS,
    PROVIDER,
    TWILIO_NUMBER,
)
from airflow_provider_phonelink.sandbox import control
from airflow_provider_phonelink.sandbox.dasha import STAND_IN
from airflow_provider_phonelink.sandbox.dasha.bodies import (
    AffectedAgents,
    Agent,
    AgentPage,
    AgentsQuery,
    Credentials,
    CredentialsAgents,
    CredentialsPage,
    DashaJson,
    DeleteQuery,
    LinkQuery,
    ListQuery,
    PageQuery,
    PhoneNumber,
    PhoneNumberBody,
    PhoneNumberPage,
    ProblemDetails,
    Provider,
    UnlinkQuery,
    page,
    problems,
)
from airflow_provider_phonelink.sandbox.dasha.records import NumberQuery, NumberRecord, NumberSettings
from airflow_provider_phonelink.sandbox.dasha.registration import Step  # noqa: TC001 - FastAPI reads the annotations
from airflow_provider_phonelink.sandbox.exchange import (
    exchange_of,
    json_reply,
    parameters,
    query_of,
    write_reply,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_phonelink.sandbox.dasha.world import Organisation
    from airflow_provider_phonelink.sandbox.world import World

NumberId = Annotated[UUID, Path(description="Phone number identifier")]
CredentialsId = Annotated[UUID, Path(description="SIP credentials identifier")]
ProviderId = Annotated[UUID, Path(description="Provider identifier")]
SHOWN = {"model": PhoneNumber, "description": "The phone number"}
SCHEMAS = {"ProblemDetails": ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")}
del SCHEMAS["ProblemDetails"]["$defs"]  # which other answers describe
EMPTY: dict[str, Any] = {"description": "Done, with nothing to show (a switch)"}


def routers(world: World) -> list[APIRouter]:
    """Return Dasha's endpoints over a world, and the sandbox's own that only Dasha has use for."""
    router = APIRouter(tags=[STAND_IN.title])
    writer = DashaJson(world)
    _add_reads(router, world, writer)
    _add_writes(router, world, writer)
    _add_links(router, world, writer)
    _add_credentials(router, world, writer)
    _add_agents_and_providers(router, world, writer)
    return [router, _control(world)]


def _control(world: World) -> APIRouter:
    router = control.new_router()

    @router.post("/registrations", summary="Plan how a phone number's registration will go")
    async def plan(
        phone_number: Annotated[str, Body()], steps: Annotated[list[Step], Body(min_length=1)]
    ) -> Response:
        world.plan_registration(phone_number, steps)
        return control.ascii_json({"planned": phone_number})

    return router


def _add_reads(router: APIRouter, world: World, writer: DashaJson) -> None:
    @router.get(
        NUMBERS,
        summary="List phone numbers",
        responses={200: {"model": PhoneNumberPage}, **problems(400, 401, 403)},
        openapi_extra=parameters(ListQuery),
    )
    async def list_numbers(request: Request) -> Response:
        query = query_of(request, ListQuery)
        wanted = NumberQuery(
            query.skip,
            query.take,
            query.phone_number or None,
            query.linked_agent_id or None,
            query.unlinked_only,
            str(query.provider_id) if query.provider_id else None,
        )
        numbers, total = _organisation(request, world).page(wanted)
        return json_reply(writer.page(numbers, total, wanted))

    @router.get(NUMBER, summary="Get phone number", responses={200: SHOWN, **problems(400, 401, 403, 404)})
    async def get_number(request: Request, number_id: NumberId) -> Response:
        return json_reply(writer.number(_organisation(request, world).get(str(number_id))))

    @router.get(
        AFFECTED_AGENTS,
        summary="List the agents that use a phone number",
        responses={200: {"model": AffectedAgents}, **problems(400, 401, 403, 404)},
    )
    async def affected_agents(request: Request, number_id: NumberId) -> Response:
        return json_reply(writer.affected(_organisation(request, world), str(number_id)))


def _add_writes(router: APIRouter, world: World, writer: DashaJson) -> None:
    @router.post(
        NUMBERS,
        summary="Create phone number",
        status_code=201,
        responses={200: SHOWN, 201: SHOWN, 204: EMPTY, **problems(400, 401, 403, 409, 422)},
    )
    async def create_number(request: Request, body: PhoneNumberBody) -> Response:
        settings = _settings(body)
        number = _apply(request, world, lambda organisation: organisation.create(settings))
        return write_reply(world.switches, writer.number(number), world.switches.dasha_created_status)

    @router.put(
        NUMBER,
        summary="Replace phone number",
        responses={200: SHOWN, 204: EMPTY, **problems(400, 401, 403, 404, 409, 422)},
    )
    async def replace_number(request: Request, number_id: NumberId, body: PhoneNumberBody) -> Response:
        settings = _settings(body)
        number = _apply(request, world, lambda organisation: organisation.replace(str(number_id), settings))
        return write_reply(world.switches, writer.number(number))

    @router.delete(
        NUMBER,
        summary="Delete phone number",
        responses={200: SHOWN, 204: EMPTY, **problems(400, 401, 403, 404, 409)},
        openapi_extra=parameters(DeleteQuery),
    )
    async def delete_number(request: Request, number_id: NumberId) -> Response:
        query = query_of(request, DeleteQuery)
        number = _apply(
            request, world, lambda organisation: organisation.delete(str(number_id), force=query.force)
        )
        return _deleted(world, writer, number)


def _add_links(router: APIRouter, world: World, writer: DashaJson) -> None:
    @router.put(
        AGENT_LINK,
        summary="Link phone number to agent",
        responses={200: SHOWN, 204: EMPTY, **problems(400, 401, 403, 404, 409, 422)},
        openapi_extra=parameters(LinkQuery),
    )
    async def link(request: Request, number_id: NumberId) -> Response:
        query = query_of(request, LinkQuery)
        number = _apply(
            request, world, lambda organisation: organisation.link(str(number_id), query.agent_id, query.mode)
        )
        return write_reply(world.switches, writer.number(number))

    @router.delete(
        AGENT_LINK,
        summary="Unlink phone number from agent",
        responses={200: SHOWN, 204: EMPTY, **problems(400, 401, 403, 404, 409, 422)},
        openapi_extra=parameters(UnlinkQuery),
    )
    async def unlink(request: Request, number_id: NumberId) -> Response:
        query = query_of(request, UnlinkQuery)
        number = _apply(
            request,
            world,
            lambda organisation: organisation.unlink(str(number_id), query.mode, query.agent_id or None),
        )
        return write_reply(world.switches, writer.number(number))


def _add_credentials(router: APIRouter, world: World, writer: DashaJson) -> None:
    @router.get(
        CREDENTIALS,
        summary="List SIP credentials",
        responses={200: {"model": CredentialsPage}, **problems(400, 401, 403)},
        openapi_extra=parameters(PageQuery),
    )
    async def list_credentials(request: Request) -> Response:
        query = query_of(request, PageQuery)
        found, total = _organisation(request, world).trunks.page(query.skip, query.take)
        items = [writer.credentials(credentials) for credentials in found]
        return json_reply(json.dumps(page(items, total, query.skip, query.take)).encode())

    @router.get(
        ONE_CREDENTIALS,
        summary="Get SIP credentials",
        responses={200: {"model": Credentials}, **problems(400, 401, 403, 404)},
    )
    async def get_credentials(request: Request, credentials_id: CredentialsId) -> Response:
        credentials = _organisation(request, world).trunks.get_credentials(str(credentials_id))
        return json_reply(json.dumps(writer.credentials(credentials)).encode())

    @router.get(
        CREDENTIALS_AGENTS,
        summary="List the agents that use the phone numbers of SIP credentials",
        responses={200: {"model": CredentialsAgents}, **problems(400, 401, 403, 404, 405)},
    )
    async def agents_of_credentials(request: Request, credentials_id: CredentialsId) -> Response:
        return json_reply(writer.affected_by(_organisation(request, world), str(credentials_id)))


def _add_agents_and_providers(router: APIRouter, world: World, writer: DashaJson) -> None:
    @router.get(
        AGENTS,
        summary="List agents",
        responses={200: {"model": list[Agent] | AgentPage}, **problems(400, 401, 403)},
        openapi_extra=parameters(AgentsQuery),
    )
    async def list_agents(request: Request) -> Response:
        query = query_of(request, AgentsQuery)
        return json_reply(writer.agents(_organisation(request, world), query.skip, query.take))

    @router.get(
        PROVIDER, summary="Get provider", responses={200: {"model": Provider}, **problems(400, 401, 403, 404)}
    )
    async def get_provider(request: Request, provider_id: ProviderId) -> Response:
        organisation = _organisation(request, world)
        kind = organisation.trunks.get_provider(str(provider_id))
        document = {"id": str(provider_id), "orgId": organisation.id, "type": kind}
        return json_reply(json.dumps(document).encode())

    @router.delete(
        TWILIO_NUMBER,
        summary="Delete phone number of a Twilio provider",
        responses={200: SHOWN, 204: EMPTY, **problems(400, 401, 403, 404, 409)},
        openapi_extra=parameters(DeleteQuery),
    )
    async def delete_at_twilio(request: Request, provider_id: ProviderId, number_id: NumberId) -> Response:
        query = query_of(request, DeleteQuery)
        ids = str(provider_id), str(number_id)
        return _deleted(
            world,
            writer,
            _apply(request, world, lambda account: account.delete_at_twilio(*ids, force=query.force)),
        )


def _deleted(world: World, writer: DashaJson, number: NumberRecord) -> Response:
    answers = {"no_content": Response(status_code=204), "empty": Response()}
    return answers.get(world.switches.dasha_delete_answer) or json_reply(writer.number(number))


def _settings(body: PhoneNumberBody) -> NumberSettings:
    return NumberSettings(
        body.phone_number, str(body.credentials_id), body.display_name, body.description, body.registration
    )


def _organisation(request: Request, world: World) -> Organisation:
    organisation: Organisation = world.account(STAND_IN.vendor.key, exchange_of(request).organisation)
    return organisation


def _apply(request: Request, world: World, operation: Callable[[Organisation], NumberRecord]) -> NumberRecord:
    exchange = exchange_of(request)
    organisation = _organisation(request, world)
    number, changed = world.apply(organisation, lambda: operation(organisation), dry=exchange.dry)
    exchange.entry.changed = changed
    return number
