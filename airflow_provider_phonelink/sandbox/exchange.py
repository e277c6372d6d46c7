"""One request to a vendor while it is being answered, what all of them share, and what endpoints answer it with."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from fastapi import Request, Response
from pydantic import ValidationError

from airflow_provider_phonelink.sandbox.answers import Answer, Wire
from airflow_provider_phonelink.sandbox.faults import Faults
from airflow_provider_phonelink.sandbox.world import Refused, stand_ins

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from pydantic import BaseModel

    from airflow_provider_phonelink.sandbox.journal import Entry, Journal
    from airflow_provider_phonelink.sandbox.switches import Switches
    from airflow_provider_phonelink.sandbox.world import World

SCOPE_KEY = "phonelink.exchange"
"""Under this key of the ASGI scope the routes find the exchange."""

TICK = 0.05

Query = TypeVar("Query", bound="BaseModel")


@dataclass
class Access:
    """The API keys each vendor accepts."""

    _organisation_of: dict[tuple[str, str], str] = field(default_factory=dict, repr=False)
    _denied: set[tuple[str, str]] = field(default_factory=set, repr=False)

    def allow(self, vendor: str, key: str, organisation: str) -> None:
        """Accept a key, for an organisation."""
        self._organisation_of[vendor, key] = organisation
        self._denied.discard((vendor, key))

    def deny(self, vendor: str, key: str) -> None:
        """Deny a known key access (403)."""
        self._denied.add((vendor, key))

    def revoke(self, vendor: str, key: str) -> None:
        """Reject a key as unknown (401)."""
        self._organisation_of.pop((vendor, key), None)
        self._denied.discard((vendor, key))

    def clear(self) -> None:
        """Forget all keys."""
        self._organisation_of.clear()
        self._denied.clear()

    def organisation(self, vendor: str, authorization: str | None) -> str:
        """
        Return the organisation a request acts for.

        :param authorization: the request's Authorization header.
        """
        scheme, _, key = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not key:
            raise Refused(401, "Missing or malformed Authorization header.")
        if (vendor, key) in self._denied:
            raise Refused(403, "The API key lacks access to this resource.")
        try:
            return self._organisation_of[vendor, key]
        except KeyError:
            raise Refused(401, "Invalid API key.") from None


@dataclass
class Stand:
    """
    Everything one sandbox consists of, apart from the server.

    :param connections: the server's open connections; None without a server.
    :param epoch: goes up when everything that is waiting must end (reset, stop).
    """

    world: World
    journal: Journal
    access: Access = field(default_factory=Access)
    faults: Faults = field(default_factory=Faults)
    connections: Callable[[], Iterable[Any]] | None = None
    epoch: int = 0


@dataclass
class Exchange:
    """
    One request to a vendor.

    :param entry: its line in the journal.
    :param organisation: the organisation that it acts for; set once the key has been checked.
    :param dry: whether its effect is undone afterwards.
    :param put: puts another request to a vendor, as (organisation, method, path, query string, body).
    """

    stand: Stand
    entry: Entry
    wire: Wire
    put: Callable[[str, str, str, str, bytes], Awaitable[Answer]]
    organisation: str = ""
    dry: bool = False
    epoch: int = field(init=False)

    def __post_init__(self) -> None:
        """Remember the epoch in which it began: it does not outlive a reset."""
        self.epoch = self.stand.epoch

    def error(self, refused: Refused) -> Answer:
        """Return a refusal in the form of the vendor's errors."""
        write = stand_ins()[self.entry.vendor].error
        body, media_type = write(refused, self.entry.path, self.stand.world.switches)
        headers = {
            "content-type": media_type,
            **({"www-authenticate": "Bearer"} if refused.status == 401 else {}),
        }
        return Answer(refused.status, headers, body)

    async def read(self, path: str, query: str = "") -> Answer:
        """Return what the client would see at another address."""
        return await self.put(self.organisation, "GET", path, query, b"")

    async def pause(self, seconds: float) -> None:
        """Wait, but no longer than the sandbox lets anybody wait."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while self.epoch == self.stand.epoch and (left := end - loop.time()) > 0:
            await asyncio.sleep(min(left, TICK))

    async def hang(self) -> None:
        """Wait until the client leaves or the sandbox is reset or stopped."""
        gone = asyncio.ensure_future(self.wire.gone())
        try:
            while self.epoch == self.stand.epoch and not gone.done():
                await asyncio.wait({gone}, timeout=TICK)
        finally:
            gone.cancel()


def exchange_of(request: Request) -> Exchange:
    """Return the exchange the gate has opened for a request."""
    exchange: Exchange = request.scope[SCOPE_KEY]
    return exchange


def query_of(request: Request, model: type[Query]) -> Query:
    """
    Return the query parameters, if all of them have names and values that mean something.

    FastAPI could read them into a model, too, but of an alias some of its versions make a warning for each field.
    """
    # The vendors would silently ignore a misspelt name; a stand-in should report it.
    known = {field.alias or name for name, field in model.model_fields.items()}
    if strange := set(request.query_params) - known:
        raise Refused(400, f"unknown query parameters: {', '.join(sorted(strange))}")
    try:
        return model.model_validate(dict(request.query_params))
    except ValidationError as error:
        places = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise Refused(400, "; ".join(places)) from None


def parameters(model: type[BaseModel]) -> dict[str, Any]:
    """Describe the query parameters that :func:`query_of` reads, for OpenAPI."""
    schema = model.model_json_schema()
    described = [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "schema": {key: value for key, value in told.items() if key != "title" and value is not None},
        }
        for name, told in schema["properties"].items()
    ]
    return {"parameters": described}


def json_reply(body: bytes, status: int = 200) -> Response:
    """Return JSON that is already serialised, so that nothing is validated or rendered again."""
    return Response(body, status, media_type="application/json")


def write_reply(switches: Switches, body: bytes, status: int = 200) -> Response:
    """Return what a successful write answers, with or without its body."""
    if switches.write_answers == "empty":
        return Response(status_code=status)
    if switches.write_answers == "no_content":
        return Response(status_code=204)
    return json_reply(body, status)


def whole_number(value: Any) -> Any:
    """Refuse text that is not a whole number, before it is parsed."""
    # pydantic alone would also accept "1_0" and "1.0".
    if isinstance(value, str) and not re.fullmatch(r"-?[0-9]+", value):
        raise ValueError("not a whole number")
    return value
