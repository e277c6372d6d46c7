"""The vendors' endpoints over the sandbox's worlds, without a socket or web framework: for fakes and simulation."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import unquote

from airflow_provider_phonelink.api.callingbox import endpoints as box
from airflow_provider_phonelink.api.dasha import endpoints as dasha
from airflow_provider_phonelink.sandbox.callingbox.bodies import CallingBoxJson
from airflow_provider_phonelink.sandbox.callingbox.world import Cursor
from airflow_provider_phonelink.sandbox.dasha import bodies
from airflow_provider_phonelink.sandbox.dasha.bodies import DashaJson
from airflow_provider_phonelink.sandbox.dasha.records import NumberQuery, NumberSettings
from airflow_provider_phonelink.sandbox.world import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_provider_phonelink.sandbox.world import World

    #: From the parameters of path and query, and the body, to the status and the document.
    Endpoint: TypeAlias = Callable[[dict[str, Any], Any], tuple[int, bytes]]

#: How the body of a number that is created or replaced calls its settings.
SETTINGS = {
    "phoneNumber": "phone_number",
    "credentialsId": "credentials_id",
    "displayName": "display_name",
    "description": "description",
    "registration": "registration",
}


class NoSuchEndpoint(Refused):
    """Nothing answers at this path."""

    def __init__(self, method: str, path: str) -> None:
        super().__init__(404, f"There is no endpoint {method} {path}.")


class Endpoints:
    """The endpoints of one vendor."""

    def __init__(self, table: Mapping[tuple[str, str], Endpoint]) -> None:
        self._table = [
            (method, re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", path)), endpoint)
            for (method, path), endpoint in table.items()
        ]

    def answer(self, method: str, path: str, params: Mapping[str, Any], body: Any) -> tuple[int, bytes]:
        """
        Carry out a request and return the status and the document that answer it.

        :param path: As it is sent, percent-encoded.
        :raises Refused: If the vendor's rules are against it.
        """
        for its_method, pattern, endpoint in self._table:
            if method == its_method and (match := pattern.fullmatch(path)):
                ids = {name: unquote(part) for name, part in match.groupdict().items()}
                return endpoint({**params, **ids}, body or {})
        raise NoSuchEndpoint(method, path)


def dasha_endpoints(world: World) -> Endpoints:
    """Return Dasha's endpoints over a world."""
    account, write = world.dasha, DashaJson(world)

    def page(params: dict[str, Any], _: Any) -> tuple[int, bytes]:
        query = NumberQuery(
            *_page(params),
            params.get("phoneNumber"),
            params.get("linkedAgentId"),
            params.get("unlinkedOnly") == "true",
        )
        numbers, total = account.page(query)
        return 200, write.page(numbers, total, query)

    def credentials(params: dict[str, Any], _: Any) -> tuple[int, bytes]:
        found, total = account.trunks.page(*_page(params))
        return 200, json.dumps(
            bodies.page([write.credentials(one) for one in found], total, *_page(params))
        ).encode()

    def provider(params: dict[str, Any], _: Any) -> tuple[int, bytes]:
        kind = account.trunks.get_provider(params["provider_id"])
        return 200, json.dumps({"id": params["provider_id"], "orgId": account.id, "type": kind}).encode()

    def delete(params: dict[str, Any], _: Any) -> tuple[int, bytes]:
        account.delete(params["number_id"], force=_forced(params))
        return 204, b""

    def delete_at_twilio(params: dict[str, Any], _: Any) -> tuple[int, bytes]:
        account.delete_at_twilio(params["provider_id"], params["number_id"], force=_forced(params))
        return 204, b""

    return Endpoints(
        {
            ("GET", dasha.NUMBERS): page,
            ("POST", dasha.NUMBERS): lambda _, body: (201, write.number(account.create(settings(body)))),
            ("GET", dasha.NUMBER): lambda p, _: (200, write.number(account.get(p["number_id"]))),
            ("PUT", dasha.NUMBER): lambda p, body: (
                200,
                write.number(account.replace(p["number_id"], settings(body))),
            ),
            ("DELETE", dasha.NUMBER): delete,
            ("PUT", dasha.AGENT_LINK): lambda p, _: (
                200,
                write.number(account.link(p["number_id"], p["agentId"], p["mode"])),
            ),
            ("DELETE", dasha.AGENT_LINK): lambda p, _: (
                200,
                write.number(account.unlink(p["number_id"], p["mode"], p.get("agentId"))),
            ),
            ("GET", dasha.AFFECTED_AGENTS): lambda p, _: (200, write.affected(account, p["number_id"])),
            ("GET", dasha.CREDENTIALS_AGENTS): lambda p, _: (
                200,
                write.affected_by(account, p["credentials_id"]),
            ),
            ("GET", dasha.CREDENTIALS): credentials,
            ("GET", dasha.AGENTS): lambda p, _: (200, write.agents(account, *_page(p))),
            ("GET", dasha.PROVIDER): provider,
            ("DELETE", dasha.TWILIO_NUMBER): delete_at_twilio,
        }
    )


def callingbox_endpoints(world: World) -> Endpoints:
    """Return CallingBox's endpoints over a world."""
    account, write = world.callingbox, CallingBoxJson(world)

    def attach(params: dict[str, Any], body: Any) -> tuple[int, bytes]:
        number_id = _named(body, world.switches.callingbox_attach_body_key)
        return 200, write.agent(account, account.attach(params["agent_id"], number_id))

    def set_primary(params: dict[str, Any], body: Any) -> tuple[int, bytes]:
        number_id = _named(body, world.switches.callingbox_primary_body_key)
        return 200, write.agent(account, account.set_primary(params["agent_id"], number_id))

    return Endpoints(
        {
            ("GET", box.NUMBERS): lambda p, _: (200, write.numbers(*account.list_numbers(_cursor(p)))),
            ("GET", box.AGENTS): lambda p, _: (
                200,
                write.agents(*account.list_agents(p.get("type"), _cursor(p))),
            ),
            ("GET", box.AGENT): lambda p, _: (200, write.agent(account, account.get_agent(p["agent_id"]))),
            ("POST", box.AGENT_NUMBERS): attach,
            ("DELETE", box.AGENT_NUMBER): lambda p, _: (
                200,
                write.agent(account, account.detach(p["agent_id"], p["number_id"])),
            ),
            ("PUT", box.PRIMARY_NUMBER): set_primary,
        }
    )


def settings(body: Mapping[str, Any]) -> NumberSettings:
    """Return the settings in the body of a number that is created or replaced."""
    return NumberSettings(**{name: body[field] for field, name in SETTINGS.items() if field in body})


def _forced(params: Mapping[str, Any]) -> bool:
    return str(params.get("force")).lower() == "true"


def _page(params: Mapping[str, Any]) -> tuple[int, int]:
    return int(params["skip"]), int(params["take"])


def _cursor(params: Mapping[str, Any]) -> Cursor:
    limit = params.get("limit")
    return Cursor(limit and int(limit), params.get("starting_after"), params.get("ending_before"))


def _named(body: Mapping[str, Any], key: str) -> str:
    if not body.get(key):
        raise Refused(400, f"{key} is missing")
    return str(body[key])
