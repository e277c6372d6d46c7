"""The sandbox's own endpoints, with which other processes control it. They need no key and show none."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Body, Query, Response
from pydantic import BaseModel

from airflow_provider_phonelink.sandbox import seeds
from airflow_provider_phonelink.sandbox.faults import Fault  # noqa: TC001 - FastAPI reads the annotations
from airflow_provider_phonelink.sandbox.switches import Switches
from airflow_provider_phonelink.sandbox.world import LONGEST, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_provider_phonelink.sandbox.exchange import Stand


PREFIX = "/_sandbox"
TAG = "Sandbox"
COLUMNS = ("vendor", "number", "registration", "inbound_agent", "outbound_agents")


class Error(BaseModel):
    """A request that the sandbox does not understand."""

    error: str


def ascii_json(content: Any) -> Response:
    """Return JSON that can be sent whatever text it has in it, even halves of surrogate pairs."""
    return Response(json.dumps(content).encode(), media_type="application/json")


ERRORS: dict[int | str, dict[str, Any]] = {400: {"model": Error, "description": "Error"}}


@contextmanager
def _checked() -> Iterator[None]:
    """Answer 400 to a request that the sandbox does not understand."""
    try:
        yield
    except (ValueError, TypeError, AttributeError) as error:
        raise Refused(400, str(error)) from error


Document = Annotated[dict[str, Any], Body()]
SWITCHES_BODY = {
    "requestBody": {"content": {"application/json": {"schema": Switches.json_schema()}}, "required": True}
}


def new_router() -> APIRouter:
    """Return a router for endpoints of the sandbox's own."""
    return APIRouter(prefix=PREFIX, tags=[TAG], responses=ERRORS)


def control_router(stand: Stand, reset: Callable[[], None]) -> APIRouter:
    """
    Return the sandbox's own endpoints.

    :param stand: what the sandbox consists of.
    :param reset: restores the sandbox to its initial state.
    """
    router = new_router()
    _add_state(router, stand, reset)
    _add_script(router, stand)
    _add_journal(router, stand)
    return router


def _add_state(router: APIRouter, stand: Stand, reset: Callable[[], None]) -> None:
    @router.get(
        "/state",
        summary="Every number, who serves it, and its registration",
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    async def state(as_: Annotated[Literal["json", "text"], Query(alias="format")] = "json") -> Response:
        rows = stand.world.rows()
        if as_ == "json":
            return ascii_json(rows)
        return Response(as_table(rows).encode(errors="backslashreplace"), media_type="text/plain")

    @router.post("/reset", summary="Back to how the sandbox started")
    async def back_to_start() -> dict[str, bool]:
        reset()
        return {"reset": True}

    @router.post("/seed", summary='Add a seed: a document, or {"name": "demo"}')
    async def seed(document: Document) -> dict[str, int]:
        with _checked():
            seeds.plant(stand.world, seeds.DEMO if document == {"name": "demo"} else document)
        return {"numbers": len(stand.world.rows())}

    @router.post("/clock", summary='Move time forward: {"advance": seconds}')
    async def clock(
        advance: Annotated[float, Body(embed=True, ge=0, le=LONGEST, strict=True)],
    ) -> dict[str, float]:
        with _checked():
            stand.world.advance(advance)
        return {"now": stand.world.clock.now()}


def _add_script(router: APIRouter, stand: Stand) -> None:
    @router.get("/switches", summary="How undocumented behaviour is decided, and what else is plausible")
    async def switches() -> dict[str, dict[str, Any]]:
        settled = stand.world.switches
        choices = settled.choices()
        return {
            name: {"value": getattr(settled, name), "values": choices.get(name, ()), "decides": doc}
            for name, doc in settled.describe().items()
        }

    @router.patch("/switches", summary='Set switches: {"name": value}', openapi_extra=SWITCHES_BODY)
    async def set_switches(document: Document) -> dict[str, Any]:
        with _checked():
            stand.world.switches.update(**document)
        return {name: getattr(stand.world.switches, name) for name in document}

    @router.get("/faults", summary="The faults in force, and how often each has struck")
    async def faults() -> Response:
        return ascii_json([{**armed.fault.as_json(), "fired": armed.fired} for armed in stand.faults.armed])

    @router.post("/faults", summary='Add a fault: {"kind": "drop", "method": "PUT", "when": "after"}')
    async def add_fault(fault: Fault) -> Response:
        return ascii_json(stand.faults.add(fault).fault.as_json())

    @router.delete("/faults", summary="Take all faults out of force")
    async def clear_faults() -> dict[str, bool]:
        stand.faults.clear()
        return {"cleared": True}


def _add_journal(router: APIRouter, stand: Stand) -> None:
    @router.get("/journal", summary="The latest requests to the vendors")
    async def journal(
        method: str = "",
        path: Annotated[str, Query(description="A piece of the path, as for faults")] = "",
        vendor: str = "",
        since: Annotated[int, Query(ge=0)] = 0,
        writes: bool = False,
    ) -> Response:
        with _checked():
            found = stand.journal.requests(method or None, path, vendor or None, since)
        entries = [entry.as_dict() for entry in found if entry.changed or not writes]
        return ascii_json({"total": stand.journal.total, "requests": entries})

    @router.delete("/journal", summary="Forget all requests")
    async def clear_journal() -> dict[str, bool]:
        stand.journal.clear()
        return {"cleared": True}


def as_table(rows: list[dict[str, Any]]) -> str:
    """Return rows as aligned text, with a heading."""
    lines = [tuple(column.replace("_", " ") for column in COLUMNS)]
    lines += [tuple(_cell(row[column]) for column in COLUMNS) for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(COLUMNS))]
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() + "\n"
        for line in lines
    )


def _cell(value: Any) -> str:
    if isinstance(value, list):
        value = ", ".join(value)
    return str(value) if value else "-"
