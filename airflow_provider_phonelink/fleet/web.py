"""
The page, over HTTP: read-only, and each route behind Airflow's own authentication and authorisation.

Only Airflow's API server imports this module. FastAPI and Jinja2 are the API server's.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from airflow.api_fastapi.core_api.security import get_user, requires_access_connection
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from airflow_provider_phonelink.api.uuids import plain_id
from airflow_provider_phonelink.files.writing import as_csv
from airflow_provider_phonelink.fleet import rendering
from airflow_provider_phonelink.fleet.changes import anonymous
from airflow_provider_phonelink.fleet.connections import FleetReader, visible_connections
from airflow_provider_phonelink.fleet.facts import Facts
from airflow_provider_phonelink.fleet.history import History, permitted_dags
from airflow_provider_phonelink.fleet.readings import Readings
from airflow_provider_phonelink.fleet.rows import COLUMNS, View

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_STATIC = Path(__file__).parent / "static"
#: What the page consists of besides its HTML, and nothing else is served.
_ASSETS = {"page.css": "text/css", "page.js": "text/javascript"}
_HEADERS = {
    # Nothing from elsewhere, nothing inline, no form that leaves, no frame but Airflow's own.
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}

router = APIRouter(dependencies=[Depends(requires_access_connection("GET"))])


def make_app() -> FastAPI:
    """Make the application. Its readings are shared by all who look at this process."""
    app = FastAPI(title="Phone numbers", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.reader = FleetReader()
    app.state.readings = Readings(app.state.reader)
    app.state.history = History()
    app.include_router(router)
    app.middleware("http")(_with_headers)
    app.exception_handler(HTTPException)(_refused)
    return app


async def _facts(request: Request, user: Annotated[Any, Depends(get_user)]) -> Facts:
    """Return what is known of all numbers that a user may see."""
    state = request.app.state
    kinds = await run_in_threadpool(visible_connections, user)
    state.reader.kinds.update(kinds)
    readings = await asyncio.gather(*map(state.readings.of, kinds))
    changes, wishes = await run_in_threadpool(state.history.read, kinds) if kinds else ([], [])
    permitted = await run_in_threadpool(permitted_dags, user) if changes or wishes else set()
    return Facts(
        kinds,
        dict(zip(kinds, readings, strict=True)),
        anonymous(changes, permitted),
        [
            wish if wish.dag_id in permitted else wish._replace(dag_id=None)
            for wish in wishes
            if wish.conn_id in kinds
        ],
    )


def _view(request: Request) -> View:
    return View.of(request.query_params)


FactsDep = Annotated[Facts, Depends(_facts)]
ViewDep = Annotated[View, Depends(_view)]


@router.get("/numbers")
def numbers(request: Request, facts: FactsDep, view: ViewDep) -> HTMLResponse:
    """Return all numbers as a table."""
    return HTMLResponse(rendering.numbers_page(_base(request), facts, view, datetime.now(timezone.utc)))


@router.get("/numbers.json")
def numbers_json(facts: FactsDep, view: ViewDep) -> JSONResponse:
    """Return the same facts for programs."""
    return JSONResponse(facts.as_json(view))


@router.get("/numbers.csv")
def numbers_csv(facts: FactsDep, view: ViewDep) -> PlainTextResponse:
    """Return the same facts for spreadsheets, which have no place for what is missing: all rows, or none."""
    if unread := facts.unread(view):
        raise HTTPException(
            503, f"The numbers of {', '.join(unread)} would be missing: they could not be read yet."
        )
    rows = [row.as_json() for row in view.select(facts.rows)]
    return PlainTextResponse(
        as_csv(rows, COLUMNS),
        media_type="text/csv",
        headers={"Content-Disposition": 'attachment; filename="phone-numbers.csv"'},
    )


@router.get("/numbers/{conn_id}/{number_id:path}")
def number(request: Request, conn_id: str, number_id: str, facts: FactsDep) -> HTMLResponse:
    """Return all that is known of one number."""
    number_id = plain_id(number_id)
    row, now = facts.number(conn_id, number_id), datetime.now(timezone.utc)
    if row is not None:
        return HTMLResponse(rendering.number_page(_base(request), facts, row, now))
    if conn_id in facts.kinds and facts.readings[conn_id].stale:
        changes = facts.changes_of_number(conn_id, number_id)
        name = facts.phone_number(conn_id, number_id)
        return HTMLResponse(rendering.unread_page(_base(request), facts, conn_id, name, changes, now), 503)
    raise HTTPException(404)


@router.get("/agents/{conn_id}/{agent_id:path}")
def agent(request: Request, conn_id: str, agent_id: str, facts: FactsDep) -> HTMLResponse:
    """Return all that is known of one agent."""
    if conn_id not in facts.kinds:
        raise HTTPException(404)
    agent_id, now = plain_id(agent_id), datetime.now(timezone.utc)
    if facts.readings[conn_id].fleet is None:
        changes = facts.changes_of_agent(conn_id, agent_id)
        return HTMLResponse(
            rendering.unread_page(_base(request), facts, conn_id, agent_id, changes, now), 503
        )
    return HTMLResponse(rendering.agent_page(_base(request), facts, conn_id, agent_id, now))


@router.get("/static/{name}")
def asset(name: str) -> FileResponse:
    """Return the page's style or its script."""
    if name not in _ASSETS:
        raise HTTPException(404)
    return FileResponse(_STATIC / name, media_type=_ASSETS[name])


@router.get("/")
def start(request: Request) -> RedirectResponse:
    """Lead to the table."""
    return RedirectResponse(f"{_base(request)}/numbers")


def _base(request: Request) -> str:
    """Return the path below which the page is served, with that of Airflow."""
    return str(request.scope.get("root_path", ""))


async def _with_headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await call_next(request)
    response.headers.update(_HEADERS)
    return response


async def _refused(request: Request, error: Any) -> Response:
    """Tell people in a page, and programs in JSON, why they see nothing."""
    if "text/html" in request.headers.get("accept", ""):
        return HTMLResponse(rendering.refusal(_base(request), error.status_code), error.status_code)
    return JSONResponse({"detail": error.detail}, error.status_code)
