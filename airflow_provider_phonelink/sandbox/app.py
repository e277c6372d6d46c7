"""The sandbox as an ASGI application: both vendors' endpoints, the sandbox's own beside them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from airflow_provider_phonelink.sandbox.access import CALLINGBOX, DASHA
from airflow_provider_phonelink.sandbox.callingbox.routes import callingbox_router
from airflow_provider_phonelink.sandbox.control_routes import control_router
from airflow_provider_phonelink.sandbox.dasha.routes import dasha_router
from airflow_provider_phonelink.sandbox.dasha.schemas import ProblemDetails
from airflow_provider_phonelink.sandbox.docs_page import docs_page
from airflow_provider_phonelink.sandbox.errors import error_body
from airflow_provider_phonelink.sandbox.gate import vendor_of
from airflow_provider_phonelink.sandbox.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_phonelink.sandbox.exchange import Stand

TITLE = "phonelink sandbox"
KEYS = {
    "Dasha BlackBox": {"type": "http", "scheme": "bearer", "description": "The sandbox's Dasha key"},
    "CallingBox": {"type": "http", "scheme": "bearer", "description": "The sandbox's CallingBox key"},
}


def build_app(stand: Stand, reset: Callable[[], None]) -> FastAPI:
    """
    Return the application, to be put behind the gate.

    :param stand: what the sandbox consists of.
    :param reset: brings the sandbox back to how it started.
    """
    # FastAPI's own documentation pages load their scripts from another host, and a stand-in works offline.
    app = FastAPI(title=TITLE, version="1", docs_url=None, redoc_url=None, redirect_slashes=False)
    app.include_router(dasha_router(stand.world))
    app.include_router(callingbox_router(stand.world))
    app.include_router(control_router(stand, reset))
    _add_errors(app, stand)
    _add_documentation(app)
    return app


def _add_errors(app: FastAPI, stand: Stand) -> None:
    def refuse(request: Request, status: int, detail: str, headers: Any = None) -> Response:
        vendor = vendor_of(request.url.path) or CALLINGBOX
        body, media_type = error_body(vendor, status, detail, request.url.path, stand.world.switches)
        return Response(body, status, headers, media_type)

    @app.exception_handler(Refused)
    async def refused(request: Request, error: Refused) -> Response:
        return refuse(request, error.status, error.detail)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        places = [f"{'.'.join(map(str, e['loc'][1:])) or e['loc'][0]}: {e['msg']}" for e in error.errors()]
        return refuse(request, 400, "; ".join(places))

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> Response:
        headers = {"allow": _allowed(app, request.url.path)} if error.status_code == 405 else error.headers
        return refuse(request, error.status_code, error.detail, headers)


def _add_documentation(app: FastAPI) -> None:
    def openapi() -> dict[str, Any]:
        if not app.openapi_schema:
            document = get_openapi(title=app.title, version=app.version, routes=app.routes)
            app.openapi_schema = _completed(document)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]

    @app.get("/", include_in_schema=False)
    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(docs_page(openapi()))


def _allowed(app: FastAPI, path: str) -> str:
    """Return the methods a path takes; FastAPI itself names those of one of its routes only."""
    methods = {
        method.upper()
        for template, operations in app.openapi()["paths"].items()
        if re.fullmatch(re.sub(r"\{[^}]*\}", "[^/]+", template), path)
        for method in operations
    }
    return ", ".join(sorted(methods)) or "GET"


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    """Add what FastAPI cannot know: keys, the vendor's error body, and that invalid requests are answered with 400."""
    components = document["components"]
    components["securitySchemes"] = KEYS
    components["schemas"]["ProblemDetails"] = ProblemDetails.model_json_schema()
    for path, methods in document["paths"].items():
        for operation in methods.values():
            if vendor_of(path) in (DASHA, CALLINGBOX):
                operation["security"] = [{operation["tags"][0]: []}]
            if "application/json" in operation["responses"].get("422", {}).get("content", {}):
                del operation["responses"]["422"]
    return document
