"""The sandbox as an ASGI application: the vendors' endpoints, the sandbox's own, and a page that lists them."""

from __future__ import annotations

import json
import re
from html import escape
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from airflow_provider_phonelink.sandbox.control import control_router
from airflow_provider_phonelink.sandbox.gate import vendor_of
from airflow_provider_phonelink.sandbox.world import Refused, stand_ins

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_phonelink.sandbox.exchange import Stand
    from airflow_provider_phonelink.sandbox.switches import Switches

TITLE = "phonelink sandbox"
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }}
code {{ font-size: 14px; }} td {{ padding: .2rem 1rem .2rem 0; vertical-align: top; }}
td:first-child {{ width: 4rem; font-weight: 600; }}
</style></head><body><h1>{title}</h1>
<p>Described in full by <a href="/openapi.json">/openapi.json</a>.</p>
{sections}</body></html>
"""


def build_app(stand: Stand, reset: Callable[[], None]) -> FastAPI:
    """
    Return the application, to be put behind the gate.

    :param stand: what the sandbox consists of.
    :param reset: restores the sandbox to its initial state.
    """
    # FastAPI's own documentation pages load their scripts from another host, and a stand-in works offline.
    app = FastAPI(title=TITLE, version="1", docs_url=None, redoc_url=None, redirect_slashes=False)
    for vendor in stand_ins().values():
        for router in vendor.endpoints.routers(stand.world):
            app.include_router(router)
    app.include_router(control_router(stand, reset))
    _add_errors(app, stand)
    _add_documentation(app)
    return app


def _add_errors(app: FastAPI, stand: Stand) -> None:
    def refuse(request: Request, refused: Refused, headers: Any = None) -> Response:
        path = request.url.path
        vendor = vendor_of(path)
        write = stand_ins()[vendor].error if vendor else _plain_error
        body, media_type = write(refused, path, stand.world.switches)
        return Response(body, refused.status, headers, media_type)

    @app.exception_handler(Refused)
    async def refused(request: Request, error: Refused) -> Response:
        return refuse(request, error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        places = [f"{'.'.join(map(str, e['loc'][1:])) or e['loc'][0]}: {e['msg']}" for e in error.errors()]
        return refuse(request, Refused(400, "; ".join(places)))

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> Response:
        headers = {"allow": _allowed(app, request.url.path)} if error.status_code == 405 else error.headers
        return refuse(request, Refused(error.status_code, error.detail), headers)


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
    """Return the methods that a path accepts; FastAPI itself names only those of one route."""
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
    components["securitySchemes"] = {
        vendor.title: {"type": "http", "scheme": "bearer", "description": "The key of the sandbox's vendor"}
        for vendor in stand_ins().values()
    }
    for vendor in stand_ins().values():
        components["schemas"] |= vendor.endpoints.SCHEMAS
    for path, methods in document["paths"].items():
        for operation in methods.values():
            if key := vendor_of(path):
                operation["security"] = [{stand_ins()[key].title: []}]
            if "application/json" in operation["responses"].get("422", {}).get("content", {}):
                del operation["responses"]["422"]
    return document


def _plain_error(refused: Refused, _: str, __: Switches) -> tuple[bytes, str]:
    return json.dumps({"error": refused.detail}).encode(), "application/json"


def docs_page(document: dict[str, Any]) -> str:
    """Return an OpenAPI document's endpoints, grouped by tag."""
    sections: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            sections.setdefault(operation["tags"][0], []).append(_row(method, path, operation))
    tables = (f"<h2>{escape(tag)}</h2><table>{''.join(rows)}</table>\n" for tag, rows in sections.items())
    return PAGE.format(title=escape(document["info"]["title"]), sections="".join(tables))


def _row(method: str, path: str, operation: dict[str, Any]) -> str:
    query = [p["name"] for p in operation.get("parameters", ()) if p["in"] == "query"]
    parameters = f"<br><small>{escape(', '.join(query))}</small>" if query else ""
    summary = escape(operation.get("summary", ""))
    return f"<tr><td>{method.upper()}</td><td><code>{escape(path)}</code>{parameters}</td><td>{summary}</td></tr>"
